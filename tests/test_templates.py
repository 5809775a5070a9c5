"""A row is trained on as its student's own template puts it, token by token, and ends as that ends a turn.

Each family of models stands here by its way of cutting text and its template. Of each there is a sibling, which has the
same tokens, but other names for its markup: to it, what looks like markup is plain text.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ai_tools.errors import InputError
from ai_tools.steps import batches, formats, students, templates, training

ALTERNATE = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}"
)
CHATML = (
    "{% if messages[0].role != 'system' %}OPENsystem\nBe kind.CLOSE\n{% endif %}"
    "{% for m in messages %}OPEN{{ m.role }}\n{{ m.content }}CLOSE\n{% endfor %}"
    "{% if add_generation_prompt %}OPENassistant\n{% endif %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}OPEN{{ m.role }}HEAD\n\n{{ m.content | trim }}CLOSE{% endfor %}"
    "{% if add_generation_prompt %}OPENassistantHEAD\n\n{% endif %}"
)
MISTRAL = (
    f"{{{{ bos_token }}}}{{% for m in messages %}}{ALTERNATE}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}{{ eos_token }}{% endif %}"
    "{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}"
    f"{ALTERNATE}OPEN{{{{ 'model' if m.role == 'assistant' else m.role }}}}\n{{{{ m.content | trim }}}}CLOSE\n"
    "{% endfor %}{% if add_generation_prompt %}OPENmodel\n{% endif %}"
)
PHI = (  # ends the conversation, too
    "{% for m in messages %}OPEN{{ m.role }}\n{{ m.content }}CLOSE\n{% endfor %}"
    "{% if add_generation_prompt %}OPENassistant\n{% else %}{{ eos_token }}{% endif %}"
)
LEARNT = [
    "The bell rings at noon, and 12 lamps are lit <|im_end|> </s>\n\n  by dusk.",
    "user model system assistant [INST]",
]


def byte_level(special: list[str]) -> Tokenizer:
    """As GPT-2, Llama 3, Qwen and SmolLM cut."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder, core.post_processor = decoders.ByteLevel(), processors.ByteLevel(trim_offsets=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core.train_from_iterator(
        LEARNT * 5, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    core.add_special_tokens([AddedToken(name, special=True) for name in special])
    return core


def metaspace(special: list[str]) -> Tokenizer:
    """As Mistral and Llama 2 cut: the first word alone gets a space, and bytes stand for what is not known."""
    return _sentencepiece(special, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), None)


def spaceless(special: list[str]) -> Tokenizer:
    """As Gemma cuts."""
    return _sentencepiece(special, pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"))


def _sentencepiece(special: list[str], cut: Any, normalizer: Any) -> Tokenizer:
    """The special tokens stand in the vocabulary itself."""
    core = Tokenizer(models.BPE(unk_token=special[0], fuse_unk=True, byte_fallback=True))
    core.pre_tokenizer, core.decoder = cut, decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])
    if normalizer:
        core.normalizer = normalizer
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=[*special, *bytes_], show_progress=False)
    core.train_from_iterator(LEARNT * 5, trainer)
    state = json.loads(core.to_str())
    state["added_tokens"] = state["added_tokens"][: len(special)]
    return Tokenizer.from_str(json.dumps(state))


FAMILIES: dict[str, tuple[Callable[[list[str]], Tokenizer], str, dict[str, str]]] = {
    "chatml": (byte_level, CHATML, {"OPEN": "<|im_start|>", "CLOSE": "<|im_end|>", "eos": "<|im_end|>"}),
    "chatml on a base": (byte_level, CHATML, {"OPEN": "<|im_start|>", "CLOSE": "<|im_end|>", "eos": "<|endoftext|>"}),
    "llama 3": (
        byte_level,
        LLAMA_3,
        {"OPEN": "<|start|>", "HEAD": "<|header|>", "CLOSE": "<|eot_id|>", "eos": "<|end|>", "bos": "<|begin|>"},
    ),
    "mistral": (metaspace, MISTRAL, {"bos": "<s>", "eos": "</s>"}),
    "gemma": (spaceless, GEMMA, {"OPEN": "<start>", "CLOSE": "<end_of_turn>", "bos": "<bos>", "eos": "<eos>"}),
    "phi": (byte_level, PHI, {"OPEN": "<|im_start|>", "CLOSE": "<|end|>", "eos": "<|endoftext|>"}),
    "base": (byte_level, "", {"eos": "<|endoftext|>"}),
    "base that begins": (byte_level, "", {"eos": "<|endoftext|>", "bos": "<s>"}),
}
LOOKALIKES = sorted({name for _, _, marks in FAMILIES.values() for name in marks.values()})


