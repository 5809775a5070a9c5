"""The class by which a generator over chunk files is used in Python."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..aliases import SETTING_OF
from ..settings import load_settings
from .generate import generate_qa
from .running import Run


class QAGenerator:
    """Pairs of a folder of chunk files, in a folder of `*_qa.json`: `generate_qa` under that tool's names.

    Args:
        options: provider, model, api_key, temperature, max_tokens and others as the command `generate` has them, or
            settings by their names; what is not given, or None, is as the environment says.

    Raises:
        SettingsError: an option that is not known, or a value that cannot be.
    """

    def __init__(
        self, chunks_dir: str | Path, qa_dir: str | Path, questions_per_chunk: int | None = None, **options: Any
    ):
        self.chunks_dir, self.qa_dir = chunks_dir, qa_dir
        given = options | {"questions_per_chunk": questions_per_chunk}
        stated = {SETTING_OF.get(name, name): value for name, value in given.items() if value is not None}
        self.settings = load_settings(**stated).alone()

    def generate_qa_for_all_documents(self, resume: bool = True) -> dict[str, Any]:
        """The summary of `generate_qa` as JSON values, and `total_qa_pairs`; `resume=False` makes all anew.

        Raises:
            As `generate_qa`.
        """
        made = generate_qa(self.chunks_dir, self.qa_dir, self.settings, run=Run(fresh=not resume))
        plain: dict[str, Any] = json.loads(json.dumps(asdict(made), default=str))
        return plain | {"total_qa_pairs": made.pairs}
