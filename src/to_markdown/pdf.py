"""PDF -> Markdown, from the places, sizes and fonts of its characters: no model, nothing invented.

Every page is read into lines in reading order. Then the whole document shows what is body text, heading, list, code,
footnote or running header, and the lines become blocks of Markdown.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ai_tools.errors import InputError

from .pdf_layout import to_markdown
from .pdf_page import read_page
from .pdf_structure import Structure, page_ranges
from .pdf_words import Line
from .raw_file import MB, Conversion, RawFile


def from_pdf(file: RawFile) -> Conversion:
    # PDFium repairs a file that was cut short and silently returns the pages that are left.
    if b"%%EOF" not in file.data[-4096:] and b"startxref" not in file.data[-4096:]:
        raise InputError("the PDF is cut short: its end is missing; fetch it again")
    try:
        document = pdfium.PdfDocument(file.data)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise InputError("the PDF is encrypted and needs a password; save a copy without one") from None
        raise InputError("the PDF is damaged and cannot be read; get or save it again") from None
    try:
        pages, warnings = _read(document, file.limits.expanded)
        found = to_markdown(Structure(document, pages))
    finally:
        document.close()
    return replace(found, warnings=(*warnings, *found.warnings))


def _read(document: Any, limit: int) -> tuple[list[list[Line]], list[str]]:
    """The lines of every page, and what could not be read.

    Raises:
        InputError: there is no text, or more than `limit` characters of it.
    """
    pages: list[list[Line]] = []
    scanned, broken, size, fonts = [], [], 0, set[str]()
    for number in range(len(document)):
        try:
            page = document[number]
        except pdfium.PdfiumError:
            broken.append(number)
            pages.append([])
            continue
        pages.append(read_page(page, number))
        images = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)
        own = sum(len(line.text) for line in pages[-1])
        if own < 40 and not any(line.table for line in pages[-1]) and any(_is_scan(page, image) for image in images):
            scanned.append(number)
        if not fonts and any(re.search("[\u2e80-\uffdc]", line.text) for line in pages[-1]):
            fonts = _missing_fonts(page)
        page.close()
        size += own
        if size > limit:
            raise InputError(f"more than {limit / MB:g} MB of text, which is the limit; split it or raise MAX_FILE_MB")
    if not any(pages):
        only = ", only images: run a text recognition (OCR) on it first" if scanned else ""
        raise InputError("the PDF is damaged: no page is whole" if broken else f"the PDF has no text{only}")
    warnings = []
    if broken:
        warnings.append(f"damaged pages left out: {page_ranges(broken)}")
    if scanned:
        warnings.append(f"pages without text, only images (OCR would be needed): {page_ranges(scanned)}")
    if fonts:
        font = min(fonts)
        warnings.append(f"characters may be missing: fonts such as {font} are neither in the PDF nor on this machine")
    text = "".join(line.text for lines in pages for line in lines)
    if len(re.findall(r"[\ufffd\ue000-\uf8ff]", text)) > 0.05 * len(text):
        warnings.append("many characters have no meaning in the PDF's fonts; the text may be unreadable")
    return pages, warnings


def _is_scan(page: Any, image: Any) -> bool:
    left, bottom, right, top = image.get_bounds()
    return bool((right - left) * (top - bottom) > 0.25 * page.get_width() * page.get_height())


def _missing_fonts(page: Any) -> set[str]:
    """Names of fonts of which PDFium has no glyph: it leaves out text that takes no room."""
    names, ends, name = set[str](), [ctypes.c_float() for _ in range(4)], ctypes.create_string_buffer(256)
    for index in range(raw.FPDFPage_CountObjects(page.raw)):
        found = raw.FPDFPage_GetObject(page.raw, index)
        if raw.FPDFPageObj_GetType(found) == raw.FPDF_PAGEOBJ_TEXT:
            raw.FPDFPageObj_GetBounds(found, *ends)
            font = raw.FPDFTextObj_GetFont(found)
            if ends[3].value - ends[1].value < 0.01 and font and not raw.FPDFFont_GetIsEmbedded(font):
                raw.FPDFFont_GetBaseFontName(font, name, 256)
                names.add(name.value.decode("latin-1"))
    return names
