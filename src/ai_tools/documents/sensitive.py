"""Secrets and personal data in a text, and orders to a model that reads it: found by form, and masked by kind.

What has the form is found, examples of manuals too (user@example.com, test cards): nothing in a text says for sure
that it is one. Only a password that says itself that it is none (`<your password>`, `changeme`) is passed over.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

from ..records import Find
from . import injection, numbers

INJECTION = frozenset({"INSTRUCTIONS", "CHAT_MARKS", "UNSEEN_CHARACTERS"})
_LONG = re.compile(r"[A-Za-z0-9_./-]{20,}+")  # no key is shorter
_TELEGRAM = re.compile(r":(?<=[0-9]{8}:)AA[\w-]{33}(?!\w)")
_AZURE = re.compile(r"(?:AccountKey|SharedAccessKey|sig)=([A-Za-z0-9+/%]{40,}={0,2})")
_PRIVATE = re.compile(
    r"-----BEGIN (?P<what>[A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?)-----(?:\s|\\n)(?:[^-]|-(?!----)){40,20000}?"
    r"(?:-----END (?P=what)-----|\Z|(?=\n\s*\n\s*[^\s\w]))"
)
_LOGIN = re.compile(r"://(?P<user>[^\s:/@\"'<>|\]]{0,64}):(?P<value>[^\s/@\"'<>|]{3,128})@(?=[\w.\[-])")
_SAID = re.compile(r"s?(?:[_ -]?(?:access|key|id|value)){0,3}[\"'`*_\])\\]{0,4}\s{0,3}(?::=|[:=\uff1a]>?)", re.I)
_VALUE = re.compile(
    r"[*_]{0,2}[ \t]{0,3}(?:(?P<quote>[\"'`])(?P<quoted>[^\s\"'`]{4,200})(?P=quote)|(?P<plain>[^\s\"'`<>|]{4,200}))"
)
_BAR = re.compile(r"(?<!\\)\|")
_TABLE = re.compile(r"^\|(?P<head>.+)\n\|(?=[-| :]*---)[-| :]*+(?:\n\|.*)+", re.MULTILINE)
_PLACEHOLDER = re.compile(  # what stands for a password, or is a name in a program
    r"[*x.\u2026\u2022_-]+|[$%{<\[(&\\/].*|.*(?:\$\{|\{\{|\}\}|%\(|\(\)|\w\(|\w\[).*|[a-z]+(?:\.[a-z_]+)+"
    r"|(?:change|replace)[_-]?(?:me|it|this)?|(?:not|no|your|my|the|dein|ihr|votre|ton|tu|su)[_-].*"
    r"|[a-z_-]*(?:placeholder|redacted|example|password|passwort|passwd|secret|token|key|credential)[a-z_-]*"
    r"|pass|pwd|kennwort|contrase[ñn]a|none|null|nil|true|false|undefined|required|optional|string|empty|default",
    re.IGNORECASE,
)
_LETTER = r"[^\W\u3000-\u9fff\uac00-\ud7af]"  # of scripts that put spaces around an address
_DOMAIN = re.compile(
    rf"@(?=\w)((?:(?:{_LETTER}|-){{1,63}}\.){{1,8}}(?:[A-Za-z]{{2,24}}|xn--[\w-]{{2,59}}|[^\W\d_A-Za-z]{{2,24}}))"
    r"(?![A-Za-z0-9_@-]|\.\w)"
)
_LOCAL = re.compile(rf"(?<![A-Za-z0-9_.+-]){_LETTER}(?:{_LETTER}|[.+'%&=-]){{0,63}}\Z")


def finds(text: str, *, sensitive: bool = True) -> list[Find]:
    """What is in a text, in its order; orders to a model alone if not `sensitive`.

    Of secrets no two share characters, nor do of orders; an order may stand around a secret, or the other way round.
    Kinds are API_KEY, PRIVATE_KEY, PASSWORD, IBAN, CARD, NATIONAL_ID, EMAIL, PHONE and those of INJECTION.
    """
    readers = (_keys, _logins, _assigned, _tabled, _mails, numbers.in_text) if sensitive else ()
    secrets = _apart(chain.from_iterable(reader(text) for reader in readers))
    return sorted([*secrets, *_apart(injection.in_text(text))])


def masked(text: str, found: Sequence[Find]) -> tuple[str, list[Find]]:
    """The text with each find that is no order replaced by its kind in brackets, and all finds as they stand there."""
    secrets = [one for one in found if one.kind not in INJECTION]
    parts, marks, at, length = list[str](), list[Find](), 0, 0
    for one in secrets:
        mark = f"[{one.kind}]"
        start = length + one.start - at
        parts += [text[at : one.start], mark]
        at, length = one.end, start + len(mark)
        marks.append(Find(start, length, one.kind))
    orders = []
    for one in found:
        if one.kind in INJECTION:
            start, end = moved(one.start, secrets, marks), moved(one.end, secrets, marks)
            orders.append(Find(start, max(start + 1, end), one.kind))
    return "".join([*parts, text[at:]]), sorted([*marks, *orders])


def is_mark(text: str, find: Find) -> bool:
    """Whether a find is a mark in place of what was found."""
    return text[find.start : find.end] == f"[{find.kind}]"


def moved(place: int, before: Sequence[Find], after: Sequence[Find]) -> int:
    """Where a place of a text is once it is masked; inside of what is masked, where that begins."""
    at = bisect_right(before, (place, len(before) and before[-1].end + 1, "")) - 1
    if at < 0:
        return place
    return after[at].start if place < before[at].end else place - before[at].end + after[at].end


def _apart(found: Iterable[Find]) -> list[Find]:
    """Of finds that share characters the first of each chain, lengthened over the others: none of them may show."""
    kept: list[Find] = []
    for one in sorted(found, key=lambda find: (find.start, -find.end)):
        if kept and one.start < kept[-1].end:
            last = kept[-1]
            kept[-1] = Find(last.start, max(last.end, one.end), last.kind)
        else:
            kept.append(one)
    return kept


@cache
def _key() -> re.Pattern[str]:
    return re.compile("|".join(numbers.data()["keys"].values()))


def _keys(text: str) -> Iterator[Find]:
    for token in _LONG.finditer(text):
        for match in _key().finditer(token[0]):
            if not match.start() or not token[0][match.start() - 1].isalnum():
                yield Find(token.start() + match.start(), token.start() + match.end(), "API_KEY")
    for match in _TELEGRAM.finditer(text):
        yield Find(match.start() - 8, match.end(), "API_KEY")
    for match in _AZURE.finditer(text):
        yield Find(match.start(1), match.end(1), "API_KEY")
    for match in _PRIVATE.finditer(text):
        yield Find(match.start(), match.end(), "PRIVATE_KEY")


def _logins(text: str) -> Iterator[Find]:
    for match in _LOGIN.finditer(text):
        if not _PLACEHOLDER.fullmatch(match["value"]):
            yield Find(match.start("user"), match.end("value"), "PASSWORD")


def _assigned(text: str) -> Iterator[Find]:
    for name, at in injection.places(injection.lowered(text), numbers.data()["names"]):
        if text[at - 1 : at + len(name) + 1] == f"[{name.upper()}]":  # a mark
            continue
        if (end := _SAID.match(text, at + len(name))) and (said := _VALUE.match(text, end.end())):
            value = said["quoted"] or re.sub(r"[,;:.)\]}&*_]+\Z|&\w+=.*\Z", "", said["plain"])
            start = said.start("quoted" if said["quoted"] else "plain")
            if _is_password(value, is_literal=bool(said["quoted"]) or start == at + len(name) + 1):
                yield Find(start, start + len(value), "PASSWORD")


def _tabled(text: str) -> Iterator[Find]:
    """Passwords in a table: below a head that names them, or right of their name."""
    for table in _TABLE.finditer(text):
        named = {column for column, cell in enumerate(_BAR.split(table["head"])) if _is_name(cell)}
        for row in re.finditer(r"\|.*", table[0]):
            before, at = "", table.start() + row.start() + 1
            for column, cell in enumerate(_BAR.split(row[0][1:])):
                value = cell.strip(" \t`*_")
                if (column in named or _is_name(before)) and not re.search(r"\s", value) and _is_password(value):
                    start = at + cell.index(value)
                    yield Find(start, start + len(value), "PASSWORD")
                before, at = cell, at + len(cell) + 1


def _is_name(cell: str) -> bool:
    """Whether a cell says that beside or below it is a password, not what one is like (`Password length`)."""
    said = injection.lowered(re.sub(r"\([^()]*\)", "", cell)).strip(" \t`*_:\uff1a")
    return any(at + len(name) == len(said) for name, at in injection.places(said, numbers.data()["names"]))


def _is_password(value: str, *, is_literal: bool = False) -> bool:
    """A word is one where it is in quotes or follows `=` at once; elsewhere, where it is no ordinary word."""
    is_mixed = re.search(r"[0-9]", value) and re.search(r"[^\W\d_]", value)
    least = 4 if is_literal else 6
    return len(value) >= least and not _PLACEHOLDER.fullmatch(value) and bool(is_literal or is_mixed)


def _mails(text: str) -> Iterator[Find]:
    for match in _DOMAIN.finditer(text):
        if local := _LOCAL.search(text, max(0, match.start() - 65), match.start()):
            is_remote = local[0] == "git" and text[match.end() : match.end() + 1] == ":"
            if not is_remote and match[1].rpartition(".")[2].lower() not in numbers.data()["no_domains"]:
                yield Find(local.start(), match.end(), "EMAIL")
