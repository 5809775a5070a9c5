"""What the styles and numberings of a Word file mean: headings, lists, and the marks of numbered paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .archives import Element, attribute
from .markdown import mark_of

FORMATS = {
    "lowerLetter": "LowerAlpha", "upperLetter": "UpperAlpha", "lowerRoman": "LowerRoman", "upperRoman": "UpperRoman",
}  # fmt: skip
LETTERS = {
    "russianLower": "абвгдежзиклмнопрстуфхцчшщыэюя", "russianUpper": "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ",
    "arabicAlpha": "أبتثجحخدذرزسشصضطظعغفقكلمنهوي", "arabicAbjad": "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ",
    "hebrew2": "אבגדהוזחטיכלמנסעפצקרשת", "thaiLetters": "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
    "aiueo": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "iroha": "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス",
    "ganada": "가나다라마바사아자차카타파하", "chosung": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "ideographTraditional": "甲乙丙丁戊己庚辛壬癸", "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥",
    "decimalEnclosedCircle": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
}  # fmt: skip
ZEROS = {"decimalFullWidth": 0xFF10, "thaiNumbers": 0x0E50, "hindiNumbers": 0x0966}
HAN = re.compile("(chinese|japanese|taiwanese)Counting(Thousand)?|ideographDigital|koreanDigital")
CARDINAL, ORDINAL = (
    names.split()
    for names in (
        "One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve",
        "First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth",
    )
)


@dataclass(frozen=True)
class Style:
    name: str = ""
    outline: int = -1
    num_id: str = ""
    level: int = 0
    hidden: bool = False
    numbered_by: str = ""  # the style that says so: itself, or one that it is based on
    depth: int = 0  # how far its name says that it is indented


@dataclass(frozen=True)
class Level:
    """A level of a numbering. `family` is what it counts together with; `restart`: where this one begins.

    `legal`: all numbers in its mark are written in digits. `above`: it begins anew after a level below this number.
    """

    family: str
    style: str
    text: str
    start: int
    legal: bool
    restart: bool
    above: int


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
        outline, num_id, level, hidden, numbered_by, above, seen = "", "", "", False, "", style, set[str]()
        while above is not None and (own := attribute(above, "styleId")) not in seen:  # what it says, or inherits
            seen.add(own)
            heading = re.fullmatch(r"heading (\d)", value(above, "name").lower())
            outline = outline or value(above, "pPr/outlineLvl") or (str(int(heading[1]) - 1) if heading else "")
            if not num_id and (num_id := value(above, "pPr/numPr/numId")):
                numbered_by = own
            level = level or value(above, "pPr/numPr/ilvl")
            hidden = hidden or is_on(above, "rPr/vanish")
            above = raw.get(value(above, "basedOn"))
        name = value(style, "name").lower()
        deeper = re.fullmatch(r"list (?:bullet|number) (\d)", name)
        depth = int(deeper[1]) - 1 if deeper else 0
        styles[key] = Style(name, number(outline, -1), num_id, number(level, 0), hidden, numbered_by, depth)
    return styles


def numbering_of(root: Element | None, styles: dict[str, Style]) -> Numbering:
    """How each number and level is marked, and the levels that belong to styles."""
    levels: dict[tuple[str, int], Level] = {}
    of_styles: dict[tuple[str, str], int] = {}
    nums = [] if root is None else list(root.iter("num"))
    abstract = {} if root is None else {attribute(one, "abstractNumId"): one for one in root.iter("abstractNum")}
    families = {attribute(num, "numId"): value(num, "abstractNumId") for num in nums}
    for num in nums:
        key = attribute(num, "numId")
        family = families[key]
        if linked := value(abstract.get(family), "numStyleLink"):  # what it is, a style says
            family = families.get(styles.get(linked, Style()).num_id, family)
        restarts = {attribute(one, "ilvl"): value(one, "startOverride") for one in num.iter("lvlOverride")}
        for level in [*(abstract[family].iter("lvl") if family in abstract else ()), *num.iter("lvl")]:
            at = number(attribute(level, "ilvl"), 0)
            text, restart = level.find("lvlText"), restarts.get(str(at), "")
            levels[key, at] = Level(
                family,
                value(level, "numFmt"),
                f"%{at + 1}." if text is None else attribute(text, "val"),
                number(restart or value(level, "start"), 1),
                is_on(level, "isLgl"),
                bool(restart),
                number(value(level, "lvlRestart"), at),
            )
            if style := value(level, "pStyle"):
                of_styles[key, style] = at
    return Numbering(levels, of_styles)


@dataclass
class Numbering:
    """How far the numberings of a file have counted."""

    levels: dict[tuple[str, int], Level]
    of_styles: dict[tuple[str, str], int]
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    begun: set[tuple[str, int]] = field(default_factory=set)

    def place(self, own: Element | None, style: Style) -> tuple[str, int]:
        """The number and the level of a paragraph, by itself or by its style."""
        num_id = value(own, "numPr/numId") or style.num_id
        level = self.of_styles.get((num_id, style.numbered_by), style.level)
        return num_id, number(value(own, "numPr/ilvl"), level)

    def mark(self, num_id: str, depth: int) -> str | None:
        """What a paragraph is called in its list, and nothing for a bullet; None where it is in no list."""
        level = self.levels.get((num_id, depth))
        if num_id in {"", "0"}:
            return None
        if level is None or level.style == "bullet":
            return ""
        place = level.family, depth
        if level.restart and (num_id, depth) not in self.begun:
            self.counts.pop(place, None)
        self.begun.add((num_id, depth))
        self.counts[place] = self.counts.get(place, level.start - 1) + 1
        for deeper in [key for key in self.counts if key[0] == level.family and key[1] > depth]:
            if depth < self.levels.get((num_id, deeper[1]), level).above:
                del self.counts[deeper]

        def called(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            one = self.levels.get((num_id, at), level)
            if one.style == "none":
                return ""
            style = "decimal" if level.legal and one.style != "decimalZero" else one.style
            return shown(self.counts.get((level.family, at), one.start), style)

        return re.sub(r"%([1-9])", called, level.text).strip() or None


def shown(count: int, style: str) -> str:
    """A number as a style of numbering writes it."""
    if letters := LETTERS.get(style.removesuffix("FullWidth")):
        again, at = divmod(count - 1, len(letters))
        return letters[at] * (again + 1)
    if HAN.fullmatch(style) and 0 < count < 100:
        tens, ones = divmod(count, 10)
        ten = "" if not tens else "十" if tens == 1 else "一二三四五六七八九"[tens - 1] + "十"
        return ten + ("一二三四五六七八九"[ones - 1] if ones else "")
    if style in {"cardinalText", "ordinalText"} and 0 < count <= len(CARDINAL):
        return (CARDINAL if style == "cardinalText" else ORDINAL)[count - 1]
    if style == "ordinal":
        last = "" if count % 100 in {11, 12, 13} else str(count)[-1]
        return f"{count}{ {'1': 'st', '2': 'nd', '3': 'rd'}.get(last, 'th') }"
    text = mark_of(count, FORMATS.get(style, "Decimal"), "None")
    if style in ZEROS:
        return "".join(chr(ZEROS[style] + int(digit)) for digit in text)
    return text.zfill(2) if style == "decimalZero" else text
