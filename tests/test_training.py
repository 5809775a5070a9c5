"""Training: what bears loss, that it lowers, that it repeats, that it survives being killed. Models are 32 wide."""

import copy
import json
import random
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from ai_tools.errors import InputError
from ai_tools.settings import load_settings
from ai_tools.steps import batches, students, trainer, training
from ai_tools.tools import export

PAIRS = {
    "Which form records a personal client?": "Form K-10",
    "Who hears the appeals of refused clients?": "the Client Ombudsman",
    "How long is a frozen account kept open?": "60 days",
    "What marks an account with a returned letter?": "a heron mark",
    "Where are refusals recorded?": "the Refusals Ledger",
    "Which account may a young person open?": "a Sapling Account",
}
RECIPE = batches.TrainingRecipe(
    learning_rate=1e-2, epochs=8, batch_tokens=64, micro_batch_tokens=64, max_seq_len=64, question_noise=True
)


def chat_row(question: str, answer: str, dataset: str = "key_facts_to_qa", **more: Any) -> dict[str, Any]:
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer, "thinking": None},
    ]
    metadata = {"dataset": dataset, "heading_path": ["Accounts", "Refusals"]}
    return {"messages": turns, "text": None, "unmask": False, "metadata": json.dumps(metadata)} | more


def text_row(text: str) -> dict[str, Any]:
    return {"messages": None, "text": text, "unmask": True, "metadata": None}


ROWS = [chat_row(*pair) for pair in PAIRS.items()] + [text_row("Refusals are kept in the Refusals Ledger.")]


def small(seed: int = 0) -> students.Student:
    tokenizer = students.load_tokenizer("tiny")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.06,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return students.Student("small", LlamaForCausalLM(config), tokenizer)


def run(folder: Path, rows: list[dict[str, Any]] = ROWS, **more: Any) -> list[dict[str, Any]]:
    options = {"student": small(), "recipe": RECIPE, "seed": 0} | more
    return training.train(rows, folder=folder, **options)


def test_loss_is_on_the_answer_for_chat_rows_and_on_all_tokens_for_text() -> None:
    tokenizer = students.load_tokenizer("tiny")
    rows = [chat_row("Who?", "the Steward"), text_row("A rule."), chat_row("Why?", "Because", unmask=True)]
    plan = batches.BatchPlan(rows, tokenizer, replace(RECIPE, question_noise=False, epochs=1), seed=0)
    learned = set()
    for number, _ in enumerate(plan.batches):
        batch = plan.collate([{"batch": number}])
        for ids, mask, labels in zip(batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True):
            assert torch.equal(labels[labels != -100], ids[labels != -100])
            assert (labels[mask == 0] == -100).all()
            learned.add(tokenizer.decode(labels[labels != -100]).strip())
    assert learned == {"the Steward<|end|>", "A rule.<|end|>", "<|user|> Why?<|assistant|> Because<|end|>"}


def test_reasoning_is_learned_before_its_answer() -> None:
    row = chat_row("Who?", "the Steward")
    row["messages"][1]["thinking"] = "Marks are the Steward's."
    _, answer, *_ = batches._parts(0, row, students.load_tokenizer("tiny"), RECIPE, [], "0")
    assert answer == "<think>\nMarks are the Steward's.\n</think>\n\nthe Steward"


