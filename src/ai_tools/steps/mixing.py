"""Samples -> training rows: decontamination against the exam, cuts, shares, general replay."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import CutTooLarge, NothingProduced
from ..matching import near_duplicates, ngrams, normalise, telling_run, wording
from ..records import Question, Rejection, Sample, grouped
from ..settings import Settings
from . import fill_ins, formats

NGRAM = 8
SUMMARY_DATASETS = ("extractive_summary", "detailed_summary")

Datasets = dict[str, list[Sample]]
T = TypeVar("T")


@dataclass(frozen=True)
class Mix:
    """One cut: its training rows, the rows that did not make it, and its part of mix_report.json."""

    rows: list[dict[str, Any]]
    rejected: list[Rejection] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def chat(self) -> list[dict[str, Any]]:
        """The rows with messages. Other tools read them, so all have the same keys, and none is null."""
        return [row for row in self.rows if "messages" in row]

    @property
    def texts(self) -> list[dict[str, Any]]:
        """The plain-text rows, each with its place among `rows`: training goes through both kinds in that order."""
        return [row | {"place": place} for place, row in enumerate(self.rows) if "text" in row]


def decontaminate(
    datasets: Datasets, exam: Sequence[Question]
) -> tuple[Datasets, list[Rejection], list[dict[str, Any]]]:
    """Drop every sample whose question is an exam question.

    That is: equal after normalising, or, from 8 words on, sharing 8 words in a row (see `telling_run`); an opening
    "In {title}, " does not count on either side. Answers and passages are not compared, since they are the lesson.
    Near-duplicates stay and are listed.

    Returns:
        clean datasets, what was dropped, near-duplicates as `{question, exam_question, similarity}`.
    """
    outlines = {normalise(sample.document_outline) for samples in datasets.values() for sample in samples} - {""}
    titles = sorted(outlines, key=len, reverse=True)
    sealed = {_untitled(one.question, titles): one.question for one in exam}
    lengths = {plain: telling_run(plain, NGRAM) for plain in sealed}
    runs = {gram: question for plain, question in sealed.items() for gram in ngrams(plain, lengths[plain])}
    clean: Datasets = {}
    dropped: list[Rejection] = []
    for name, samples in datasets.items():
        clean[name] = []
        for sample in samples:
            plain = _untitled(sample.question, titles)
            equal = sealed.get(plain)
            grams = (gram for length in {*lengths.values()} for gram in ngrams(plain, length))
            shared = next((gram for gram in grams if gram in runs), ())
            if equal or shared:
                alike = f'shares {len(shared)} words with "{runs[shared]}"' if shared else ""
                reason = f'equals exam question "{equal}"' if equal else alike
                dropped.append(Rejection("contaminated", reason, sample.to_row()))
            else:
                clean[name].append(sample)
    asked = list(dict.fromkeys(sample.question for samples in clean.values() for sample in samples))
    near = [
        {"question": asked[i], "exam_question": exam[j].question, "similarity": similarity}
        for i, j, similarity in near_duplicates(asked, [one.question for one in exam])
    ]
    return clean, dropped, sorted(near, key=lambda row: -row["similarity"])


def _untitled(question: str, titles: Sequence[str]) -> str:
    """The normalised question without an opening "In {title}, "; `titles` are normalised, the longest first."""
    plain = normalise(question)
    while opening := next((f"in {title} " for title in titles if plain.startswith(f"in {title} ")), ""):
        plain = plain.removeprefix(opening)
    return plain


def check_feasible(datasets: Datasets, cuts: Iterable[int]) -> dict[str, int]:
    """The most summaries that any passage has, by summary dataset. Raises CutTooLarge where a cut asks for more."""
    most = {}
    fullest: tuple[int, str] = (0, "")
    for name in SUMMARY_DATASETS:
        counts = _summaries(datasets.get(name, []))
        best = max(counts, key=counts.__getitem__, default="")
        most[name] = counts[best]
        fullest = max(fullest, (most[name], best))
    for cut in cuts:
        if cut > fullest[0]:
            raise CutTooLarge(
                f"CUT_SIZES={cut}: no passage has {cut} summaries with kept pairs; the most is {fullest[0]} "
                f"(passage {fullest[1]}). Largest feasible cut: {fullest[0]}. Fix: CUT_SIZES={fullest[0]} with "
                f"NUMBER_OF_SUMMARIES={cut}, so that as many are made"
            )
    return most


def _summaries(samples: Iterable[Sample]) -> Counter[str]:
    """How many summaries of each passage have pairs."""
    return Counter(chunk_id for chunk_id, _ in dict.fromkeys((one.chunk_id, one.draw) for one in samples))


def options(settings: Settings, recipe: Any) -> dict[str, Any]:
    """The arguments of `mix` that come from the settings, or from the student's recipe where those are empty."""
    return {
        "pairs_per_summary": settings.qa_per_doc,
        "context": settings.document_in_context,
        "replay_share": recipe.replay_share if settings.replay_share is None else settings.replay_share,
        "title_share": recipe.title_share,
        "max_tokens": settings.max_seq_len or recipe.max_seq_len,
        "seed": settings.seed,
    }


