"""ZIP archives that hold XML, as Word, PowerPoint and EPUB files are: read within limits, parsed without a network."""

from __future__ import annotations

import io
import posixpath
from typing import Any
from zipfile import ZipFile

from ai_tools.errors import InputError

from .raw_file import MB, RawFile

Element = Any  # lxml has no types of its own


class Archive:
    """The members of a ZIP archive, up to so many expanded bytes of them; pictures are never asked for.

    A member that says less than it holds is of no use to an attacker: zipfile stops reading at the size it says.
    """

    def __init__(self, file: RawFile):
        self._zip = ZipFile(io.BytesIO(file.data))
        self._limit, self._expanded = file.limits.expanded, 0
        self._sizes = {one.filename: one.file_size for one in self._zip.infolist()}
        if any(one.flag_bits & 1 for one in self._zip.infolist()):
            raise InputError("encrypted; save it without a password")

    def __contains__(self, name: str) -> bool:
        return name in self._sizes

    def read(self, name: str) -> bytes:
        self._expanded += self._sizes.get(name, 0)
        if self._expanded > self._limit:
            size, most = f"{self._expanded / MB:.0f} MB", f"{self._limit / MB:g} MB"
            raise InputError(f"expands to {size} of text, over the limit of {most}; split it or raise MAX_FILE_MB")
        return self._zip.read(name)

    def part(self, name: str) -> Element | None:
        """A member that is XML, where there is one of this name."""
        return parse_xml(self.read(name)) if name in self else None


class OfficeFile(Archive):
    """A file of Word, PowerPoint or Excel: its main part as XML, and what other parts that is related to."""

    def __init__(self, file: RawFile):
        super().__init__(file)
        main = next((name for kind, name in self.relations("").values() if kind == "officeDocument"), "")
        self.main = parse_xml(self.read(main))
        self.related = self.relations(main)
        self._by_kind = dict(self.related.values())

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Relations of a part: id -> (kind, name of the other part)."""
        folder, base = posixpath.split(name)
        root = self.part(posixpath.join(folder, "_rels", f"{base}.rels"))
        return {
            one.get("Id", ""): (
                one.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/"),
            )
            for one in (root if root is not None else ())
            if one.get("TargetMode") != "External"
        }

    def of_kind(self, kind: str) -> Element | None:
        """The part of a kind that the main one is related to."""
        return self.part(self._by_kind.get(kind, ""))

    def title(self) -> str:
        """What its properties call it."""
        found = self.part("docProps/core.xml")
        return "" if found is None else found.findtext("title") or ""


def parse_xml(data: bytes) -> Element:
    """An XML part without its namespaces; entities and the network are left alone."""
    from lxml import etree

    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    for element in root.iter("*"):
        element.tag = element.tag.rpartition("}")[2]
    return root


def attribute(element: Element | None, name: str) -> str:
    """An attribute by its name without a namespace; nothing where it is not there."""
    found = () if element is None else element.attrib.items()
    return next((str(value) for key, value in found if key.rpartition("}")[2] == name), "")