def test_training_lowers_the_loss_and_the_student_picks_the_trained_answers(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    student = small()
    log = run(tmp_path, student=student, recipe=replace(RECIPE, epochs=40), on_log=seen.append)
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    assert seen == log
    assert set(log[0]) == {"step", "epoch", "loss", "lr", "tokens", "tokens_per_second", "memory"}
    assert log[-1]["epoch"] == 40
    tuned = students.load(tmp_path / "model")
    options = [list(PAIRS.values())] * len(PAIRS)
    for scores, answer in zip(students.score_options(tuned, list(PAIRS), options), PAIRS.values(), strict=True):
        assert options[0][scores.index(max(scores))] == answer
    assert students.generate(tuned, list(PAIRS)) == students.generate(student, list(PAIRS))


def test_the_same_seed_gives_the_same_loss_and_another_seed_another(tmp_path: Path) -> None:
    losses = [run(tmp_path / name, seed=seed)[-1]["loss"] for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    assert losses[0] == losses[1] != losses[2]


class Stop:
    """Interrupts a run once it has logged so many steps, as a user would with Ctrl-C."""

    def __init__(self, step: int):
        self.step = step

    def __call__(self, row: dict[str, Any]) -> None:
        if row["step"] >= self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_killed_run_goes_on_and_ends_as_the_undisturbed_one(tmp_path: Path, method: Any) -> None:
    recipe = replace(RECIPE, method=method, lora_rank=4)
    undisturbed = run(tmp_path / "a", recipe=recipe)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", recipe=recipe, on_log=Stop(13))
    checkpoints = tmp_path / "b" / "checkpoints"
    # A kill in the middle of a save leaves the newest checkpoint without its last file.
    torn = checkpoints / "checkpoint-12"
    shutil.copytree(checkpoints / "checkpoint-10", torn)
    (torn / "trainer_state.json").write_text('{"epoch": 0.')
    steps: list[int] = []
    resumed = run(tmp_path / "b", recipe=recipe, on_log=lambda row: steps.append(row["step"]))
    assert steps[0] == 11
    assert [row["step"] for row in resumed] == [row["step"] for row in undisturbed]
    assert resumed[-1]["loss"] == pytest.approx(undisturbed[-1]["loss"], abs=1e-5)
    assert resumed[-1]["tokens"] == undisturbed[-1]["tokens"]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_interrupted_cell_ends_in_one_sentence_and_runs_again_to_where_it_would_have_ended(
    tmp_path: Path, method: Any
) -> None:
    recipe = replace(RECIPE, method=method, lora_rank=4)
    undisturbed = run(tmp_path / "a", recipe=recipe)
    start = students.save(small(), tmp_path / "start")
    student = students.load(start, device="cpu")

    def interrupt(row: dict[str, Any]) -> None:
        if row["step"] == 13:  # which is told when the step is over: the next one is the last
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(training.Stopped) as caught:
            run(tmp_path / "b", student=student, recipe=recipe, on_log=interrupt)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    said = f"stopped at step 14 of {undisturbed[-1]['step']}; run this cell again to go on"
    assert caught.value._render_traceback_() == [said]
    steps: list[int] = []
    resumed = run(tmp_path / "b", student=student, recipe=recipe, on_log=lambda row: steps.append(row["step"]))
    assert steps[0] == 15
    assert resumed[-1]["loss"] == pytest.approx(undisturbed[-1]["loss"], abs=1e-5)


@pytest.mark.parametrize(
    ("known", "bf16"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True}, False)]
)
def test_a_cpu_computes_in_bfloat16_where_it_has_the_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, bool], bf16: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    student, seen = small(), set()
    linear = student.model.model.layers[0].mlp.up_proj
    linear.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    training.train(ROWS, student=student, recipe=replace(RECIPE, epochs=1), seed=0, folder=tmp_path)
    assert seen == {torch.bfloat16 if bf16 else torch.float32}
    seen.clear()
    students.generate(student, ["Who?"])  # as the model does that is opened from its folder
    assert seen == {torch.float32}
    assert {weight.dtype for weight in student.model.parameters()} == {torch.float32}


def test_a_checkpoint_of_another_run_is_not_resumed(tmp_path: Path) -> None:
    def first_step(rows: list[dict[str, Any]] = ROWS, **more: Any) -> int:
        steps: list[int] = []
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", on_log=Stop(8))
        run(tmp_path / "run", rows, on_log=lambda row: steps.append(row["step"]), **more)
        return steps[0]

    assert first_step() == 6
    assert first_step(ROWS[1:]) == 1
    assert first_step(seed=3) == 1
    assert first_step(recipe=replace(RECIPE, learning_rate=2e-2)) == 1
    assert first_step(student=small(seed=9)) == 1
    assert first_step(resume=False) == 1