def mix(
    datasets: Datasets,
    *,
    cut: int,
    pairs_per_summary: int,
    context: str,
    general: Sequence[dict[str, Any]],
    replay_share: float,
    title_share: float,
    max_tokens: int,
    count_tokens: Callable[[dict[str, Any]], int],
    headings: dict[str, tuple[str, ...]],
    seed: int,
    first: Collection[str] = frozenset(),
    holds_markup: Callable[[dict[str, Any]], bool] | None = None,
) -> Mix:
    """Build the cut of `cut` summaries a passage.

    A summary dataset gives up to `cut` summaries of each passage with up to `pairs_per_summary` pairs each; a pair
    dataset as many pairs of each passage as that makes at most, spread over its facts. The same pair from a second
    dataset is dropped. Fill-ins are repeated where nothing else asks for their values. General rows fill
    `replay_share` of the tokens, half of it text and half questions; they repeat where there are too few. Facts held
    out for the probe (`replay: false`) never appear.

    Args:
        context: `none`, `summaries` or `all`: which samples also give a row that shows the document first.
        general: rows of assets/general.jsonl.
        title_share: of the questions, those that open with "In {title}, ", in a draw for each.
        count_tokens: length of a training row in the student's tokens; longer rows than `max_tokens` are dropped.
        headings: heading path by chunk id, for the row's metadata.
        first: ids of samples that are taken before others of their passage, such as those that people reviewed.
        holds_markup: whether a row has what would be markup to the student, were it not encoded as text.
    """
    rows: list[dict[str, Any]] = []
    titled = random.Random(f"{seed}-{cut}-titles")
    reasoned = any(sample.reasoning for samples in datasets.values() for sample in samples)  # for all cuts alike
    chosen, rejected = _drawn(datasets, cut, pairs_per_summary, seed, first)
    for name, sample in chosen:
        with_title = titled.random() < title_share
        made = [_row(name, sample, headings, reasoned, with_title=with_title)]
        if context == "all" or (context == "summaries" and name in SUMMARY_DATASETS):
            made.append(_row(name, sample, headings, reasoned, in_context=True))
        for row in made:
            row["token_length"] = count_tokens(row)
            if row["token_length"] > max_tokens:
                reason = f"{row['token_length']} tokens, MAX_SEQ_LEN={max_tokens}"
                rejected.append(Rejection("too_long", reason, sample.to_row()))
            else:
                rows.append(row)
    if not rows:
        raise NothingProduced(f"cut {cut}: no training row is left of {len(chosen)} samples; see rejected.jsonl")
    rng = random.Random(f"{seed}-{cut}-replay")
    replayed = [_replay_row(row, reasoned) for row in general if row.get("replay", True)]
    replay = _replay(rows, replayed, replay_share, max_tokens, count_tokens, rng)
    report = _report(cut, datasets, rows, replay, rejected, replay_share)
    mixed = rows + replay
    report["rows_with_markup_as_text"] = sum(map(holds_markup, mixed)) if holds_markup else None
    random.Random(f"{seed}-{cut}-order").shuffle(mixed)
    return Mix(mixed, rejected, report)


