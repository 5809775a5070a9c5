"""The notes of a book: each is bound to the chapter that names it, wherever the book keeps it."""

from __future__ import annotations

import posixpath
import re
import textwrap
import urllib.parse
from collections.abc import Iterator

from .archives import Element, attribute, parse_xml

NOTED = re.compile(r"noteref|footnote-?ref|\bfnref", re.IGNORECASE)
LABEL = re.compile(r"\W*(\d{1,4}|[a-z]|[*†‡§¶]{1,3})\W*", re.IGNORECASE)
AROUND = {"p", "li", "dd", "dt", "aside", "div", "section", "td"}
BEGIN, END = "\ufdd0", "\ufdd1"  # around a note, with its number, while a chapter is written


class Notes:
    """The chapters of a book, name -> text, and the notes in them."""

    def __init__(self, chapters: dict[str, str]):
        self._trees = dict(_parsed(chapters))
        self._places = {(name, each.get("id") or each.get("name")): each for name, each in self._elements("*")}
        self.changed: set[str] = set()
        for name, link in self._elements("a"):
            target = self._target(name, link)
            note = _block(self._places.get(target))
            root = self._trees[name]
            if note is not None and root in link.iterancestors() and self._names(name, link, target, note):
                self.changed |= {name, target[0]}
                _bind(link, note, root)

    def text(self, name: str) -> str:
        """A chapter as HTML, with the notes that it names at its end."""
        from lxml import etree

        return str(etree.tostring(self._trees[name], encoding="unicode"))

    def _elements(self, tag: str) -> list[tuple[str, Element]]:
        return [(name, each) for name, tree in self._trees.items() for each in tree.iter(tag)]

    def _target(self, name: str, link: Element) -> tuple[str, str]:
        file, _, place = urllib.parse.unquote(link.get("href") or "").partition("#")
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name, place

    def _names(self, name: str, link: Element, target: tuple[str, str], note: Element) -> bool:
        """Whether a link names a note: it says so, or the note links back to it."""
        if not LABEL.fullmatch("".join(link.itertext())) or note in link.iterancestors():
            return False
        near = [link, *link, *list(link.iterancestors())[:2]]
        back = [each for each in note.iter("a") if self._places.get(self._target(target[0], each)) in near]
        said = f"{attribute(link, 'type')} {link.get('role')} {link.get('class')}"
        for each in back if back or NOTED.search(said) else ():
            each.tag = "del-note-link"
        return bool(back or NOTED.search(said))


def with_notes(text: str, chapter: int) -> str:
    """A chapter's Markdown with its notes as Markdown has them; every chapter counts them from 1."""

    def note(found: re.Match[str]) -> str:
        number, label, body = found.groups()
        body = re.sub(rf"^(?:\W{{0,2}}{re.escape(label)}(?!\w))?[\].):\s]*", "", body.strip())
        return f"[^{number}]: " + textwrap.indent(body, "    ").lstrip()

    text = re.sub(rf"{BEGIN}(\d+) (\S+)\n\n(.*?)\s*{END}", note, text, flags=re.DOTALL)
    return re.sub(r"\[\^(\d+)\]", rf"[^{chapter}-\1]", text)


def _parsed(chapters: dict[str, str]) -> Iterator[tuple[str, Element]]:
    from lxml import etree

    for name, text in chapters.items():
        try:
            yield name, parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode())
        except etree.XMLSyntaxError:  # read as web pages are, without the notes
            continue


def _block(element: Element | None) -> Element | None:
    while element is not None and element.tag not in AROUND:
        element = element.getparent()
    return element.getnext() if element is not None and element.tag == "dt" else element


def _bind(link: Element, note: Element, root: Element) -> None:
    """Put the mark in the link's place, and the note at the end of its chapter, once."""
    from lxml import etree

    label = LABEL.fullmatch("".join(link.itertext()))
    last = root.find("body")
    if not (number := note.get("data-note")):
        number = str(len(root.findall(".//div[@data-note]")) + 1)
        for each in list(note.iter("del-note-link")):
            _drop(each)
        if note.tag == "dd" and (term := note.getprevious()) is not None and term.tag == "dt":
            _drop(term)
        _drop(note)
        note.attrib.clear()
        note.tag = "div"
        note.set("data-note", number)
        etree.SubElement(last, "p").text = f"{BEGIN}{number} {label[1] if label else number}"
        last.append(note)
        etree.SubElement(last, "p").text = END
    tail = link.tail
    link.clear()
    link.tag, link.text, link.tail = "span", f"[^{number}]", tail


def _drop(element: Element) -> None:
    """Remove an element, and not what follows it."""
    above, before = element.getparent(), element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        above.text = (above.text or "") + element.tail
    element.tail = None
    above.remove(element)