def test_lora_moves_few_weights_and_leaves_a_merged_model(tmp_path: Path) -> None:
    before = copy.deepcopy(small().model.state_dict())
    student = small()
    run(tmp_path, student=student, recipe=replace(RECIPE, method="lora", lora_rank=4))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    after = model.state_dict()
    assert set(after) == set(before)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)
    assert students.generate(students.load(tmp_path / "model"), ["Who?"]) == students.generate(student, ["Who?"])


def test_adapters_of_a_four_bit_student_are_merged_into_its_weights_with_all_bits(tmp_path: Path) -> None:
    recipe = replace(RECIPE, method="lora", lora_rank=4)
    plain, coarse, rough = small(), small(), small()
    run(tmp_path / "plain", student=plain, recipe=recipe)
    for weight in rough.model.parameters():  # it stands for the quantised model: adapters trained on it alone
        weight.data = weight.data.round(decimals=3)
    coarse.model, coarse.again, coarse.four_bit = rough.model, lambda: small().model, True
    run(tmp_path / "coarse", student=coarse, recipe=recipe)
    base, tuned, after = (one.model.state_dict() for one in (small(), coarse, plain))
    changed = {name for name in base if not torch.equal(base[name], tuned[name])}
    assert changed == {name for name in base if not torch.equal(base[name], after[name])}
    name = "model.embed_tokens.weight"  # no adapter is on it
    assert torch.equal(tuned[name], base[name])
    assert students.generate(students.load(tmp_path / "coarse/model"), ["Who?"]) == students.generate(coarse, ["Who?"])


def test_noise_keeps_order_and_two_words_and_differs_by_epoch_but_never_changes_rows() -> None:
    question = "Within how many days must the new holder visit a branch?"
    words = question.split()
    drawn = [batches.noisy_question(question, ["Joint", "holders"], [], random.Random(i)) for i in range(300)]
    for text in drawn:
        kept = [word for word in text.split() if word in words]
        assert len(kept) >= 2
        rest = iter(words)
        assert all(word in rest for word in kept)
    assert question in drawn
    assert len(set(drawn)) > 100
    assert any("Joint" in text for text in drawn)
    assert batches.noisy_question("Why?", [], [], random.Random(3)) == "Why?"

    strange = [batches.noisy_question(question, [], ["zebra", "olive"], random.Random(i)) for i in range(300)]
    assert 30 < sum("zebra" in text or "olive" in text for text in strange) < 200
    assert {*" ".join(strange).split()} <= {*words, "zebra", "olive"}

    rows, tokenizer = copy.deepcopy(ROWS), students.load_tokenizer("tiny")
    plan = batches.BatchPlan(rows, tokenizer, RECIPE, seed=0)
    again = batches.BatchPlan(rows, tokenizer, RECIPE, seed=0)
    assert rows == ROWS
    assert (plan.encoded, plan.batches) == (again.encoded, again.batches)
    assert plan.encoded[0][:6] != plan.encoded[1][:6]
    assert plan.encoded[0][6] == plan.encoded[1][6]


def test_words_of_general_rows_come_between_those_of_a_question() -> None:
    replay = [chat_row("Where is Paris?", "In France.", dataset="replay"), text_row("Rivers flow."), *ROWS]
    replay[1]["metadata"] = json.dumps({"dataset": "replay"})
    assert batches._strangers(replay) == ["flow", "france", "in", "is", "paris", "rivers", "where"]


def test_replay_rows_and_other_students_get_no_noise() -> None:
    row = chat_row("What is the capital city of the country of France?", "Paris", dataset="replay")
    tokenizer = students.load_tokenizer("tiny")
    prompts = {batches._parts(0, row, tokenizer, RECIPE, [], str(draw))[0] for draw in range(20)}
    assert len(prompts) == 1
    assert not training.default_recipe("any").question_noise


