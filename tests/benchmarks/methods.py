"""Which way of training teaches a real small student most, and which keeps most of what it knew?

`full`, `lora`, `osft` and `distill`, each without general rows and with a tenth of them, on three pages of the sample
handbook and 60,000 tokens: one seed for all, three for the two that answer best and the one that answers worst. The
exam was written from these pages alone. Every run leaves a file in `output/benchmarks/methods`, and a run whose file
is there is not done again: the benchmark can be ended at any time.
"""

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, get_args

from ai_tools import files
from ai_tools.records import Answer
from ai_tools.settings import Settings, load_settings
from ai_tools.steps import batches, evaluation, students, training
from ai_tools.steps.batches import TrainingRecipe

from . import learning

HERE = Path(__file__).parent
PAGES = ("02_personal_accounts.md", "07_ongoing_monitoring.md", "08_record_keeping.md")
REPLAY_SHARES = (0.0, 0.1)
TOKENS, BATCH_TOKENS = 60_000, 1_024
LEARNING_RATES = {"full": 2e-4, "lora": 1e-3, "osft": 2e-4, "distill": 2e-4}


class Run(NamedTuple):
    """One training, and by what its file is called."""

    method: str
    replay_share: float
    seed: int

    @property
    def file(self) -> str:
        return f"{self.method}-replay-{self.replay_share:g}-seed-{self.seed}.json"


class Bench:
    """What all runs share: the student, the questions, and the rows of each share of general ones."""

    def __init__(self, folder: Path, student: Path | str, settings: Settings, *, small: bool):
        self.folder, self.student, self.small = folder, student, small
        exam = evaluation.load_exam(HERE / "real_exam.jsonl")
        probe = evaluation.load_probe(settings.resolve("assets/probe.jsonl"))
        self.questions = {"exam": exam[:4], "probe": probe[:4]} if small else {"exam": exam, "probe": probe}
        self.general = files.read_rows(settings.resolve("assets/general.jsonl"))[: 20 if small else None]
        self.rows = {}
        for share in REPLAY_SHARES:
            with tempfile.TemporaryDirectory() as made:
                mixed = settings.with_(replay_share=share, output_dir=made)
                rows = learning.training_rows(mixed, exam, Path(made), 1 if small else None, student=str(student))
            self.rows[share] = rows

    def recipe(self, method: Any) -> TrainingRecipe:
        """The same for all but the learning rate: adapters take a higher one."""
        tokens, batch = (600, 256) if self.small else (TOKENS, BATCH_TOKENS)
        sizes = {"batch_tokens": batch, "micro_batch_tokens": batch, "learning_rate": LEARNING_RATES[method]}
        return training.default_recipe(str(self.student), method, training_tokens=tokens, **sizes)

    def result(self, run: Run) -> dict[str, Any]:
        """What a run scored, from its file where that is of the same rows and recipe."""
        path = self.folder / run.file
        recipe = asdict(self.recipe(run.method))
        asked = [one.question for some in self.questions.values() for one in some]
        made_from = [self.rows[run.replay_share], recipe, asked]
        digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
        if path.is_file() and (found := json.loads(path.read_text("utf-8")))["made_from"] == digest:
            return dict(found)
        result = {"made_from": digest, "recipe": recipe, **run._asdict(), **self._measured(run)}
        files.write_json(path, result)
        return result

    def _measured(self, run: Run) -> dict[str, Any]:
        student, before = students.load(self.student), self._base
        wall, cpu = time.perf_counter(), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            options = {"recipe": self.recipe(run.method), "seed": run.seed, "general": self.general}
            log = training.train(self.rows[run.replay_share], student=student, folder=Path(folder), **options)
        spent = {"wall": round(time.perf_counter() - wall, 1), "cpu": round(time.process_time() - cpu, 1)}
        after = self._asked(student, "tuned")
        known = [one.id for one in before["probe"] if one.choice == one.expected]
        kept = [one.choice == one.expected for one in after["probe"] if one.id in set(known)]
        return {
            "base": {name: evaluation.grade(answers) for name, answers in before.items()},
            "tuned": {name: evaluation.grade(answers) for name, answers in after.items()},
            "kept": {"value": round(sum(kept) / max(1, len(kept)), 4), "n": len(kept)},
            "tokens": log[-1]["tokens"],
            "memory": max(row["memory"] for row in log),
            "seconds": spent,
        }

    @cached_property
    def _base(self) -> dict[str, list[Answer]]:
        return self._asked(students.load(self.student), "base")

    def _asked(self, student: students.Student, arm: str) -> dict[str, list[Answer]]:
        return {name: evaluation.answer_all(student, some, arm=arm) for name, some in self.questions.items()}


