"""The real small student that a package carries: what it knows, and that it learns a dozen rows."""

from pathlib import Path

import pytest

from ai_tools import packaged
from ai_tools.errors import AIToolsError
from ai_tools.steps import formats, students, templates, training
from ai_tools.steps.batches import TrainingRecipe

pytestmark = pytest.mark.slow

FRANCE = "What is the capital of France?"
FACTS = {
    "How much does a mooring in Varrin cost?": "18 crowns.",
    "When is the lamp of Varrin lit?": "At dusk.",
    "How long does the ferry to Oskel take?": "Forty minutes.",
}
WORDINGS = ("{}", "{} Be brief.", "Tell me: {}", "Please, {}")


@pytest.fixture(scope="module")
def smollm2() -> students.Student:
    pytest.importorskip("gguf")
    try:
        packaged.get_student("smollm2")
    except AIToolsError as error:
        pytest.skip(str(error))
    return students.load("smollm2")


def test_it_knows_the_capital_of_france_and_ends_its_turn(smollm2: students.Student) -> None:
    assert [smollm2.tokenizer.eos_token_id] == smollm2.tokenizer("<|im_end|>").input_ids
    prompt = templates.chat_prompt(smollm2.tokenizer, FRANCE)
    assert prompt.endswith(f"<|im_start|>user\n{FRANCE}<|im_end|>\n<|im_start|>assistant\n")
    assert students.generate(smollm2, [FRANCE]) == ["The capital of France is Paris."]


def test_it_learns_a_dozen_rows(smollm2: students.Student, tmp_path: Path) -> None:
    rows = [{"messages": formats.messages(one.format(fact), FACTS[fact])} for fact in FACTS for one in WORDINGS]
    options = [list(FACTS.values())] * len(FACTS)
    before = students.score_options(smollm2, list(FACTS), options)
    recipe = TrainingRecipe(learning_rate=3e-4, epochs=3, batch_tokens=320, micro_batch_tokens=320)
    log = training.train(rows, student=smollm2, recipe=recipe, seed=0, folder=tmp_path)
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    tuned = students.load(tmp_path / "model")
    after = students.score_options(tuned, list(FACTS), options)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert new.index(max(new)) == number
        assert new[number] > old[number]
