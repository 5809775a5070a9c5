"""The nouns of the project: what one row of each file is, and the one interface of a teacher.

Ids are content hashes, so the same input gives the same ids on every machine and nothing is ever matched by position.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from operator import itemgetter
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self, TypeVar, cast

T = TypeVar("T")
K = TypeVar("K")


def content_id(*parts: object) -> str:
    """Sixteen hex digits that depend on the parts and their order only."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


class Record:
    """What every row shares: it becomes a plain dict for JSON Lines, and comes back from one.

    `in_files` says what a field is called there, where that is another name.
    """

    __slots__ = ()
    in_files: ClassVar[dict[str, str]] = {}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """The record of a row; fields that it does not know are left out, lists become tuples."""
        names = {cls.in_files.get(item.name, item.name): item.name for item in fields(cast(Any, cls))}
        return cls(**{names[name]: tuple(x) if isinstance(x, list) else x for name, x in row.items() if name in names})

    def to_row(self) -> dict[str, Any]:
        row = asdict(cast(Any, self))  # every subclass is a dataclass
        return {self.in_files.get(name, name): value for name, value in row.items()}


class Find(NamedTuple):
    """Something in a text that should perhaps not be sent, or not be read to a model: where, and of which kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Document(Record):
    """One converted source. `name`: its path below the source, `/` as `__`; every file made from it begins so.

    `source`: that path with its suffix, or an address, which was fetched at `fetched_at`. `pages`: where in the text
    each page begins, in characters; empty where the source has no pages. `finds` are what its text holds that should
    perhaps not be sent; where that is masked, the marks.
    """

    id: str
    name: str
    source: str
    title: str
    media_type: str
    sha256: str
    converter: str
    text: str
    warnings: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()
    fetched_at: str = ""
    finds: tuple[Find, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk(Record):
    """A part of a document, as step 02 cuts it: `document.text[start:end] == text`, counted in characters.

    `metadata`, where it applies: `pages` [first, last]; `table_header`, two lines, for a chunk that begins inside a
    table; `fence`, the opening line, for a chunk that begins inside a block of code; `finds`, the kinds of what its
    document holds there, also where the chunk has only a part of it.
    """

    chunk_id: str
    document_id: str
    file: str
    index: int
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    n_tokens: int
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkedExample(Record):
    """What a good pair on one document looks like: a passage of it and up to three (question, answer) pairs."""

    document: str
    pairs: tuple[tuple[str, str], ...]


Home = tuple[str, str]  # the file or table that the passages of a document stand in, and what it is called there


@dataclass(frozen=True, slots=True)
class Passage(Record):
    """What a teacher is asked about: a chunk, whoever cut it, with what is known of its document.

    `file` is the document's name, `origin` the file or table that the passage was read from; `start`, `end` (in
    characters), `index` and `n_tokens` are None where that does not say, as is `given_id`, which is the id that it has
    there: `chunk_id` is another where that one is not unique. `metadata` is as in Chunk.
    """

    chunk_id: str
    document_id: str
    text: str
    title: str = ""
    outline: str = ""
    domain: str = ""
    heading_path: tuple[str, ...] = ()
    example: WorkedExample | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    origin: str = ""
    index: int | None = None
    start: int | None = None
    end: int | None = None
    n_tokens: int | None = None
    given_id: int | str | None = None

    @property
    def section(self) -> str:
        return " > ".join(self.heading_path)

    @property
    def shown(self) -> str:
        """The text as a teacher reads it: what continues a table or code has the table's header or the code's mark."""
        opening = self.metadata.get("table_header") or self.metadata.get("fence")
        return f"{opening}\n{self.text}" if opening else self.text

    @property
    def home(self) -> Home:
        """By which documents are told apart that stand mixed in one table, or have one name in two."""
        return self.origin, self.file


@dataclass(frozen=True, slots=True)
class Call(Record):
    """One planned question to a teacher.

    `messages` is what a language model reads. `fields` are the same contents before rendering; rule-based teachers
    read them instead of the prose around them. `seed` derives from `key`, so a call always gets the same seed.
    `options` are sampling parameters that only one kind of endpoint has. `follows` names what a call makes good, where
    it is the second try at a reply that could not be used: `cut off`, `malformed` or both.
    """

    key: str
    prompt: str
    prompt_version: str
    messages: tuple[dict[str, str], ...]
    fields: dict[str, Any]
    reply: str
    temperature: float
    max_tokens: int
    top_p: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    recipe: str = ""
    chunk_id: str = ""
    draw: int = 0
    follows: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        return int(self.key[:8], 16) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Completion(Record):
    """A teacher's answer to one call, as it came, with the token counts that the teacher reports.

    `model` is the one that the endpoint says has answered; `latency` is seconds of the attempt that succeeded, and
    `created` the time when it did.
    """

    text: str
    model: str
    finish_reason: str = "stop"
    reasoning: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    latency: float = 0.0
    created: str = ""


class CallFault(Exception):
    """One attempt at a call failed. `kind` says what to do about it:

    overload    the endpoint has too much to do (429, 503, 529): ask again, with care
    server      it failed (5xx): ask again
    timeout     it did not answer in time: ask once more
    connection  it was not reached: ask again, and find out whether anybody gets through
    loading     it is there and loads its model: ask again until it has
    reset       it hung up: ask again
    adapted     it does not take a parameter, which is left out from now on: ask again at once
    foreign     something answered that is no teacher: ask again where one has been there before
    refused     it will not take this call (400, 413, …): asking again is of no use

    `fix` is what to look at where every call ends so.
    """

    def __init__(self, kind: str, message: str, retry_after: float | None = None, fix: str = ""):
        super().__init__(message)
        self.kind, self.retry_after, self.fix = kind, retry_after, fix


class Teacher(Protocol):
    """Anything that answers calls: a language model behind an endpoint, or rules.

    `base_url` is where text goes, empty where it stays in this process; `own_host` says that it is the provider's.
    `concurrency` is how many calls at a time it can stand.
    """

    provider: str
    model: str
    base_url: str
    own_host: bool
    concurrency: int

    async def complete(self, call: Call) -> Completion:
        """One attempt. Raises CallFault where it failed, TeacherRefused where every further one would fail."""

    async def close(self) -> None:
        """Give back what was opened; a later call opens it again."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What asking took: calls, those that the journal had aside, tokens, US dollars (None: the price is unknown)."""

    calls: int = 0
    from_journal: int = 0
    tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Usage) -> Usage:
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        calls, from_journal = self.calls + other.calls, self.from_journal + other.from_journal
        return Usage(calls, from_journal, self.tokens + other.tokens, usd)


