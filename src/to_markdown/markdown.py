"""Pieces of Markdown as every converter writes them: code, emphasis and tables that no content can break."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

STRUCK = "~~"
BREAK = "\v"  # a line break while white space is still being folded
NO_BREAK = re.compile(r"[^\S\v]+")
AROUND = re.compile(r"\s*\v\s*")
MISTAKABLE = re.compile(r"^(#{1,6} |```|~~~|=+$|-{2,}$)", re.MULTILINE)
WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
WIDE_BREAK = re.compile(rf"(?<=[{WIDE}])[^\S\n]*+\n\s*+(?=[{WIDE}])")  # no spaces there, for a line's end to stand for
EXPONENT = re.compile(r"[\d+\u2212-][\w+\u2212.,-]*|[A-Z]|[bcf-npqs-z]")  # the "e" of a French "1e" is none
INDEX = re.compile(r"[A-Za-z]\w*")
WORD = re.compile(r"\w+")
EXPRESSION = re.compile(
    r"(?=.*[+\u2212=/,*-])[\w()+\u2212=/,.*-]*\b\w\b[\w()+\u2212=/,.*-]*"
)  # a letter or digit by itself
SET_APART = re.compile(r"\$\$\n(.*?)\n\$\$", re.DOTALL)
MAX_SPAN = 50
MAX_REPEATED = 200  # characters of a cell that is repeated in the rows it spans
ROMAN = {
    1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv",
    1: "i",
}  # fmt: skip


def paragraph(text: str) -> list[str]:
    """A paragraph, or nothing; formulas that are set apart stand apart.

    What would begin a heading or a fence does not begin one here.
    """
    blocks = []
    for at, part in enumerate(SET_APART.split(text)):
        if at % 2:
            blocks.append(f"$$\n{part}\n$$")
        elif part := tidy(part):
            blocks.append(MISTAKABLE.sub(r"\\\1", part))
    return blocks


def tidy(text: str) -> str:
    """Text without white space that means nothing; `BREAK` becomes a line's end."""
    if "\n" in text and not text.isascii():
        text = WIDE_BREAK.sub("", text)
    text = NO_BREAK.sub(" ", text).strip()
    return AROUND.sub("\n", text) if BREAK in text else text


def in_line(text: str) -> str:
    """The text with its formulas in the line."""
    return SET_APART.sub(r"$\1$", text) if "$$\n" in text else text


def formula(tex: str, *, apart: bool) -> str:
    """A formula in a line; or set apart, where `paragraph` lets it stand by itself."""
    if not (tex := tex.strip()):
        return ""
    return f"$$\n{tex}\n$$" if apart else f"${' '.join(tex.split())}$"


def raised(text: str, *, glued: bool = False) -> str:
    """An exponent, which is no further digit; ordinals and signs stay as they are. `glued`: to what comes after it."""
    return _moved(text, "^", EXPONENT, glued)


def lowered(text: str, *, glued: bool = False, beside_digit: bool = False) -> str:
    """An index; the one of "CO2" is written so, but beside another number."""
    return _moved(text, "_", WORD if beside_digit else INDEX, glued)


def _moved(text: str, sign: str, plain: re.Pattern[str], glued: bool) -> str:
    inner = text.strip()
    if plain.fullmatch(inner) and not glued:
        return sign + inner
    return f"{sign}{{{inner}}}" if plain.fullmatch(inner) or EXPRESSION.fullmatch(inner) else text


def fence(code: str, language: str = "") -> list[str]:
    """Code between marks that are longer than any in it; nothing where there is none."""
    text = textwrap.dedent(code.replace("\xa0", " ")).strip("\n").rstrip()
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", text))])
    return [f"{ticks}{language}\n{text}\n{ticks}"] if text else []


def ticked(text: str) -> str:
    """Code in a line, between marks that are longer than any in it."""
    if not text:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def quoted(blocks: list[str]) -> list[str]:
    """A quotation, or nothing."""
    return ["\n".join(f"> {line}".rstrip() for line in "\n\n".join(blocks).split("\n"))] if blocks else []


def is_indented(blocks: list[str]) -> bool:
    """Whether what is called a quotation was only meant to be indented: it is more than paragraphs."""
    return any(re.match(r"```|\||- |\d+\. |#|>", block) for block in blocks)


def note(label: int | str, blocks: list[str]) -> list[str]:
    """A note below the text; its further blocks are indented."""
    first, *rest = blocks or [""]
    return [f"[^{label}]: " + first.replace("\n", "\n    "), *(textwrap.indent(block, "    ") for block in rest)]


def in_cell(text: str) -> str:
    """Lines of text in one cell of a table."""
    return "; ".join(filter(None, map(str.strip, text.splitlines())))


def wrapped(text: str, mark: str) -> str:
    """Emphasis around the words, not around the white space beside them."""
    inner = text.strip()
    if not inner or mark in inner or BREAK in inner or not re.search(r"\w", inner):
        return text
    start = text.index(inner)
    return f"{text[:start]}{mark}{inner}{mark}{text[start + len(inner) :]}"


def struck(text: str) -> str:
    """What is crossed out, line by line: it no longer holds, and must not read as if it did."""
    return BREAK.join(wrapped(line, STRUCK) for line in text.split(BREAK))


