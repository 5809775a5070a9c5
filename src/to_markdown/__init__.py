"""Any file -> Markdown: a converter for each media type, which is told from what is in the file, not from its name.

html, html_blocks     web pages: where the main text is, and its Markdown; html_code code and the numbers beside it,
                      html_marks the marks of lists and what style sheets count
docx, docx_styles     Word                           pptx           PowerPoint
odt, rtf              OpenDocument, RTF              office         what those of office programs have in common
epub, epub_notes      books                          sheets         CSV, TSV
xlsx, number_formats  spreadsheets
pandoc, pandoc_blocks what pandoc reads: reStructuredText, AsciiDoc, Org, wikis, DocBook; with it, and more:
latex, typst          LaTeX, Typst                   formulas       those of Word and of web pages as TeX
notebook              Jupyter notebooks
mail                  messages and mailboxes         subtitles      SRT and WebVTT
source_code           programs and data              man_page       manual pages as they are printed
pdf                   PDF: pdf_page reads words and lines (pdf_bidi those from right to left), pdf_layout makes Markdown
pdf_docling           PDF by docling's models, where that is chosen
text, markdown_file   plain text and Markdown
media_types           what a file is                 raw_file       what a converter is given and gives
archives, markdown    what several converters share      guessing       encodings that nothing names
kept                  a file's conversion in another file
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from zipfile import BadZipFile

from ai_tools.errors import InputError, MissingExtra
from ai_tools.escaping import escaped, one_line

from .docx import from_docx
from .epub import from_epub
from .html import from_html
from .latex import from_latex
from .mail import from_mail, from_mailbox
from .man_page import from_man_page
from .markdown_file import from_markdown
from .media_types import DOCX, EPUB, NOTEBOOK, ODT, PDF, PPTX, RTF, XLSX, media_type, misnamed
from .notebook import from_notebook
from .odt import from_odt
from .pandoc import from_markup
from .pptx import from_pptx
from .raw_file import LIMITS, MB, Conversion, FileLimits, RawFile
from .rtf import from_rtf
from .sheets import from_csv
from .source_code import KINDS as CODE
from .source_code import from_code
from .subtitles import from_subtitles
from .text import from_text
from .typst import from_typst
from .xlsx import from_xlsx

__all__ = ["LIMITS", "Conversion", "FileLimits", "convert"]


def convert(
    data: bytes, name: str = "", *, charset: str = "", limits: FileLimits = LIMITS, pdf: str = "builtin"
) -> Conversion:
    """The Markdown of a file, with `\\n` line ends, and what was lost or guessed on the way.

    Args:
        name: the file's name; it decides only between kinds of text that look alike.
        charset: what a web server said that the text's encoding is.
        pdf: `builtin`, or `docling` for its layout models.

    Raises:
        InputError: too large, of a kind that nothing here reads, broken, encrypted, or without text.
        MissingExtra: the file needs a package that is not installed.
        MemoryError: it takes more memory than there is.
    """
    if len(data) > limits.file:
        raise InputError(
            f"{len(data) / MB:.1f} MB, over the limit of {limits.file / MB:g} MB; split it or raise MAX_FILE_MB"
        )
    file = RawFile(data, name, charset, limits)
    kind, converter = "", "file"
    try:
        kind = media_type(file)
        converter, work = DOCLING if kind == PDF and pdf == "docling" else CONVERTERS[kind]
        found = work(file)
    except ModuleNotFoundError as error:
        package = (error.name or "a package").partition(".")[0].replace("_", "-")
        raise MissingExtra("docling" if package == "docling" else "documents", package) from None
    except RecursionError:
        raise InputError("nested too deeply; save it in a simpler form") from None
    except Exception as error:
        if str(error).startswith("unknown error"):  # of lxml, where its parser had no memory left to say so
            raise MemoryError from None
        if not isinstance(error, BROKEN):
            raise
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"broken {converter.upper()} ({why}); open it in its program and save it again") from None
    text = found.text.strip("\n")
    if len(text) > limits.expanded:  # short rows of a wide table are written in full
        raise InputError(f"its text expands to more than {limits.expanded / MB:g} MB; split it or raise MAX_FILE_MB")
    if not text.strip():
        raise InputError(f"no text in it; {EMPTY.get(kind, 'nothing to learn from it')}")
    pages = tuple(min(page, len(text)) for page in found.pages)
    return replace(
        found,
        title=one_line(found.title),
        text=f"{text}\n",
        warnings=tuple(map(escaped, (*misnamed(file, kind), *found.warnings))),
        media_type=kind,
        converter=converter,
        pages=pages,
    )


def _from_pdf(file: RawFile) -> Conversion:
    from .pdf import from_pdf  # not before there is a PDF: it loads PDFium

    return from_pdf(file)


def _from_pdf_by_docling(file: RawFile) -> Conversion:
    from .pdf_docling import from_pdf

    return from_pdf(file)


MARKUP = {
    "text/x-rst": "rst",
    "text/asciidoc": "asciidoc",
    "text/x-org": "org",
    "text/x-textile": "textile",
    "text/x-mediawiki": "mediawiki",
    "text/troff": "man",
    "text/x-mdoc": "mdoc",
    "application/docbook+xml": "docbook",
    "application/jats+xml": "jats",
}
CONVERTERS: dict[str, tuple[str, Callable[[RawFile], Conversion]]] = {
    "text/html": ("html", from_html),
    "text/markdown": ("markdown", from_markdown),
    "text/plain": ("text", from_text),
    PDF: ("pdf", _from_pdf),
    EPUB: ("epub", from_epub),
    DOCX: ("docx", from_docx),
    PPTX: ("pptx", from_pptx),
    XLSX: ("xlsx", from_xlsx),
    "text/csv": ("csv", from_csv),
    NOTEBOOK: ("ipynb", from_notebook),
    ODT: ("odt", from_odt),
    "text/x-tex": ("latex", from_latex),
    "text/vnd.typst": ("typst", from_typst),
    RTF: ("rtf", from_rtf),
    "message/rfc822": ("mail", from_mail),
    "application/mbox": ("mail", from_mailbox),
    **dict.fromkeys(("application/x-subrip", "text/vtt"), ("subtitles", from_subtitles)),
    "text/x-man-page": ("man page", from_man_page),
    **dict.fromkeys(CODE.values(), ("code", from_code)),
    **{kind: (reader, from_markup(reader)) for kind, reader in MARKUP.items()},
}
DOCLING = "docling", _from_pdf_by_docling
# SyntaxError is what lxml's XML errors are.
BROKEN = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, SyntaxError, NotImplementedError)
EMPTY = {
    "text/html": "a page that only scripts fill? Save it from a browser as it is shown",
    PPTX: "slides of pictures?",
}
