"""Chunks: nothing lost, never over the limit, true spans, the headings above; cut where a reader would cut."""

import itertools
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest
import regex
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ai_tools.documents.blocks import SENTENCE
from ai_tools.documents.chunking import chunk_document, chunk_text
from ai_tools.errors import InputError
from ai_tools.records import Chunk, Document

WORDS = st.sampled_from(
    ("bell", "rings", "noon.", "K-10", "1,260", "Überprüfung", "漢字。", "👩‍👩‍👧‍👦", "[1]", "—", "#tag", "_x_")
)
LINES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
TITLES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
BOUNDED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


class Part(NamedTuple):
    """A piece of Markdown that we know everything about. `level` of a heading; `opening` of a fence or a table."""

    text: str
    level: int = 0
    title: str = ""
    opening: str = ""
    offset: int = 0  # where, in the text, the fence or table begins


def fence(mark: str, language: str, lines: list[str], inside_list: bool) -> Part:
    opening = mark + language
    indent = "  " if inside_list else ""
    code = "\n".join([opening, *lines, mark]).split("\n")
    body = "\n".join(indent + line if line else "" for line in code)
    intro = "- To ring:\n\n" if inside_list else ""
    return Part(intro + body, opening=opening, offset=len(intro + indent))


ATX = st.builds(lambda level, title: Part("#" * level + " " + title, level, title), st.integers(1, 6), TITLES)
SETEXT = st.builds(
    lambda level, title: Part(title + "\n" + ("===" if level == 1 else "---"), level, title), st.integers(1, 2), TITLES
)
CODE = LINES | st.sampled_from(("", "# no heading", "| a | b |", "---", "    ring()", "`````", "- ```", "Title\n==="))
FENCES = st.builds(
    fence,
    st.sampled_from(("```", "~~~", "````")),
    st.sampled_from(("", "python", "sh title=x")),
    st.lists(CODE.filter(lambda line: line != "`````"), max_size=40),
    st.booleans(),
) | st.builds(fence, st.just("~~~"), st.just(""), st.lists(CODE, max_size=40), st.just(False))
TABLES = st.lists(st.tuples(LINES, WORDS), max_size=40).map(
    lambda rows: Part(
        "\n".join(["| bell | hour |", "| --- |:--:|", *(f"| {a} | {b} |" for a, b in rows)]),
        opening="| bell | hour |\n| --- |:--:|",
    )
)
LISTS = st.lists(st.tuples(st.sampled_from(("- ", "  - ", "1. ")), LINES), min_size=1, max_size=6).map(
    lambda items: Part("\n".join(mark + line for mark, line in [("- ", "All of:"), *items]))
)
PROSE = (
    st.lists(LINES, min_size=1, max_size=8).map("\n".join) | LINES.map(lambda line: "> " + line) | st.just("x" * 900)
)
PARTS = st.lists(ATX | SETEXT | FENCES | TABLES | LISTS | PROSE.map(Part), min_size=1, max_size=12)
UNCLOSED = st.lists(LINES, max_size=40).map(
    lambda lines: Part("\n".join(["```text", *lines, "end"]), opening="```text")
)


@dataclass
class Text:
    """A document's text, its parts and where each begins."""

    parts: list[Part]

    def __post_init__(self) -> None:
        self.text = "\n\n".join(part.text for part in self.parts)
        ends = list(itertools.accumulate(len(part.text) + 2 for part in self.parts))
        self.starts = [0, *ends[:-1]]

    def has_body(self) -> bool:
        return not all(part.level for part in self.parts)

    def between(self, start: int, end: int) -> list[int]:
        """The numbers of the parts of which something is in the span."""
        return [
            number
            for number, (at, part) in enumerate(zip(self.starts, self.parts, strict=True))
            if at < end and start < at + len(part.text)
        ]

    def path(self, number: int) -> list[tuple[int, str]]:
        path: list[tuple[int, str]] = []
        for part in self.parts[: number + 1]:
            if part.level:
                path = [*(above for above in path if above[0] < part.level), (part.level, part.title)]
        return path

    def with_headings(self, number: int) -> str:
        """A part, and the headings that belong to it: those just above, and those that end the document."""
        first, last = number, number
        while first and self.parts[first - 1].level:
            first -= 1
        while all(part.level for part in self.parts[last + 1 :]) and last + 1 < len(self.parts):
            last += 1
        return self.text[self.starts[first] : self.starts[last] + len(self.parts[last].text)]