def _drawn(
    datasets: Datasets, cut: int, pairs: int, seed: int, first: Collection[str]
) -> tuple[list[tuple[str, Sample]], list[Rejection]]:
    """The samples of a cut, each with its dataset, and those whose pair an earlier dataset gave."""
    chosen: list[tuple[str, Sample]] = []
    rejected: list[Rejection] = []
    seen: set[tuple[str, str]] = set()
    for name in sorted(datasets, key=lambda name: name in SUMMARY_DATASETS):  # the rarer, more specific pairs first
        new = [one for one in datasets[name] if wording(one) not in seen]
        repeated = [one for one in datasets[name] if wording(one) in seen]
        rejected += [Rejection("duplicate", "another dataset has the same pair", one.to_row()) for one in repeated]
        draw = _draw_summaries if name in SUMMARY_DATASETS else _draw_pairs
        drawn = draw(new, cut, pairs, random.Random(f"{seed}-{cut}-{name}"), first)
        seen.update(map(wording, drawn))
        chosen += [(name, one) for one in drawn]
    chosen += [(fill_ins.DATASET, one) for one in fill_ins.repeated(sample for _, sample in chosen)]
    return chosen, rejected


def fallen_out(datasets: Datasets, mixes: Sequence[Mix]) -> list[Rejection]:
    """The samples that are in no cut, each once: with the check that rejected it, or `capped` where the caps did."""
    used = {json.loads(row["metadata"])["sample_id"] for one in mixes for row in one.rows}
    reasons = {rejection.row["sample_id"]: rejection for one in mixes for rejection in one.rejected}
    out = [one for samples in datasets.values() for one in samples if one.sample_id not in used]
    capped = "beyond what the largest cut takes of its passage"
    return [reasons.get(one.sample_id) or Rejection("capped", capped, one.to_row()) for one in out]


def _draw_summaries(
    samples: Sequence[Sample], cut: int, pairs: int, rng: random.Random, first: Collection[str]
) -> list[Sample]:
    chosen = []
    for of_chunk in grouped(samples, lambda one: one.chunk_id).values():
        draws = grouped(of_chunk, lambda one: one.draw)
        wanted = {draw for draw, some in draws.items() if any(one.sample_id in first for one in some)}
        for draw in sorted(_by_lot(sorted(draws), cut, rng, wanted.__contains__)):
            chosen += _by_lot(draws[draw], pairs, rng, lambda one: one.sample_id in first)
    return chosen


def _draw_pairs(
    samples: Sequence[Sample], cut: int, pairs: int, rng: random.Random, first: Collection[str]
) -> list[Sample]:
    """Up to cut x pairs of each passage: one of every fact (or draw), then a second of every one, and so on."""
    chosen = []
    for of_chunk in grouped(samples, lambda one: one.chunk_id).values():
        groups = grouped(of_chunk, lambda one: one.key_fact or one.draw).values()
        turns = [turn for group in groups for turn in enumerate(rng.sample(group, len(group)))]
        rng.shuffle(turns)
        turns.sort(key=lambda turn: (turn[1].sample_id not in first, turn[0]))
        chosen += [sample for _, sample in turns[: cut * pairs]]
    return chosen


def _by_lot(items: Sequence[T], count: int, rng: random.Random, wanted: Callable[[T], bool]) -> list[T]:
    """`count` of the items, those that are wanted before others."""
    return sorted(rng.sample(items, len(items)), key=lambda one: not wanted(one))[:count]


