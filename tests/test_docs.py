"""The pages say what is there: files, commands, settings, outputs and figures are checked against the project."""

import json
import re
import tomllib
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
import yaml
from dotenv import dotenv_values
from typer.testing import CliRunner

import ai_tools
from ai_tools import checks, teachers, tools
from ai_tools.cli import app
from ai_tools.runner import parameters_of
from ai_tools.settings import Settings, example_env, load_settings
from ai_tools.steps import review
from ai_tools.steps.curation import CHECKS
from ai_tools.teachers import providers
from ai_tools.variables import env_names
from ai_tools.workspace import STEPS, StepSpec

ROOT = Path(__file__).parents[1]
TOP = ROOT / "README.md"
PAGES = [TOP, *(ROOT / step.folder / "README.md" for step in STEPS)]
FIGURES = [ROOT / "assets/figures" / f"{name}.svg" for name in ("overview", *(f"step_{n:02d}" for n in range(7)))]
HEADINGS = [
    "Purpose",
    "Prerequisites",
    "Inputs",
    "Outputs",
    "Environment variables",
    "How to run",
    "Debug and tips",
    "Next",
]
COMMANDS = {  # the section of the top page that explains each
    "run": "Command line",
    "status": "Command line",
    "list-providers": "Your own teacher",
    "get": "Your own student",
    **dict.fromkeys(
        ("chunk", "generate", "generate-cot", "enrich", "enhance-cot", "curate", "validate", "compare", "combine"),
        "Single tools",
    ),
    **dict.fromkeys(("export", "convert", "pipeline", "journal"), "Single tools"),
}
VARIABLES = {env_names(name)[0]: name for name in Settings.model_fields}
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.folder)


def text_of(step: StepSpec) -> str:
    return (ROOT / step.folder / "README.md").read_text("utf-8")


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def table(text: str) -> list[list[str]]:
    """The cells of every row of every table, headers left out."""
    bodies = re.findall(r"^\|[-|]+\|\n((?:\|.*\|\n?)+)", text, re.MULTILINE)
    return [
        [cell.strip() for cell in row.strip("| ").split(" | ")] for body in bodies for row in body.strip().split("\n")
    ]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def code(text: str) -> str:
    """Everything that is set as code, in lines of its own or in a sentence."""
    return "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))


def variables(text: str) -> dict[str, str]:
    """Variable and default of every table row that names one."""
    rows = [row for row in table(text) if len(row) == 3 and re.fullmatch(r"`[A-Z][A-Z_]+`", row[0])]
    return {row[0].strip("`"): "" if row[1] == "empty" else row[1].strip("`") for row in rows}


def options_of(command: str) -> set[str]:
    """Those that its help shows."""
    shown = (one for one in typer.main.get_command(app).commands[command].params if not getattr(one, "hidden", False))
    options = {name for one in shown for name in one.opts}
    return {name for name in options if name.startswith("-")}