STRUCTURED = st.builds(lambda parts, end: Text([*parts, *end]), PARTS, st.lists(UNCLOSED, max_size=1))


def document(text: str, pages: tuple[int, ...] = ()) -> Document:
    return Document("d", "bells", "bells.md", "Bells", "text/markdown", "", "markdown", text, pages=pages)


def chunks_of(text: str, tokenizer: Tokenizer, max_tokens: int = 512, overlap: int = 0) -> list[Chunk]:
    return chunk_document(document(text), max_tokens=max_tokens, tokenizer=tokenizer, overlap=overlap)


def count(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def own_spans(text: str, chunks: list[Chunk]) -> list[tuple[int, int]]:
    """What each chunk has that the one before it has not, from the first character that is not white."""
    starts = [max(chunk.start, end) for chunk, end in zip(chunks, [0, *(c.end for c in chunks)], strict=False)]
    spans = zip(starts, [chunk.end for chunk in chunks], strict=True)
    return [(start + len(text[start:end]) - len(text[start:end].lstrip()), end) for start, end in spans]


def check_promises(text: str, chunks: list[Chunk], tokenizer: Tokenizer, overlap: int = 0) -> None:
    """What holds for every chunk of every strategy, sizes aside."""
    own = own_spans(text, chunks)
    assert "".join("".join(text[start:end].split()) for start, end in own) == "".join(text.split())
    assert all(start < end for start, end in own)  # none is only overlap
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.n_tokens == count(tokenizer, chunk.text)
        assert chunk.text == chunk.text.rstrip()
        assert chunk.text.lstrip(" \t") == chunk.text.lstrip() != ""  # only indentation may begin it
    for before, chunk in itertools.pairwise(chunks):
        assert overlap or chunk.start >= before.end
        assert chunk.start > before.start
        if chunk.start < before.end:
            assert text[chunk.start - 1].isspace() or text[chunk.start - 1] in "。！？”"


@given(text=st.lists(PARTS | st.just([Part("\n")]), max_size=3), gap=st.sampled_from(["\n\n", "\n", "\n\n\n \n"]))
@settings(BOUNDED)
def test_chunks_keep_every_promise_on_any_markdown(toy_tokenizer: Tokenizer, text: list[list[Part]], gap: str) -> None:
    joined = gap.join(part.text for parts in text for part in parts)
    assume(joined.strip())
    for limit, overlap in ((25, 0), (80, 0), (80, 30)):
        chunks = chunks_of(joined, toy_tokenizer, limit, overlap)
        check_promises(joined, chunks, toy_tokenizer, overlap)
        assert max(chunk.n_tokens for chunk in chunks) <= limit


@given(text=st.text(max_size=300), limit=st.integers(16, 40), overlap=st.integers(0, 15))
@example(text="\u2028# a\x0c\x85", limit=16, overlap=0)
@settings(BOUNDED)
def test_chunks_keep_every_promise_on_any_text(toy_tokenizer: Tokenizer, text: str, limit: int, overlap: int) -> None:
    assume(text.strip())
    chunks = chunks_of(text, toy_tokenizer, limit, overlap)
    check_promises(text, chunks, toy_tokenizer, overlap)
    assert max(chunk.n_tokens for chunk in chunks) <= limit
    assert chunks == chunks_of(text, toy_tokenizer, limit, overlap)
    plain = chunk_text(document(text), max_characters=limit, tokenizer=toy_tokenizer, overlap=overlap)
    check_promises(text, plain, toy_tokenizer, overlap)
    assert max(len(chunk.text) for chunk in plain) <= limit
    assert plain == chunk_text(document(text), max_characters=limit, tokenizer=toy_tokenizer, overlap=overlap)


@given(marked=STRUCTURED, limit=st.integers(300, 500), overlap=st.sampled_from((0, 50)))
@settings(BOUNDED)
def test_fences_and_tables_are_whole_where_they_fit_and_cut_at_lines_where_not(
    toy_tokenizer: Tokenizer, marked: Text, limit: int, overlap: int
) -> None:
    text = marked.text
    chunks = chunks_of(text, toy_tokenizer, limit, overlap)
    own = own_spans(text, chunks)
    for number, part in enumerate(marked.parts):
        if not part.opening:
            continue
        begin, end = marked.starts[number] + part.offset, marked.starts[number] + len(part.text)
        cuts = [start for start, _ in own if begin < start < end]
        if count(toy_tokenizer, marked.with_headings(number)) <= limit:
            assert not cuts
        for cut in cuts:
            assert text[:cut].rstrip(" ").endswith("\n")
        for chunk in chunks:
            opening = chunk.metadata.get("table_header", chunk.metadata.get("fence"))
            if begin < chunk.start < end:
                assert opening == part.opening
    inside = [
        chunk
        for chunk in chunks
        if any(
            part.opening and at + part.offset < chunk.start < at + len(part.text)
            for at, part in zip(marked.starts, marked.parts, strict=True)
        )
    ]
    assert [chunk for chunk in chunks if chunk.metadata] == inside


@given(marked=STRUCTURED, limit=st.integers(200, 400), overlap=st.sampled_from((0, 40)))
@settings(BOUNDED)
def test_no_chunk_is_headings_only_and_each_knows_the_headings_above_all_of_it(
    toy_tokenizer: Tokenizer, marked: Text, limit: int, overlap: int
) -> None:
    text = marked.text
    chunks = chunks_of(text, toy_tokenizer, limit, overlap)
    for chunk, (start, end) in zip(chunks, own_spans(text, chunks), strict=True):
        bodies = [number for number in marked.between(start, end) if not marked.parts[number].level]
        assert bodies or not marked.has_body()
        paths = [marked.path(number) for number in bodies]
        shared = itertools.takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False))
        assert list(chunk.heading_path) == [steps[0][1] for steps in shared]