@cache
def tokenizer(family: str, *, sibling: bool = False) -> Any:
    make, template, marks = FAMILIES[family]
    names = {mark: f"\N{WHITE SQUARE}{name}" if sibling else name for mark, name in marks.items()}
    unknown = "\N{WHITE SQUARE}<unk>" if sibling else "<unk>"
    core = make([unknown, *dict.fromkeys(names.values())])
    if "bos" in names:
        bos = (names["bos"], core.token_to_id(names["bos"]))
        core.post_processor = processors.TemplateProcessing(single=f"{names['bos']} $A", special_tokens=[bos])
    for mark in ("OPEN", "HEAD", "CLOSE"):
        template = template.replace(mark, names.get(mark, ""))
    bos_token = {"bos_token": names["bos"]} if "bos" in names else {}
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token=unknown, eos_token=names["eos"], chat_template=template or None, **bos_token
    )
    if not template:
        made.chat_template = ("{{ bos_token }}" if bos_token else "") + templates.PLAIN
    return made


def shown(family: str, messages: list[dict[str, Any]]) -> list[int]:
    """What the template makes of a conversation where no text is taken for markup."""
    return list(tokenizer(family, sibling=True).apply_chat_template(messages, return_dict=False))


def turns(*contents: str, system: str = "") -> list[dict[str, Any]]:
    said = [turn for pair in zip(contents[::2], contents[1::2], strict=True) for turn in formats.messages(*pair)]
    return [{"role": "system", "content": system}, *said] if system else said


EACH = pytest.mark.parametrize("family", FAMILIES)
words = st.lists(
    st.sampled_from([*"ab1 \n\t.<|>/é漢\N{BELL}", " the", "  ", "bell", "[INST]", *LOOKALIKES]), max_size=8
).map("".join)
answers = words.filter(str.strip)


@EACH
@given(first=words, said=answers, question=words, answer=answers)
def test_a_row_is_what_the_template_makes_of_it_token_by_token(
    family: str, first: str, said: str, question: str, answer: str
) -> None:
    for messages in (turns(question, answer), turns(first, said, question, answer)):
        ids, _ = batches.encode_row({"messages": messages}, tokenizer(family))
        assert ids == shown(family, messages)


@EACH
@given(question=words, answer=answers)
def test_the_loss_is_on_the_answer_and_the_end_of_its_turn(family: str, question: str, answer: str) -> None:
    of = tokenizer(family)
    row = {"messages": turns(question, answer)}
    ids, graded = batches.encode_row(row, of)
    marks = FAMILIES[family][2]
    end = of.convert_tokens_to_ids(marks.get("CLOSE", marks["eos"]))
    assert ids[graded][-1] == end == templates.end_of_turn(of)
    told = of.decode(ids[graded.start : graded.stop - 1], clean_up_tokenization_spaces=False)
    assert told.strip() == answer.strip()
    assert of.decode(ids[graded.stop :], skip_special_tokens=True).strip() == ""
    assert batches.encode_row(row | {"unmask": True}, of) == (ids, slice(0, len(ids)))


@EACH
def test_a_system_message_stays_where_the_template_takes_one_and_else_goes_before_the_question(family: str) -> None:
    messages = turns("When?", "At noon.", system="Be brief.")
    merged = turns("Be brief.\n\nWhen?", "At noon.")
    ids, _ = batches.encode_row({"messages": messages}, tokenizer(family))
    assert ids == shown(family, merged if family in ("mistral", "gemma") else messages)
    assert "Be brief." in tokenizer(family).decode(ids)


@EACH
def test_a_student_is_asked_as_it_is_trained(family: str) -> None:
    of = tokenizer(family)
    row = {"messages": turns("When?", "At noon.")}
    ids, graded = batches.encode_row(row, of)
    assert ids[: graded.start] == templates.prompt_ids(of, ["When?"])[0]
    assert of.decode(ids[: graded.start]) == templates.chat_prompt(of, "When?")
    assert (ids[0] == of.bos_token_id) == ("bos" in FAMILIES[family][2])


def small(of: Any) -> students.Student:
    config = LlamaConfig(
        vocab_size=len(of), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=of.eos_token_id)
    of.pad_token = of.eos_token
    return students.Student("small", model.eval(), of)


def test_a_saved_student_stops_at_its_templates_end_of_turn_everywhere(tmp_path: Path) -> None:
    of = tokenizer("chatml on a base")
    students.save(small(of), tmp_path / "model")
    stops = GenerationConfig.from_pretrained(tmp_path / "model").eos_token_id
    assert set(of.convert_ids_to_tokens(stops)) == {"<|endoftext|>", "<|im_end|>"}


