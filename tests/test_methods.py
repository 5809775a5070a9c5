"""OSFT and prompt distillation: what moves, what does not, and towards what. Students of two families, 32 wide."""

import json
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from ai_tools.errors import InputError, SettingsError, WorkError
from ai_tools.settings import load_settings
from ai_tools.steps import adapters, batches, distilling, formats, students, trainer, training
from ai_tools.steps.batches import Row, TrainingRecipe

WIDTH = 32
PASSAGE = "Refusals go into the Refusals Ledger. A frozen account is kept open for 60 days. The heron marks it."
PAIRS = {"Where do refusals go?": "the Refusals Ledger", "How long is it kept open?": "60 days", "What?": "a heron"}
RECIPE = TrainingRecipe(learning_rate=1e-2, epochs=6, batch_tokens=64, micro_batch_tokens=64, max_seq_len=96)


def row(question: str, answer: str, **more: Any) -> Row:
    return {"messages": formats.messages(question, answer), "raw_document": PASSAGE, "document_outline": "Rules"} | more


def replayed(**more: Any) -> Row:
    return {"metadata": json.dumps({"dataset": "replay"}), "raw_document": ""} | more


REPLAY = [replayed(messages=formats.messages("Where is Oslo?", "in Norway")), replayed(text="Rivers flow.")]
TEXT = {"text": "Refusals are kept.", "raw_document": PASSAGE}
ROWS = [*(row(*pair) for pair in PAIRS.items()), *REPLAY, TEXT]


def small(family: str = "llama") -> students.Student:
    tokenizer = students.load_tokenizer("tiny")
    kind, model = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen": (Qwen3Config, Qwen3ForCausalLM)}[family]
    torch.manual_seed(0)
    config = kind(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        initializer_range=0.06,
        tie_word_embeddings=family == "llama",
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return students.Student("small", model(config), tokenizer)


def weights(student: students.Student) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in student.model.named_parameters()}


def train(folder: Path, student: students.Student, rows: list[Row] = ROWS, **more: Any) -> list[Row]:
    options = {"recipe": RECIPE, "seed": 0} | more
    return training.train(rows, student=student, folder=folder, **options)