@given(marked=STRUCTURED, size=st.integers(100, 400), overlap=st.sampled_from((0, 40)))
@settings(BOUNDED)
def test_recursive_chunks_keep_the_promises_and_cut_words_only_where_one_is_too_long(
    toy_tokenizer: Tokenizer, marked: Text, size: int, overlap: int
) -> None:
    text = marked.text
    chunks = chunk_text(document(text), max_characters=size, tokenizer=toy_tokenizer, overlap=overlap)
    check_promises(text, chunks, toy_tokenizer, overlap)
    assert max(len(chunk.text) for chunk in chunks) <= size
    longest = max(map(len, text.split()))
    for (_, end), (start, _) in itertools.pairwise(own_spans(text, chunks)):
        assert end < start or text[end - 1] == "。" or longest > size


def test_fenced_code_is_kept_and_its_comments_are_no_headings(toy_tokenizer: Tokenizer) -> None:
    code = "```python\n# not a heading\nring(bell)\n```"
    text = f"# Bells\n\nTo ring one:\n\n{code}\n\n## Lamps\n\nLight them.\n"
    (whole,) = chunks_of(text, toy_tokenizer)
    assert code in whole.text
    last = chunks_of(text, toy_tokenizer, 40)[-1]
    assert last.heading_path == ("Bells", "Lamps")