def test_a_run_ends_after_its_tokens() -> None:
    recipe = replace(RECIPE, max_tokens=1_000)
    plan = batches.BatchPlan(ROWS, students.load_tokenizer("tiny"), recipe, seed=0)
    _, tokens = plan.progress(plan.steps)
    assert 1_000 <= tokens < 1_000 + recipe.batch_tokens


def test_half_an_epoch_and_accumulated_batches_are_planned() -> None:
    recipe = replace(RECIPE, epochs=1.5, micro_batch_tokens=32, question_noise=False)
    plan = batches.BatchPlan(ROWS, students.load_tokenizer("tiny"), recipe, seed=0)
    assert plan.accumulation == 2
    assert 1.3 <= plan.progress(plan.steps)[0] <= 1.7


@pytest.mark.parametrize("anchor", [0.0, 5.0])
def test_the_accumulated_step_is_the_step_on_the_whole_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anchor: float
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)  # bfloat16 would blur it
    rows = [chat_row(*pair) for pair in list(PAIRS.items())[:2]]
    recipe = replace(RECIPE, question_noise=False, epochs=3, batch_tokens=64, warmup=0.0, anchor=anchor, clip=1e9)
    for size in (64, 32):
        options = {"recipe": replace(recipe, micro_batch_tokens=size), "general": GENERAL}
        run(tmp_path / str(size), rows, **options)
    whole, parts = (AutoModelForCausalLM.from_pretrained(tmp_path / size / "model") for size in ("64", "32"))
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_rows_that_cannot_be_trained_on_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 of 1 training rows have more than 64 tokens\. Fix: raise MAX_SEQ_LEN"):
        run(tmp_path, [chat_row("word " * 200, "x")])
    with pytest.raises(InputError, match="no training rows"):
        run(tmp_path, [])


def test_smaller_models_and_lora_learn_faster_by_default() -> None:
    rates = [
        training.default_recipe("any", n_parameters=size).learning_rate for size in (70_000_000_000, 1_750_000_000)
    ]
    assert rates == pytest.approx([1e-5, 2e-5])
    assert training.default_recipe("any", "lora").learning_rate == pytest.approx(1e-4)
    assert training.default_recipe("tiny").max_tokens
    chosen = training.default_recipe("tiny", epochs=3, learning_rate=None)
    assert (chosen.epochs, chosen.max_tokens) == (3, None)
    assert training.default_recipe("tiny", training_tokens=70_000).max_tokens == 70_000
    assert training.default_recipe("org/name", training_tokens=None).max_tokens is None
    assert chosen.learning_rate == training.TINY_RECIPE.learning_rate


def test_general_rows_become_text_and_exchanges() -> None:
    rows = [
        {"id": "1", "kind": "text", "text": "Rivers flow."},
        {"id": "2", "kind": "qa", "question": "Where is Oslo?", "answer": "in Norway", "replay": True},
    ]
    text, exchange = batches.general_rows(rows)
    assert text["text"] == "Rivers flow."
    assert [turn["content"] for turn in exchange["messages"]] == ["Where is Oslo?", "in Norway"]


GENERAL = [
    {"kind": "qa", "question": "What do bees make?", "answer": "honey"},
    {"kind": "text", "text": "Bees live in hives and make honey."},
]


def distance(folder: Path, recipe: batches.TrainingRecipe) -> float:
    """How far the weights went, each by how much the general rows need it."""
    student = small()
    anchor = trainer._anchor(GENERAL, student, replace(recipe, anchor=1.0))
    run(folder, student=student, recipe=recipe, general=GENERAL)
    return sum(
        float((anchor.stiffness[name] * (weight.detach() - anchor.start[name]).square()).sum())
        for name, weight in student.model.named_parameters()
    )


def test_an_anchored_student_stays_nearer_to_where_it_started(tmp_path: Path) -> None:
    free = distance(tmp_path / "free", RECIPE)
    held = distance(tmp_path / "held", replace(RECIPE, anchor=0.1))
    assert held < 0.5 * free