@dataclass
class Progress:
    """Work as it stands, in items done; calls, tokens and money where a teacher is asked. `usd`: None if unknown.

    `longest_wait` is seconds since the first of the calls that are on their way was sent; `written` are the tokens of
    the replies alone; `away` is seconds since the endpoint was last there, where it is waited for. `heard` is when the
    last reply came: a rate that went on until now would fall while a long call is under way.
    """

    total: int
    done: int = 0
    calls: int = 0
    from_journal: int = 0
    failed: int = 0
    in_flight: int = 0
    longest_wait: float = 0.0
    away: float = 0.0
    tokens: int = 0
    written: int = 0
    usd: float | None = 0.0
    started: float = field(default_factory=time.monotonic)
    heard: float | None = None

    @property
    def tokens_per_second(self) -> float:
        """Tokens that the teacher has written, by the time that it took for them."""
        return self.written / max((self.heard or time.monotonic()) - self.started, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """By the rate so far; None before the first item is done, or where that much time has gone by since."""
        if not self.done:
            return None
        now = time.monotonic()
        heard = self.heard or now
        left = (heard - self.started) / self.done * (self.total - self.done) - (now - heard)
        return left if left > 0 else None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Sample(Record):
    """A pair that a recipe made, with the way back to the passage that it came from, which is its `source_text`.

    `document` is the summary, fact list or chunk that it was asked about.
    """

    in_files: ClassVar[dict[str, str]] = {"answer": "response", "source_text": "raw_document"}

    sample_id: str
    recipe: str
    chunk_id: str
    document_id: str
    draw: int
    document_outline: str
    domain: str
    document: str
    source_text: str
    question: str
    answer: str
    model: str
    prompt_version: str
    type: Literal["qa", "cot"] = "qa"
    key_fact: str = ""
    reasoning: str = ""
    faithfulness_judgment: Literal["YES", "NO", ""] = ""
    faithfulness_explanation: str = ""
    rating: float | None = None

    def to_row(self) -> dict[str, Any]:
        """Empty strings stand for what is not known, for `datasets` takes the type of a field from its first rows."""
        row = Record.to_row(self) | {"source_text": self.source_text}
        return {name: value for name, value in row.items() if value is not None}


# A pair as it stands in a file, whoever wrote that: `question`, `answer` and `type` (qa, cot), where known `reasoning`,
# `source_text`, `chunk_id` and `source_file`, and everything else that its row held, in its order.
Pair = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rejection(Record):
    """A row that fell out, with the check that it failed and why."""

    check: str
    reason: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question(Record):
    """One exam question. `options`, where given, hold the answer and its distractors."""

    id: str
    question: str
    answer: str
    options: tuple[str, ...] = ()
    document: str = ""
    kind: str = "recall"
    source: Literal["given", "generated"] = "given"


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """What one arm said to one question. `choice` is the option of highest mean log-likelihood per token."""

    id: str
    arm: str
    question: str
    expected: str
    generated: str
    choice: str | None
    option_logprobs: tuple[float, ...]
    document: str
    kind: str


# --- records in groups ---


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The items by what `key` says of them; groups and members in the order in which they come."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def in_turn(groups: Iterable[Iterable[T]]) -> list[T]:
    """The first of every group, then the second of every one, and so on."""
    ranked = [turn for group in groups for turn in enumerate(group)]
    return [item for _, item in sorted(ranked, key=itemgetter(0))]