def test_an_unclosed_fence_runs_to_the_end_and_hides_what_looks_like_headings(toy_tokenizer: Tokenizer) -> None:
    lines = [f"# step {number}\nring(bell, {number})" for number in range(200)]
    text = "# Bells\n\nTo ring all:\n\n```python\n" + "\n".join(lines)
    first, *rest = chunks_of(text, toy_tokenizer, 100)
    assert len(rest) > 20
    assert "fence" not in first.metadata
    assert {(chunk.heading_path, chunk.metadata["fence"]) for chunk in rest} == {(("Bells",), "```python")}


def test_a_fence_inside_a_list_keeps_its_indentation(toy_tokenizer: Tokenizer) -> None:
    code = "\n".join(["  ~~~~ sh", *(f"  # {n}\n    ring --times {n}" for n in range(30)), "  ~~~", "  ~~~~"])
    chunks = chunks_of(f"# Bells\n\n- ring:\n\n{code}\n- rest\n\n# Lamps\n\nLit.\n", toy_tokenizer, 80)
    inner = [chunk for chunk in chunks if "fence" in chunk.metadata]
    assert len(inner) > 3
    assert all(chunk.text.startswith("  ") and chunk.metadata["fence"] == "~~~~ sh" for chunk in inner)
    assert chunks[-1].heading_path in ((), ("Lamps",))


def test_a_table_of_5000_rows_is_cut_between_rows_and_each_chunk_has_its_head(toy_tokenizer: Tokenizer) -> None:
    head = "| bell | hour |\n|---|---|"
    rows = [f"| bell number {number} | {number % 24} |" for number in range(5000)]
    chunks = chunks_of("# Bells\n\n" + "\n".join([head, *rows]), toy_tokenizer)
    lines = [line for chunk in chunks for line in chunk.text.split("\n")]
    assert lines == ["# Bells", "", *head.split("\n"), *rows]
    assert [chunk.metadata for chunk in chunks] == [{}, *[{"table_header": head}] * (len(chunks) - 1)]