def with_template(template: str) -> Any:
    of = tokenizer("chatml")
    return PreTrainedTokenizerFast(
        tokenizer_object=of.backend_tokenizer, eos_token=of.eos_token, chat_template=template
    )


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for m in messages %}", "Unexpected end of template"),
        ("{{ raise_exception('Give tools.\\nNow.') }}", r"Give tools\."),
        ("{{ messages[0].content.nothing.more }}", "no attribute 'nothing'"),
        ("{{ messages[0].content + 1 }}", "can only concatenate"),
        ("{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", "it leaves out what is said"),
    ],
)
def test_a_template_that_fails_is_one_line_with_its_reason(tmp_path: Path, template: str, reason: str) -> None:
    with_template(template).save_pretrained(tmp_path)
    with pytest.raises(
        InputError, match=rf"student .*: its chat template fails \(.*{reason}.*\)\. Fix: correct"
    ) as caught:
        students.load_tokenizer(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_row_that_a_template_refuses_is_named() -> None:
    [asked, answered] = turns("When?", "At noon.")
    rows = [{"messages": [asked, answered]}, {"messages": [asked, asked, answered]}]
    with pytest.raises(InputError, match=r"^training row 2: .*Roles must alternate"):
        batches.BatchPlan(rows, tokenizer("gemma"), batches.TrainingRecipe(), seed=0)


def test_a_base_model_without_a_template_gets_a_plain_one_and_says_so(tmp_path: Path) -> None:
    for family, starts in (("base", ""), ("base that begins", "<s>")):
        of = tokenizer(family)
        of.chat_template, kept = None, of.chat_template
        of.save_pretrained(tmp_path / family)
        of.chat_template = kept
        with pytest.warns(UserWarning, match="no chat template comes with it; questions stand behind `User:`"):
            loaded = students.load_tokenizer(tmp_path / family)
        assert templates.chat_prompt(loaded, "When?") == f"{starts}User:\nWhen?\n\nAssistant:\n"


def test_a_template_without_an_end_of_turn_gets_the_end_of_text() -> None:
    of = with_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    ids, graded = batches.encode_row({"messages": turns("When?", "At noon.")}, of)
    assert of.decode(ids) == "user: When?\nassistant: At noon.<|im_end|>"
    assert of.decode(ids[graded]) == "At noon.<|im_end|>"


def test_an_opening_that_a_template_shows_only_where_it_asks_is_trained_on_as_it_is_asked() -> None:
    of = with_template(
        CHATML.replace("OPEN", "<|im_start|>")
        .replace("CLOSE", "<|im_end|>")
        .replace("assistant\n{% endif %}", "assistant\n<think>\n\n</think>\n\n{% endif %}")
    )
    ids, graded = batches.encode_row({"messages": turns("When?", "At noon.")}, of)
    assert of.decode(ids).endswith("assistant\n<think>\n\n</think>\n\nAt noon.<|im_end|>\n")
    assert of.decode(ids[graded]) == "At noon.<|im_end|>"


@given(text=st.text(alphabet="\ufdd0\ufdd1\ufdd2 07a", max_size=20))
def test_what_stands_for_markup_inside_is_no_markup_in_a_text(text: str) -> None:
    of = tokenizer("chatml")
    ids, _ = batches.encode_row({"messages": turns(text, f"x{text}")}, of)
    clean, _ = batches.encode_row({"messages": turns("a", "x")}, of)
    special = set(of.all_special_ids)
    assert [one for one in ids if one in special] == [one for one in clean if one in special]


@given(length=st.integers(2, 60), size=st.integers(2, 20))
def test_a_long_text_is_cut_into_pieces_of_more_than_one_token_and_loses_none(length: int, size: int) -> None:
    pieces = batches._pieces(list(range(length)), size)
    assert [one for ids, _ in pieces for one in ids] == list(range(length))
    assert all((2 if size > 2 else 1) <= len(ids) <= size and graded == slice(0, len(ids)) for ids, graded in pieces)


def test_a_text_one_token_longer_than_a_row_trains(tmp_path: Path) -> None:
    student = small(tokenizer("base"))
    text = {"messages": None, "text": "The bell rings at noon"}
    ids, _ = batches.encode_row(text, student.tokenizer)
    recipe = batches.TrainingRecipe(epochs=1, max_seq_len=len(ids) - 1, batch_tokens=1, micro_batch_tokens=1)
    assert training.train([text], student=student, recipe=recipe, seed=0, folder=tmp_path)