def wild(name: str) -> str:
    """A file name with its changing parts, {N} or <dataset>, as stars."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", "*", name)


@every_page
def test_every_link_leads_to_a_file_or_folder(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link.split("#")[0]).exists()]
    assert links
    assert not missing


@every_page
def test_every_path_of_the_project_that_is_named_exists(page: Path) -> None:
    paths = re.findall(r"(?<![\w/.-])((?:assets|src|tests|0\d_\w+)/[\w./-]*[\w/])", page.read_text("utf-8"))
    assert not [path for path in paths if not (ROOT / path).exists()]


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"^make (?:\w+=\S+ )?([a-z]+)", code(page.read_text("utf-8")), re.MULTILINE)
    assert set(named) <= targets
    assert {"run", "test", "lab"} <= set(named) or page != TOP


@every_page
def test_every_command_and_option_of_the_command_line_exists(page: Path) -> None:
    lines = re.findall(r"^ai-tools ([\w-]+)([^#\n]*)", code(page.read_text("utf-8")), re.MULTILINE)
    for command, options in lines:
        help_text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        assert help_text.exit_code == 0, command
        taken = {name for one in typer.main.get_command(app).commands[command].params for name in one.opts}
        for option in re.findall(r"(?<!\S)--?[a-z-]+", options):
            assert option in taken, f"ai-tools {command} {option}"
        for name in re.findall(r"-p (\w+)=", options):
            assert any(name in parameters_of(ROOT / step.notebook) for step in STEPS), name


def test_every_command_has_its_section() -> None:
    assert set(typer.main.get_command(app).commands) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_top_page_shows_every_option_of_a_command(command: str) -> None:
    shown = code(section(TOP.read_text("utf-8"), COMMANDS[command]))
    assert f"ai-tools {command}" in shown
    missing = options_of(command) - set(re.findall(r"(?<!\S)--?[a-z-]+(?!\S)", shown))
    assert missing <= {"--parameter", "--help"}


@every_page
def test_every_variable_is_a_setting_and_its_default_is_right(page: Path) -> None:
    defaults = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example_env(), re.MULTILINE))
    found = variables(page.read_text("utf-8"))
    assert found
    assert found == {name: defaults.get(name) for name in found}


@every_step
def test_a_step_lists_exactly_its_own_variables(step: StepSpec) -> None:
    own_documents = Settings(source_documents="pages")  # without an exam, more settings matter to step 01
    own = {*parameters_of(ROOT / step.notebook), *own_documents.of_step(step.number)}
    assert {VARIABLES[name] for name in variables(section(text_of(step), "Environment variables"))} == own


@every_step
def test_a_step_says_which_variables_are_no_parameters(step: StepSpec) -> None:
    text = section(text_of(step), "Environment variables")
    sentence = re.search(r"^All but (.*?) (?:is|are) in the notebook's", text, re.MULTILINE)
    named = names(sentence[1]) if sentence else variables(text.partition("\nFrom the environment or `.env` only:")[2])
    assert {VARIABLES[name] for name in variables(text)} - {VARIABLES[name] for name in named} == set(
        parameters_of(ROOT / step.notebook)
    )


def test_every_setting_is_explained_on_some_page() -> None:
    explained = {name for page in PAGES for name in variables(page.read_text("utf-8"))}
    assert explained == set(VARIABLES)


def test_the_example_env_is_the_one_that_the_settings_make() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == example_env()


def test_the_table_of_providers_is_the_one_of_the_package() -> None:
    rows = [row for row in table(section(TOP.read_text("utf-8"), "Your own teacher")) if len(row) == 4]
    offline, *asked = providers.providers().values()
    expected = [([offline.name], [], [], [])]
    for one in asked:
        keys = [env_names(name)[0] for name in one.keys]
        model, address = one.model or "TEACHER_MODEL_NAME", one.base_url or "TEACHER_MODEL_BASE_URL"
        expected.append(([one.name, *one.aliases], [model], keys, [address]))
    assert [(names(row[0]), names(row[1]), names(row[2]), names(row[3])[:1]) for row in rows] == expected


def test_the_date_of_the_prices_is_the_one_of_the_table() -> None:
    table_of_prices = yaml.safe_load((Path(ai_tools.__file__).parent / "data/providers.yaml").read_text("utf-8"))
    text = section(TOP.read_text("utf-8"), "Your own teacher")
    assert re.findall(r"\d{4}-\d\d-\d\d", text) == [table_of_prices["seen"]]


def test_every_example_of_a_dotenv_file_chooses_a_teacher(toy_root: Path) -> None:
    blocks = re.findall(r"```dotenv\n(.*?)```", TOP.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        (toy_root / ".env").write_text(block)
        assert set(dotenv_values(stream=StringIO(block))) <= set(VARIABLES)
        assert teachers.connect(load_settings()).base_url


def test_the_rows_of_generate_have_the_fields_that_the_top_page_names(toy_settings: Settings) -> None:
    source = toy_settings.root / "chunks.jsonl"
    source.write_text(json.dumps({"chunk_id": "c", "text": "The lamp on the pier has 12 panes of glass."}) + "\n")
    made = tools.generate_qa(source, toy_settings.root / "pairs.json", toy_settings)
    sentence = re.search(r"Each row of a file has (.*?);", TOP.read_text("utf-8"), re.DOTALL)
    assert sentence
    assert {tuple(row) for row in json.loads(made.output.read_text())} == {tuple(names(sentence[1]))}


def test_no_key_is_a_parameter_of_a_notebook() -> None:
    keys = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert {VARIABLES[name] for name in variables(TOP.read_text("utf-8")) if name.endswith("_KEY")} == keys
    assert not keys & {name for step in STEPS for name in parameters_of(ROOT / step.notebook)}


def test_the_checks_of_step_03_are_all_named() -> None:
    ((_, content),) = [row for row in table(text_of(STEPS[3])) if row[0] == "`rejected.jsonl`"]
    listed = {name for part in re.findall(r"\(([a-z_, ]+)\)", content) for name in part.split(", ")}
    assert listed == {*checks.CHECKS, *CHECKS, "duplicate"}
    assert {"reply", "transport"} <= set(re.findall(r"(\w+):", content))


@every_step
def test_a_step_page_has_the_agreed_headings_and_its_figure(step: StepSpec) -> None:
    text = text_of(step)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert f"(../assets/figures/step_{step.number:02d}.svg)" in text
    assert text.startswith(f"# {step.folder[:2]} ")
    navigation = text.splitlines()[2]
    assert re.findall(r"\]\((.+?)\)|\*\*(\d\d) ", navigation) == [("../README.md", "")] + [
        ("", f"{one.number:02d}") if one == step else (f"../{one.folder}/README.md", "") for one in STEPS
    ]
    assert len(text.splitlines()) <= 120


@every_step
def test_a_step_page_says_what_installs_the_package_from_its_folder(step: StepSpec) -> None:
    ((path, extras),) = re.findall(r"in place of `pip install \.` .* `pip install -e '(\S+)\[(\S+)\]'`", text_of(step))
    assert (ROOT / step.folder / path / "pyproject.toml").is_file()
    assert {"notebooks", "train", "documents"} == set(extras.split(","))


@every_step
def test_the_parameter_of_the_papermill_line_is_in_the_notebook(step: StepSpec) -> None:
    ((notebook, name),) = re.findall(r"papermill (\S+\.ipynb) \S+\.ipynb -p (\w+) \S+", text_of(step))
    assert notebook == step.notebook
    assert name in parameters_of(ROOT / notebook)


@every_step
def test_the_outputs_are_the_files_that_the_notebook_writes(step: StepSpec) -> None:
    source = "\n".join(
        "".join(cell["source"])
        for cell in json.loads((ROOT / step.notebook).read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    )
    written = {wild(name) for name in re.findall(r'step\.(?:write_\w+|add)\(\s*f?"([^"]+)"', source)}
    written |= {review.QNA, review.INDEX, review.REVIEW} if "review.write_qna(" in source else set()
    named = {wild(name) for row in table(section(text_of(step), "Outputs")) for name in names(row[0])}
    assert named == written


@every_step
def test_the_inputs_are_the_files_that_the_step_needs(step: StepSpec) -> None:
    needs = {wild(name) if name != "{cut}" else "step_04/combined_cut_*x.jsonl" for name in (*step.needs, *step.heeds)}
    cells = [name for row in table(section(text_of(step), "Inputs")) for name in names(row[0])]
    named = {wild(name) for name in cells if re.match(r"step_\d\d/", name)}
    for name in named:
        assert any(Path(need).match(name) for need in needs), name
    for need in needs:
        assert any(Path(need).match(name) for name in named), need
    assets = {name for name in step.assets if "/" in name}
    assert {name for name in cells if re.match(r"assets/", name)} <= assets


def test_the_tree_lists_every_module_and_no_other() -> None:
    tree = section(TOP.read_text("utf-8"), "The project").split("  ai_tools/")[1].split("\n  to_markdown/")[0]
    listed = re.findall(r"^    (\w+(?:\.py|/)) +\S", tree, re.MULTILINE)
    package = Path(ai_tools.__file__).parent
    folders = [f"{path.parent.name}/" for path in package.glob("*/__init__.py")]
    assert sorted(listed) == sorted([path.name for path in package.glob("*.py")] + folders + ["data/"])


def test_the_tree_lists_files_and_folders_that_exist() -> None:
    tree = section(TOP.read_text("utf-8"), "The project").split("```")[1]
    parents = [ROOT]  # of a name that stands so deep
    for indent, name in re.findall(r"^( *)([\w.]\S*)", tree, re.MULTILINE):
        depth = len(indent) // 2
        path = parents[depth] / name
        assert path.exists() or name == "output/", name
        parents[depth + 1 :] = [path]


def test_the_extras_of_the_install_lines_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for page in PAGES:
        for listed in re.findall(r"'\S*\[([a-z,]+)\]'", page.read_text("utf-8")):
            assert set(listed.split(",")) <= set(extras), listed
    makefile = re.search(r"^EXTRAS := (\S+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert makefile
    lines = re.findall(r"^(?:uv )?pip install .*'\.\[(\S+)\]'$", TOP.read_text("utf-8"), re.MULTILINE)
    assert lines == [makefile[1]] * 2


@every_step
def test_the_error_messages_that_a_page_quotes_are_in_the_package(step: StepSpec) -> None:
    sources = "\n".join(path.read_text("utf-8") for path in Path(ai_tools.__file__).parents[1].rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", sources)  # strings that go on in the next line
    choice = r"\{'([^']*)' if [^{}]*? else '([^']*)'\}"  # words that a message chooses between
    plain = re.sub(choice, r"\1", joined) + re.sub(choice, r"\2", joined)
    for hint in re.findall(r"^- `([^`]+)`:", section(text_of(step), "Debug and tips"), re.MULTILINE):
        runs = re.findall(r"[a-z][a-z' ]{12,}", re.sub(r"\d+|\bstep\b", "…", hint))
        assert all(run.strip() in plain for run in runs), hint


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.stem)
def test_a_figure_is_svg_with_title_and_description(figure: Path) -> None:
    root = ElementTree.parse(figure).getroot()  # noqa: S314  our own file
    parts = {child.tag.split("}")[1]: child.text or "" for child in root}
    assert parts["title"]
    assert len(parts["desc"]) > len(parts["title"])


@every_step
def test_a_figure_names_functions_that_its_notebook_calls(step: StepSpec) -> None:
    figure = (ROOT / f"assets/figures/step_{step.number:02d}.svg").read_text("utf-8")
    notebook = (ROOT / step.notebook).read_text("utf-8")
    drawn = re.findall(r'class="m fn">([\w.]+)<', figure)
    assert drawn
    assert not [name for name in drawn if f"{name.replace('Step.', 'step.')}(" not in notebook]


@every_page
def test_no_figure_is_left_to_be_filled_in(page: Path) -> None:
    assert "{{" not in page.read_text("utf-8")
