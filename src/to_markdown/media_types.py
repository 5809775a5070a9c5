"""What a file is, told from what is in it and not from its name."""

from __future__ import annotations

import io
import re
import zlib
from zipfile import BadZipFile, ZipFile

from ai_tools.errors import InputError

from .raw_file import MB, RawFile, decode

EPUB = "application/epub+zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
RTF = "application/rtf"
NOTEBOOK = "application/x-ipynb+json"
# How files begin that nothing here can read: what they are, and what helps.
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "compressed with gzip; unpack it first (gunzip)"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ\0", "compressed with xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x89PNG", "a picture; its text cannot be read"),
    (b"\xff\xd8\xff", "a picture; its text cannot be read"),
    (b"GIF8", "a picture; its text cannot be read"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Office before 2007, and every encrypted Office file
HTML_START = re.compile(  # each comment up to its own end: n of them could be taken apart in 2^n ways
    r"\s*+(?:(?:<!--(?>.*?-->)|<\?xml[^>]*+>)\s*+)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
HTML_PART = re.compile(
    r"<(head|body|div|p|h[1-6]|table|ul|ol|dl|pre|article|section|main|a|span|br)\b[^<>]*>", re.IGNORECASE
)
MARKDOWN_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"}
HTML_SUFFIXES = {".html", ".htm", ".xhtml"}
# Kinds of text that only their names tell from prose, or from one another.
NAMED = {
    **dict.fromkeys((".csv", ".tsv", ".tab"), "text/csv"),
    **dict.fromkeys((".rst", ".rest"), "text/x-rst"),
    **dict.fromkeys((".adoc", ".asciidoc"), "text/asciidoc"),
    **dict.fromkeys((".tex", ".latex", ".ltx"), "text/x-tex"),
    **dict.fromkeys((".wiki", ".mediawiki"), "text/x-mediawiki"),
    ".org": "text/x-org",
    ".textile": "text/x-textile",
    ".typ": "text/vnd.typst",
    ".ipynb": NOTEBOOK,
}
# What texts say that name themselves what they are, whatever they are called: their first mark, and what comes soon.
SAID = (
    ("text/x-tex", r"\\document(?:class|style)\b|\\begin\{document\}", ""),
    ("text/x-mdoc", r"[.']", r"^\.Dd\s"),
    ("text/troff", r"[.']", r"^\.TH\s"),
    (NOTEBOOK, r"\{", r'"nbformat"\s*:|"cells"\s*:\s*\['),
    ("application/jats+xml", "<", r"<!DOCTYPE article[^>]*(?:JATS|NLM)|<article\b[^>]*(?:article-type|dtd-version)="),
    ("application/docbook+xml", "<", r"<!DOCTYPE \w+[^>]*DocBook|<\w+\b[^>]*docbook\.org/ns/docbook"),
)
COMMENTS = r"(?:%[^\n]*+\n|\s++)*+"  # of TeX, where it begins with some


def media_type(file: RawFile) -> str:
    """The media type by content; the name decides only between kinds of text that look alike."""
    data = file.data
    for magic, what in FOREIGN:
        if data.startswith(magic):
            raise InputError(what)
    if data.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise InputError("encrypted; save it without a password")
        raise InputError("an Office file of before 2007; save it as .docx or .pptx")
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(data)
    if data.startswith(b"{\\rtf"):
        return RTF
    text, _ = decode(file)
    if HTML_START.match(text[:4096]):
        return "text/html"
    if file.suffix in MARKDOWN_SUFFIXES:
        return "text/markdown"
    if said := _said(text):
        return said
    if file.suffix in NAMED and text.strip():
        return NAMED[file.suffix]
    start = text[:4096].lstrip()
    if HTML_PART.match(start) or (file.suffix in HTML_SUFFIXES and HTML_PART.search(text[:100_000])):
        return "text/html"
    return "text/markdown" if _looks_like_markdown(text) else "text/plain"


def _zip_type(data: bytes) -> str:
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            said = archive.read("mimetype")[:80].decode("ascii", "replace").strip() if "mimetype" in names else ""
            types = archive.open("[Content_Types].xml").read(MB) if "[Content_Types].xml" in names else b""
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(f"broken or cut off ({error}); get or save it again") from None
    if said == EPUB or "META-INF/container.xml" in names:
        return EPUB
    if b"wordprocessingml.document.main" in types or b"ms-word.document.macroEnabled" in types:
        return DOCX
    if b"presentationml" in types:
        return PPTX
    if b"spreadsheetml" in types:
        return XLSX
    if said == ODT:
        return ODT
    if said.startswith("application/vnd.oasis.opendocument"):
        raise InputError("an OpenDocument file that is no text; save it as .xlsx, .pptx or HTML")
    raise InputError("a ZIP archive; unpack it and give the folder")


def _said(text: str) -> str:
    start = text[:16_384]  # man pages made from others begin with pages of macros
    for kind, first, soon in SAID:
        if re.match(COMMENTS + f"(?:{first})", start) and re.search(soon, start, re.MULTILINE):
            return kind if kind != NOTEBOOK or re.search(r'"nbformat"\s*:', text) else ""
    return ""


def _looks_like_markdown(text: str) -> bool:
    """Whether a text that is not called so is Markdown: fences, or headings that stand alone."""
    if len(re.findall(r"^(?:```|~~~)[\w+-]*$", text, re.MULTILINE)) >= 2:
        return True
    return len(re.findall(r"(?:\A|\n\n)#{1,6} \S[^\n]*(?=\n\n|\n?\Z)", text)) >= 2
