"""Code in web pages: where it is shown by other things than `pre`, the numbers of its lines, its language."""

from __future__ import annotations

import re
from itertools import chain, islice

from .archives import Element
from .markdown import fence

# Doxygen, GitHub, gitweb, SyntaxHighlighter and highlight.js set lines of code as boxes or as rows of a table.
LINES = (
    "//div[contains(concat(' ', @class, ' '), ' fragment ')][div[contains(@class, 'line')]]",
    "//div[contains(@class, 'react-code-lines') or div[@class='pre']]",
    "//td[contains(concat(' ', @class, ' '), ' code ')]/div[contains(@class, 'container')]",
    "//table[.//td[contains(@class, 'blob-code') or contains(@class, 'hljs-ln-code')]][not(ancestor::pre)]",
)
TIPS = "//pre/div[@class='ttc']"  # what Doxygen shows under the mouse
GUTTER = re.compile(
    r"(^|[\s_-])((code|source)?line-?(no|nos|nr|nums?|numbers?)|linenodiv|lnt?|lnlinks|gutter|blob-num|crayon-nums?)"
    r"([\s_-]|$)",
    re.IGNORECASE,
)
STYLED = re.compile(r"user-select:\s*none|margin-right:\s*0?\.4em")  # Hugo's numbers, which have no class
NUMBERS = re.compile(r"[\d\s.:|]*")
LANGUAGE = re.compile(r"\b(?:language|lang|highlight(?:-source)?|brush|sourceCode)[-:\s]+([A-Za-z][\w+#-]*)")
NO_LANGUAGE_NAMES = """
    default none text plain plaintext notranslate code source highlight tab-size js-file-line-container
"""
NO_LANGUAGE = set(NO_LANGUAGE_NAMES.split())


def put_code(page: Element) -> None:
    """Let all code stand in a `pre`, without the numbers of its lines."""
    for shown in page.xpath(" | ".join(LINES)):
        shown.tag = "pre"
        _close_up(shown)
    holders = {above for code in page.iter("pre") for above in islice(code.iterancestors(), 5)}
    classed = (one for one in page.xpath("//*[@class]") if GUTTER.search(one.get("class")))
    styled = (one for one in page.xpath("//pre//span[@style]") if STYLED.search(one.get("style")))
    numbers = (one for one in chain(classed, styled) if NUMBERS.fullmatch(one.text_content()))
    gutters = [one for one in numbers if _is_beside_code(one, holders)]
    for element in [*gutters, *page.xpath(TIPS)]:
        if element.getparent() is not None and element.find("code") is None:
            element.drop_tree()


def _is_beside_code(element: Element, holders: set[Element]) -> bool:
    """In it, before it in the row of a table, or in a box next to its own."""
    if next(element.iterancestors("pre", "code"), None) is not None:
        return True
    beside = element.getparent() if element.tag in {"div", "pre"} else None
    return next(element.iterancestors("tr"), beside) in holders


def fence_of(element: Element) -> list[str]:
    """The code in a `pre`, as it stands."""
    for row in element.iter("table", "tbody", "tr"):
        _close_up(row)
    for line in element.iter("br", "div", "tr", "li", "p"):
        if not f"{line.text_content()}{line.tail or ''}".rstrip(" ").endswith("\n"):
            line.tail = "\n" + (line.tail or "")
    return fence(element.text_content(), _language(element))


def _close_up(element: Element) -> None:
    """Drop the white space between the lines or cells in an element."""
    element.text = (element.text or "").strip()
    for child in element:
        child.tail = (child.tail or "").strip()


def _language(element: Element) -> str:
    above = 6 if element.getparent().tag == "td" else 2
    for one in (element, *element.iter("code"), *islice(element.iterancestors(), above)):
        for found in LANGUAGE.findall(one.get("class") or ""):
            if found.lower() not in NO_LANGUAGE:
                return str(found).lower()
    return ""