def accuracy(result: dict[str, Any]) -> float:
    return float(result["tuned"]["exam"]["accuracy"]["value"])


def chosen(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The two that answer best and the one that answers worst."""
    ranked = sorted(results, key=accuracy, reverse=True)
    return [*ranked[:2], ranked[-1]]


def smallest_difference(share: float, n: int) -> float:
    """What two shares of n questions, answered by two students, must differ by to be told apart in 19 of 20 cases."""
    return 1.96 * float((2 * share * (1 - share) / n) ** 0.5)


def table(results: Sequence[dict[str, Any]]) -> None:
    base, n = results[0]["base"], results[0]["tuned"]["exam"]["accuracy"]["n"]
    print("method  replay seeds  exam  word for word  probe  kept  seconds (CPU)  MiB")
    first, words, general = (
        base[part][metric]["value"]
        for part, metric in (("exam", "accuracy"), ("exam", "exact_match"), ("probe", "accuracy"))
    )
    print(f"base                 {first:.3f}  {words:.3f}          {general:.3f}")
    for name in dict.fromkeys((one["method"], one["replay_share"]) for one in results):
        same = [one for one in results if (one["method"], one["replay_share"]) == name]

        def mean(*path: str, same: list[dict[str, Any]] = same) -> float:
            values: list[Any] = same
            for key in path:
                values = [one[key] for one in values]
            return statistics.mean(values)

        exam, words = mean("tuned", "exam", "accuracy", "value"), mean("tuned", "exam", "exact_match", "value")
        general, kept = mean("tuned", "probe", "accuracy", "value"), mean("kept", "value")
        cost = f"{mean('seconds', 'wall'):.0f} ({mean('seconds', 'cpu'):.0f})  {mean('memory'):.0f}"
        print(
            f"{name[0]:8}{name[1]:<7g}{len(same):<7}{exam:.3f}  {words:.3f}          {general:.3f}  {kept:.3f} {cost}"
        )
    share = statistics.mean(map(accuracy, results))
    print(f"of {n} questions the exam tells {smallest_difference(share, n):.3f} apart")


def main(small: bool = False) -> None:
    settings = load_settings(provider="offline")
    pages = ",".join(f"assets/corpus/{name}" for name in PAGES[: 1 if small else None])
    few = {"number_of_summaries": 1, "cut_sizes": (1,)} if small else {}
    with tempfile.TemporaryDirectory() as folder:
        student: Path | str = "smollm2"
        if small:
            student = students.save(students.build_tiny(0), Path(folder) / "student")
        made = Path(folder) / "results" if small else settings.output / "benchmarks/methods"
        bench = Bench(made, student, settings.with_(source_documents=pages, **few), small=small)
        results = []
        for share in REPLAY_SHARES:
            for method in get_args(batches.Method):
                results.append(bench.result(Run(method, share, 0)))
                print(f"{method}, replay {share:g}: exam {accuracy(results[-1]):.3f}", flush=True)
        seeds = (1,) if small else (1, 2)
        again = [Run(one["method"], one["replay_share"], seed) for one in chosen(results) for seed in seeds]
        table([*results, *(bench.result(run) for run in dict.fromkeys(again))])