@pytest.fixture(autouse=True)
def _in_float32_on_one_core(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """bfloat16 would blur what is compared, and threads wait for one another longer than models this small compute."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- OSFT ---


@pytest.mark.parametrize("family", ["llama", "qwen"])
def test_the_strongest_directions_of_a_weight_do_not_move_and_the_others_do(tmp_path: Path, family: str) -> None:
    student = small(family)
    before = weights(student)
    train(tmp_path, student, recipe=replace(RECIPE, method="osft", unfreeze_rank_ratio=0.25))
    layers = {name for name in before if name.endswith("proj.weight")}
    assert len(layers) == 14
    for name, after in weights(students.load(tmp_path / "model", device="cpu")).items():
        moved = after - before[name]
        if name not in layers:
            assert not moved.any()
            continue
        left, _, right = torch.linalg.svd(before[name], full_matrices=False)
        kept = round(0.75 * min(moved.shape))
        assert moved.norm() > 0.05
        assert (left[:, :kept].T @ moved).norm() < 1e-5
        assert (moved @ right[:kept].T).norm() < 1e-5


@pytest.mark.parametrize(("ratio", "trained"), [(0.01, 1), (0.25, 8), (0.5, 16), (0.9, 29)])
def test_as_many_directions_are_trained_as_asked_and_merging_changes_nothing(ratio: float, trained: int) -> None:
    student = small()
    recipe = replace(RECIPE, method="osft", unfreeze_rank_ratio=ratio)
    model = peft.get_peft_model(student.model, adapters.config(recipe)).eval()
    layer = model.get_submodule("base_model.model.model.layers.1.mlp.up_proj").osf_svd_params["default"]
    assert [tuple(layer[name].shape) for name in ("U_low", "S_low", "V_low")] == [
        (64, trained),
        (trained,),
        (trained, 32),
    ]
    ids = torch.arange(3, 40).unsqueeze(0)
    start = model(ids).logits
    for weight in (one for one in model.parameters() if one.requires_grad):
        weight.data += 0.1 * torch.randn_like(weight)
    expected = model(ids).logits
    whole = adapters.merged(model, student)
    assert torch.allclose(whole(ids).logits, expected, atol=1e-4)
    assert not torch.allclose(expected, start, atol=1e-3)
    assert not any("osf" in name for name in whole.state_dict())


def test_what_osft_cannot_take_is_one_line() -> None:
    tokenizer = students.load_tokenizer("tiny")
    recipe = replace(RECIPE, method="osft")
    other = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=8, n_layer=1, n_head=1))
    with pytest.raises(InputError, match=r"student other: OSFT cannot train it \(it has no linear layers .* Fix: set"):
        adapters.check(students.Student("other", other, tokenizer), recipe)
    with pytest.raises(InputError, match=r"rank 16 has nothing left to keep at UNFREEZE_RANK_RATIO=0\.99"):
        adapters.check(small(), replace(recipe, unfreeze_rank_ratio=0.99))
    adapters.check(small(), replace(recipe, unfreeze_rank_ratio=0.9))


@pytest.mark.parametrize(
    ("name", "value"),
    [("training_method", "sft"), ("unfreeze_rank_ratio", 1.0), ("unfreeze_rank_ratio", 0.0), ("distill_weight", 1.5)],
)
def test_values_out_of_range_are_refused_by_name_as_settings_and_in_recipes(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"{name.upper()}={value}: "):
        load_settings(**{name: value})
    with pytest.raises(SettingsError, match=f"{name.upper()}={value}: give "):
        TrainingRecipe(**{name.removeprefix("training_"): value})


# --- prompt distillation ---


def distillation(student: students.Student, rows: list[Row] = ROWS, **more: Any) -> distilling.Distillation:
    recipe = replace(RECIPE, method="distill", **more)
    plan = batches.BatchPlan(rows, student.tokenizer, recipe, seed=0)
    return distilling.Distillation(rows, plan, student, recipe)


def loss_of(student: students.Student, made: distilling.Distillation, number: int = 0) -> tuple[Any, Any, Any]:
    """The loss of a micro-batch, logits at all positions, and where they are graded."""
    batch = made.collate([{"batch": number}])
    told = {name: batch.pop(name) for name in ("share", "read")}
    labels = torch.nn.functional.pad(batch.pop("labels")[:, 1:], (0, 1), value=-100)
    logits = student.model(**batch).logits
    logits.retain_grad()
    return made.loss(logits[labels != -100], labels, **told), logits, labels != -100


def test_the_distance_of_two_tokens_is_what_a_hand_reckons() -> None:
    said = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])  # halves; a quarter and three quarters
    expected = torch.tensor([[math.log(4), 0.0]])  # four fifths, a fifth
    loss = distilling.distilled_loss(said, torch.tensor([0, 1]), torch.tensor([0.5, 0.0]), expected)
    distance = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
    assert loss.item() == pytest.approx(0.5 * math.log(2) + 0.5 * distance + math.log(4 / 3), abs=1e-6)


@pytest.mark.parametrize("family", ["llama", "qwen"])
def test_general_rows_cost_nothing_before_the_first_step(family: str) -> None:
    student = small(family)
    loss, logits, _ = loss_of(student, distillation(student, REPLAY))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert logits.grad.abs().max() < 1e-5
    student.model.get_input_embeddings().weight.data *= 1.5
    assert loss_of(student, distillation(small(family), REPLAY))[0] > 0.01


def test_gradients_flow_through_the_tokens_of_answers_alone() -> None:
    student = small()
    loss, logits, graded = loss_of(student, distillation(student, ROWS[:2], distill_weight=1.0))
    loss.backward()
    assert 0 < graded.sum() < graded.numel() / 2
    assert (logits.grad.abs().sum(-1) > 0).equal(graded)
    told = student.tokenizer.decode(distillation(student).collate([{"batch": 0}])["read"][0]["input_ids"][0])
    assert PASSAGE in told or "Oslo" in told or "Rivers" in told


def test_the_start_reads_the_passage_before_the_question_of_the_same_template() -> None:
    student = small()
    made = distillation(student)
    read = {place: student.tokenizer.decode(ids) for place, (ids, _) in made.read.items()}
    assert read[0] == f"<|user|> Rules\n{PASSAGE}\n\nWhere do refusals go?<|assistant|> the Refusals Ledger<|end|>"
    assert read[3] == "<|user|> Where is Oslo?<|assistant|> in Norway<|end|>"
    assert made.shares == [0.5, 0.5, 0.5, 1.0, 1.0, 0.0]
    assert set(made.read) == {0, 1, 2, 3, 4}


def test_rows_without_a_passage_that_fits_learn_the_answer_alone_and_are_counted() -> None:
    long = "The gate is green. " * 30
    rows = [
        row("Who?", "Ada", raw_document=""),
        row("Who?", "Ada", raw_document=long),
        row("Which mark?", "a red heron", raw_document=f"{long}The mark is a red heron on white. {long}"),
        row(f"{PASSAGE}\n\nWhere?", "the Ledger"),
        row("Who?", "Ada", unmask=True),
    ]
    with pytest.warns(UserWarning, match="distill: 4 of 5 rows learn their answers alone: ") as caught:
        made = distillation(small(), rows)
    told = str(caught[0].message)
    assert "1 without a passage" in told
    assert "1 that show their passage" in told
    assert "1 whose passage does not fit into MAX_SEQ_LEN=96" in told
    (ids, _), tokenizer = made.read[2], small().tokenizer
    assert 70 < len(ids) <= 96
    assert "The mark is a red heron on white." in tokenizer.decode(ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distillation(small())


def test_a_distilled_student_comes_nearer_to_itself_with_the_passage(tmp_path: Path) -> None:
    student, rows = small(), ROWS[:3]
    made = distillation(small(), rows, distill_weight=1.0)
    before = loss_of(student, made)[0].item()
    train(tmp_path, student, rows, recipe=replace(RECIPE, method="distill", distill_weight=1.0, epochs=12))
    assert loss_of(student, made)[0].item() < 0.5 * before


# --- both ---


@pytest.mark.parametrize("method", ["osft", "distill"])
def test_a_killed_run_ends_at_the_weights_of_the_undisturbed_one(tmp_path: Path, method: Any) -> None:
    recipe, undisturbed = replace(RECIPE, method=method), small()
    train(tmp_path / "a", undisturbed, recipe=recipe)

    def kill(row: Row) -> None:
        if row["step"] == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "b", small(), recipe=recipe, on_log=kill)
    steps: list[int] = []
    resumed = small()
    train(tmp_path / "b", resumed, recipe=recipe, on_log=lambda row: steps.append(row["step"]))
    assert steps[0] == 6
    for one, other in zip(weights(undisturbed).values(), weights(resumed).values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("change", [{"unfreeze_rank_ratio": 0.5}, {"distill_weight": 0.2}])
def test_a_changed_share_is_another_run(change: dict[str, float]) -> None:
    model = small().model
    assert len({trainer.fingerprint(ROWS, one, 0, model) for one in (RECIPE, replace(RECIPE, **change))}) == 2


@pytest.mark.parametrize("method", ["full", "osft"])
def test_a_loss_that_is_not_finite_ends_the_run_before_its_step_with_the_rows_named(
    tmp_path: Path, method: Any
) -> None:
    start = students.save(small(), tmp_path / "start")
    student = students.load(start, device="cpu")
    before = weights(student)
    norm = student.model.model.norm.weight

    def spoil(row: Row) -> None:
        if row["step"] == 7:
            norm.data.fill_(math.nan)

    with pytest.raises(WorkError) as caught:
        train(tmp_path / "run", student, recipe=replace(RECIPE, method=method, epochs=20), on_log=spoil)
    told = (
        r"step 8 of \d+: the loss is not finite, of the rows [\d, ]+ of the cut\. The state before is in .*checkpoint-5"
    )
    assert caught.match(told)
    assert "lower LEARNING_RATE=0.01" in str(caught.value)
    assert not (tmp_path / "run/model").exists()
    after = weights(student)
    if method == "full":  # of adapters, the student's own weights were those that the test spoiled
        assert all(torch.equal(weight, after[name]) for name, weight in before.items())
