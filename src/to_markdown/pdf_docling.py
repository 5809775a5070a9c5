"""PDF -> Markdown by docling, whose models see layout, tables and scanned text; they are fetched once.

Docling takes its models from the folder that `docling-tools models download` fills, or from DOCLING_ARTIFACTS_PATH;
where neither is there, it fetches them itself.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from functools import cache
from itertools import accumulate
from typing import Any

from docling.datamodel.base_models import ConversionStatus, DocumentStream, InputFormat
from docling.datamodel.pipeline_options import PdfPipelineOptions
from docling.datamodel.settings import settings
from docling.document_converter import DocumentConverter, PdfFormatOption

from ai_tools.errors import InputError

from .raw_file import Conversion, RawFile
from .text import first_heading


def from_pdf(file: RawFile) -> Conversion:
    try:
        converter().initialize_pipeline(InputFormat.PDF)
    except (OSError, RuntimeError) as error:
        why = " ".join(str(error).split())[:160]
        fix = "fetch them with: docling-tools models download; or set PDF_CONVERTER=builtin"
        raise InputError(f"docling has no models ({why}); {fix}") from None
    return read(file, "file.pdf")


def read(file: RawFile, name: str) -> Conversion:
    """What docling reads; `name` tells it the format."""
    stream = DocumentStream(name=name, stream=io.BytesIO(file.data))
    result = converter().convert(stream, raises_on_error=False)
    errors = tuple(" ".join(error.error_message.split())[:160] for error in result.errors)
    if result.status not in {ConversionStatus.SUCCESS, ConversionStatus.PARTIAL_SUCCESS}:
        raise InputError(f"docling cannot read it ({'; '.join(errors)[:300]}); try PDF_CONVERTER=builtin")
    text, pages = paged(result.document)
    return Conversion(first_heading(text), text, tuple(f"docling: {error}" for error in errors), pages=pages)


@cache
def converter() -> Any:
    """The one of this process: its models take seconds to load."""
    options = PdfPipelineOptions()
    fetched = settings.cache_dir / "models"
    if settings.artifacts_path is None and fetched.is_dir():
        options.artifacts_path = fetched
    return DocumentConverter(format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=options)})


def paged(document: Any) -> tuple[str, tuple[int, ...]]:
    """A docling document's Markdown, and where each page begins in it."""
    marked = document.export_to_markdown(
        page_break_placeholder="\f",
        image_placeholder="",
        escape_html=False,
        escape_underscores=False,
        compact_tables=True,
    )
    parts = marked.strip().split("\f")
    held = sorted({item.prov[0].page_no for item, _ in document.iterate_items() if item.prov})
    text = "".join(parts)
    if len(parts) != len(held):  # it has no pages, or they do not come in order
        return text, ()
    starts = list(accumulate((len(part) for part in parts[:-1]), initial=0))
    # A page without anything on it begins where the next one does.
    return text, tuple([*starts, len(text)][bisect_left(held, page)] for page in range(1, max(document.pages) + 1))
