"""What several test files share: a project of toy documents, the toy tokenizer, and records with sensible fields."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from ai_tools.records import Call, Sample, content_id
from ai_tools.settings import Settings, load_settings
from ai_tools.variables import env_names


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, so that at the end no core works on them while the others wait."""
    items.sort(key=lambda one: one.get_closest_marker("slow") is None)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from the user's environment."""
    for field in Settings.model_fields:
        for name in env_names(field):
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def toy_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Path:
    """A project's folder, the working directory, with two toy documents in `docs`."""
    (tmp_path / "00_Setup").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/bells.md").write_text("# Bells\n\nThe bell rings at noon.\n")
    (tmp_path / "docs/lamps.md").write_text("# Lamps\n\nThe lamp is lit at dusk.\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def toy_settings(toy_root: Path) -> Settings:
    return load_settings(output_dir=toy_root / "out", source_documents="docs")


@pytest.fixture(scope="session")
def toy_tokenizer() -> Tokenizer:
    """The tokenizer that comes with the package; it loses no character."""
    text = (resources.files("ai_tools") / "data" / "tiny_tokenizer.json").read_text("utf-8")
    return Tokenizer.from_str(text)


@pytest.fixture
def make_call() -> Callable[..., Call]:
    def make(key: str = "00c0ffee00c0ffee", reply: str = "pairs", **changes: Any) -> Call:
        values = {
            "key": key,
            "prompt": "questions",
            "prompt_version": "1",
            "messages": ({"role": "user", "content": "Ask."},),
            "fields": {},
            "reply": reply,
            "temperature": 0.0,
            "max_tokens": 100,
        }
        return Call(**(values | changes))

    return make


@pytest.fixture
def make_sample() -> Callable[..., Sample]:
    def make(question: str = "When does the bell ring?", answer: str = "At noon.", **changes: Any) -> Sample:
        values = {
            "recipe": "extractive_summary",
            "chunk_id": "c1",
            "document_id": "d1",
            "draw": 1,
            "document_outline": "the bell book",
            "domain": "bells",
            "document": "The bell rings at noon.",
            "source_text": "The bell rings at noon. Ada rings it 3 times.",
            "question": question,
            "answer": answer,
            "model": "fake",
            "prompt_version": "1",
            "faithfulness_judgment": "YES",
        } | changes
        name = content_id(*(values[key] for key in ("recipe", "chunk_id", "draw", "question", "answer")))
        return Sample(**({"sample_id": name} | values))

    return make
