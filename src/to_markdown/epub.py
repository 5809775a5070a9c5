"""EPUB -> Markdown: the chapters in reading order, without the book's own lists of contents."""

from __future__ import annotations

import posixpath
import re
import urllib.parse

from ai_tools.errors import InputError

from .archives import Archive, Element, parse_xml
from .epub_notes import Notes, with_notes
from .html import html_to_markdown
from .raw_file import Conversion, RawFile, decode
from .text import first_heading, titled


def from_epub(file: RawFile) -> Conversion:
    archive = Archive(file)
    rights = "META-INF/encryption.xml"
    if rights in archive and re.search(rb"\.x?html?\b", archive.read(rights)):
        raise InputError("encrypted (DRM); only a copy without it can be read")
    container = parse_xml(archive.read("META-INF/container.xml"))
    package = next((one.get("full-path", "") for one in container.iter("rootfile")), "")
    root = parse_xml(archive.read(package))
    names, warnings = _reading_order(root, posixpath.dirname(package))
    warnings += [f"{name}: named in the book, but not in it" for name in names if name not in archive]
    read = {name: decode(RawFile(archive.read(name), name)) for name in names if name in archive}
    notes = Notes({name: text for name, (text, _) in read.items()})
    chapters: list[str] = []
    for name, (text, lost) in read.items():
        chapter = html_to_markdown(notes.text(name) if name in notes.changed else text, whole=True)
        if chapter.title.lower() == "index" or any("index page" in one for one in chapter.warnings):
            warnings.append(f"{name}: left out; it is an index or a list of links")
        elif chapter.text and not (name in notes.changed and re.fullmatch("#+ .*", chapter.text)):
            chapters.append(with_notes(chapter.text, len(chapters) + 1))
            warnings += [f"{name}: {one}" for one in (*lost, *chapter.warnings)]
    text = "\n\n".join(chapters)
    title = " ".join((root.findtext("metadata/title") or "").split())
    return Conversion(title or first_heading(text), titled(title, text) if text else "", tuple(warnings))


def _reading_order(package: Element, folder: str) -> tuple[list[str], list[str]]:
    """The names of the chapters, and a warning for each that nothing stands behind; contents and cover are none."""

    def place(href: str | None) -> str:
        return posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(href or "").partition("#")[0]))

    items = {one.get("id"): one for one in package.iter("item")}
    around = {place(one.get("href")) for one in package.iter("reference") if one.get("type") in {"toc", "cover"}}
    around |= {place(one.get("href")) for one in items.values() if "nav" in (one.get("properties") or "").split()}
    spine = [one.get("idref", "") for one in package.iter("itemref") if one.get("linear") != "no"]
    missing = [f"{key}: named in the book's order, but not in its list of files" for key in spine if key not in items]
    pages = [items[key] for key in spine if key in items and "html" in items[key].get("media-type", "")]
    chapters = (place(page.get("href")) for page in pages)
    return list(dict.fromkeys(name for name in chapters if name not in around)), missing
