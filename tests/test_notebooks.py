"""The notebooks keep their agreed frame: what is in every one of them, how long, how they take parameters."""

import ast
import json
import re
import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ai_tools.errors import SettingsError
from ai_tools.runner import parameters_of
from ai_tools.settings import Settings, load_settings
from ai_tools.workspace import STEPS

ROOT = Path(__file__).parents[1]
NOTEBOOKS = [ROOT / step.notebook for step in STEPS]
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str = "") -> list[dict[str, Any]]:
    found = json.loads(path.read_text("utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in found if kind in ("", cell["cell_type"])]


def tagged(cell: dict[str, Any], tag: str) -> bool:
    return tag in cell["metadata"].get("tags", [])


@each
def test_outputs_and_widget_states_are_not_in_git(path: Path) -> None:
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(path, "code"))
    assert "widgets" not in json.loads(path.read_text("utf-8"))["metadata"]


@each
def test_code_cells_are_few_and_short(path: Path) -> None:
    lengths = [len(cell["source"].splitlines()) for cell in cells(path, "code")]
    assert 10 <= len(lengths) <= 16
    assert statistics.median(lengths) <= 6
    assert max(lengths) <= 25
    functions = [
        n for cell in cells(path, "code") for n in ast.walk(ast.parse(cell["source"])) if isinstance(n, ast.FunctionDef)
    ]
    assert len(functions) <= 1


@each
def test_prose_is_short_and_never_far_from_code(path: Path) -> None:
    kinds = [cell["cell_type"] for cell in cells(path)]
    assert "code code code" not in " ".join(kinds)
    for cell in cells(path, "markdown"):
        words = re.sub(r"[#*`\[\]()>-]|!\[.*\)|\(.*?\)", " ", cell["source"]).split()
        assert len(words) <= 75, cell["source"]


@each
def test_it_opens_and_closes_by_the_frame(path: Path) -> None:
    prose = [cell["source"] for cell in cells(path, "markdown")]
    assert prose[0].startswith(f"# {path.parent.name[:2]} ")
    assert "**Goal:" in prose[0]
    assert "Time:" in prose[0]
    assert "GPU:" in prose[0]
    assert "cost:" in prose[0]
    assert prose[1].startswith("## In this notebook you will")
    assert prose[1].count("\n- ") == 3
    assert f"figures/step_{path.parent.name[:2]}.svg" in prose[1]
    assert prose[-1].startswith("## In this notebook you have")


@each
def test_no_cell_installs_anything_or_runs_shell_commands(path: Path) -> None:
    assert not [
        cell for cell in cells(path, "code") if re.search(r"^\s*[!%]|pip install", cell["source"], re.MULTILINE)
    ]


@each
def test_parameters_are_annotated_settings_and_nothing_else(path: Path) -> None:
    (cell,) = [cell for cell in cells(path, "code") if tagged(cell, "parameters")]
    for node in ast.parse(cell["source"]).body:
        assert isinstance(node, ast.AnnAssign), ast.unparse(node)
        assert isinstance(node.target, ast.Name)
        assert node.target.id in Settings.model_fields
        assert node.value is not None
        used = ast.unparse(node.value)
        assert f"settings.{node.target.id}" in used or isinstance(node.value, ast.Constant)


@each
def test_the_cell_after_the_parameters_validates_every_one_of_them(path: Path) -> None:
    code = cells(path, "code")
    place = next(i for i, cell in enumerate(code) if tagged(cell, "parameters"))
    first, *_ = ast.parse(code[place + 1]["source"]).body
    names = {"settings": load_settings(seed=1)}
    exec(code[place]["source"], names)  # noqa: S102 - the notebook's own cell
    names |= {name: {} for name in parameters_of(path)}  # what no setting can be
    with pytest.raises(SettingsError) as caught:
        exec(ast.unparse(first), names)  # noqa: S102 - the notebook's own cell
    assert {caught.value.setting, *(one.setting for one in caught.value.also)} == set(parameters_of(path))


@each
def test_no_other_cell_gives_a_value_to_the_name_of_a_setting(path: Path) -> None:
    """It would count as a parameter when the cell that validates them is run again."""
    code = [cell["source"] for cell in cells(path, "code") if not tagged(cell, "parameters")]
    nodes = [node for source in code for node in ast.walk(ast.parse(source))]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    stored |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    assert not stored & set(Settings.model_fields)


@each
def test_every_setting_that_changes_the_step_and_is_meant_for_notebooks_is_a_parameter(path: Path) -> None:
    offered = set(parameters_of(path))
    assert {"output_dir"} <= offered
    number = int(path.parent.name[:2])
    if number:
        assert "seed" in offered


@each
def test_the_manifest_is_written_by_the_last_code_cell_and_last_in_it(path: Path) -> None:
    *_, last = ast.parse(cells(path, "code")[-1]["source"]).body
    assert ast.unparse(last).startswith("step.finish(")


@each
def test_every_cell_has_an_id_and_the_kernel_is_the_plain_one(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


@each
def test_what_it_takes_from_the_package_is_there(path: Path) -> None:
    tree = ast.parse("\n".join(cell["source"] for cell in cells(path, "code")))
    modules: dict[str, ModuleType] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ai_tools"):
            exec(ast.unparse(node), modules)  # noqa: S102 - the notebook's own cell
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            assert not isinstance(module, ModuleType) or hasattr(module, node.attr), ast.unparse(node)
