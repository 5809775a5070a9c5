"""What the styles and numberings of a Word file mean: headings, lists, and the marks of numbered paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .archives import Element, attribute
from .markdown import mark_of

FORMATS = {
    "lowerLetter": "LowerAlpha", "upperLetter": "UpperAlpha", "lowerRoman": "LowerRoman", "upperRoman": "UpperRoman",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    name: str = ""
    outline: int = -1
    num_id: str = ""
    level: int = 0
    hidden: bool = False


@dataclass(frozen=True)
class Level:
    """A level of a numbering. `family` is what it counts together with; `restart`: where this one begins.

    `legal`: all numbers in its mark are written in digits.
    """

    family: str
    style: str
    text: str
    start: int
    legal: bool
    restart: int | None


def value(element: Element | None, path: str) -> str:
    """The `val` of the first element at a path."""
    return "" if element is None else attribute(element.find(path), "val")


def is_on(element: Element | None, path: str) -> bool:
    return element is not None and element.find(path) is not None and value(element, path) not in {"0", "false", "off"}


def number(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else otherwise


def styles_of(root: Element | None) -> dict[str, Style]:
    raw = {attribute(one, "styleId"): one for one in (root.iter("style") if root is not None else ())}
    styles: dict[str, Style] = {}
    for key, style in raw.items():
        outline, num_id, level, hidden, above, seen = "", "", "", False, style, set[str]()
        while above is not None and (own := attribute(above, "styleId")) not in seen:  # what it says, or inherits
            seen.add(own)
            heading = re.fullmatch(r"heading (\d)", value(above, "name").lower())
            outline = outline or value(above, "pPr/outlineLvl") or (str(int(heading[1]) - 1) if heading else "")
            num_id, level = num_id or value(above, "pPr/numPr/numId"), level or value(above, "pPr/numPr/ilvl")
            hidden = hidden or is_on(above, "rPr/vanish")
            above = raw.get(value(above, "basedOn"))
        name = value(style, "name").lower()
        deeper = re.fullmatch(r"list (?:bullet|number) (\d)", name)
        level = str(int(deeper[1]) - 1) if deeper and level in {"", "0"} else level
        outline = "0" if name == "title" else outline
        styles[key] = Style(name, number(outline, -1), num_id, number(level, 0), hidden)
    return styles


def levels_of(root: Element | None) -> dict[tuple[str, int], Level]:
    """(number, level) -> how it is marked."""
    levels: dict[tuple[str, int], Level] = {}
    abstract = {} if root is None else {attribute(one, "abstractNumId"): one for one in root.iter("abstractNum")}
    for num in () if root is None else root.iter("num"):
        key, family = attribute(num, "numId"), value(num, "abstractNumId")
        restarts = {attribute(one, "ilvl"): value(one, "startOverride") for one in num.iter("lvlOverride")}
        for level in [*(abstract[family].iter("lvl") if family in abstract else ()), *num.iter("lvl")]:
            at = number(attribute(level, "ilvl"), 0)
            text = level.find("lvlText")
            levels[key, at] = Level(
                family,
                value(level, "numFmt"),
                f"%{at + 1}." if text is None else attribute(text, "val"),
                number(value(level, "start"), 1),
                is_on(level, "isLgl"),
                number(restarts[str(at)], 1) if restarts.get(str(at)) else None,
            )
    return levels


@dataclass
class Numbering:
    """How far the numberings of a file have counted."""

    levels: dict[tuple[str, int], Level]
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    begun: set[tuple[str, int]] = field(default_factory=set)

    def mark(self, num_id: str, depth: int) -> str | None:
        """What a paragraph is called in its list, and nothing for a bullet; None where it is in no list."""
        level = self.levels.get((num_id, depth))
        if num_id in {"", "0"}:
            return None
        if level is None or level.style in {"bullet", "none"}:
            return ""
        place = level.family, depth
        if level.restart is not None and (num_id, depth) not in self.begun:
            self.counts[place] = level.restart - 1
        self.begun.add((num_id, depth))
        self.counts[place] = self.counts.get(place, level.start - 1) + 1
        for deeper in [key for key in self.counts if key[0] == level.family and key[1] > depth]:
            del self.counts[deeper]

        def called(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            one = self.levels.get((num_id, at), level)
            style = "Decimal" if level.legal else FORMATS.get(one.style, "Decimal")
            text = mark_of(self.counts.get((level.family, at), one.start), style, "None")
            return text.zfill(2) if one.style == "decimalZero" else text

        return re.sub(r"%([1-9])", called, level.text).strip()
