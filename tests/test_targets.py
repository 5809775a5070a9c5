"""Which passages are asked about, and how many pairs of each: spread evenly, and a number of pairs reached."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from ai_tools.errors import UsageError
from ai_tools.records import Passage
from ai_tools.tools.targets import MOST_DRAWS, MOST_PER_CALL, Extent, Scope, Target, shares, spread


def passages(counts: dict[tuple[str, str], int]) -> list[Passage]:
    """So many passages of each document, by its table and name."""
    rows = [(origin, file) for (origin, file), count in counts.items() for _ in range(count)]
    return [Passage(f"c{n}", "", "", origin=origin, file=file) for n, (origin, file) in enumerate(rows)]


def follow(target: Target, gives: Callable[[str, int, int], int]) -> int:
    """Goes the whole way, each draw giving as many new questions as `gives` says of passage, draw and count."""
    found: Counter[str] = Counter()
    rounds = 0
    while target.due:
        rounds += 1
        for name, draws in target.due.items():
            number, count = draws[-1]
            assert 1 <= count <= MOST_PER_CALL
            assert [one for one, _ in draws] == list(range(len(draws)))
            found[name] += min(count, gives(name, number, count))
            target.note(name, {f"{name} {n}" for n in range(found[name])})
        target.next_round()
        assert rounds <= MOST_DRAWS
    return found.total()


NAMES = [f"c{n}" for n in range(20)]


@pytest.mark.parametrize("total", [1, 7, 20, 33, 150, 2000])
def test_a_total_is_reached_exactly_where_the_passages_allow(total: int) -> None:
    assert follow(Target(total, NAMES), lambda _, __, count: count) == total


@pytest.mark.parametrize("total", [7, 20, 60, 120])
def test_what_some_passages_lack_is_asked_of_the_others(total: int) -> None:
    assert follow(Target(total, NAMES), lambda name, _, count: count if int(name[1:]) % 3 else 0) == total
    assert follow(Target(total, NAMES), lambda _, __, count: (count + 1) // 2) == total


def test_a_total_beyond_the_passages_ends_when_all_are_dry() -> None:
    target = Target(500, NAMES)
    asked: Counter[str] = Counter()

    def gives(name: str, number: int, _: int) -> int:
        asked[name] += 1
        return 0 if number else 3

    assert follow(target, gives) == 60
    assert asked == dict.fromkeys(NAMES, 2)  # a second draw gave nothing new
    assert follow(Target(5000, NAMES), lambda _, __, count: count) == 20 * MOST_DRAWS * MOST_PER_CALL


def test_the_passages_with_the_fewest_pairs_are_asked_first() -> None:
    target = Target(10, ["a", "b", "c"])
    assert target.due == {"a": [(0, 4)], "b": [(0, 3)], "c": [(0, 3)]}
    for name, number in (("a", 4), ("b", 3), ("c", 1)):
        target.note(name, {f"{name}{n}" for n in range(number)})
    target.next_round()
    assert target.due == {"c": [(0, 3), (1, 1)], "b": [(0, 3), (1, 1)]}


def test_a_passage_may_report_all_of_its_questions_or_the_new_ones() -> None:
    for second in ({"c"}, {"a", "b", "c"}):
        target = Target(9, ["x"])
        target.note("x", {"a", "b"})
        target.next_round()
        target.note("x", second)
        target.next_round()
        assert target.due["x"][-1] == (2, 6)


def test_shares_are_even_and_no_more_than_one_call_can_ask_for() -> None:
    assert shares(7, ["a", "b", "c"]) == {"a": 3, "b": 2, "c": 2}
    assert shares(2, ["a", "b", "c"]) == {"a": 1, "b": 1}
    assert shares(99, ["a", "b"]) == {"a": MOST_PER_CALL, "b": MOST_PER_CALL}


@pytest.mark.parametrize("most", range(1, 30))
def test_any_beginning_is_spread_over_tables_then_documents(most: int) -> None:
    chunks = passages({("t", "a"): 10, ("t", "b"): 10, ("t", "c"): 2, ("u", "a"): 30})
    order = spread(one.home for one in chunks)
    assert sorted(order) == list(range(len(chunks)))
    first = [chunks[number] for number in order[:most]]
    tables = Counter(one.origin for one in first)
    assert abs(tables["t"] - tables["u"]) <= 1
    documents = Counter(one.file for one in first if one.origin == "t")
    assert abs(documents["a"] - documents["b"]) <= 1
    assert documents["c"] >= min(2, documents["b"] - 1)


def test_of_a_document_the_ends_and_the_middle_come_before_what_lies_between() -> None:
    order = spread([("t", "a")] * 100)
    for most in (2, 4, 10, 30):
        taken = sorted(order[:most])
        gaps = [after - before for before, after in zip(taken, [*taken[1:], 100], strict=True)]
        assert max(gaps) <= 2 * 128 / most
        assert taken[0] == 0


def test_mixed_rows_count_for_their_documents() -> None:
    mixed = [("t", "abc"[n % 3]) for n in range(30)]
    assert Counter(mixed[number] for number in spread(mixed)[:9]) == {("t", "a"): 3, ("t", "b"): 3, ("t", "c"): 3}


def test_a_scope_says_which_passages_of_which_document_are_asked_about() -> None:
    chunks = passages({("t", "a"): 6, ("t", "b"): 2, ("u", "a"): 2})
    scope = Scope(chunks, Extent(max_chunks=5), 3)
    rounds = scope.rounds()
    inquiries = list(scope.inquiries(rounds))
    assert scope.chosen.total() == len(rounds.due) == len(inquiries) == 5
    assert scope.chosen == scope.documents_of(rounds.asked) == {("t", "a"): 2, ("t", "b"): 1, ("u", "a"): 2}
    assert scope.documents == {("t", "a"): 6, ("t", "b"): 2, ("u", "a"): 2}
    assert {(one.number, one.count) for one in inquiries} == {(0, 3)}
    assert [one.passage for one in inquiries] == [chunks[one.place] for one in inquiries]
    assert [one.place for one in inquiries] == sorted(one.place for one in inquiries)  # in the order of the source
    assert rounds.is_last
    rounds.next_round()
    assert not rounds.due


def test_passages_that_are_title_lines_are_taken_last() -> None:
    body = "Every boat in the harbour must carry two lamps after dusk."
    texts = [
        "# Boats",
        f"# Boats\n\n## Lamps\n\n{body}",
        "Introduction",
        "\u8239\u5fc5\u987b\u5e26\u4e24\u76cf\u706f" * 2,
        body,
    ]
    chunks = [Passage(f"c{n}", "", text, origin="t", file="a") for n, text in enumerate(texts)]
    for most, names in ((2, ["c1", "c4"]), (3, ["c1", "c3", "c4"]), (4, ["c0", "c1", "c3", "c4"])):
        scope = Scope(chunks, Extent(max_chunks=most), 3)
        assert [one.passage.chunk_id for one in scope.inquiries(scope.rounds())] == names
    scope = Scope(chunks, Extent(), 3)
    assert len(list(scope.inquiries(scope.rounds()))) == 5  # without a limit none is left out


def test_with_a_target_only_the_passages_that_are_needed_are_asked_about() -> None:
    scope = Scope(passages({("t", "a"): 6, ("t", "b"): 2}), Extent(target_pairs=2), 3)
    rounds = scope.rounds()
    assert scope.documents_of(rounds.asked) == {("t", "a"): 1, ("t", "b"): 1}
    assert [(one.number, one.count) for one in scope.inquiries(rounds)] == [(0, 1), (0, 1)]
    assert [one.passage.chunk_id for one in scope.inquiries(rounds)] == ["c0", "c6"]


def test_the_passages_of_a_scope_are_gone_through_anew_each_time() -> None:
    scope = Scope(passages({("t", "a"): 4}), Extent(max_chunks=2), 3)
    for rounds in (scope.rounds(), scope.rounds()):
        assert [one.passage.chunk_id for one in scope.inquiries(rounds)] == ["c0", "c2"]
        assert [one.passage.chunk_id for one in scope.inquiries(rounds)] == ["c0", "c2"]


def test_what_is_new_of_a_passage_is_told_in_the_order_in_which_it_came() -> None:
    target = Target(9, [0])
    assert target.note(0, ["b", "a"]) == ["b", "a"]
    assert target.note(0, ["c", "a", "d"]) == ["c", "d"]
    assert target.note(0, ["a"]) == []
    target.next_round()
    assert not target.due  # it gave nothing new


@pytest.mark.parametrize(("extent", "words"), [
    (Extent(target_pairs=0), "--target-pairs 0: give a whole number from 1 up"),
    (Extent(max_chunks=-2), "--max-chunks -2: give a whole number from 1 up"),
])  # fmt: skip
def test_a_number_below_one_is_refused(extent: Extent, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        extent.check()
