"""The encoding of bytes that do not name it.

Short Western texts are told by where their signs stand: a degree, a quotation mark or a currency that fits its place
in windows-1252 is too little for statistics. All others are told by chardetng, the detector of Firefox.
"""

from __future__ import annotations

import re

SAMPLE = 50_000  # bytes of lines that are not ASCII
# Encodings that Python calls otherwise, those that hold more signs, and rare ones that short Western texts pass for.
PYTHON = {"Shift_JIS": "cp932", "EUC-KR": "cp949", "GBK": "gb18030", "Big5": "big5hkscs", "windows-874": "cp874"} | {
    "ISO-8859-8-I": "iso8859-8",
    "ISO-8859-4": "cp1252",
}
# Letters that are the same in the encodings of Central Europe, and in the Turkish one.
SHARED = "äöüßéáíóúôÄÖÜÉÁÍÓÚ"
LETTERS = "À-ÖØ-öø-ÿŒœŠšŽžŸ"
SIGNS = "|".join(
    (
        r"°(?![^\W\d_])|°(?=[CFK]\b)",
        r"(?<=[^\W_])[²³¹](?![^\W\d_])",
        r"µ(?=[A-Za-z]{1,2}\b)",
        r"[€£¥¢](?=\s?\d)|(?<=[\d\s])[€£¥¢]",
        r"(?<![^\W_])[“„\u2018\u201a«¿¡](?=\S)|(?<=[^\s])[”\u2019»](?!\w)|(?<=[A-Za-z])\u2019(?=\w)|«(?=\s)|(?<=\s)»",
        r"[\u2013—](?!\w)|(?<=[\w.,])[\u2013—](?=\w)|(?<=[A-Za-z\s.,;:!?])…(?!\w)",
        r"(?<!\w)[§±\xd7÷·•©®½¼¾†‰](?!\w)|(?<=\d)[±\xd7½¼¾‰](?!\w)|(?<!\w)[§±½¼¾©](?=\d)|(?<=\w)[®™ªº](?!\w)",
        "\xa0",
    )
)
BESIDE_ASCII = r"(?<=[A-Za-z])[{0}]+|[{0}]+(?=[A-Za-z])"
SURE = re.compile(f"{SIGNS}|{BESIDE_ASCII.format(SHARED)}")
LIKELY = re.compile(f"{SIGNS}|{BESIDE_ASCII.format(LETTERS)}")


def guess(data: bytes) -> str:
    """The likeliest encoding of a text, as Python calls it."""
    sample = _sample(data)
    if _is_western(sample, data[:1_000_000]):
        return "cp1252"
    import chardetng_py

    found = str(chardetng_py.detect(sample, allow_utf8=False))
    return PYTHON.get(found, found)


def _sample(data: bytes) -> bytes:
    """The first lines that are not ASCII: the others tell nothing."""
    found, size = list[bytes](), 0
    for line in data.splitlines():
        if not line.isascii():
            found.append(line)
            size += len(line)
            if size > SAMPLE:
                break
    return b"\n".join(found)[:SAMPLE]


def _is_western(sample: bytes, data: bytes) -> bool:
    """Whether few letters are not ASCII, and all of them, and all signs, stand where they do in Western texts.

    Args:
        data: the text, or its beginning; one letter in a hundred is none of a language that has more.
    """
    text = sample.decode("cp1252", "replace")
    few = len(re.findall(rb"[\x80-\xff]", sample)) <= max(3, len(re.findall(rb"[A-Za-z]", sample)) // 3)
    rare = 100 * len(re.findall(rb"[\x80-\xff]", data)) <= len(re.findall(rb"[A-Za-z]", data))
    return few and (SURE.sub("", text).isascii() or (rare and LIKELY.sub("", text).isascii()))