def _row(
    dataset: str,
    sample: Sample,
    headings: dict[str, tuple[str, ...]],
    reasoned: bool,
    *,
    with_title: bool = False,
    in_context: bool = False,
) -> dict[str, Any]:
    question = formats.titled(sample.question, sample.document_outline) if with_title else sample.question
    if in_context:
        question = formats.behind_passage(sample.question, sample.document, sample.document_outline)
    metadata = {
        "sdg_document": sample.document,
        "dataset": dataset,
        "raw_document": sample.source_text,
        "sample_id": sample.sample_id,
        "chunk_id": sample.chunk_id,
        "heading_path": headings.get(sample.chunk_id, ()),
    }
    return {
        "messages": formats.messages(question, sample.answer, sample.reasoning if reasoned else None),
        "metadata": json.dumps(metadata, ensure_ascii=False),
        "unmask": False,
        "question": sample.question,
        "document_outline": sample.document_outline,
        "raw_document": sample.source_text,
        "document": sample.document,
    }


def _replay_row(general: dict[str, Any], reasoned: bool) -> dict[str, Any]:
    about = {"dataset": "replay", "sample_id": general["id"], "chunk_id": None, "heading_path": ()}
    metadata = json.dumps(about | {"sdg_document": None, "raw_document": None})
    if general["kind"] != "qa":
        return {"text": general["text"], "metadata": metadata}
    question = general["question"]
    return {
        "messages": formats.messages(question, general["answer"], "" if reasoned else None),
        "metadata": metadata,
        "unmask": False,
        "question": question,
        **dict.fromkeys(("document_outline", "raw_document", "document"), ""),
    }


def _replay(
    rows: Sequence[dict[str, Any]],
    replayed: Sequence[dict[str, Any]],
    share: float,
    max_tokens: int,
    count_tokens: Callable[[dict[str, Any]], int],
    rng: random.Random,
) -> list[dict[str, Any]]:
    """General rows that make up `share` of all tokens, half of them text and half questions."""
    budget = sum(row["token_length"] for row in rows) * share / (1 - share)
    found = []
    for kind in ("text", "messages"):
        pool = [row | {"token_length": count_tokens(row)} for row in replayed if kind in row]
        left = budget / 2
        while pool := [row for row in pool if row["token_length"] <= min(left, max_tokens)]:
            for row in rng.sample(pool, len(pool)):
                if row["token_length"] <= left:
                    left -= row["token_length"]
                    found.append(row)
    return found


def _report(
    cut: int,
    datasets: Datasets,
    rows: Sequence[dict[str, Any]],
    replay: Sequence[dict[str, Any]],
    rejected: Sequence[Rejection],
    replay_share: float,
) -> dict[str, Any]:
    told = [json.loads(row["metadata"]) | {"tokens": row["token_length"]} for row in (*rows, *replay)]
    parts = grouped(told, lambda row: row["dataset"])
    tokens = Counter({name: sum(row["tokens"] for row in part) for name, part in parts.items()})
    total = tokens.total()
    of_datasets = {}
    for name, samples in datasets.items():
        part = parts.get(name, [])
        of_datasets[name] = {
            "rows": len(part),
            "tokens": tokens[name],
            "share": round(tokens[name] / total, 4),
            "passages": len({row["chunk_id"] for row in part}),
            "dropped": dict(Counter(one.check for one in rejected if one.row["recipe"] == name)),
        }
        if name in SUMMARY_DATASETS:
            summaries = _summaries(samples).values()
            of_datasets[name]["summaries_per_passage"] = dict(sorted(Counter(summaries).items()))
            of_datasets[name]["passages_that_reach_the_cut"] = sum(count >= cut for count in summaries)
    return {
        "cut": cut,
        "rows": len(told),
        "tokens": total,
        "datasets": of_datasets,
        "replay": {
            "rows": len(replay),
            "tokens": tokens["replay"],
            "share_asked": replay_share,
            "share_reached": round(tokens["replay"] / total, 4),
        },
    }
