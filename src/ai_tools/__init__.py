"""Knowledge tuning: documents in, a small language model that knows them out. Heavy parts load on first use."""

from importlib import import_module
from typing import Any

_HOMES = {
    "settings": ["Settings", "load_settings"],
    "files": ["read_rows"],
    "packaged": ["get_student"],
    "workspace": ["Step", "read_manifest"],
    "documents": ["convert"],
    "documents.chunking": ["chunk_document"],
    "teachers": ["connect", "make_asker"],
    "teachers.journal": ["Journal"],
    "steps.evaluation": ["load_exam", "answer_all", "grade"],
    "steps.generation": ["generate", "load_recipe"],
    "steps.mixing": ["decontaminate", "mix"],
    "steps.training": ["train", "pretrain_tiny"],
    "tools": [
        "QAGenerator",
        "Run",
        "chunk_documents",
        "combine",
        "compare",
        "curate",
        "enhance_cot",
        "enrich",
        "export",
        "generate_cot",
        "generate_qa",
        "pipeline",
        "validate",
    ],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
