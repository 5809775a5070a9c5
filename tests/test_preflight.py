"""Before a training: memory, time, what cannot fit, and what the rows teach; of no student are weights loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_training import RECIPE, ROWS, chat_row, run, small, text_row
from transformers import LlamaConfig

from ai_tools import machine
from ai_tools.errors import InputError, SettingsError
from ai_tools.steps import preflight, students

GB = 1e9


def billions(folder: Path, **more: Any) -> Any:
    """The outline of a student of 1.2 billion parameters, of which nothing but a configuration is there."""
    more |= {"vocab_size": 128_256, "num_key_value_heads": 8, "tie_word_embeddings": True}
    shape = {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
    LlamaConfig(**shape | more).save_pretrained(folder)
    return students.outline(folder)


def check(outline: Any, rows: Any = ROWS, **more: Any) -> preflight.Preflight:
    options = {"recipe": replace(RECIPE, max_seq_len=2048, epochs=100), "device": "cpu"} | more
    return preflight.check(rows, outline, students.load_tokenizer("tiny"), **options)


def test_a_student_is_reckoned_from_its_configuration_alone(tmp_path: Path) -> None:
    outline = billions(tmp_path)
    assert {weight.device.type for weight in outline.parameters()} == {"meta"}
    assert outline.num_parameters() == pytest.approx(1.236e9, rel=0.001)
    found = check(outline, room=64 * GB)
    parts = found.memory
    assert parts["weights"] + parts["gradients"] + parts["AdamW's moments"] == 16 * outline.num_parameters()
    assert found.warnings == []
    assert students.outline("tiny").num_parameters() == students.build_tiny(0).model.num_parameters()


def test_what_cannot_fit_is_refused_with_what_would(tmp_path: Path) -> None:
    long = [chat_row("Why? " * 300, "Because. " * 150, unmask=True)] * 64
    recipe = replace(RECIPE, batch_tokens=16_384, micro_batch_tokens=16_384, max_seq_len=2048, epochs=1)
    options = {"rows": long, "recipe": recipe}
    outline = billions(tmp_path)
    whole = check(outline, room=1000 * GB, **options).needed
    with pytest.raises(SettingsError, match=r"BATCH_TOKENS=16384: .* Fix: set BATCH_TOKENS=8192, or") as caught:
        check(outline, room=0.8 * whole, **options)
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"Fix: set TRAINING_METHOD=lora with BATCH_TOKENS=\d+, or a smaller"):
        check(outline, room=16 * GB, **options)
    with pytest.raises(SettingsError, match="Fix: set a smaller STUDENT_MODEL_NAME such as smollm2"):
        check(outline, room=4 * GB, **options)
    assert "memory is tight" in check(outline, room=1.1 * whole, **options).warnings[0]


@pytest.mark.parametrize("method", ["full", "lora", "osft", "distill"])
def test_a_smaller_batch_needs_less_memory_by_every_method(tmp_path: Path, method: Any) -> None:
    outline, recipe = billions(tmp_path), replace(RECIPE, method=method, max_seq_len=2048, epochs=1)
    few, many = (
        check(outline, recipe=replace(recipe, batch_tokens=size, micro_batch_tokens=size), room=1000 * GB)
        for size in (64, 1024)
    )
    assert few.needed < many.needed
    assert few.memory["weights"] == many.memory["weights"]


def test_few_steps_are_warned_of() -> None:
    found = check(small().model, recipe=replace(RECIPE, batch_tokens=10_000, micro_batch_tokens=10_000))
    assert found.warnings[0].startswith("8 steps of the optimiser, where some hundred are needed")


def test_the_steps_are_those_of_the_training(tmp_path: Path) -> None:
    recipe = replace(RECIPE, question_noise=False)
    found, log = check(small().model, recipe=recipe), run(tmp_path, recipe=recipe)
    assert (found.steps, found.tokens, found.passes) == (log[-1]["step"], log[-1]["tokens"], log[-1]["epoch"])


def test_a_row_longer_than_the_context_is_refused_before_and_in_training(tmp_path: Path) -> None:
    student, rows = small(), [chat_row("Why? " * 100, "Because.")]
    student.model.config.max_position_embeddings = 64
    recipe = replace(RECIPE, max_seq_len=512)
    for refused in (
        lambda: check(student.model, rows, recipe=recipe),
        lambda: run(tmp_path, rows, student=student, recipe=recipe),
    ):
        with pytest.raises(InputError, match=r"has \d+ tokens, and the student sees 64 at once\. Fix: set MAX"):
            refused()


def test_a_tokenizer_of_another_model_is_refused() -> None:
    student = small()
    student.model.resize_token_embeddings(100)
    with pytest.raises(InputError, match=r"has a token \d+, and the student's model knows 100: they do not belong"):
        check(student.model)


def test_an_empty_mix_is_refused() -> None:
    with pytest.raises(InputError, match=r"there are no training rows\. Fix: set TRAINING_CUT"):
        check(small().model, [])


def test_a_container_s_limit_counts_where_it_is_less_than_the_machine_s(tmp_path: Path) -> None:
    free = machine.free_memory(control=tmp_path)
    assert free > 0
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert machine.free_memory(control=tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory(control=tmp_path) > 1_000_000


def told(question: str, answer: str, chunk: str, dataset: str = "key_facts_to_qa") -> dict[str, Any]:
    return chat_row(question, answer, metadata=json.dumps({"dataset": dataset, "chunk_id": chunk}))


def test_rows_are_counted_by_what_they_teach() -> None:
    rows = [told("When?", "At noon.", "c1"), told("At what hour?", "at noon", "c1"), told("Who?", "Ada", "c1")]
    rows += [told("When?", "At noon.", "c2"), told("Capital?", "Paris", "", "replay"), text_row("A rule.")]
    exam = [{"document": name} for name in ("a.md", "d2", "c.md", "c.md", "")]
    chunks = [
        {"chunk_id": f"c{number}", "document_id": f"d{number}", "file": f"docs/{name}.md"}
        for number, name in enumerate("abc", 1)
    ]
    found, warnings = preflight.learning(rows, exam, chunks)
    assert found == {
        "answers": 3,
        "rows_for_an_answer": 1,
        "answers_with_one_row": 2,
        "replay": 0.167,
        "exam_documents": 3,
        "without_rows": 1,
    }
    assert [warning.split(" ")[0] for warning in warnings] == ["2", "1"]
    assert "(c.md)" in warnings[1]
    _, warnings = preflight.learning(rows[:2] * 2, [{"document": "named otherwise"}], chunks)
    assert warnings == []