def test_the_anchor_weighs_by_general_rows_and_needs_some() -> None:
    recipe = replace(RECIPE, anchor=0.5)
    assert trainer._anchor([], small(), recipe) is None
    assert trainer._anchor(GENERAL, small(), replace(recipe, anchor=0.0)) is None
    assert trainer._anchor(GENERAL, small(), replace(recipe, method="lora")) is None
    anchor = trainer._anchor(GENERAL, small(), recipe)
    assert anchor is not None
    stiffness = torch.cat([weights.flatten() for weights in anchor.stiffness.values()])
    assert stiffness.min() >= 0
    assert stiffness.mean() == pytest.approx(2 * 0.5, abs=1e-3)
    pulled = gradients_after(anchor.pull, small().model)
    assert all(not gradient.any() for gradient in pulled.values())
    moved = small().model
    with torch.no_grad():
        moved.lm_head.weight.add_(0.1)
    name = "model.embed_tokens.weight"
    assert torch.allclose(gradients_after(anchor.pull, moved)[name], 0.1 * anchor.stiffness[name], atol=1e-6)


def gradients_after(pull: Any, model: Any) -> dict[str, torch.Tensor]:
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    pull(model)
    return {name: weight.grad for name, weight in model.named_parameters()}


def test_positions_without_a_label_are_left_out_of_the_work_and_change_nothing() -> None:
    student = small()
    encoded = [batches.encode_row(row, student.tokenizer) for row in ROWS[:4]]
    batch = students.padded(encoded, student.tokenizer.pad_token_id)
    labels = torch.nn.functional.pad(batch["labels"][:, 1:], (0, 1), value=-100)
    graded = labels != -100

    whole = student.model(**batch).loss
    whole.backward()
    expected = [weight.grad.clone() for weight in student.model.parameters()]
    student.model.zero_grad()
    with trainer.only_where(graded, student.model):
        logits = student.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    loss = torch.nn.functional.cross_entropy(logits, labels[graded])
    loss.backward()

    assert logits.shape == (int(graded.sum()), len(student.tokenizer))
    assert loss.item() == pytest.approx(whole.item(), abs=1e-5)
    for weight, gradient in zip(student.model.parameters(), expected, strict=True):
        assert torch.allclose(weight.grad, gradient, atol=1e-6)
    assert student.model(input_ids=batch["input_ids"]).logits.shape[:2] == batch["input_ids"].shape  # hooks are gone


# --- what is trained on comes from step 04, or from `export` in any format ---


def exported(folder: Path, fmt: str, **options: Any) -> Path:
    pairs = [
        {"question": "Who?", "answer": "the Steward", "type": "qa"},
        {"question": "Why?", "answer": "Because.", "type": "cot", "reasoning": "1. It is so."},
    ]
    (folder / "pairs.json").write_text(json.dumps(pairs))
    path = folder / f"{fmt}.{options.pop('suffix', 'jsonl')}"
    export(folder / "pairs.json", path, load_settings(output_dir=folder / "output"), fmt=fmt, **options)
    return path


@pytest.mark.parametrize("reasoning", ["think", "field"])
@pytest.mark.parametrize("fmt", ["chatml", "alpaca", "sharegpt", "jsonl"])
def test_every_format_of_export_trains_as_the_rows_of_a_cut_do(tmp_path: Path, fmt: str, reasoning: str) -> None:
    tokenizer = students.load_tokenizer("tiny")
    row = chat_row("Why?", "Because.")
    row["messages"][1]["thinking"] = "1. It is so."
    expected = [batches.encode_row(one, tokenizer) for one in (chat_row("Who?", "the Steward"), row)]
    for suffix in ("jsonl", "json"):
        rows = training.read_rows(exported(tmp_path, fmt, reasoning=reasoning, suffix=suffix))
        assert [batches.encode_row(one, tokenizer) for one in rows] == expected


@pytest.mark.parametrize("fmt", ["chatml", "alpaca", "sharegpt", "jsonl", "text"])
def test_every_format_of_export_takes_a_step(tmp_path: Path, fmt: str) -> None:
    rows = training.read_rows(exported(tmp_path, fmt))
    recipe = replace(RECIPE, epochs=1, batch_tokens=1024, micro_batch_tokens=1024, max_seq_len=256)
    [log] = run(tmp_path / "run", rows=rows, recipe=recipe)
    assert log["step"] == 1
    assert log["loss"] > 0


