"""Students: prompts, answers, option scores, saving and loading. Models have two layers, 32 wide."""

import json
import math
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from ai_tools import machine
from ai_tools.errors import InputError, MissingExtra, MissingStep, SettingsError
from ai_tools.settings import load_settings
from ai_tools.steps import students, templates, tiny

QUESTION = "Which form records a personal client's details?"


@pytest.fixture
def small() -> students.Student:
    tokenizer = students.load_tokenizer("tiny")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.06,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return students.Student("small", LlamaForCausalLM(config).eval(), tokenizer)


def test_the_generation_prompt_is_a_prefix_of_prompt_and_answer() -> None:
    tokenizer = students.load_tokenizer("tiny")
    prompt = templates.chat_prompt(tokenizer, QUESTION)
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Form K-10."}]
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    assert whole == prompt + "Form K-10." + tokenizer.eos_token
    prompt_ids, whole_ids = tokenizer(prompt)["input_ids"], tokenizer(whole)["input_ids"]
    assert whole_ids[: len(prompt_ids)] == prompt_ids
    assert whole_ids[len(prompt_ids) :] == [*tokenizer("Form K-10.")["input_ids"], tokenizer.eos_token_id]


def test_trl_masks_all_but_the_answers_and_their_ends(small: students.Student, tmp_path: Path) -> None:
    trl, datasets = pytest.importorskip("trl"), pytest.importorskip("datasets")
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Form K-10."}]
    options = {"assistant_only_loss": True, "report_to": "none", "bf16": False, "use_cpu": True}
    trainer = trl.SFTTrainer(
        small.model,
        args=trl.SFTConfig(str(tmp_path), per_device_train_batch_size=1, **options),
        train_dataset=datasets.Dataset.from_list([{"messages": turns + turns}]),
        processing_class=small.tokenizer,
    )
    [batch] = trainer.get_train_dataloader()
    graded = small.tokenizer.decode(batch["labels"][batch["labels"] >= 0])
    assert graded == " Form K-10.<|end|> Form K-10.<|end|>"


def test_the_tiny_tokenizer_loses_no_character() -> None:
    tokenizer = students.load_tokenizer("tiny")
    text = "Zażółć 20,000 tessars;\n\n\tline two — “done” 漢字"
    assert tokenizer.decode(tokenizer(text)["input_ids"]).strip() == text
    assert len(tokenizer) == 2048


def test_a_tokenizer_for_other_documents_is_made_the_same_way() -> None:
    made = tiny.train_tokenizer([QUESTION] * 3)
    packaged = students.load_tokenizer("tiny")
    for token in ("<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"):
        assert made.token_to_id(token) == packaged.convert_tokens_to_ids(token)
    assert made.decode(made.encode("Which form? K-10").ids) == " Which form? K-10"


def test_the_tiny_student_depends_on_its_seed_alone() -> None:
    torch.manual_seed(5)
    first = students.build_tiny(1).model.state_dict()["model.embed_tokens.weight"]
    torch.manual_seed(6)
    assert torch.equal(first, students.build_tiny(1).model.state_dict()["model.embed_tokens.weight"])
    assert not torch.equal(first, students.build_tiny(2).model.state_dict()["model.embed_tokens.weight"])


def test_a_saved_student_opens_with_plain_transformers_and_answers_alike(
    small: students.Student, tmp_path: Path
) -> None:
    folder = students.save(small, tmp_path / "model")
    students.save(small, folder)  # over itself
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], tokenize=False, add_generation_prompt=True
    )
    assert prompt == templates.chat_prompt(small.tokenizer, QUESTION)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
    assert torch.equal(model(ids).logits, small.model(ids).logits)
    again = students.load(folder)
    assert students.generate(again, [QUESTION]) == students.generate(small, [QUESTION])


def test_answers_do_not_depend_on_the_batch(small: students.Student) -> None:
    questions = ["Why?", QUESTION, "Who answers appeals, and within how many days must that be?"]
    alone = [students.generate(small, [question], max_new_tokens=8)[0] for question in questions]
    seen: list[tuple[int, int]] = []
    together = students.generate(
        small,
        questions,
        max_new_tokens=8,
        batch_size=2,
        on_progress=lambda at: seen.append((at.done, at.total)),
    )
    assert together == alone
    assert seen == [(2, 3), (3, 3)]


