"""The command line: exit codes, one line an error, nothing heavy before it is needed."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ai_tools.errors import DISTRIBUTION

ROOT = Path(__file__).parents[1]


def ai_tools(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from ai_tools.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def test_the_bare_command_shows_its_help_and_its_version_is_the_distributions() -> None:
    assert ai_tools().stderr.startswith("Usage: ")
    assert ai_tools("--version").stdout == f"{DISTRIBUTION} {version(DISTRIBUTION)}\n"


def test_status_of_an_empty_output_names_every_step_as_missing(tmp_path: Path) -> None:
    done = ai_tools("status", OUTPUT_DIR=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.count("missing") == 7


def test_a_plan_says_what_would_run_and_runs_nothing(tmp_path: Path) -> None:
    done = ai_tools("run", "--plan", OUTPUT_DIR=str(tmp_path))
    assert done.returncode == 0
    assert "06_Evaluation" in done.stdout
    assert "nothing leaves this machine" in done.stdout
    assert not list(tmp_path.glob("step_*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "-p", "qa_per_dog=2"), ["qa_per_dog", "did you mean qa_per_doc"]),
        (("run", "-p", "qa_per_doc=two"), ["QA_PER_DOC=two", "integer"]),
        (("run", "-p", "qa_per_doc"), ["NAME=VALUE"]),
        (("run", "-p", "max_concurrency=3"), ["max_concurrency", "no notebook"]),
        (("run", "--only", "9"), ["step 9"]),
        (("run", "--from", "4", "--to", "2"), ["--from 04 --to 02"]),
        (("run", "--onlx", "1"), ["--onlx"]),
        (("run", "-p", "provider=openal"), ["PROVIDER=openal", "offline", "openai-compatible"]),
        (
            ("run", "--plan", "-p", "provider=openai"),
            ["PROVIDER=openai", "set OPENAI_API_KEY or TEACHER_MODEL_API_KEY"],
        ),
        (("walk",), ["walk"]),
    ],
)
def test_wrong_usage_is_one_line_with_the_value_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    done = ai_tools(*arguments, OUTPUT_DIR=str(tmp_path), OPENAI_API_KEY="", TEACHER_MODEL_API_KEY="", API_KEY="")
    assert done.returncode == 2
    line = one_line(done)
    assert all(word in line for word in words), line


@pytest.mark.parametrize("name", ["teacher_model_api_key", "openai_api_key", "judge_api_key"])
def test_a_key_is_no_parameter_of_a_notebook_and_is_not_repeated(tmp_path: Path, name: str) -> None:
    done = ai_tools("run", "-p", f"{name}=hunter2", OUTPUT_DIR=str(tmp_path))
    assert done.returncode == 2
    assert f"{name}: no notebook" in one_line(done)
    assert "hunter2" not in done.stdout + done.stderr


def test_an_address_given_with_p_says_who_is_asked_and_one_line_says_so(tmp_path: Path) -> None:
    given = ("-p", "ENDPOINT=http://127.0.0.1:9/v1", "-p", "model_name=m")
    done = ai_tools("run", "--only", "3", "--plan", *given, OUTPUT_DIR=str(tmp_path))
    assert "teacher: openai-compatible, m, text goes to 127.0.0.1:9" in done.stdout
    assert one_line(done).startswith(
        "warning: TEACHER_MODEL_BASE_URL is set and PROVIDER is not: text goes to 127.0.0.1:9"
    )


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = ai_tools("run", "--only", "0", OUTPUT_DIR=str(tmp_path / "taken"))
    assert done.returncode == 2
    assert "OUTPUT_DIR" in one_line(done)


def test_a_damaged_manifest_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "step_02").mkdir()
    (tmp_path / "step_02/manifest.json").write_text("{")
    done = ai_tools("status", "-p", f"output_dir={tmp_path}")
    assert done.returncode == 0
    assert done.stdout.count("missing") == 7


def test_a_misspelt_name_in_dotenv_is_refused_with_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "00_Setup").mkdir()
    (tmp_path / ".env").write_text("QA_PER_DOK=2\n")
    done = ai_tools("status", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean QA_PER_DOC" in one_line(done)


@pytest.mark.slow
def test_a_step_before_the_one_it_needs_says_which_to_run_first(tmp_path: Path) -> None:
    done = ai_tools("run", "--only", "3", OUTPUT_DIR=str(tmp_path))
    assert done.returncode == 2
    assert "run step 02 first" in one_line(done)


def test_help_names_every_command_and_loads_no_heavy_package() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom ai_tools.cli import app\n"
        "shown = CliRunner().invoke(app, ['--help']).output\n"
        "for name in ('run', 'status', 'chunk', 'generate', 'list-providers', 'journal'):\n"
        "    assert name in shown and CliRunner().invoke(app, [name, '--help']).exit_code == 0\n"
        "heavy = 'torch', 'transformers', 'pandas', 'papermill', 'datasets', 'aiohttp'\n"
        "heavy += 'openai', 'json_repair', 'lancedb', 'pyarrow', 'lxml', 'trafilatura'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_help_waits_for_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys\nfrom ai_tools.cli import main\nsys.argv = ['ai-tools', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('rich', 'pydantic', 'yaml', 'aiohttp', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "generate-cot" in done.stdout
