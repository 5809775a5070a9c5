"""Formulas as TeX, and symbols of old fonts as characters: by pandoc, all of a file at once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from zipfile import ZipFile

from .archives import Element
from .markdown import formula
from .pandoc import convert_tree
from .raw_file import RawFile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MARK = "\ufdd0"  # before and after the number of each
TEX = "data-as-tex"
DRAWN = re.compile(r"(^|\s)(katex(-display)?|mjx-(container|chtml)|mwe-math-element|MathJax(_[A-Za-z_]+)?)(\s|$)")
APART = re.compile(r"^(block|true) |katex-display|_Display")
PICTURE = re.compile(r"(^|[\s_-])(math|tex|latex)([\s_-]|$)")
DELIMITED = re.compile(r"(?<!\\)\\\(((?:(?!\\[()]).)++)\\\)|(?<!\\)\\\[((?:(?!(?<!\\)\\[][]).)++)\\\]", re.DOTALL)
READS_TEX = "//*[contains(@class, 'math')] | //script[contains(concat(@src, .), 'athJax') or contains(@src, 'katex')]"
VERBATIM = "ancestor-or-self::*[contains(' pre code kbd samp tt script style textarea ', concat(' ', name(), ' '))]"
PAGES_OWN = ".//*[local-name()='annotation'][contains(@encoding, 'tex')]/text() | descendant-or-self::*/@data-latex"


def formulas_of_word(roots: Iterable[Element | None], file: RawFile) -> dict[Element, str]:
    """The text of each formula and symbol in these parts of a Word file."""
    found = [one for root in roots if root is not None for one in root.iter("oMathPara", "oMath", "sym")]
    found = [one for one in found if one.tag != "oMath" or one.getparent().tag != "oMathPara"]
    texts = _texts(_packed(found), "docx", file) if found else {}
    return {one: texts.get(number, "") for number, one in enumerate(found)}


def put_formulas(page: Element) -> int:
    """Let one empty `math` stand for each formula of a web page, with its TeX in `TEX`: the page's own, else pandoc's.

    Scripts draw a formula several times over, for eyes and for ears, in an element around all of them. Returns how many
    are only drawn.
    """
    for script in page.xpath("//script[starts-with(@type, 'math/tex')]"):
        while (drawn := script.getprevious()) is not None and _is_drawn(drawn) and not (drawn.tail or "").strip():
            drawn.getparent().remove(drawn)
        _stand(script, script.text or "", apart="display" in script.get("type"))
    if page.xpath(READS_TEX):
        for node in page.xpath(r"//text()[contains(., '\(') or contains(., '\[')]"):
            element, place = node.getparent(), "tail" if node.is_tail else "text"
            if not element.xpath(VERBATIM):
                setattr(element, place, DELIMITED.sub(_delimited, getattr(element, place)))
    for picture in page.xpath("//img[@alt and @class]"):
        if PICTURE.search(picture.get("class")) and not any(map(_is_drawn, picture.iterancestors())):
            _stand(picture, picture.get("alt").strip("$ "))
    bare: list[tuple[Element, Element, bool]] = []
    lost = 0
    for element in page.xpath(f"//math[not(@{TEX})] | //mjx-container[not(.//math)]"):
        around = [element, *filter(_is_drawn, element.iterancestors())]
        apart = any(APART.search(f"{one.get('display')} {one.get('class')}") for one in around)
        if tex := element.xpath(PAGES_OWN):
            _stand(around[-1], tex[0], apart=apart)
        elif element.tag == "math":
            bare.append((element, around[-1], apart))
        else:
            lost += 1
    for (element, whole, apart), tex in zip(bare, _as_tex([element for element, _, _ in bare]), strict=True):
        _stand(whole, tex or element.get("alttext") or "".join(element.itertext()), apart=apart)
    for shown in page.xpath("//*[contains(@class, 'katex-html')]"):  # by itself: no formula stands for it
        shown.attrib.pop("aria-hidden", None)
    return lost


def _is_drawn(element: Element) -> bool:
    return element.tag != "body" and bool(DRAWN.search(f"{element.tag} {element.get('class')}"))


def _delimited(tex: re.Match[str]) -> str:
    return formula(tex[1] or tex[2], apart=bool(tex[2]))


def _stand(element: Element, tex: str, *, apart: bool = False) -> None:
    from lxml import html

    one = html.Element("math", {TEX: formula(tex, apart=apart)})
    one.tail = element.tail
    element.getparent().replace(element, one)


def _as_tex(formulas: list[Element]) -> list[str]:
    from lxml import etree

    lines = (
        f"<p>{MARK}{number}{MARK}{etree.tostring(one, encoding='unicode', with_tail=False)}</p>"
        for number, one in enumerate(formulas)
    )
    texts = _texts("".join(lines).encode(), "html", RawFile(b"")) if formulas else {}
    return [texts.get(number, "").strip("$\n") for number in range(len(formulas))]


def _texts(data: bytes, reader: str, file: RawFile) -> dict[int, str]:
    text = convert_tree(data, reader, file).text
    return {int(number): said.strip() for number, said in re.findall(rf"{MARK}(\d+){MARK}([^{MARK}]*)", text)}


def _packed(elements: list[Element]) -> bytes:
    """A Word file that has a paragraph for each of these, and nothing else."""
    from lxml import etree

    root = etree.Element(f"{{{W}}}document", nsmap={"w": W, "m": M})  # pandoc looks for these prefixes here
    body = etree.SubElement(root, f"{{{W}}}body")
    for number, element in enumerate(elements):
        paragraph = etree.SubElement(body, f"{{{W}}}p")
        run = etree.SubElement(paragraph, f"{{{W}}}r")
        etree.SubElement(run, f"{{{W}}}t").text = f"{MARK}{number}{MARK}"
        _rebuild(*((run, element, W) if element.tag == "sym" else (paragraph, element, M)))
    held = io.BytesIO()
    with ZipFile(held, "w") as archive:
        types = f'<Override PartName="/word/document.xml" ContentType="{TYPE}"/>'
        main = f'<Relationship Id="a" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types">{types}</Types>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{main}</Relationships>')
        archive.writestr("word/document.xml", etree.tostring(root))
    return held.getvalue()


def _rebuild(parent: Element, element: Element, namespace: str) -> None:
    """A copy with the usual namespace; ISO's own edition of the format has another one."""
    from lxml import etree

    values = {f"{{{namespace}}}{key.rpartition('}')[2]}": value for key, value in element.attrib.items()}
    made = etree.SubElement(parent, f"{{{namespace}}}{element.tag}", values)
    made.text = element.text
    for child in element.iterchildren("*"):
        _rebuild(made, child, namespace)