def test_scores_are_mean_log_likelihoods_per_token(small: students.Student) -> None:
    options = [["Form K-10", "A"], ["21 days", "the Client Ombudsman, Benedikt Osei"]]
    questions = [QUESTION, "Who?"]
    scores = students.score_options(small, questions, options, batch_size=3)
    tokenizer = small.tokenizer
    for question, choices, row in zip(questions, options, scores, strict=True):
        for option, score in zip(choices, row, strict=True):
            prompt = tokenizer(templates.chat_prompt(tokenizer, question))["input_ids"]
            answer = tokenizer(option)["input_ids"]
            logits = small.model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            expected = sum(logits[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer)) / len(answer)
            assert math.isclose(score, expected, rel_tol=1e-4)


def byte_tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    """A tokenizer of another family: no prefix space, other special tokens, no padding token."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core.train_from_iterator(
        [QUESTION] * 3,
        trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    eos = "<|im_end|>" if template else "<|endoftext|>"
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=eos, chat_template=template)


# As templates of reasoning models do: a line break after each turn, and an empty block of thoughts on request.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@pytest.mark.parametrize("template", [CHATML, None], ids=["chat template", "base model"])
def test_another_model_family_goes_the_same_way(template: str | None, tmp_path: Path) -> None:
    tokenizer = byte_tokenizer(template)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    student = students.load(tmp_path / "other")
    prompt = templates.chat_prompt(student.tokenizer, QUESTION)
    assert prompt.endswith("</think>\n\n" if template else "Assistant:\n")
    answer = student.tokenizer("Form K-10")["input_ids"]
    assert student.tokenizer(prompt + "Form K-10")["input_ids"] == student.tokenizer(prompt)["input_ids"] + answer
    assert len(students.generate(student, ["Why?", QUESTION], max_new_tokens=3)) == 2
    assert [len(row) for row in students.score_options(student, ["Why?"], [["a", "b"]])] == [2]


def test_a_student_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no_such_student: cannot be loaded .*Fix: set STUDENT_M.*--tokenizer"):
        students.load(tmp_path / "no_such_student")
    (tmp_path / "no_weights").mkdir()
    (tmp_path / "no_weights" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(InputError, match="no_weights"):
        students.load(tmp_path / "no_weights")


def test_weights_outside_safetensors_are_refused(small: students.Student, tmp_path: Path) -> None:
    folder = students.save(small, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save(small.model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled"):
        students.load(folder)


def test_the_tiny_student_before_step_01_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingStep, match="run step 01"):
        students.load("tiny", tiny_folder=tmp_path / "nowhere")


def test_a_device_that_is_not_there_is_one_line_with_the_fix(
    small: students.Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    folder = students.save(small, tmp_path / "model")
    with pytest.raises(SettingsError, match=r"^DEVICE=cuda: torch .* sees none here; leave it auto$"):
        students.load(folder, device="cuda")
    for device in ("auto", "cpu"):
        assert students.load(folder, device=device).model.device.type == "cpu"


def test_mps_is_said_to_be_untried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.warns(UserWarning, match="DEVICE=mps is untried"):
        assert machine.device("mps") == "mps"


def test_four_bits_want_cuda_its_package_and_lora(
    small: students.Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = students.save(small, tmp_path / "model")
    with pytest.raises(SettingsError, match=r"^FOUR_BIT=True: 4-bit weights need CUDA, and this student is on cpu;"):
        students.load(folder, device="cpu", four_bit=True)
    monkeypatch.setattr(machine, "device", lambda wanted: "cuda")
    monkeypatch.setattr(students.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"bitsandbytes is not installed.*'\.\[4bit\]'"):
        students.load(folder, four_bit=True)
    with pytest.raises(SettingsError, match="set TRAINING_METHOD=lora too"):
        load_settings(four_bit=True, training_method="full")
    assert load_settings(four_bit=True, training_method="lora").four_bit
