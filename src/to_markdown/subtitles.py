"""Subtitles (SRT, WebVTT) -> Markdown: what is said in paragraphs, below headings that say from when on.

A heading each two minutes is enough to find a passage again, and cuts no sentence.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from .markdown import paragraph
from .raw_file import Conversion, RawFile, decode

TIME = r"(?:(\d+):)?(\d{1,2}):(\d\d)[.,](\d{1,3})"
CUE = re.compile(rf"^[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}[^\n]*\n?", re.MULTILINE)
VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]+)>")
READING = re.compile(r"<rt>[^<]*(?:</rt>|(?=</ruby>))")
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")  # tags, karaoke times, placement
ENDED = regex.compile(r"[\p{Sentence_Terminal}\u2026][\p{Close_Punctuation}\p{Final_Punctuation}\"'\u266a ]*$")
SECTION = 120.0  # seconds, and more until a paragraph ends
PAUSE = 2.0  # seconds without words, after which a new paragraph begins if a sentence has ended
SILENCE = 10.0  # the same where none has, as where captions have no full stops
PARAGRAPH = 600  # characters, after which the next sentence begins a new one; twice that where none ends
TOUCHING = 0.05  # seconds between captions that follow at once


@dataclass(slots=True)
class _Cue:
    """What is shown together: lines with who speaks them, or nobody."""

    start: float
    end: float
    lines: list[tuple[str, str]]


@dataclass(slots=True)
class _Spoken:
    start: float
    speaker: str
    text: str = ""
    end: float = field(default=0.0)

    def ends_before(self, cue: _Cue, speaker: str, line: str) -> bool:
        ended = bool(ENDED.search(self.text))
        return (
            speaker != self.speaker
            or line.startswith(("- ", "\u2013 ", "\u2014 "))  # how another speaker's words are marked
            or cue.start - self.end >= (PAUSE if ended else SILENCE)
            or (ended and len(self.text) > PARAGRAPH)
            or len(self.text) > 2 * PARAGRAPH
        )


def from_subtitles(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    title = re.match(r"WEBVTT[ \t]+(?:-[ \t]*)?(\S[^\n]*)", text)
    blocks: list[str] = []
    section = -SECTION
    for one in _paragraphs(_without_repeats(_cues(text))):
        if one.start >= section + SECTION:
            section = one.start
            blocks.append(f"## {_clock(section)}")
        said = paragraph(one.text)
        blocks += [f"**{one.speaker}:** {said[0]}"] if one.speaker and said else said
    return Conversion(title[1].strip() if title else "", "\n\n".join(blocks), warnings)


def _cues(text: str) -> Iterator[_Cue]:
    is_vtt = text.startswith("WEBVTT")
    times = list(CUE.finditer(text))
    for at, time in enumerate(times):
        body = text[time.end() : times[at + 1].start() if at + 1 < len(times) else len(text)]
        if is_vtt:  # an empty line ends it; then come notes, styles, or the next one's name
            body = re.split(r"(?:\A|\n)\n", body, maxsplit=1)[0]
        elif at + 1 < len(times):
            body = re.sub(r"(?:\A|\n)[ \t]*\d+[ \t]*\n\Z", "", body)
        numbers = [int(part or 0) for part in time.groups()]
        start, end = (h * 3600 + m * 60 + s + ms / 1000 for h, m, s, ms in (numbers[:4], numbers[4:]))
        yield _Cue(start, end, list(_lines(body)))


def _lines(body: str) -> Iterator[tuple[str, str]]:
    parts = VOICE.split(READING.sub("", body))
    for speaker, words in zip(["", *parts[1::2]], parts[::2], strict=True):
        for line in html.unescape(MARKUP.sub("", words)).split("\n"):
            if line := " ".join(line.split()):
                yield " ".join(html.unescape(speaker).split()), line


def _without_repeats(cues: Iterator[_Cue]) -> Iterator[_Cue]:
    """Captions that roll or grow show lines again: what stands there already is not said once more."""
    shown: list[str] = []  # the words of the lines before, by line
    end = -1.0
    for cue in cues:
        words = " ".join(line for _, line in cue.lines).split()
        again = 0
        if cue.start <= end + TOUCHING:
            tails = (" ".join(shown[at:]).split() for at in range(len(shown)))
            again = next((len(tail) for tail in tails if words[: len(tail)] == tail), 0)
        shown, end = [line for _, line in cue.lines] or shown, max(end, cue.end)
        rest: list[tuple[str, str]] = []
        for speaker, line in cue.lines:
            left = line.split()[again:]
            again = max(0, again - len(line.split()))
            if left:
                rest.append((speaker, " ".join(left)))
        yield _Cue(cue.start, cue.end, rest)


def _paragraphs(cues: Iterator[_Cue]) -> Iterator[_Spoken]:
    now: _Spoken | None = None
    for cue in cues:
        for speaker, line in cue.lines:
            if now is None or now.ends_before(cue, speaker, line):
                if now:
                    yield now
                now = _Spoken(cue.start, speaker)
            now.text = _joined(now.text, line)
            now.end = cue.end
    if now:
        yield now


def _joined(text: str, line: str) -> str:
    """Two lines in one: with a space, but between the letters of scripts that have none."""
    return text + line if text and _is_unspaced(text[-1]) and _is_unspaced(line[0]) else f"{text} {line}".strip()


def _is_unspaced(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF" and not "\uac00" <= sign <= "\ud7af"  # Hangul has spaces


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
