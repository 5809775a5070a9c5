"""What looking through text costs, and how well the labelled lines are told apart, beside other tools where they are.

detect-secrets, presidio-analyzer and scrubadub are no dependency: those that are installed are asked. Of presidio the
recognisers of English that need no language model; what is no secret and no personal data here (dates, addresses of
the web, of machines) does not count. A line counts as found whatever kind it is taken for.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from ai_tools.documents import sensitive

from ..sensitive_lines import Line, labelled
from .documents import blocks

BESIDES = {"DATE_TIME", "URL", "IP_ADDRESS", "MAC_ADDRESS", "PERSON", "LOCATION", "NRP", "url", "twitter"}


def ours() -> Callable[[str], bool]:
    return lambda text: bool(sensitive.finds(text))


def detect_secrets() -> Callable[[str], bool]:
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def found(text: str) -> bool:
        with default_settings():
            return any(True for _ in scan_line(text))

    return found


def presidio() -> Callable[[str], bool]:
    from presidio_analyzer import RecognizerRegistry

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    wanted = [(one, [name for name in one.supported_entities if name not in BESIDES]) for one in registry.recognizers]
    return lambda text: any(
        found.score >= 0.5 for one, names in wanted if names for found in one.analyze(text, names, None) or ()
    )


def scrubadub() -> Callable[[str], bool]:
    import scrubadub as package

    scrubber = package.Scrubber()
    return lambda text: any(one.type not in BESIDES for one in scrubber.iter_filth(text))


TOOLS = {"ours": ours, "detect_secrets": detect_secrets, "presidio_analyzer": presidio, "scrubadub": scrubadub}


def told_apart(found: Callable[[str], bool], lines: list[Line]) -> str:
    right = sum(found(line.text) for line in lines if line.kind)
    wrong = sum(found(line.text) for line in lines if not line.kind)
    held = sum(bool(line.kind) for line in lines)
    return f"{right:>6} of {held} {wrong:>9} of {len(lines) - held} {right / max(1, right + wrong):>10.2f}"


def texts(megabytes: float) -> Iterator[tuple[str, str]]:
    """Plain prose; the same with an address or a number in every hundredth line; programs."""
    prose = "\n\n".join(blocks())
    held = [line.text for line in labelled() if line.kind]
    lines = prose.splitlines()
    mixed = "\n".join(f"{line}\n{held[at % len(held)]}" if at % 100 == 0 else line for at, line in enumerate(lines * 9))
    code = "\n".join(path.read_text("utf-8") for path in sorted(Path(sensitive.__file__).parents[1].rglob("*.py")))
    for name, text in (("prose", prose), ("prose with finds", mixed), ("programs", code)):
        yield name, (text * (1 + int(megabytes * 1e6 / len(text))))[: int(megabytes * 1e6)]


def main(small: bool = False) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for name, text in texts(0.02 if small else 5):
        before = time.process_time()
        count = len(sensitive.finds(text))
        rate = len(text.encode()) / 1e6 / (time.process_time() - before)
        print(f"{name:18} {rate:>6.1f} MB/s of CPU {count:>7,} finds", flush=True)
    lines = labelled()[:: 10 if small else 1]
    print(f"{'tool':18} {'found':>13} {'look-alikes':>16} {'precision':>10}")
    for name, make in TOOLS.items():
        if name == "ours" or find_spec(name):
            print(f"{name:18} {told_apart(make(), lines)}", flush=True)
