"""`make bench`: what the series costs and teaches. `python -m tests.benchmarks learning` runs that part alone.

Machines are shared and noisy: read ratios, medians and CPU time, no single wall time. Nothing here passes or fails;
`--small` runs the same on next to nothing, which shows that the benchmarks still work, and nothing else.
"""

import argparse
from importlib import import_module

BENCHMARKS = ("speed", "documents", "chunking", "folders", "teachers", "tools", "questions", "sensitive", "learning")
LONG = ("methods",)  # hours: only where it is named

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="What the series costs and teaches."
    )
    told = f"parts to run, without any {', '.join(BENCHMARKS)}; by name alone: {', '.join(LONG)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=told)
    parser.add_argument("--small", action="store_true", help="on next to nothing: do they still run?")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in (*BENCHMARKS, *LONG)]:
        parser.error(f"{', '.join(unknown)}: no such benchmark; there are {', '.join((*BENCHMARKS, *LONG))}")
    for name in options.names or BENCHMARKS:
        print(f"== {name}", flush=True)
        import_module(f".{name}", __package__).main(small=options.small)
