"""Documents and chunks to look at in a notebook. Their text is untrusted: it is shown escaped, never as HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..documents.sensitive import is_mark
from ..records import Chunk, Document, grouped
from ..sources import Sources
from .progress import has_reader

_PANE = (
    "white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; margin: 0; padding: 8px; "
    "border: 1px solid #9fb3c8"
)
_MARK = "background: #fdebd0; color: inherit"
_HEADLESS = 3  # records shown where nobody can browse
_BINARY = {"application/pdf": "PDF", "application/epub+zip": "EPUB"}


@dataclass(frozen=True)
class Exhibit:
    """Something to look at: as HTML where a front end draws it, else as text."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def chunk_in_place(document: Document, chunk: Chunk, around: int = 250) -> Exhibit:
    """A chunk marked within its document, with `around` characters of what stands before and after it."""
    begin, end = max(0, chunk.start - around), min(len(document.text), chunk.end + around)
    before, after = document.text[begin : chunk.start], document.text[chunk.end : end]
    pages = chunk.metadata.get("pages")
    where = [
        " > ".join(chunk.heading_path) or "(no heading)",
        f"characters {chunk.start:,} to {chunk.end:,} of {len(document.text):,}",
        f"{chunk.n_tokens} tokens",
        *([f"page {pages[0]}" if pages[0] == pages[-1] else f"pages {pages[0]} to {pages[-1]}"] if pages else []),
    ]
    title = f"{document.source}, chunk {chunk.index}: " + ", ".join(where)
    dots = "\u2026"
    lead, tail = dots * (begin > 0) + before, after + dots * (end < len(document.text))
    return Exhibit(
        f"{title}\n\n{lead}[[[{chunk.text}]]]{tail}",
        f'<p>{html.escape(title)}</p><pre style="{_PANE}"><span style="color: #7f8c9b">{html.escape(lead)}</span>'
        f'<mark style="{_MARK}">{html.escape(chunk.text)}</mark>'
        f'<span style="color: #7f8c9b">{html.escape(tail)}</span></pre>',
    )


def before_and_after(found: Sources, document: Document, length: int = 1200) -> Exhibit:
    """The beginning of a file as it came, beside the beginning of the Markdown that was made of it."""
    path = next((file for file in found.files if found.path_below(file) == document.source), None)
    source = path.read_bytes() if path else b""
    if any(is_mark(document.text, one) for one in document.finds):
        raw = "(not shown, for it holds what is masked)"
    elif path is None:
        raw = f"(fetched at {document.fetched_at})"
    elif b"\0" in source[:4096] or source.startswith((b"%PDF", b"PK")):
        kind = _BINARY.get(document.media_type, "Office file")
        raw = f"({kind}, {len(source):,} bytes)"
    else:
        raw = source.decode("utf-8", "replace")
    panes = [
        (f"{document.source}, as it came", raw),
        (f"{document.name}.md, by the {document.converter} converter", document.text),
    ]
    cut = [(title, text[:length] + "\u2026" * (len(text) > length)) for title, text in panes]
    columns = "".join(
        f'<div style="flex: 1; min-width: 0"><p>{html.escape(title)}</p>'
        f'<pre style="{_PANE}">{html.escape(text)}</pre></div>'
        for title, text in cut
    )
    return Exhibit(
        "\n\n".join(f"--- {title}\n{text}" for title, text in cut),
        f'<div style="display: flex; gap: 12px">{columns}</div>',
    )


def coverage(documents: Sequence[Document], found: Sequence[Chunk]) -> float:
    """The share of the documents' characters, white space aside, that stand in some chunk."""
    of_documents = grouped(found, lambda chunk: chunk.document_id)
    total = inside = 0
    for document in documents:
        total += len("".join(document.text.split()))
        reached = 0
        for start, end in sorted((chunk.start, chunk.end) for chunk in of_documents.get(document.id, ())):
            inside += len("".join(document.text[max(start, reached) : end].split()))
            reached = max(reached, end)
    return inside / total if total else 1.0


def chunks(found: Sequence[Chunk], documents: Sequence[Document]) -> Any:
    """All chunks, to leaf through by document and number; where nobody can, the first three."""
    texts = {document.id: document for document in documents}

    def show(chunk: Chunk) -> Exhibit:
        return chunk_in_place(texts[chunk.document_id], chunk)

    if not has_reader() or not found:
        some = [show(chunk) for chunk in found[:_HEADLESS]]
        return Exhibit("\n\n".join(map(repr, some)), "".join(one.html for one in some))
    of_documents = grouped(found, lambda chunk: chunk.document_id)
    names = {f"{texts[key].source} ({len(members)})": members for key, members in of_documents.items()}
    return _leaf_through(names, show)


def _leaf_through(groups: dict[str, list[Any]], show: Callable[[Any], Exhibit]) -> Any:
    """A widget: one group of a list, one member of it by a slider."""
    import ipywidgets as widgets

    group = widgets.Dropdown(options=list(groups), description="document", layout=widgets.Layout(width="60%"))
    number = widgets.IntSlider(description="chunk", min=0, max=len(groups[group.value]) - 1, continuous_update=False)
    pane = widgets.HTML()

    def draw(*_: Any) -> None:
        pane.value = show(groups[group.value][number.value]).html

    def choose(*_: Any) -> None:
        number.value, number.max = 0, len(groups[group.value]) - 1
        number.disabled = number.max == 0
        draw()

    group.observe(choose, "value")
    number.observe(draw, "value")
    choose()
    return widgets.VBox([group, number, pane])
