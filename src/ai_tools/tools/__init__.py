"""The single tools: what the notebooks do step by step, each as one function that returns a summary.

All of them read, plan, ask and write the same way:

    running     what may be chosen, the plan before the work, the asking
    reading     where passages come from          pairs      the files that pairs come from
    outputs     what is written, and over what    rework     asking about pairs that are there

What takes more than one file: `generate` (with targets, qa_folder), `compare` (with figures, preferences, scores,
report).
`qa_generator` is `generate` for code that was written for another tool.
"""

from .chunk import ChunkSummary, chunk_documents
from .compare import CompareSummary, compare
from .enrich import EnrichSummary, enrich
from .export import CombineSummary, ExportSummary, combine, export
from .generate import GenerateSummary, generate_cot, generate_qa
from .pipeline import PipelineSummary, pipeline
from .qa_generator import QAGenerator
from .rate import CurateSummary, ValidateSummary, curate, validate
from .reasoning import EnhanceCotSummary, enhance_cot
from .running import Plan, Run, ToolSummary

__all__ = [
    "ChunkSummary",
    "CombineSummary",
    "CompareSummary",
    "CurateSummary",
    "EnhanceCotSummary",
    "EnrichSummary",
    "ExportSummary",
    "GenerateSummary",
    "PipelineSummary",
    "Plan",
    "QAGenerator",
    "Run",
    "ToolSummary",
    "ValidateSummary",
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
