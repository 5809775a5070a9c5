"""The marks that a browser writes before the items of lists, and what style sheets count before headings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from .archives import Element
from .markdown import mark_of

StyleSheet = dict[Element, dict[str, str]]  # of each element its settings; those of its `::before` begin with `before-`
Compound = tuple[bool, str, set[str]]  # of a selector: whether just below the step before; tag; classes and id

MARK = "data-mark"
STYLES = {
    **dict.fromkeys(("a", "lower-alpha", "lower-latin", "loweralpha"), "LowerLatin"),
    **dict.fromkeys(("A", "upper-alpha", "upper-latin", "upperalpha"), "UpperLatin"),
    **dict.fromkeys(("i", "lower-roman", "lowerroman"), "LowerRoman"),
    **dict.fromkeys(("I", "upper-roman", "upperroman"), "UpperRoman"),
    **dict.fromkeys(("1", "decimal", "arabic"), "Decimal"),
    **dict.fromkeys(("disc", "circle", "square"), ""),
}
LITERAL = re.compile(r"\s*(\(\w{1,5}\)|\w{1,3}\)|\d+(\.\d+)*\.|\d+(\.\d+)+|§\s*\d+\w*|[A-Z]\w+ \d+[.:]?)\s")
SETTING = re.compile(
    r"""\b(counter-(?:reset|set|increment)|content|list-style(?:-type)?)\s*:\s*((?:"[^"]*"|'[^']*'|[^;"'])*)"""
)
SELECTOR = re.compile(r"([\w.#>*\s-]*[\w*])(?:::?(before|marker))?")
COUNTED = re.compile(r"([\w-]+)(?:\s+(-?\d+))?")
CONTENT = re.compile(
    r"""counters?\(\s*([\w-]+)\s*(?:,\s*["']([^"']*)["']\s*)?(?:,\s*([\w-]+)\s*)?\)|"([^"]*)"|'([^']*)'"""
)


def put_marks(page: Element) -> None:
    """Note the mark of each item of a list as its `MARK`, and write what is counted before other blocks into them."""
    sheet = _sheet(page)
    referred = set(re.findall(r"\((\w{1,5})\)", page.text_content()))
    ordinals: dict[Element, int] = {}
    for one in page.iter("ol", "ul", "menu"):
        numbers = dict(_ordinals(one))
        ordinals |= numbers
        if all(LITERAL.match(item.text_content()) for item in numbers):
            continue
        styles = {item: _style(item, one, sheet) for item in numbers}
        letters = {mark_of(number, styles[item], "None") for item, number in numbers.items()}
        for item, number in numbers.items():
            if style := styles[item]:
                both = style != "Decimal" and not referred.isdisjoint(letters)
                item.set(MARK, mark_of(number, style, "TwoParens" if both else ""))
    if any("content" in name for settings in sheet.values() for name in settings):
        _count(page, sheet, ordinals)


def _ordinals(one: Element) -> Iterator[tuple[Element, int]]:
    items = [item for item in one.xpath("./li | ./div/li") if item.get("hidden") is None]
    backwards = one.get("reversed") is not None
    number = _whole(one.get("start"), len(items) if backwards else 1)
    for item in items:
        number = _whole(item.get("value"), number)
        yield item, number
        number += -1 if backwards else 1