@pytest.mark.parametrize("unit", ["The bell rings at noon. ", "x"], ids=["prose", "x"])
def test_one_line_of_3_mb_is_chunked_whole(toy_tokenizer: Tokenizer, unit: str) -> None:
    text = unit * (3_000_000 // len(unit.encode()))
    chunks = chunks_of(text, toy_tokenizer)
    assert max(chunk.n_tokens for chunk in chunks) <= 512
    assert sum(len("".join(chunk.text.split())) for chunk in chunks) == len("".join(text.split()))
    assert len(chunks) < 1.2 * sum(chunk.n_tokens for chunk in chunks) / 512
    if unit.endswith(". "):
        assert all(chunk.text.startswith("The bell") and chunk.text.endswith("noon.") for chunk in chunks)


def test_a_header_longer_than_a_chunk_is_not_repeated(toy_tokenizer: Tokenizer) -> None:
    head = "| " + " | ".join(f"bell {n}" for n in range(60)) + " |\n" + "|---" * 60 + "|"
    text = head + "\n" + "\n".join("| " + "1 | " * 60 for _ in range(5))
    chunks = chunks_of(text, toy_tokenizer, 64)
    assert len(chunks) > 5
    assert not any(chunk.metadata for chunk in chunks)


def test_characters_as_readers_see_them_stay_whole(toy_tokenizer: Tokenizer) -> None:
    text = "👩‍👩‍👧‍👦👍🏽é̂🇫🇷" * 100  # a family, a hand with its colour, a letter with two accents, a flag
    seen = regex.findall(r"\X", text)
    assert len(seen) == 400
    for chunks in (
        chunks_of(text, toy_tokenizer, 100),
        chunk_text(document(text), max_characters=30, tokenizer=toy_tokenizer),
    ):
        assert [one for chunk in chunks for one in regex.findall(r"\X", chunk.text)] == seen


def test_what_is_longer_than_a_part_of_the_parser_is_read_as_a_whole(toy_tokenizer: Tokenizer) -> None:
    code = "\n\n".join(f"# line {number}\nring()" for number in range(15_000))
    text = (
        f"# Bells\n\n```sh\n{code}\n```\n\n## Lamps\n\n"
        + "Lit at dusk.\n\n" * 20_000
        + "- one\n\n  # two\n\n# End\n\nTen.\n"
    )
    chunks = chunks_of(text, toy_tokenizer)
    check_promises(text, chunks, toy_tokenizer)
    assert list(dict.fromkeys(chunk.heading_path for chunk in chunks)) == [("Bells",), ("Bells", "Lamps"), ("End",)]
    assert {chunk.metadata.get("fence") for chunk in chunks[1:] if "ring()" in chunk.text} == {"```sh"}


def test_setext_headings_count(toy_tokenizer: Tokenizer) -> None:
    text = "Bells\n=====\n\nOne.\n\nSmall ones\n---\n\nTwo.\n\n- item\n---\n\nThree.\n"
    assert [chunk.heading_path for chunk in chunks_of(text, toy_tokenizer)] == [("Bells",)]
    assert [chunk.heading_path for chunk in chunks_of(text[text.index("Small") :], toy_tokenizer)] == [("Small ones",)]


def test_front_matter_is_kept_and_holds_no_headings(toy_tokenizer: Tokenizer) -> None:
    text = "---\n# by hand\ntitle: Bells\n---\n# Bells\n\nOne.\n"
    (chunk,) = chunks_of(text, toy_tokenizer)
    assert chunk.text == text.strip()
    assert [one.heading_path for one in chunks_of(text, toy_tokenizer, 20)] == [(), ("Bells",)]


def test_definitions_of_links_and_comments_are_kept(toy_tokenizer: Tokenizer) -> None:
    text = "# Bells\n\nSee [it].\n\n[it]: https://example.org/bells 'Bells'\n\n<!-- # old -->\n\n# Lamps\n\nLit.\n"
    for limit in (16, 24, 512):
        check_promises(text, chunks_of(text, toy_tokenizer, limit), toy_tokenizer)


def test_a_line_far_too_long_for_a_heading_is_none(toy_tokenizer: Tokenizer) -> None:
    chunks = chunks_of("# " + "The bell rings at noon. " * 2000, toy_tokenizer)
    assert len(chunks) > 20
    assert not any(chunk.heading_path for chunk in chunks)


def test_a_chunk_knows_the_headings_above_all_of_its_text(toy_tokenizer: Tokenizer) -> None:
    body = "The bell rings at noon and once more at dusk, " * 3
    parts = [("Bells", "#"), ("Big", "##"), ("Very big", "###"), ("Small", "##")]
    text = "\n\n".join(f"{marks} {title}\n\n{body}{title}." for title, marks in parts)
    chunks = chunks_of(text, toy_tokenizer, 64)
    assert [(chunk.heading_path, chunk.text[-9:]) for chunk in chunks] == [
        (("Bells",), "k, Bells."),
        (("Bells", "Big"), "usk, Big."),
        (("Bells", "Big", "Very big"), "Very big."),
        (("Bells", "Small"), "k, Small."),
    ]
    shared = chunks_of("# Bells\n\n## Big\n\nOne.\n\n## Small\n\nTwo.\n", toy_tokenizer)
    assert [chunk.heading_path for chunk in shared] == [("Bells",)]


def test_a_heading_at_the_end_stays_with_the_text_before_it(toy_tokenizer: Tokenizer) -> None:
    body = "The bell rings at noon. The lamp is lit at dusk. The door is locked at night. " * 2
    *_, last = chunks_of(f"# Bells\n\n{body}\n\n## Appendix\n", toy_tokenizer, 40)
    assert last.text.endswith("## Appendix")
    assert last.text.startswith("The ")


def test_a_table_without_room_for_its_heading_is_cut_rather_than_the_heading_left_alone(
    toy_tokenizer: Tokenizer,
) -> None:
    table = "| bell | hour |\n|---|---|\n" + "\n".join(f"| bell {number} | {number} |" for number in range(9))
    limit = count(toy_tokenizer, table) + 2
    first, second = chunks_of(f"# The bells of the town\n\n{table}", toy_tokenizer, limit)
    assert first.text.startswith("# The bells of the town\n\n| bell | hour |\n|---|---|\n| bell 0 | 0 |\n")
    assert second.metadata == {"table_header": "| bell | hour |\n|---|---|"}


def test_a_document_of_headings_only_is_still_one_chunk(toy_tokenizer: Tokenizer) -> None:
    assert [chunk.text for chunk in chunks_of("# Bells\n\n## Big\n", toy_tokenizer)] == ["# Bells\n\n## Big"]


SENTENCES = " ".join(f"Sentence {number} of the bell book." for number in range(60))


def test_without_overlap_no_chunk_repeats_the_one_before(toy_tokenizer: Tokenizer) -> None:
    chunks = chunks_of(SENTENCES, toy_tokenizer, 50)
    assert len(chunks) > 5
    assert all(a.end < b.start for a, b in itertools.pairwise(chunks))


@pytest.mark.parametrize(
    "sentence",
    [
        "पंप की सीमा चालीस लीटर है। ",
        "پمپ کی حد چالیس لیٹر ہے۔ ",
        "هل تُفحص المضخة كل أسبوع؟ ",
        "泵的上限为四十升。",
        "「泵的上限是四十升！」",
        "ポンプの上限は何リットルですか？",
        "ပန့်၏ ကန့်သတ်ချက်မှာ လေးဆယ် ဖြစ်သည်။ ",
        "ម៉ាស៊ីនបូមទឹកមានកម្រិតសែសិបលីត្រ។",
        "የፓምፑ ወሰን አርባ ሊትር ነው። ",
        "Պոմպի սահմանը քառասուն լիտր է։ ",
        "Ποιο είναι το όριο της αντλίας; ",
        "Предел насоса равен сорока литрам. ",
    ],
)
def test_a_chunk_ends_where_a_sentence_of_its_script_does(sentence: str, toy_tokenizer: Tokenizer) -> None:
    size = count(toy_tokenizer, sentence)
    chunks = chunks_of(sentence * 12, toy_tokenizer, size * 2 + size // 2)
    assert {chunk.text for chunk in chunks} <= {(sentence * times).strip() for times in (1, 2)}


def test_a_mark_within_a_sentence_ends_none(toy_tokenizer: Tokenizer) -> None:
    text = "Die Pumpe läuft z. b. über Nacht mit 3.5 oder ３．５ bar, ça va. etwa so"
    assert len(chunks_of(text, toy_tokenizer, 200)) == 1
    assert not SENTENCE.search(text)


def test_overlap_is_whole_sentences_and_the_last_chunk_is_more_than_overlap(toy_tokenizer: Tokenizer) -> None:
    for length in range(400, len(SENTENCES), 37):
        text = SENTENCES[:length]
        chunks = chunks_of(text, toy_tokenizer, 50, 20)
        check_promises(text, chunks, toy_tokenizer, 20)
        for before, chunk in itertools.pairwise(chunks):
            repeated = text[chunk.start : before.end]
            assert repeated.startswith("Sentence ")
            assert 10 <= count(toy_tokenizer, repeated) <= 20
            assert chunk.n_tokens <= 50


def test_overlap_gives_way_where_a_table_would_be_cut_for_it(toy_tokenizer: Tokenizer) -> None:
    table = "| bell | hour |\n|---|---|\n" + "\n".join(f"| bell {number} | {number} |" for number in range(9))
    limit = count(toy_tokenizer, table)
    chunks = chunks_of(f"{SENTENCES[:300]}\n\n{table}", toy_tokenizer, limit, 30)
    assert chunks[-1].text == table


def test_recursive_prefers_paragraphs_to_lines_to_sentences_to_words(toy_tokenizer: Tokenizer) -> None:
    def cut(text: str, size: int) -> list[str]:
        return [one.text for one in chunk_text(document(text), max_characters=size, tokenizer=toy_tokenizer)]

    assert cut("# Bells\n\nOne two. Six\nten.\n\nEnd.", 26) == ["# Bells\n\nOne two. Six\nten.", "End."]
    assert cut("One two. Six\nten. Seven eight", 20) == ["One two. Six", "ten. Seven eight"]
    assert cut("One two. Six ten eleven", 20) == ["One two.", "Six ten eleven"]
    assert cut("One two six ten eleven", 15) == ["One two six ten", "eleven"]
    assert cut("abcdefghij", 5) == ["abcde", "fghij"]


def test_recursive_sizes_are_characters_and_n_tokens_are_tokens(toy_tokenizer: Tokenizer) -> None:
    chunks = chunk_text(document(SENTENCES), max_characters=200, tokenizer=toy_tokenizer, overlap=60)
    assert all(100 < len(chunk.text) <= 200 for chunk in chunks[:-1])
    assert all(chunk.n_tokens == count(toy_tokenizer, chunk.text) for chunk in chunks)
    assert all(30 <= a.end - b.start <= 60 for a, b in itertools.pairwise(chunks))


def test_a_chunk_knows_its_pages(toy_tokenizer: Tokenizer) -> None:
    pages = tuple(SENTENCES.index(f"Sentence {number} ") for number in (0, 10, 20, 30))
    made = chunk_document(document(SENTENCES, pages), max_tokens=100, tokenizer=toy_tokenizer)
    for chunk in made:
        numbers = [int(words.split()[0]) for words in chunk.text.split("Sentence ")[1:]]
        assert chunk.metadata == {"pages": [min(numbers[0] // 10, 3) + 1, min(numbers[-1] // 10, 3) + 1]}
    assert len({tuple(chunk.metadata["pages"]) for chunk in made}) > 2


def test_what_a_tokenizer_pads_or_cuts_is_counted_in_full(toy_tokenizer: Tokenizer) -> None:
    cutting = Tokenizer.from_str(toy_tokenizer.to_str())
    cutting.enable_truncation(20)
    cutting.enable_padding(length=20)
    assert chunks_of(SENTENCES, cutting, 50) == chunks_of(SENTENCES, toy_tokenizer, 50)
    assert cutting.truncation["max_length"] == 20


def test_ids_depend_on_the_document_and_the_place_so_equal_passages_differ(toy_tokenizer: Tokenizer) -> None:
    text = "The bell rings at noon."
    other = replace(document(text), id="e", name="lamps")
    first, again = chunks_of(text, toy_tokenizer)[0], chunks_of(text, toy_tokenizer)[0]
    assert first == again
    assert first.chunk_id != chunk_document(other, max_tokens=512, tokenizer=toy_tokenizer)[0].chunk_id


def test_an_empty_document_is_an_error_that_names_it(toy_tokenizer: Tokenizer) -> None:
    with pytest.raises(InputError, match=r"bells\.md: empty; nothing to chunk"):
        chunks_of(" \n", toy_tokenizer)
    with pytest.raises(InputError, match=r"bells\.md: empty; nothing to chunk"):
        chunk_text(document(""), max_characters=9, tokenizer=toy_tokenizer)


def test_sizes_that_cannot_work_are_errors_that_say_so(toy_tokenizer: Tokenizer) -> None:
    with pytest.raises(InputError, match="overlap 16: give less than the chunk size, 16"):
        chunks_of("Bells.", toy_tokenizer, 16, 16)
    with pytest.raises(InputError, match="chunk size 2: '漢' alone takes 4"):
        chunks_of("漢字", toy_tokenizer, 2)
