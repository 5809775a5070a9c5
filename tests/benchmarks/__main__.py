"""`make bench`: what the series costs and teaches. `python -m tests.benchmarks learning` runs that part alone.

Machines are shared and noisy: read ratios, medians and CPU time, no single wall time. Nothing here passes or fails.
"""

import sys

from . import chunking, documents, folders, learning, questions, speed, teachers, tools

BENCHMARKS = {
    "speed": speed.main,
    "documents": documents.main,
    "chunking": chunking.main,
    "folders": folders.main,
    "teachers": teachers.main,
    "tools": tools.main,
    "questions": questions.main,
    "learning": learning.main,
}

for name in sys.argv[1:] or BENCHMARKS:
    if name not in BENCHMARKS:
        sys.exit(f"{name}: no such benchmark; there are {', '.join(BENCHMARKS)}")
    print(f"== {name}", flush=True)
    BENCHMARKS[name]()
