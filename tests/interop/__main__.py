"""`make interop`: the files of a finished run, loaded by what people train with next. Needs the network.

One throw-away environment a tool, for their pins exclude one another and ours. A file loads where the tool's own loader
takes all of it, and lays loss on the answers of its rows and on nothing else.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ai_tools import export, load_settings, workspace
from ai_tools.errors import MissingStep
from ai_tools.steps import students

TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Tool:
    """`alone` is installed without its dependencies; `needs` are those that its loader has."""

    alone: tuple[str, ...]
    needs: tuple[str, ...]
    files: tuple[str, ...] = ("cut", "sharegpt")


TOOLS = {
    "instructlab-training": Tool(
        ("instructlab-training==0.16.2", "training-hub==0.11.2"),
        ("transformers>=4.57.6", "datasets>=4", "accelerate", "peft", "trl", "numba", "regex", "rich", "aiofiles"),
        ("cut",),
    ),
    "trl": Tool(("trl==1.16.0",), ("transformers", "datasets", "accelerate", "rich")),
    "axolotl": Tool(
        ("axolotl==0.19.0",),
        (
            *("transformers==5.16.1", "datasets==4.8.4", "accelerate==1.13.0", "peft==0.20.0", "trl==1.9.0"),
            *("pydantic==2.12.5", "addict", "fire", "colorama", "python-dotenv", "posthog", "numba"),
        ),
    ),
    "llamafactory": Tool(
        ("llamafactory==0.9.5",),
        (
            *("transformers<=5.6.0", "datasets<=4.0.0", "accelerate<=1.11.0", "peft<=0.18.1", "trl<=0.24.0"),
            *("omegaconf", "einops", "pandas"),
        ),
    ),
}


def installed(name: str, tool: Tool, folder: Path) -> Path:
    """The Python of a new environment with a tool in it."""
    venv.create(folder / name, with_pip=True)
    python = folder / name / "bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, TORCH, *tool.needs], check=True)
    subprocess.run([*pip, "--no-deps", *tool.alone], check=True)
    return python


def plain(text: str) -> str:
    return " ".join(text.split())


def tried(name: str, python: Path, path: Path, model: Path, folder: Path) -> str:
    """How a tool's loader takes a file, in a few words."""
    answers = [plain(json.loads(line)["messages"][-1]["content"]) for line in (model.parent / "cut.jsonl").open()]
    made = folder / f"{name}-{path.stem}"
    made.mkdir()
    command = [python, Path(__file__).with_name("loaders.py"), name, path, model, made]
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=offline, check=False)
    if done.returncode:
        return f"fails: {done.stderr.strip().splitlines()[-1]}"
    graded = [plain(text) for text in json.loads(done.stdout.splitlines()[-1])]
    strange = {*graded} - {*answers}
    return f"fails: loss on {min(strange)!r}" if strange else f"{len(graded):,} of {len(answers):,} rows"


def main() -> None:
    settings = load_settings()
    cut = workspace.training_cut(settings)
    if not cut or not cut.is_file():
        raise MissingStep("no cut to load; run ai-tools run --to 04 first")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {cut.name}\n\n| tool | versions | cut | sharegpt |\n|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = students.save(students.build_tiny(0), folder / "model")
        files = {"cut": folder / "cut.jsonl", "sharegpt": folder / "sharegpt.jsonl"}
        files["cut"].write_bytes(cut.read_bytes())
        export(files["cut"], files["sharegpt"], settings.with_(output_dir=str(folder)), fmt="sharegpt")
        for tool, about in TOOLS.items():
            python = installed(tool, about, folder)
            shown = [tried(tool, python, files[kind], model, folder) if kind in about.files else "" for kind in files]
            failed |= any(one.startswith("fails") for one in shown)
            listed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
            names = (*(one.split("==")[0] for one in about.alone), "datasets", "transformers")
            versions = ", ".join(line.replace("==", " ") for line in listed.split() if line.split("==")[0] in names)
            print(f"| {tool} | {versions} | " + " | ".join(shown) + " |", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
