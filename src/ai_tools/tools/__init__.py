"""The single tools: what the notebooks do step by step, each as one function that returns a summary.

All of them read, plan, ask and write the same way:

    running     what may be chosen, the plan before the work, the asking
    reading     where passages come from          pairs      the files that pairs come from
    outputs     what is written, and over what    rework     asking about pairs that are there

What takes more than one file: `generate` (with targets, qa_folder), `compare` (with figures, preferences, report).
"""

from .chunk import Chunked, chunk_documents
from .compare import Compared, compare
from .enrich import Enriched, enrich
from .export import Combined, Exported, combine, export
from .generate import Generated, generate_cot, generate_qa
from .pipeline import Piped, pipeline
from .rate import Curated, Validated, curate, validate
from .reasoning import Reasoned, enhance_cot
from .running import Done, Plan, Run

__all__ = [
    "Chunked",
    "Combined",
    "Compared",
    "Curated",
    "Done",
    "Enriched",
    "Exported",
    "Generated",
    "Piped",
    "Plan",
    "Reasoned",
    "Run",
    "Validated",
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
]
