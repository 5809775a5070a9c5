"""What a file is, told from what is in it, and from its name where kinds of text look alike."""

from __future__ import annotations

import io
import re
import zlib
from zipfile import BadZipFile, ZipFile

from ai_tools.errors import InputError

from .mail import mail_type
from .raw_file import MB, RawFile, decode
from .source_code import code_type

EPUB = "application/epub+zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
RTF = "application/rtf"
NOTEBOOK = "application/x-ipynb+json"
PICTURE = "a picture; its text cannot be read"
# How files begin that nothing here can read: what they are, and what helps.
FOREIGN = (
    (rb"\x1f\x8b", "compressed with gzip; unpack it first (gunzip)"),
    (rb"BZh\d1AY", "compressed with bzip2; unpack it first"),
    (rb"\xfd7zXZ\0", "compressed with xz; unpack it first"),
    (rb"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (rb"Rar!\x1a", "a RAR archive; unpack it first"),
    (rb".{257}ustar", "a tar archive; unpack it and give the folder"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF....WEBP|BM....\0\0\0\0", PICTURE),
    (
        rb"ID3[\2-\4]|OggS\0|fLaC|RIFF....(?:WAVE|AVI )|....ftyp|\x1aE\xdf\xa3",
        "sound or film; give its subtitles (.srt)",
    ),
    (rb"SQLite format 3\0", "a SQLite database; export its tables as CSV"),
    (rb"PAR1", "a Parquet table; export it as CSV"),
    (rb"\x7fELF|MZ.{30,500}PE\0\0|\xca\xfe\xba\xbe", "a program; it has no text"),
    (rb"%!PS", "PostScript; make a PDF of it (ps2pdf)"),
    (rb"AT&TFORM", "a DjVu book; make a PDF of it (ddjvu)"),
    (rb".{60}BOOKMOBI", "a Kindle book; convert it to EPUB"),
    (rb"ITSF", "a help file of Windows (.chm); unpack it to HTML"),
    (rb"\xffWPC|\xdb\xa5-\0", "a file of an old word processor; save it as .docx"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Office before 2007, and every encrypted Office file
# What such files have inside, by its name.
OLE_PARTS = {
    "EncryptedPackage": "encrypted; save it without a password",
    "__substg1.0_": "a message of Outlook (.msg); save it as .eml",
    "WordDocument": "a Word file of before 2007; save it as .docx",
    "PowerPoint Document": "a PowerPoint file of before 2007; save it as .pptx",
    "Workbook": "an Excel file of before 2007; save it as .xlsx",
}
# Files that are no text: what they should be, by what they are called or have inside.
PROGRAMS = {
    "Word": (".docx .docm .dotx .doc", b"word/"),
    "PowerPoint": (".pptx .pptm .ppsx .ppt", b"ppt/"),
    "Excel": (".xlsx .xlsm .xls", b"xl/"),
    "OpenDocument": (".odt .ods .odp", b"mimetypeapplication/vnd.oasis"),
    "EPUB": (".epub", b"mimetypeapplication/epub"),
    "PDF": (".pdf", b"%PDF-"),
}
# Texts that are no documents yet: how they begin, what they are and what helps.
FOREIGN_TEXT = (
    (r'<\?mso-application progid=["\']Word', "a Word file of 2003 in XML; save it as .docx"),
    (r"<office:document\b", "a flat OpenDocument file; save it as .odt, or .xlsx where it is a table"),
    (r"<svg\b", PICTURE),
)
# Each comment up to its own end: n of them could be taken apart in 2^n ways.
PROLOG = r"\s*+(?:(?:<!--(?>.*?-->)|<\?xml[^>]*+>|<!DOCTYPE svg[^>]*+>)\s*+)*+"
HTML_START = re.compile(PROLOG + r"<(?:!doctype\s+html|(?:html|head|body)\b)", re.IGNORECASE | re.DOTALL)
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
    ".xls": "text/csv",  # as many programs export tables
    ".ipynb": NOTEBOOK,
    ".eml": "message/rfc822",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
}
# What texts say that name themselves what they are, whatever they are called: their first mark, and what comes soon.
SAID = (
    ("text/x-tex", r"\\document(?:class|style)\b|\\begin\{document\}", ""),
    ("text/x-mdoc", r"[.']", r"^\.Dd\s"),
    ("text/troff", r"[.']", r"^\.TH\s"),
    (NOTEBOOK, r"\{", r'"nbformat"\s*:|"cells"\s*:\s*\['),
    (
        "application/jats+xml",
        "<",
        r"<!DOCTYPE article[^>]*(?:JATS|NLM)|<article\b[^>]*(?:article-type|dtd-version)=|<article\b[^>]*>\s*<front\b",
    ),
    (
        "application/docbook+xml",
        "<",
        r"<!DOCTYPE \w+[^>]*DocBook|<\w+\b[^>]*docbook\.org/ns/docbook"
        r"|<(?:article|book|chapter|sect1|section|refentry)\b[^>]*>\s*<(?:title|\w*info|refmeta)\b",
    ),
    ("text/vtt", "WEBVTT", r"^(?:\d+:)?\d\d:\d\d\.\d{3}[ \t]+-->"),
    ("application/x-subrip", r"\d+[ \t]*\n\d\d?:\d\d:\d\d[,.]\d{1,3} --> \d", ""),
    ("text/x-man-page", r"(\S+\(\d\w*\))[ ]{2,}(?:\S.*[ ]{2,})?\1\n", ""),
)
COMMENTS = r"(?:%[^\n]*+\n|\s++)*+"  # of TeX, where it begins with some


def media_type(file: RawFile) -> str:
    """The media type by content; the name decides only between kinds of text that look alike.

    Raises:
        InputError: nothing here reads it; with what it is and what helps.
    """
    data = file.data
    if reason := next((what for start, what in FOREIGN if re.match(start, data[:1024], re.DOTALL)), ""):
        raise InputError(reason)
    if data.startswith(OLE):
        parts = (what for name, what in OLE_PARTS.items() if name.encode("utf-16-le") in data)
        raise InputError(next(parts, "an Office file of before 2007; save it as .docx or .pptx"))
    if b"%PDF-" in data[:1024] and (data.lstrip().startswith(b"%PDF-") or file.suffix == ".pdf"):
        return PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(file)
    if data.startswith(b"{\\rtf"):
        return RTF
    if mail := mail_type(file):
        return mail
    try:
        text, _ = decode(file)
    except InputError as error:
        raise InputError(_damaged(file, "it does not begin like one") or str(error)) from None
    return _text_type(text, file.suffix)


def _text_type(text: str, suffix: str) -> str:
    start = text[:4096].lstrip()
    if reason := next((what for mark, what in FOREIGN_TEXT if re.match(f"(?s){PROLOG}{mark}", start)), ""):
        raise InputError(reason)
    if HTML_START.match(start):
        return "text/html"
    if suffix in MARKDOWN_SUFFIXES:
        return "text/markdown"
    if said := _said(text):
        return said
    if suffix in NAMED and start:
        return NAMED[suffix]
    if code := code_type(text, suffix):
        return code
    if HTML_PART.match(start) or (suffix in HTML_SUFFIXES and HTML_PART.search(text[:100_000])):
        return "text/html"
    return "text/markdown" if _looks_like_markdown(text) else "text/plain"


def _zip_type(file: RawFile) -> str:
    try:
        with ZipFile(io.BytesIO(file.data)) as archive:
            names = set(archive.namelist())
            said = archive.read("mimetype")[:80].decode("ascii", "replace").strip() if "mimetype" in names else ""
            types = archive.open("[Content_Types].xml").read(MB) if "[Content_Types].xml" in names else b""
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        why = f"its ZIP archive is broken or cut off ({error})"
        raise InputError(_damaged(file, why) or f"{why}; get or save it again") from None
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
    if "Index/Document.iwa" in names:
        raise InputError("a file of Pages, Numbers or Keynote; export it as Word, Excel or PDF")
    raise InputError("a ZIP archive; unpack it and give the folder")


def misnamed(file: RawFile, kind: str) -> tuple[str, ...]:
    """A warning for what is called an Office file, a book or a PDF, and is text: a page that says "not found", say."""
    called = any(file.suffix in suffixes.split() for suffixes, _ in PROGRAMS.values())
    return (f"called {file.suffix}, but read as what it is, {kind}",) if called and kind.startswith("text/") else ()


def _damaged(file: RawFile, why: str) -> str:
    """What a file that cannot be read was meant to be, and what helps; nothing where that is not known."""
    for program, (suffixes, inside) in PROGRAMS.items():
        if file.suffix in suffixes.split() or (file.data.startswith(b"PK") and inside in file.data):
            return f"a damaged {program} file: {why}; get it again, or let its program repair it and save it anew"
    return ""


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
