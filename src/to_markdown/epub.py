"""EPUB -> Markdown: the chapters in reading order, without the book's own lists of contents."""

from __future__ import annotations

import posixpath
import re
import urllib.parse
from collections.abc import Iterator

from ai_tools.errors import InputError

from .archives import Archive, Element, parse_xml
from .html import html_to_markdown
from .raw_file import Conversion, RawFile, decode
from .text import first_heading


def from_epub(file: RawFile) -> Conversion:
    archive = Archive(file)
    rights = "META-INF/encryption.xml"
    if rights in archive and re.search(rb"\.x?html?\b", archive.read(rights)):
        raise InputError("encrypted (DRM); only a copy without it can be read")
    container = parse_xml(archive.read("META-INF/container.xml"))
    package = next((one.get("full-path", "") for one in container.iter("rootfile")), "")
    root = parse_xml(archive.read(package))
    chapters: list[str] = []
    warnings: list[str] = []
    for name in _reading_order(root, posixpath.dirname(package)):
        if name not in archive:
            warnings.append(f"{name}: named in the book, but not in it")
            continue
        text, lost = decode(RawFile(archive.read(name), name))
        chapter = html_to_markdown(text, whole=True)
        if chapter.title.lower() == "index" or any("index page" in one for one in chapter.warnings):
            warnings.append(f"{name}: left out; it is an index or a list of links")
        elif chapter.text:
            # Every chapter counts its notes from 1.
            chapters.append(re.sub(r"\[\^(\d+)\]", rf"[^{len(chapters) + 1}-\1]", chapter.text))
            warnings += [f"{name}: {one}" for one in (*lost, *chapter.warnings)]
    text = "\n\n".join(chapters)
    title = " ".join((root.findtext("metadata/title") or "").split())
    return Conversion(title or first_heading(text), text, tuple(warnings))


def _reading_order(package: Element, folder: str) -> Iterator[str]:
    """The names of the chapters; the list of contents is none."""
    items = {one.get("id"): one for one in package.iter("item") if "nav" not in (one.get("properties") or "").split()}
    for entry in package.iter("itemref"):
        item = items.get(entry.get("idref"))
        if item is not None and entry.get("linear") != "no" and "html" in item.get("media-type", ""):
            yield posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(item.get("href", ""))))
