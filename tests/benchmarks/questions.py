"""How well does the offline teacher question a folder of documents? Coverage, wordings for a fact, and speed.

`QUESTIONS_FOLDER=path python -m tests.benchmarks questions` measures the Markdown files of any folder; without it, the
sample handbook.
"""

import collections
import os
import re
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

from ai_tools.documents.chunking import chunk_document
from ai_tools.records import Document, content_id
from ai_tools.steps.students import counting_tokenizer
from offline_teacher import teacher, wordings
from offline_teacher.english import readings, words

SAMPLE = Path(__file__).parents[2] / "assets" / "corpus"
WARM = "The bell must be rung within nine days if the lamp that the guard keeps in Marrow Bay fails. It is red."
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")


def statements(text: str) -> list[str]:
    """What a Markdown text states: its sentences with a verb, its list items and its table rows, in order.

    Counted by form alone, whatever the teacher makes of it: a sentence ends in a full stop and has a word that can be
    a finite verb; an item has at least three words; a row is a table's line below its header. Code, headings, HTML,
    questions and lines that lead to a list are none.
    """
    found: list[str] = []
    plain = re.sub(r"(?ms)^ {0,3}(```|~~~).*?^ {0,3}\1[^\n]*$|<!--.*?-->", "", text)
    for block in re.split(r"\n\s*\n", plain):
        lines = [line for line in block.splitlines() if line.strip() and not line.lstrip().startswith(("#", "<", "!["))]
        rows = [line for line in lines if line.lstrip().startswith("|")]
        found += [row.strip() for row in rows[1:] if not re.fullmatch(r"[\s|:-]+", row)]
        prose: list[str] = []
        for line in (line for line in lines if line not in rows):
            if _ITEM.match(line) or not prose:
                prose.append(line.strip())
            else:
                prose[-1] += " " + line.strip()
        for part in prose:
            item = _ITEM.match(part)
            body = _ITEM.sub("", part)
            if item and len(body.split()) > 2:
                found.append(body)
            elif not item:
                pieces = re.split(r"(?<=[.!?])\s+(?=[A-Z\"\u201c`])", body)
                found += [piece for piece in pieces if piece.endswith((".", '."', ".)")) and _has_verb(piece)]
    return found


def _has_verb(sentence: str) -> bool:
    found = [word.strip(".,;:()\"'").lower() for word in sentence.split()]
    finite = words("modals", "be", "have", "do")
    return any(word in finite or readings(word) & {"VBZ", "VBP", "VBD"} for word in found if word.isalpha())


def asked_statements(text: str, place: str = "") -> tuple[list[str], list[list[str]]]:
    """The statements of a passage that have at least one question, and the questions of every fact."""
    rows = wordings.asked(text, place)
    told = [(_flat(fact.source), [w.question for w in found if not w.exam]) for fact, found in rows]
    sources = [source for source, questions in told if questions]
    covered = [one for one in statements(text) if any(_flat(one) in s or s in _flat(one) for s in sources)]
    return covered, [questions for _, questions in told]


def _flat(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def measure(passages: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Share of statements with a question, wordings for a fact, and passages a second on one core."""
    total = covered = 0
    counts: list[int] = []
    passages = list(passages)
    for text, place in passages:
        total += len(statements(text))
        found, questions = asked_statements(text, place)
        covered += len(found)
        counts += [len(some) for some in questions if some]
    return {
        "statements": total,
        "coverage": covered / max(1, total),
        "facts": len(counts),
        "mean": statistics.mean(counts or [0]),
        **{f"{n}": share for n, share in _shares(counts).items()},
    }


def _shares(counts: list[int]) -> dict[str, float]:
    """The share of facts with exactly one, two and three wordings, and with four or more."""
    known = collections.Counter(min(count, 4) for count in counts)
    return {("4+" if n == 4 else str(n)): known[n] / max(1, len(counts)) for n in (1, 2, 3, 4)}


def chunks(folder: Path) -> list[tuple[str, str]]:
    """(text, section) of every chunk of a folder's Markdown files."""
    tokenizer, found = counting_tokenizer("tiny"), []
    for path in sorted(folder.glob("*.md")):
        text = path.read_text("utf-8")
        name = path.name
        document = Document(content_id(name), name, name, path.stem, "text/markdown", "", "", text)
        parts = chunk_document(document, max_tokens=512, tokenizer=tokenizer) if text.strip() else []
        found += [(part.text, part.heading_path[-1] if part.heading_path else "") for part in parts]
    return found


def speed(passages: list[tuple[str, str]]) -> float:
    """Passages a second, CPU time, for one reply to `questions`, with nothing kept of them from before."""
    teacher.questions({"passage": WARM, "count": 1}, 0)  # word lists are read and patterns compiled once
    start = time.process_time()
    for text, place in passages:
        teacher.questions({"passage": text, "section": place, "count": 8, "angle": "factual"}, 0)
    return len(passages) / (time.process_time() - start)


def main(small: bool = False) -> None:
    folder = Path(os.environ.get("QUESTIONS_FOLDER") or SAMPLE)
    passages = chunks(folder)[: 2 if small else None]
    rate = speed(passages)
    found = measure(passages)
    print(f"{folder.name}: {len(passages)} chunks, {rate:.0f} chunks/s on one core (questions)")
    print(f"  {found['statements']:.0f} statements, {found['coverage']:.1%} with a question")
    print(f"  {found['facts']:.0f} facts asked, {found['mean']:.1f} wordings each: ", end="")
    print(", ".join(f"{n}: {found[n]:.0%}" for n in ("1", "2", "3", "4+")))
