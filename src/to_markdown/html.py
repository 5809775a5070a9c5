"""HTML -> Markdown: what a page is about, with its headings, lists, tables, definitions and code.

Trafilatura only finds *where* the main text is, and only where the page does not say so itself; the writing is done
here, since on manuals trafilatura's own writing loses most headings and code blocks.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from .archives import Element
from .formulas import put_formulas
from .html_blocks import BLOCKS, HEADINGS, INNER, MAX_DEPTH, mark_blocks, spaced, write_blocks
from .html_code import put_code
from .html_marks import put_marks
from .markdown import left_out
from .raw_file import Conversion, RawFile, decode

SILENT_NAMES = """
    script style noscript template head iframe object embed video audio canvas svg input select option textarea button
    nav footer rt rtc rp
"""
# What is ticked in lists and tables; a box with a name belongs to a label that opens a menu.
BOXES = "(//li|//td)//input[@type='checkbox'][@disabled or not(@id)]"
CONTAINERS = {"article", "body", "center", "div", "fieldset", "form", "main", "section", "table", "tbody", "td", "tr"}
# Words in a class or id by which pages say themselves that a part is no content.
CHROME = re.compile(
    r"(^|[\s_-])(nav|navbar|navigation|navheader|navfooter|navlinks|sidenav|sphinxsidebar|breadcrumbs?|menu|mainmenu"
    r"|topbar|footer|masthead|cookies?|consent|advert\w*|ads|share|sharing|social|newsletter|subscribe|promo"
    r"|pagination|pager|toc|tableofcontents|table-of-contents|skip|skiplink|nosearch|noprint|sr-only"
    r"|related|comments)([\s_-]|$)",
    re.IGNORECASE,
)
# An id is more often made from a heading ("related-documents"), so it counts only where it is nothing but such a word.
CHROME_ID = re.compile(
    r"(site-?|main-?|top-?|page-?)?(nav|navbar|navigation|sidebar|menu|footer|toc|breadcrumbs?|share|comments|cookie\S*)$",
    re.IGNORECASE,
)
FORMULAS = "math", "mjx-", "katex", "latex", '"tex'  # in pages that have some; to look for these takes time
HIDDEN = re.compile(r"\b(display:\s*none|visibility:\s*hidden)", re.IGNORECASE)
MARKS = {"", "¶", "#", "§", "🔗", "\uf0c1", "permalink"}  # the text of a heading's link to itself
LOCATED_CHARACTERS = 1_000_000
NO_LETTER = re.compile(r"\W+")
UNREADABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # lxml reads it, and will not write it


def from_html(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    found = html_to_markdown(text)
    return replace(found, warnings=(*warnings, *found.warnings))


def html_to_markdown(text: str, *, whole: bool = False) -> Conversion:
    """A page in Markdown.

    Args:
        whole: all of the body is content, as in a book's chapters; nothing is searched for.
    """
    tree = _parse(text)
    if tree is None:
        return Conversion("", "")
    lower = text.lower()
    lost = Counter({"formulas that are only drawn": put_formulas(tree) if any(one in lower for one in FORMULAS) else 0})
    put_code(tree)
    put_marks(tree)
    title = spaced("".join(tree.xpath("(//head//title|//title)[1]//text()")))
    _silence(tree, lost)
    said = tree if whole else _said(tree)
    heading, at = _title(title, tree if said is None else said, first=said is not None and not whole)
    _prune(tree, at)
    root = _located(tree, at) if said is None else said
    mark_blocks(root)
    blocks = write_blocks(root)
    if blocks and heading and _plain(blocks[0]) == heading and not blocks[0].startswith("#"):
        blocks[0] = f"# {heading}"  # a title that is set as a mere paragraph
    total = len(spaced(root.text_content()))
    linked = sum(len(spaced(link.text_content())) for link in root.iter("a") if link.get("href"))
    index = f"{linked * 100 // total}% of its text is links; an index page?" if linked > 0.7 * total > 0 else ""
    return Conversion(heading, "\n\n".join(blocks), (*left_out(lost), *filter(None, [index])))


def _parse(text: str) -> Element:
    from lxml import etree, html

    if re.search(r"<\?xml|xhtml", text[:1000]):  # an HTML parser takes <a/>, <script/> and <title/> for opening tags
        text = re.sub(r"<(a|script|title|span|div|p|i|b|em|td|th|iframe)(\s[^<>]*)?/>", r"<\1\2></\1>", text)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = html.document_fromstring(UNREADABLE.sub("", text).encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing in it
        return None
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise RecursionError("the parser has left out what is nested deeper")
    return tree


def _silence(tree: Element, lost: Counter[str]) -> None:
    """Drop what is not text; count what could have been content."""
    lost["pictures without a description"] = sum(not spaced(one.get("alt") or "") for one in tree.iter("img"))
    lost["drawings with text in them"] = len(tree.xpath("//svg[.//*[local-name()='text']]"))
    for box in tree.xpath(BOXES):
        sign = "☐" if box.get("checked") is None else "☒"
        box.tail = f"{sign} {(box.tail or '').lstrip()}"
    for element in list(tree.iter(*SILENT_NAMES.split())):
        _drop(element)
    half = len(tree.text_content()) / 2  # more is a page that waits for its scripts
    for element in tree.xpath("//*[@hidden or @aria-hidden or @style]"):
        if _is_hidden(element) and len(element.text_content()) <= half:
            _drop(element)
    for link in list(tree.iter("a")):
        if (link.get("href") or "").startswith("#") and spaced(link.text_content()).lower() in MARKS and not len(link):
            _drop(link)


def _prune(tree: Element, heading: Element | None) -> None:
    """Drop what the page says is no content, though never its own heading or the half of it.

    Inner parts first: a banner that is more than half of a short page may be no more than a menu and a motto.
    """
    keep = set() if heading is None else {heading, *heading.iterancestors()}
    half = len(tree.text_content()) / 2
    marked = tree.xpath("//*[@class or @id or @role] | //body/header")
    for element in reversed(marked):
        banner = element.tag == "header" and element.getparent().tag == "body"
        if element not in keep and (banner or _is_chrome(element)) and len(element.text_content()) <= half:
            _drop(element)


def _is_hidden(element: Element) -> bool:
    get = element.get
    return bool(
        get("hidden") not in {None, "until-found"} or get("aria-hidden") == "true" or HIDDEN.search(get("style") or "")
    )


def _is_chrome(element: Element) -> bool:
    tag, get = element.tag, element.get
    if tag in {"html", "body", "main", "article", "pre", *HEADINGS}:
        return False
    if tag not in BLOCKS and tag != "a":  # a class on a few words is about their looks
        return False
    return bool(
        (get("role") or "") in {"navigation", "banner", "contentinfo", "search", "menu", "menubar"}
        or CHROME.search(get("class") or "")
        or CHROME_ID.match(get("id") or "")
    )


def _drop(element: Element) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _said(tree: Element) -> Element | None:
    """The element that the page itself calls its main text."""
    size = len(tree.text_content())
    for path in ("//main", "//*[@role='main']", "//article"):
        found = tree.xpath(path)
        if len(found) == 1 and len(found[0].text_content()) * 10 >= size:
            return found[0]
    return None


def _located(tree: Element, heading: Element | None) -> Element:
    """The least element around what trafilatura takes for the main text, and around the page's own heading."""
    body = tree.find("body")
    body = tree if body is None else body
    size = len(_letters(body.text_content()))
    if size > LOCATED_CHARACTERS or _unlinked(body) > 0.85 * size:  # no article, or no menus: nothing to search for
        return body
    import trafilatura

    mark_blocks(body)
    try:  # without tables: their spans can cost it minutes
        kept = (
            trafilatura.extract(body, fast=True, include_comments=False, include_tables=False, favor_recall=True) or ""
        )
    except Exception:  # deep nesting, mostly; it was only to give a hint
        return body
    lines = {_letters(line) for line in kept.splitlines()}
    weights: Counter[Element] = Counter()
    for element in reversed(list(body.iter())):  # from the leaves up
        if element.tag in BLOCKS and element.get(INNER) is None:
            letters = _letters(element.text_content())
            weights[element] += len(letters) if letters in lines else 0
        if weights[element] and element is not body:
            weights[element.getparent()] += weights[element]
    around = set() if heading is None else {heading, *heading.iterancestors()}
    node = body
    for _ in range(MAX_DEPTH):
        best = max(node, key=lambda child: weights[child], default=None)
        if best is None or best.tag not in CONTAINERS or weights[best] < max(1, 0.95 * weights[body]):
            break
        # What falls away must be small or mostly links: where it is text, trafilatura has missed it.
        if _unlinked(node) - _unlinked(best) > 0.25 * _unlinked(best) or (around and best not in around):
            break
        node = best
    while node.tag in {"table", "tbody", "tr"}:  # a layout is only gone through to one of its cells
        node = node.getparent()
    return node


def _unlinked(element: Element) -> int:
    """Letters of an element that are in no link."""
    links = sum(len(_letters(link.text_content())) for link in element.iter("a"))
    return len(_letters(element.text_content())) - links


def _letters(text: str) -> str:
    return NO_LETTER.sub("", text).lower()


def _title(title: str, scope: Element, *, first: bool) -> tuple[str, Element | None]:
    """The heading that the page's title names; else the title without the site's name, or the first heading.

    The longest of those named, since a site's name is mostly shorter than a page's.
    """
    headings = [(text, one) for one in scope.iter(*HEADINGS) if (text := spaced(one.text_content()))]
    named = [(text, one) for text, one in headings[:8] if text.lower() in title.lower()]
    if named:
        return max(named, key=lambda pair: len(pair[0]))
    site_less = re.split(r"\s+[|\u2014\u2013\u00b7\u00bb-]\s+", title)[0]
    if headings and (first or not site_less):
        return headings[0]
    return site_less, None


def _plain(block: str) -> str:
    return re.sub(r"^#+ |[*`]", "", block).strip()
