"""The encoding of bytes that do not name it.

Short Western texts are told by where their signs stand: a degree, a quotation mark or a currency that fits its place
in windows-1252 is too little for statistics. All others are told by chardet, whose first choice with no word of two
scripts is taken.
"""

from __future__ import annotations

import re

import regex

SAMPLE = 50_000  # bytes of lines that are not ASCII
ENOUGH = 300  # bytes that are not ASCII, from which on statistics tell rare encodings, too
# Those that texts of these days, and of the last decades, are in.
KNOWN = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp866", "cp874", "koi8-r"),
    *("iso8859-2", "shift_jis", "euc-jp", "gb18030", "big5", "cp949"),
]
SUPERSETS = {"shift_jis_2004": "cp932", "shift_jis": "cp932", "iso8859-1": "cp1252"}
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
LATIN = {"cp1250", "cp1254", "cp1257", "iso8859-2"}
ALMOST = 0.9  # of another Latin encoding's confidence: then the most usual one is taken
OTHER = r"[\p{Cyrillic}\p{Greek}\p{Hebrew}\p{Arabic}\p{Thai}]"
# What no text has: words of two scripts, a letter of another one alone, signs inside words, lines of boxes.
MIXED = regex.compile(
    rf"\p{{Latin}}{OTHER}|{OTHER}\p{{Latin}}|[a-z][\p{{Han}}\p{{Hangul}}\p{{Katakana}}][a-z]"
    rf"|(?<=[A-Za-z][ '\-]){OTHER}[ \-](?=[A-Za-z])|^{OTHER} (?=[A-Za-z])"
    r"|\p{L}[»«¿¡¶¤¦§¬]\p{Ll}|[\u2500-\u259f]"
)


def guess(data: bytes) -> str:
    """The likeliest encoding of a text, as Python calls it; nothing where it is none."""
    sample = _sample(data)
    if _is_western(sample, data[:1_000_000]):
        return "cp1252"
    import chardet

    known = KNOWN if len(re.findall(rb"[\x80-\xff]", sample)) < ENOUGH else None
    found = chardet.detect_all(sample, include_encodings=known, compat_names=False, ignore_threshold=True)
    ranked = {str(one["encoding"]): float(one["confidence"]) for one in found if one["encoding"]}
    if not ranked:
        return ""
    best = next((name for name in ranked if _is_plausible(sample.decode(name, "replace"))), next(iter(ranked)))
    western = ranked.get("cp1252", 0.0) >= ALMOST * ranked[best]
    if best in LATIN and western and LIKELY.sub("", sample.decode("cp1252", "replace")).isascii():
        best = "cp1252"
    return SUPERSETS.get(best, best)


def _is_plausible(text: str) -> bool:
    """Whether next to no letters stand where they never do; long texts may have a few that do."""
    return len(MIXED.findall(text)) * 20 <= len(re.findall(r"[^\0-\x7f]", text))


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
