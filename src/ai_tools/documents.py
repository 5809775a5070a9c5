"""Files -> documents in Markdown."""

from __future__ import annotations

import hashlib
import html
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .errors import InputError, MissingExtra
from .records import Document, Rejection, content_id


def convert(files: Sequence[Path]) -> tuple[list[Document], list[Rejection]]:
    """Convert files to documents, one by one; a file that cannot be read is reported and the others go on.

    Raises:
        InputError: there is no file, or none of them could be read.
    """
    if not files:
        raise InputError("SOURCE_DOCUMENTS names no file; give a file, a folder, a glob or a comma list")
    names = _names(files)
    documents: list[Document] = []
    failed: list[Rejection] = []
    for path in files:
        try:
            documents.append(_convert_one(path, names[path]))
        except (InputError, OSError, UnicodeDecodeError) as error:
            failed.append(Rejection("convert", f"{path.name}: {error}", {"source": path.name}))
    if not documents:
        raise InputError("none of the documents could be read: " + "; ".join(one.reason for one in failed[:5]))
    return documents, failed


def _convert_one(path: Path, name: str) -> Document:
    media_type, converter = CONVERTERS.get(path.suffix.lower(), (None, None))
    if media_type is None or converter is None:
        raise InputError(f"no converter for '{path.suffix}' files; there is one for {', '.join(CONVERTERS)}")
    data = path.read_bytes()
    title, text = converter(_decode(data))
    if not text.strip():
        raise InputError("empty; nothing to learn from it")
    title = title or _first_heading(text) or re.sub(r"^\d+[_\- ]+|[_\-]+", " ", path.stem).strip().capitalize()
    return Document(
        id=content_id(name, text),
        name=name,
        source=path.name,
        title=title,
        media_type=media_type,
        sha256=hashlib.sha256(data).hexdigest(),
        converter=converter.__name__.removeprefix("_from_"),
        text=text,
    )


def _decode(data: bytes) -> str:
    """UTF-8 with or without a mark; other encodings are told from the bytes. Line ends become `\\n`."""
    if b"\0" in data[:4096]:
        raise InputError("binary, not text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            from charset_normalizer import from_bytes
        except ImportError:
            raise MissingExtra("documents", "charset-normalizer") from None
        best = from_bytes(data).best()
        if best is None:
            raise InputError("its encoding could not be told; save it as UTF-8") from None
        text = str(best)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_markdown(text: str) -> tuple[str, str]:
    return "", text


def _from_text(text: str) -> tuple[str, str]:
    return "", text


def _from_html(text: str) -> tuple[str, str]:
    """Main text only: navigation, banners and scripts fall away; tables and code stay."""
    try:
        import trafilatura
    except ImportError:
        raise MissingExtra("documents", "trafilatura") from None
    markdown = trafilatura.extract(
        text, output_format="markdown", include_tables=True, include_formatting=True, include_comments=False
    )
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    # Manuals mark their headings with links to themselves.
    markdown = re.sub(r"^(#+ .*?)\s*\u00b6\s*$", r"\1", markdown or "", flags=re.MULTILINE)
    return _first_heading(markdown) or (" ".join(html.unescape(found[1]).split()) if found else ""), markdown


CONVERTERS: dict[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    ".md": ("text/markdown", _from_markdown),
    ".markdown": ("text/markdown", _from_markdown),
    ".txt": ("text/plain", _from_text),
    ".html": ("text/html", _from_html),
    ".htm": ("text/html", _from_html),
}


def document_row(document: Document) -> dict[str, Any]:
    """A row of documents.jsonl; the text itself is in the Markdown file at `path`."""
    row = document.to_row()
    text = row.pop("text")
    return row | {"path": f"documents/{document.name}.md", "n_chars": len(text)}


def _names(files: Sequence[Path]) -> dict[Path, str]:
    """A name for each file: its path below the common folder, `/` as `__`, with the suffix where two would be equal.

    Where `a__x.md` stands beside `a/x.md` that is not enough, and a hash of the path tells them apart.
    """
    base = Path(os.path.commonpath([file.parent for file in files]))
    short = {file: "__".join(file.relative_to(base).with_suffix("").parts) for file in files}
    count = Counter(short.values())
    longer = {
        file: name if count[name] == 1 else "__".join(file.relative_to(base).parts) for file, name in short.items()
    }
    again = Counter(longer.values())
    return {
        file: name if again[name] == 1 else f"{name}-{content_id(*file.relative_to(base).parts)[:6]}"
        for file, name in longer.items()
    }


def _first_heading(text: str) -> str:
    found = re.search(r"^#{1,2} +(.+?)\s*#*$", text, re.MULTILINE)
    return found[1] if found else ""