def _whole(text: str | None, other: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?\d{1,6}\s*", text) else other


def _style(item: Element, one: Element, sheet: StyleSheet) -> str:
    """How an item is marked, as pandoc calls it; an `ol` that says that it has no marks is counted all the same."""
    for element in (item, one):
        own = sheet.get(element, {})
        said = f"{own.get('list-style-type', '')} {own.get('list-style', '')} {element.get('type') or ''}".split()
        for name in (*said, *(one.get("class") or "").split() * (element is one)):
            if name in STYLES:
                return STYLES[name]
    return "Decimal" if one.tag == "ol" else ""


# Style sheets --------------------------------------------------------------------------------------------------------


def _sheet(page: Element) -> StyleSheet:
    """What the page's own style sheets say of marks and counters. Rules with selectors of a rarer kind are passed over.

    Later rules win over earlier ones, unless these are more specific.
    """
    css = re.sub(r"(?s)/\*.*?\*/|<!--|-->|@import[^;]*;", " ", "\n".join(page.xpath("//style/text()")))
    rules: list[tuple[tuple[int, int], list[Compound], str, dict[str, str]]] = []
    for rule in css.split("}"):
        selectors, _, body = rule.rpartition("{")
        settings = dict(SETTING.findall(body))
        for selector in selectors.rpartition("{")[2].split(",") if settings else ():
            if found := SELECTOR.fullmatch(selector.strip()):
                steps = list(map(_step, re.sub(r"\s*>\s*", " >", found[1]).split()))
                rank = found[1].count("#"), len(re.findall(r"\.", found[1])) * 100 + len(steps)
                rules.append((rank, steps, "before-" * bool(found[2]), settings))
    sheet: StyleSheet = defaultdict(dict)
    if rules:
        named: dict[str, list[Element]] = defaultdict(list)
        for element in page.iter():
            for name in _names(element) | {element.tag, "*"}:
                named[name].append(element)
        for _, steps, prefix, settings in sorted(rules, key=lambda rule: rule[0]):
            if not all(names | {tag or "*"} <= named.keys() for _, tag, names in steps):
                continue
            for element in named[next(iter(steps[-1][2] or {steps[-1][1] or "*"}))]:
                if _fits(element, steps):
                    sheet[element].update({prefix + name: value for name, value in settings.items()})
    for element in page.xpath("//*[contains(@style, 'list-style') or contains(@style, 'counter')]"):
        sheet[element].update(SETTING.findall(element.get("style")))
    return dict(sheet)


def _step(text: str) -> Compound:
    tag, *_ = re.split(r"[.#]", text.removeprefix(">"), maxsplit=1)
    return text.startswith(">"), tag, set(re.findall(r"[.#][\w-]+", text))


def _names(element: Element) -> set[str]:
    return {f".{name}" for name in (element.get("class") or "").split()} | {f"#{element.get('id') or ''}"}


def _fits(element: Element, compounds: list[Compound]) -> bool:
    places = iter((element,))
    for close, tag, names in reversed(compounds):
        found = next((one for one in places if tag in {"", "*", one.tag} and names <= _names(one)), None)
        if found is None:
            return False
        places = islice(found.iterancestors(), 1 if close else None)
    return True


def _count(page: Element, sheet: StyleSheet, ordinals: dict[Element, int]) -> None:
    """Go through the page as a browser does, count, and write what is counted.

    A counter holds for what follows in the element where it is first set, and in all below it.
    """
    from lxml import etree

    counters: dict[str, list[int]] = defaultdict(list)
    opened: dict[Element, list[str]] = defaultdict(list)

    def begin(name: str, value: int, above: Element) -> None:
        if name in opened[above]:
            counters[name][-1] = value
        else:
            opened[above].append(name)
            counters[name].append(value)

    for event, element in etree.iterwalk(page, events=("start", "end")):
        if event == "end":
            for name in opened.pop(element, ()):
                counters[name].pop()
        elif own := sheet.get(element):
            counters["list-item"] = [ordinals.get(element, 0)]
            for prefix in ("", "before-"):
                for name, value in COUNTED.findall(own.get(f"{prefix}counter-reset", "")):
                    begin(name, int(value or 0), element.getparent())
                for how, usual in (("set", 0), ("increment", 1)):
                    for name, value in COUNTED.findall(own.get(f"{prefix}counter-{how}", "")):
                        if not counters[name]:
                            begin(name, 0, element.getparent())
                        counters[name][-1] = int(value or usual) + counters[name][-1] * (how == "increment")
            if "counter" in (content := own.get("before-content", "")):
                _write(element, "".join(_written(content, counters)).strip())


def _written(content: str, counters: dict[str, list[int]]) -> Iterator[str]:
    for found in CONTENT.finditer(content):
        name, between, style, *text = found.groups()
        if name:
            values = counters[name] or [0]
            marks = [mark_of(value, STYLES.get(style or "", "Decimal"), "None") for value in values]
            yield (between or "").join(marks if found[0].startswith("counters") else marks[-1:])
        else:
            yield re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda sign: chr(int(sign[1], 16)), "".join(filter(None, text)))


def _write(element: Element, mark: str) -> None:
    if element.tag == "li":
        element.set(MARK, mark)
    elif not element.xpath("ancestor-or-self::pre | ancestor-or-self::code"):
        element.text = f"{mark} {element.text or ''}"
