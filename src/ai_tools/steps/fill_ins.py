"""Fill-ins: the sentences of the passages with one value left out, which is the answer (cloze tests, Taylor 1953).

A student of a few million parameters knows a fact by the words that it was asked with. A fill-in shows it the fact in
the document's own words, and every value of it: also those that no question asks for. The samples are made of what is
known already; nobody is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from ..matching import ARTICLES, OPENERS, normalise, words
from ..records import Sample, content_id, grouped

DATASET = "fill_in"
GAP = "what"
LONGEST = 6  # words of a value
FEWEST = 4  # words that are left around it
TIMES = 3  # that a fill-in is trained on in an epoch where nothing else asks for its value
_ASIDE = ARTICLES | {"every", "each"}  # "every 18 months" and "18 months" are one value
_MARKUP = re.compile(r"^\s*(?:[-*+>]|\d+[.)]|#+)\s+|[*_`]|\[|\]\([^)]*\)", re.MULTILINE)
_BLOCKS = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+|]|\d+[.)])\s)")
_FENCES = re.compile(r"(?ms)^ *(```|~~~).*?(?:^ *\1|\Z)")
# Where a sentence ends, or a clause that stands by itself: what the other one says would lead astray.
_ENDS = re.compile(r"(?<=[.!?:])\s+(?=[A-Z\"(])|;\s+|,\s+(?:and|but|so)\s+(?=(?:\S+\s+){4})")
_NUMBER = re.compile(r"(?<![\w.,-])\d[\d.,:]*(?<![.,:])(?: (?:per cent|[a-z]+))?(?![\w-])")
_NAME = re.compile(r"(?<=[a-z,] )(?:the |(?<!the )[a-z]+ (?=[A-Z]+-\d))?[A-Z][\w'-]*(?: (?:of |and )?[A-Z0-9][\w'-]*)*")


def added(datasets: Mapping[str, Sequence[Sample]]) -> dict[str, list[Sample]]:
    """The datasets, and the fill-ins of their passages as one more."""
    return {name: list(samples) for name, samples in datasets.items()} | {DATASET: make(datasets)}


def make(datasets: Mapping[str, Sequence[Sample]]) -> list[Sample]:
    """One sample for each value of each sentence of the passages that the datasets' samples are about.

    Values are the answers of the samples, where they stand in a sentence to the letter, and, where no answer is,
    numbers with what they count, and names.
    """
    made: dict[tuple[str, str], Sample] = {}
    for some in grouped(chain(*datasets.values()), lambda one: one.chunk_id).values():
        answers = {one.answer.rstrip(".") for one in some if len(one.answer.split()) <= LONGEST}
        for sentence in sentences(some[0].source_text):
            for question, value in gaps(sentence, answers):
                made.setdefault((normalise(question), normalise(value)), _sample(some[0], sentence, question, value))
    return list(made.values())


def repeated(chosen: Iterable[Sample]) -> list[Sample]:
    """The fill-ins of a cut whose values no other sample of their passage asks for, as often as they are to be added.

    Measured on the tiny student: a fact that stands in one row of a cut was known half of the time, one that stands in
    two or three in 85 of 100 cases.
    """

    def value(sample: Sample) -> tuple[str, ...]:
        return sample.chunk_id, *(word for word in words(sample.answer) if word not in _ASIDE)

    groups = grouped(chosen, value).values()
    alone = [one for some in groups if all(one.recipe == DATASET for one in some) for one in some]
    return alone * (TIMES - 1)


def sentences(passage: str) -> Iterator[str]:
    """The sentences and clauses of prose, items of lists and rows of tables of a Markdown text, as plain text."""
    for block in _BLOCKS.split(_FENCES.sub("", passage)):
        if block.lstrip().startswith("|"):
            yield from (_row(line) for line in block.splitlines() if not re.fullmatch(r"[\s|:-]*", line))
        elif not block.lstrip().startswith("#"):
            yield from _ENDS.split(" ".join(_MARKUP.sub("", block).split()))


def _row(line: str) -> str:
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))


def gaps(sentence: str, answers: Collection[str]) -> Iterator[tuple[str, str]]:
    """(the sentence with a gap, what stood there) for each value in it, in their order."""
    whole = [re.compile(rf"(?<![\w-]){re.escape(answer)}(?![\w-])") for answer in answers if answer]
    known = {found.span() for pattern in whole for found in pattern.finditer(sentence)}
    plain = {found.span() for pattern in (_NUMBER, _NAME) for found in pattern.finditer(sentence)}
    new = {span for span in plain if not any(start < span[1] and span[0] < end for start, end in known)}
    for start, end in sorted(known | new):
        value = _counted(sentence[start:end])
        around = f"{sentence[:start]}{GAP}{sentence[start + len(value) :]}"
        if len(around.split()) > FEWEST:
            yield around, value


def _counted(value: str) -> str:
    """A number without a word behind it that it does not count: "17" of "13 to 17 may open"."""
    first, _, rest = value.partition(" ")
    return first if first[0].isdigit() and rest in OPENERS else value


def _sample(of: Sample, sentence: str, question: str, value: str) -> Sample:
    return Sample(
        sample_id=content_id(DATASET, of.chunk_id, question, value),
        recipe=DATASET,
        chunk_id=of.chunk_id,
        document_id=of.document_id,
        draw=0,
        document_outline=of.document_outline,
        domain=of.domain,
        document=sentence,
        source_text=of.source_text,
        question=question,
        answer=value,
        model="fill-ins",
        prompt_version="1",
        key_fact=sentence,
        faithfulness_judgment="YES",
    )