def left_out(lost: Counter[str]) -> tuple[str, ...]:
    """A warning for each kind of thing that was left out."""
    return tuple(f"{what} left out: {count}" for what, count in sorted(lost.items()) if count)


def pipe_table(rows: list[list[str]], *, header: bool) -> list[str]:
    """A table of one-line cells, or nothing. Markdown wants a header: an empty one where the first row is none."""
    rows = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows if any(row)]
    if not rows:
        return []
    width = max(map(len, rows))
    head, *body = rows if header else [[], *rows]
    # The header's cells are bold by themselves. Other rows may be short.
    head = [re.sub(r"^\*\*(.*)\*\*$", r"\1", cell) for cell in head] + [""] * (width - len(head))
    return ["\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * width, *body))]


def is_bold(cells: list[str]) -> bool:
    """Whether a row is set in bold: a header, though it may not be called one."""
    return any(cells) and all(re.fullmatch(r"(\*\*.*\*\*)?", cell) for cell in cells)


def grid(rows: Sequence[Sequence[tuple[str, int, int]]]) -> Iterator[list[str]]:
    """Rows of cells from text and the rows and columns that each spans.

    A cell that spans rows is repeated in each, so that every row reads by itself.
    """
    hanging: dict[int, tuple[int, str]] = {}  # column: rows left, text
    for row in rows:
        line: list[str] = []

        def fill(line: list[str] = line) -> None:
            while len(line) in hanging:
                left, text = hanging.pop(column := len(line))
                if left > 1:
                    hanging[column] = (left - 1, text)
                line.append(text)

        for text, down, across in row:
            fill()
            for part in (text, *[""] * min(across - 1, max(0, MAX_SPAN - len(line)))):
                if down > 1:
                    hanging[len(line)] = (min(down, MAX_SPAN) - 1, part if len(part) <= MAX_REPEATED else "")
                line.append(part)
        fill()
        yield line


def mark_of(number: int, style: str, delimiter: str = "") -> str:
    """What an item of a list is called: `7.`, `(b)`, `iv.`; styles and delimiters as pandoc names them."""
    text = str(number)
    if style.endswith("Alpha") and number > 0:
        text = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)  # as Word counts: z, aa, bb
    elif style.endswith("Latin") and number > 0:
        text = ""
        while number > 0:  # as browsers count: z, aa, ab
            number, letter = divmod(number - 1, 26)
            text = chr(97 + letter) + text
    elif style.endswith("Roman") and 0 < number < 4000:
        text = ""
        for value, letters in ROMAN.items():
            text += letters * (number // value)
            number %= value
    text = text.upper() if style.startswith("Upper") else text
    return {"TwoParens": f"({text})", "OneParen": f"{text})", "None": text}.get(delimiter, f"{text}.")


def sign(mark: str) -> str:
    """How an item begins in Markdown: with its own number where Markdown has such, else with its mark behind a dash."""
    return f"{mark} " if re.fullmatch(r"\d{1,9}[.)]", mark) else f"- {mark} " if mark else "- "


def listed(items: list[tuple[str, list[str]]]) -> list[str]:
    """A list of signs and blocks. Sections that are set as a list are none, but keep their numbers."""
    if any(re.match("#+ ", block) for _, inner in items for block in inner):
        for sign, inner in items:
            if opening := re.match(r"#+ |(?=\w)", "".join(inner[:1])):
                inner[0] = f"{opening[0]}{sign.removeprefix('- ')}{inner[0][opening.end() :]}"
        return [block for _, inner in items for block in inner]
    lines = [_item(sign, inner) for sign, inner in items if inner]
    return [("\n\n" if any("\n\n" in line for line in lines) else "\n").join(lines)] if lines else []


def _item(sign: str, blocks: list[str]) -> str:
    """One list item; what follows its first line is indented below it. A nested list needs no empty line."""
    text = blocks[0]
    for block in blocks[1:]:
        text += ("\n" if re.match(r"- |\d+\. ", block) else "\n\n") + block
    indented = textwrap.indent(text, " " * (2 if sign.startswith("-") else len(sign)))
    if re.match(r"```|\|", text):  # stands on a line of its own, where it is seen
        return f"{sign.rstrip()}\n{indented}"
    return sign + indented.lstrip(" ")


def definitions(pairs: list[tuple[str, list[str]]]) -> list[str]:
    """`- **term**: definition` where every definition is one paragraph, else the term in bold before its blocks."""
    short = all(len(blocks) < 2 and not re.match(r"```|\||- |\d+\. |#", "".join(blocks)) for _, blocks in pairs)
    out: list[str] = []
    for term, blocks in pairs:
        noted = re.fullmatch(r"\[\^?(\d+)\]", term)
        if noted and blocks:
            out += note(noted[1], blocks)
        elif short:
            out.append(
                f"- **{term}**: {blocks[0]}".replace("\n", " ") if term and blocks else f"- {term or ''.join(blocks)}"
            )
        else:
            out += [f"**{term}**"] * bool(term) + blocks
    return ["\n".join(out)] if short and out and out[0].startswith("- ") else out
