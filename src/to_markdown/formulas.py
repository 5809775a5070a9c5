"""Formulas as TeX, and symbols of old fonts as characters: by pandoc, all of a file at once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from zipfile import ZipFile

from .archives import Element
from .pandoc import convert_tree
from .raw_file import RawFile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MARK = "\ufdd0"  # before and after the number of each


def formulas_of_word(roots: Iterable[Element | None], file: RawFile) -> dict[Element, str]:
    """The text of each formula and symbol in these parts of a Word file."""
    found = [one for root in roots if root is not None for one in root.iter("oMathPara", "oMath", "sym")]
    found = [one for one in found if one.tag != "oMath" or one.getparent().tag != "oMathPara"]
    texts = _texts(_packed(found), "docx", file) if found else {}
    return {one: texts.get(number, "") for number, one in enumerate(found)}


def formulas_of_page(page: Element) -> dict[Element, str]:
    """The text of each formula in a web page that has no TeX with it."""
    from lxml import etree

    found = [one for one in page.iter("math") if not one.xpath(".//*[contains(@encoding, 'tex')]")]
    lines = [
        f"<p>{MARK}{number}{MARK}{etree.tostring(one, encoding='unicode', with_tail=False)}</p>"
        for number, one in enumerate(found)
    ]
    texts = _texts("".join(lines).encode(), "html", RawFile(b"")) if found else {}
    return {one: texts.get(number, "") for number, one in enumerate(found)}


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
