"""Mail -> Markdown: a message with its head, each message of a mailbox a section; quotations stay quotations.

What is attached is named, not read; a message that is attached is read as one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from itertools import chain, groupby

from .guessing import guess
from .html import html_to_markdown
from .markdown import MISTAKABLE, definitions, quoted
from .raw_file import Conversion, RawFile, decode

SAID = ("From", "To", "Cc", "Date")  # of the head; whom, when and what about are facts that are asked for
# The line that begins each message of a mailbox, behind an empty one.
FROM_LINE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\r\n]*\d\d:\d\d[^\r\n]*\d{4}[^\r\n]*\r?\n")
NAMED_SO = {"", ".eml", ".mail", ".mbox", ".mbx", ".mht", ".mhtml", ".msg", ".txt"}
HELD = "\ue000{}\ue000"  # the place of a quotation while the page around it is written


def mail_type(file: RawFile) -> str:
    """The media type of mail, which its head tells, or of a mailbox; nothing where it is neither."""
    if file.suffix not in NAMED_SO:
        return ""
    start = file.data[:32_768].removeprefix(b"\xef\xbb\xbf")
    if FROM_LINE.match(start) and re.search(
        rb"^(?:From|Date|Subject|Message-ID):", start, re.MULTILINE | re.IGNORECASE
    ):
        return "application/mbox"
    head = re.match(rb"(?:[!-9;-~]++:[^\n]*+\n(?:[ \t][^\n]*+\n)*+){2,}+", start)
    sure = rb"^(?:Message-ID|MIME-Version|Received|Return-Path|Delivered-To|Content-Type):"
    if head and (file.suffix == ".eml" or re.search(sure, head[0], re.MULTILINE | re.IGNORECASE)):
        return "message/rfc822"
    return ""


def from_mail(file: RawFile) -> Conversion:
    writer = _MailWriter(file)
    blocks = list(writer.message(message_from_bytes(file.data.removeprefix(b"\xef\xbb\xbf"))))
    return Conversion(writer.titles[0], "\n\n".join(blocks), writer.warnings())


def from_mailbox(file: RawFile) -> Conversion:
    """A section for each message, in the order of the box; its title is the message's where there is only one."""
    writer, starts = _MailWriter(file), [found.end() for found in FROM_LINE.finditer(file.data)]
    ends = [*(found.start() for found in FROM_LINE.finditer(file.data)), len(file.data)][1:]
    blocks: list[str] = []
    for start, end in zip(starts, ends, strict=True):
        data = re.sub(rb"(?m)^>(?=>*From )", b"", file.data[start:end])
        blocks += writer.message(message_from_bytes(data))
    return Conversion(writer.titles[0] if len(starts) == 1 else "", "\n\n".join(blocks), writer.warnings())


class _MailWriter:
    """Writes messages, and keeps what was left out of them and guessed on the way."""

    def __init__(self, file: RawFile) -> None:
        self.file = file
        self.titles: list[str] = []
        self.attached: list[str] = []
        self.lost: dict[str, None] = {}  # in their order, each once

    def warnings(self) -> tuple[str, ...]:
        names = ", ".join(self.attached[:20]) + f" and {len(self.attached) - 20} more" * (len(self.attached) > 20)
        return (*self.lost, *([f"attachments left out: {names}"] if names else []))

    def message(self, message: Message) -> Iterator[str]:
        title = _header(message, "Subject")
        self.titles.append(title)
        before = len(self.attached)
        body = list(self._blocks(message))
        head = [(name, [text]) for name in SAID if (text := _header(message, name))]
        if names := self.attached[before:]:
            head.append(("Attachments", [", ".join(names)]))
        yield f"# {title or _header(message, 'Date') or 'Message'}"
        yield from definitions(head)
        yield from body

    def _blocks(self, part: Message) -> Iterator[str]:
        """The text of a message or of a part of it; of forms of the same text the plain one."""
        kind = part.get_content_type()
        inner = part.get_payload() if part.is_multipart() else []
        parts = [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []
        if kind == "message/rfc822":
            yield from chain.from_iterable(map(self.message, parts))
        elif kind == "multipart/alternative":
            forms = sorted(parts, key=lambda one: one.get_content_type() != "text/plain")
            yield from next(filter(None, (list(self._blocks(form)) for form in forms)), [])
        elif parts and kind.startswith("multipart/"):
            yield from chain.from_iterable(map(self._blocks, parts))
        elif part.get_content_disposition() == "attachment" or not kind.startswith(
            ("text/plain", "text/html", "multi")
        ):
            for name, value in part.raw_items():  # in a parameter the library takes other bytes for no letters
                if name.lower() in {"content-type", "content-disposition"}:
                    part.replace_header(name, _lettered(value))
            self.attached.append(_decoded(part.get_filename() or "") or kind)
        else:  # a broken form of several parts is text, too
            yield from self._text(part, kind)

    def _text(self, part: Message, kind: str) -> Iterator[str]:
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        charset = str(part.get_content_charset() or "").replace("us-ascii", "")
        text, lost = decode(RawFile(data, "", charset, self.file.limits))
        if kind == "text/html":
            yield from filter(None, [self._page(text)])
        else:
            yield from _plain(text)
        self.lost |= dict.fromkeys(lost)

    def _page(self, text: str) -> str:
        """A message that is a web page. Its quotations are written apart, since they may hold anything."""
        from lxml import etree, html

        if "<blockquote" not in text.lower():
            return html_to_markdown(text, whole=True).text
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
        held: list[str] = []
        for quote in tree.xpath("//blockquote[not(ancestor::blockquote)]"):
            quote.tag = "div"
            held += quoted([self._page(etree.tostring(quote, encoding="unicode", with_tail=False))])
            place = html.fragment_fromstring(f"<p>{HELD.format(len(held) - 1)}</p>")
            place.tail, quote.tail = quote.tail, None
            quote.getparent().replace(quote, place)
        written = html_to_markdown(html.tostring(tree, encoding="unicode"), whole=True).text
        for number, quote in enumerate(held):
            written = written.replace(HELD.format(number), quote)
        return written


def _plain(text: str) -> Iterator[str]:
    """Plain text in paragraphs; lines with `>` are quotations, which no other line goes on with."""
    text = re.sub(r"(?m)^-- ?$", "\n--", text.rstrip())  # a signature is a paragraph
    for is_quote, lines in groupby(text.split("\n"), key=lambda line: line.startswith(">")):
        block = "\n".join(map(str.rstrip, lines)).strip("\n")
        if is_quote:
            yield re.sub(r"(?m)^(>[> ]*)(.*)", lambda line: line[1] + MISTAKABLE.sub(r"\\\1", line[2]), block)
        elif block.strip():
            yield MISTAKABLE.sub(r"\\\1", block)


def _header(message: Message, name: str) -> str:
    value = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return _decoded(value)


def _decoded(value: object) -> str:
    """A header in words: RFC 2047 undone, spaces for line ends."""
    words = _lettered(value)
    with suppress(HeaderParseError, LookupError, ValueError):  # it stays as it came
        words = str(make_header(decode_header(words)))
    return " ".join(words.split())


def _lettered(value: object) -> str:
    """A header with letters for bytes that are not ASCII: in UTF-8, else in the likeliest encoding."""
    data = str(value).encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(guess(data), "replace")
