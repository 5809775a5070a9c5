"""What this machine has, what it lacks, and how long the series takes on it."""

from __future__ import annotations

import os
import platform
import shutil
import time
import warnings
from importlib import util
from pathlib import Path
from typing import Any

from . import packaged, teachers, workspace
from .errors import AIToolsError, SettingsError
from .settings import Settings
from .teachers import providers

EXTRAS = {
    "notebooks": ("jupyterlab", "papermill", "ipywidgets", "pandas", "matplotlib"),
    "train": ("torch", "transformers", "datasets", "trl", "peft", "accelerate", "gguf"),
    "documents": ("lxml", "trafilatura", "chardetng_py", "pypandoc", "pypdfium2"),
    "docling": ("docling",),
    "lancedb": ("lancedb",),
    "4bit": ("bitsandbytes",),
}
# Seconds of each step on two cores with AVX2 alone: sample documents, offline teacher, tiny student.
REFERENCE_SECONDS = {0: 3, 1: 33, 2: 4, 3: 8, 4: 6, 5: 80, 6: 7}


def describe(settings: Settings) -> dict[str, Any]:
    """The content of environment.json. Nothing is downloaded, no teacher is paid. SettingsError: no such provider."""
    extras = {name: [part for part in parts if not util.find_spec(part)] for name, parts in EXTRAS.items()}
    disk = shutil.disk_usage(next(one for one in (settings.output, *settings.output.parents) if one.exists()))
    return {
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "versions": {name: workspace.version_of(name) for parts in EXTRAS.values() for name in parts},
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "disk_free_gib": round(disk.free / 2**30, 1),
        "gpu": None if extras["train"] else _gpu(),
        "missing": {name: missing for name, missing in extras.items() if missing},
        "teacher": _teacher(settings),
        "student": _student(settings.student_model_name, settings.resolve(settings.student_model_name)),
        "seconds_by_step": {f"{step.number:02d}": _seconds(settings.output, step.number) for step in workspace.STEPS},
    }


def _teacher(settings: Settings) -> dict[str, Any]:
    providers.find(settings.provider)  # one that is none is no state of this machine
    try:
        teacher = teachers.connect(settings)
        (found,) = teachers.check(settings, [settings.provider])
    except AIToolsError as error:
        return {"provider": settings.provider, "ready": False, "why": str(error)}
    cost = providers.price(teacher.provider, teacher.model, settings.teacher_price)
    return {
        "provider": teacher.provider,
        "model": teacher.model,
        "ready": not found.fault,
        "reachable": found.reachable if found.fault in ("", found.reachable) else f"yes, but {found.fault}",
        "text goes to": teacher.base_url or "nobody, nothing leaves this machine",
        "cost": "none" if not teacher.base_url else _price(cost),
    }


def _price(cost: providers.Price | None) -> str:
    if cost is None:
        return "unknown; TEACHER_PRICE sets it"
    return f"${cost.tokens_in:g} in, ${cost.tokens_out:g} out for a million tokens ({cost.source})"


def _student(name: str, folder: Path) -> dict[str, Any]:
    if name == "tiny":
        return {"name": name, "where": "built here in step 01"}
    if name in packaged.STUDENTS and not folder.is_dir():
        path = packaged.STUDENTS[name].path
        return {"name": name, "where": str(path) if path.is_file() else f"not here yet. Fix: ai-tools get {name}"}
    return {"name": name, "where": str(folder) if folder.is_dir() else "fetched from Hugging Face when first used"}


def _seconds(output: Path, number: int) -> dict[str, Any]:
    if manifest := workspace.read_manifest(output, number):
        return {"seconds": manifest["seconds"], "from": "the last run here"}
    return {"seconds": REFERENCE_SECONDS[number], "from": "the sample on two cores"}


def device(wanted: str = "auto") -> str:
    """Where students are: `auto` is cuda where there is one, else cpu; mps is taken by name alone.

    Raises:
        SettingsError: it is not there.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[wanted]:
        raise SettingsError(f"torch {torch.__version__} sees none here; leave it auto", setting="device", value=wanted)
    if wanted == "mps":
        warnings.warn("DEVICE=mps is untried; where it fails or answers nonsense, set DEVICE=cpu", stacklevel=2)
    return wanted


def multiplies_in_bfloat16(place: str = "cpu") -> bool:
    """Whether there are instructions for it, with which a CPU multiplies matrices two to three times as fast."""
    import torch

    if place != "cpu":
        return place == "cuda" and torch.cuda.is_bf16_supported()
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of torch do not tell
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def free_memory(place: str = "cpu", control: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that a new program may take: of the GPU, else of the machine, or less where a container is allowed less."""
    import psutil

    if place == "cuda":
        import torch

        return float(torch.cuda.mem_get_info()[0])
    free = float(psutil.virtual_memory().available)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),  # before version 2 of control groups
    ):
        try:
            free = min(free, int((control / limit).read_text()) - int((control / used).read_text()))
        except (OSError, ValueError):  # there is none, or it says `max`
            continue
    return max(0.0, free)


def operations_a_second(place: str = "cpu", *, halves: bool = False) -> float:
    """Floating-point operations of large products of matrices, the best of some; takes a fifth of a second."""
    import torch

    size = 8192 if place == "cuda" else 768
    matrix = torch.ones(size, size, device=place, dtype=torch.bfloat16 if halves else torch.float32)
    best, until = float("inf"), time.perf_counter() + 0.2
    while time.perf_counter() < until:
        started = time.perf_counter()
        matrix = (matrix @ matrix).clamp_(0, 1)
        if place == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
