"""OpenDocument texts -> Markdown: by pandoc, once it can find the formulas and the words that have readings beside."""

from __future__ import annotations

import io
from zipfile import ZIP_STORED, ZipFile

from .archives import Archive, Element
from .pandoc import convert_tree
from .raw_file import Conversion, RawFile


def from_odt(file: RawFile) -> Conversion:
    from lxml import etree

    archive = Archive(file)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(archive.read("content.xml"), parser)
    held = io.BytesIO()
    with ZipFile(held, "w", ZIP_STORED) as mended:
        for one in root.xpath("//*[local-name()='ruby']"):
            _open(one)
        for one in root.xpath("//*[local-name()='object']"):
            link = next((key for key in one.attrib if key.endswith("}href")), "")
            folder = one.attrib[link].removeprefix("./").rstrip("/") if link else ""
            if f"{folder}/content.xml" in archive:  # a formula; pandoc wants no slash behind its name
                one.attrib[link] = f"./{folder}"
                mended.writestr(f"{folder}/content.xml", archive.read(f"{folder}/content.xml"))
        mended.writestr("content.xml", etree.tostring(root, encoding="utf-8"))
        for name in ("styles.xml", "meta.xml"):
            if name in archive:
                mended.writestr(name, archive.read(name))
    return convert_tree(held.getvalue(), "odt", file, office=True)


def _open(ruby: Element) -> None:
    """Put the words of a ruby in its place, without their readings."""
    bases = [child for child in ruby if child.tag.endswith("}ruby-base")]
    for base in bases:
        base.tag, base.tail = base.tag.replace("ruby-base", "span"), ""
        ruby.addprevious(base)
    if bases:
        bases[-1].tail = ruby.tail
        ruby.tail = ""
    ruby.getparent().remove(ruby)