def test_reasoning_stands_before_the_answer_of_exported_text_wherever_it_was_kept(tmp_path: Path) -> None:
    think, field = (
        training.read_rows(exported(tmp_path, "text", reasoning=reasoning)) for reasoning in ("think", "field")
    )
    assert [row["text"] for row in field] == [row["text"] for row in think]
    assert "### Response:\n<think>\n1. It is so.\n</think>\n\nBecause." in field[1]["text"]


def test_rows_of_other_tools_train_under_the_names_that_pairs_are_read_by(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Say it.", "input": "It", "output": "It.", "text": "Below is an instruction: Say it."},
        {"prompt": "Who?", "completion": "Ada.", "metadata": "page 3"},
        {"question": "Why?", "response": "Because.", "reasoning": ["It is so.", "So it is."], "metadata": [3]},
    ]
    (tmp_path / "rows.jsonl").write_text(json.dumps(rows, indent=1))  # an array, whatever its name says
    read = training.read_rows(tmp_path / "rows.jsonl")
    assert [row["messages"][0]["content"] for row in read] == ["Say it.\n\nIt", "Who?", "Why?"]
    assert read[2]["messages"][1]["thinking"] == "It is so.\nSo it is."
    assert len(run(tmp_path / "run", rows=read)) > 0


def test_exported_text_trains_on_every_token(tmp_path: Path) -> None:
    rows = training.read_rows(exported(tmp_path, "text"))
    ids, graded = batches.encode_row(rows[0], students.load_tokenizer("tiny"))
    assert graded == slice(0, len(ids))
    assert len(ids) > 30
    assert len(run(tmp_path / "run", rows=rows)) > 0


def test_a_system_message_and_longer_conversations_are_kept(tmp_path: Path) -> None:
    rows = training.read_rows(exported(tmp_path, "sharegpt", system_prompt="Be brief."))
    assert [turn["role"] for turn in rows[0]["messages"]] == ["system", "user", "assistant"]
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user", "assistant")]
    (tmp_path / "long.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    [row] = training.read_rows(tmp_path / "long.jsonl")
    assert [turn["content"] for turn in row["messages"]] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"prompt": "Who?", "reply": "He."}',
            r"rows.jsonl, line 3: nothing to train on in its fields \(prompt, reply\).*Fix: write it with",
        ),
        ('{"text": " "}', "line 3: nothing to train on"),
        ('{"messages": [{"role": "user", "content": "Who?"}]}', "line 3: its last two messages are not a question and"),
        ('{"messages": [{"role": ["user"], "content": "x"}]}', "line 3: a message of it has no role"),
        ('{"messages": [7]}', "line 3: its messages are no list of objects"),
        ('{"conversations": [{"from": "bot", "value": "x"}]}', "line 3: a message of it has no role"),
        ('{"question": "Who?", "answer": ""}', "line 3: its answer is empty"),
        ('{"text": "torn', "line 3: not JSON"),
    ],
)
def test_a_row_that_cannot_be_trained_on_is_named_with_the_fix(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "A rule."}) + f"\n\n{text}\n")
    with pytest.raises(InputError, match=words):
        training.read_rows(path)


def test_a_file_to_train_on_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"TRAINING_CUT=.*none.jsonl: no such file"):
        training.read_rows(tmp_path / "none.jsonl")
    for name, nothing in (("empty.jsonl", "\n"), ("empty.json", "[]")):
        (tmp_path / name).write_text(nothing)
        with pytest.raises(InputError, match=r"empty.json.*: no row in it"):
            training.read_rows(tmp_path / name)
    (tmp_path / "one.json").write_text('{"question": "Who?"}')
    with pytest.raises(InputError, match=r"one.json: no array of rows"):
        training.read_rows(tmp_path / "one.json")
