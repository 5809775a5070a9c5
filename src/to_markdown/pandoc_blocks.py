"""pandoc's document tree -> Markdown blocks, as every converter writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from . import markdown as md

Node = Any  # {"t": what it is, "c": what is in it}
NO_LANGUAGE = {"numberLines", "sourceCode", "literate", "example", "notranslate", "text", "none", "default"}
ADMONITIONS = {"note", "tip", "important", "caution", "warning", "danger", "error", "hint", "attention", "admonition"}
EQUATION = re.compile(r"\\(begin|end)\{(equation|displaymath|math)\*?\}|\\(?:nonumber|notag)\b")
ALIGNED = re.compile(r"\\(begin|end)\{(?:align|eqnarray|flalign)\*?\}")
STRIKES = re.compile(r"</?(s|strike|del)>")  # which pandoc leaves as they are in wikis
SPACES = {"Space": " ", "SoftBreak": "\n", "LineBreak": md.BREAK}
AROUND = {"Image", "Quoted", "Link", "Span", "Cite"}  # whose text is behind what is said about it
DEEPEST = 60
UNDESCRIBED = "pictures without a description"


class TreeWriter:
    """Writes a document, and counts what is left out of it on the way.

    Args:
        headed: a table's first row is its header, though the format seldom says so.
    """

    def __init__(self, *, headed: bool = False):
        self._headed = headed
        self._notes: list[list[Node]] = []
        self._lost: Counter[str] = Counter()

    def document(self, blocks: list[Node]) -> str:
        """All blocks, and after them the notes in the order in which the text names them."""
        out = self._blocks(blocks)
        for number, note in enumerate(self._notes, 1):  # a note may name further ones
            out += md.note(number, self._blocks(note))
        return "\n\n".join(out)

    def warnings(self) -> tuple[str, ...]:
        return md.left_out(self._lost)

    def line(self, value: Node | None) -> str:
        """A value of the metadata in one line."""
        if value is None:
            return ""
        if value["t"] == "MetaString":
            return " ".join(str(value["c"]).split())
        if value["t"] == "MetaBlocks":
            return " ".join(self._cell(value["c"]).split())
        return self._line(value["c"]) if value["t"] == "MetaInlines" else ""

    # Blocks -----------------------------------------------------------------------------------------------------------

    def _blocks(self, blocks: Iterable[Node], depth: int = 0) -> list[str]:
        if depth > DEEPEST:
            raise RecursionError
        return [text for block in blocks for text in self._block(block, depth + 1)]

    def _block(self, block: Node, depth: int) -> list[str]:
        kind, content = block["t"], block.get("c")
        match kind:
            case "Para" | "Plain":
                return md.paragraph(self._inlines(content))
            case "Header":
                text = self._plain(content[2])
                return [f"{'#' * min(content[0], 6)} {text}"] if text else []
            case "CodeBlock":
                return md.fence(content[1], _language(content[0]))
            case "BulletList":
                return self._list([("", item) for item in content], depth)
            case "OrderedList":
                return self._ordered(content, depth)
            case "DefinitionList":
                pairs = [(self._plain(term), [block for one in each for block in one]) for term, each in content]
                return md.definitions([(term, self._blocks(inner, depth)) for term, inner in pairs])
            case "LineBlock":
                return md.paragraph(md.BREAK.join(self._inlines(line) for line in content))
            case "BlockQuote":
                inner = self._blocks(content, depth)
                return inner if md.is_indented(inner) else md.quoted(inner)
            case "Table":
                return self._table(content, depth)
            case "Figure":
                caption, lost = self._blocks(content[1][1], depth), self._lost[UNDESCRIBED]
                inner = self._blocks(content[2], depth)
                self._lost[UNDESCRIBED] = lost if caption else self._lost[UNDESCRIBED]
                return inner + [line for line in caption if line not in inner]
            case "Div":
                return self._div(content, depth)
            case "RawBlock":
                return self._raw(*content)
        return []

    def _list(self, items: list[tuple[str, list[Node]]], depth: int) -> list[str]:
        return md.listed([(md.sign(mark), self._blocks(item, depth)) for mark, item in items])

    def _ordered(self, content: Node, depth: int, step: int = 1) -> list[str]:
        (start, style, delimiter), items = content
        start = len(items) if step < 0 and start == 1 else start
        marks = (md.mark_of(start + at * step, style["t"], delimiter["t"]) for at in range(len(items)))
        return self._list(list(zip(marks, items, strict=True)), depth)

    def _div(self, content: Node, depth: int) -> list[str]:
        (identity, classes, pairs), blocks = content
        if identity in {"toc", "TOC"} or "toc" in classes:
            return []
        if "reversed" in dict(pairs).get("options", "") and [block["t"] for block in blocks] == ["OrderedList"]:
            return self._ordered(blocks[0]["c"], depth, step=-1)
        inner = self._blocks(blocks, depth)
        if inner and (kinds := [one for one in classes if one in ADMONITIONS]):
            titled = blocks[0]["t"] == "Div" and "title" in blocks[0]["c"][0][1] and bool(blocks[0]["c"][1])
            opening = f"**{inner.pop(0) if titled else kinds[0].capitalize()}:**"
            return [f"{opening} {inner[0]}", *inner[1:]] if re.match(r"\w", "".join(inner)) else [opening, *inner]
        return inner

    def _raw(self, language: str, text: str) -> list[str]:
        if language == "html":
            return md.paragraph(" ".join(re.sub(r"(?s)<!--.*?-->|<[^>]*>", " ", text).split()))
        if text.strip():
            self._lost[f"commands of {language}"] += 1
        return []

    # Tables -----------------------------------------------------------------------------------------------------------

    def _table(self, content: Node, depth: int) -> list[str]:
        _, (_, caption), _, (_, head), bodies, (_, foot) = content
        body = [row for _, _, inner, rows in bodies for row in (*inner, *rows)]
        rows = [row[1] for row in (*head, *body, *foot)]
        if len(rows) == 1 and len(rows[0]) == 1:  # a box around text
            return self._blocks(caption, depth) + self._blocks(rows[0][0][4], depth)
        cells = list(md.grid([[(self._cell(cell[4]), cell[2], cell[3]) for cell in row] for row in rows]))
        if head and not any(cells[0]):
            cells, head = cells[1:], []
        header = bool(head) or (len(cells) > 1 and (self._headed or md.is_bold(cells[0])))
        return self._blocks(caption, depth) + md.pipe_table(cells, header=header)

    def _cell(self, blocks: list[Node]) -> str:
        """The blocks of a cell in one line."""
        return "; ".join(filter(None, (self._flat(block) for block in blocks))).replace(":; ", ": ")

    def _flat(self, block: Node) -> str:
        kind, content = block["t"], block.get("c")
        if kind in {"Para", "Plain"}:
            text = md.in_line(self._inlines(content)).strip()
            return re.sub(f"(?<=[,;:.]){md.BREAK}", " ", text).replace(md.BREAK, "; ")
        if kind == "CodeBlock":
            return "; ".join(md.ticked(line.strip()) for line in content[1].splitlines() if line.strip())
        if kind in {"BulletList", "OrderedList"}:
            items = content if kind == "BulletList" else content[1]
            return "; ".join(filter(None, map(self._cell, items)))
        return "; ".join(re.sub(r"^[-#>] |\s+", " ", text).strip() for text in self._block(block, 0))

    def _plain(self, inlines: list[Node]) -> str:
        """A line without emphasis, which what it stands in has itself."""
        return re.sub(r"(?<!\\)\*\*|(?<![\\*\w])\*(?=\S)|(?<=[^\s\\])\*(?!\w)", "", self._line(inlines))

    # Inlines ----------------------------------------------------------------------------------------------------------

    def _line(self, inlines: list[Node]) -> str:
        return " ".join(md.in_line(self._inlines(inlines)).split())

    def _inlines(self, inlines: list[Node], depth: int = 0) -> str:
        """Text in a line; `BREAK` where a line ends for a reason."""
        if depth > DEEPEST:
            raise RecursionError
        text = "".join(self._inline(one, depth + 1) for one in inlines)
        return md.WIDE_BREAK.sub("", text) if "\n" in text else text

    def _inline(self, one: Node, depth: int) -> str:
        kind, content = one["t"], one.get("c")
        match kind:
            case "Str":
                return str(content)
            case "Space" | "SoftBreak" | "LineBreak":
                return SPACES[kind]
            case "Code":
                return md.ticked(" ".join(content[1].split()))
            case "Math":
                return _formula(content[1], apart=content[0]["t"] == "DisplayMath")
            case "Note":
                self._notes.append(content)
                return f"[^{len(self._notes)}]"
            case "RawInline":
                return self._raw_inline(*content)
        inside = content[1] if kind in AROUND else content
        text = self._inlines(inside, depth) if isinstance(inside, list) else ""
        match kind:
            case "Emph" | "Strong":
                return md.wrapped(text, "*" if kind == "Emph" else "**")
            case "Strikeout":
                return md.struck(text)
            case "Superscript":
                return md.raised(text)
            case "Subscript":
                return md.lowered(text)
            case "Image":
                self._lost[UNDESCRIBED] += not text.strip()
            case "Quoted":
                return f"\u2018{text}\u2019" if content[0]["t"] == "SingleQuote" else f"\u201c{text}\u201d"
            case "Link":
                return text or str(content[2][0])
            case "Span":
                return md.struck(text) if "line-through" in content[0][1] else text
            case "Cite":
                return text or f"[{', '.join(each['citationId'] for each in content[0])}]"
        return text

    def _raw_inline(self, language: str, text: str) -> str:
        if language == "html":
            return md.STRUCK if STRIKES.fullmatch(text) else "" if text.startswith("<") else text
        if cited := re.fullmatch(r"\\\w*[cC]ite\w*\*?(?:\[[^]]*\])*\{([^}]*)\}", text):
            return f"[{cited[1]}]"
        self._lost[f"commands of {language}"] += 1
        return ""


def _language(attributes: Node) -> str:
    _, classes, pairs = attributes
    named = dict(pairs).get("org-language") or dict(pairs).get("language")
    found = named or next((one for one in classes if one not in NO_LANGUAGE), "")
    return str(found).lower() if re.fullmatch(r"[\w+#.-]+", found) else ""


def _formula(text: str, *, apart: bool) -> str:
    return md.formula(ALIGNED.sub(r"\\\1{aligned}", EQUATION.sub("", text)), apart=apart)
