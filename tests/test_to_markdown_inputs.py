"""Mail, subtitles, programs, manual pages and data become Markdown, and what cannot is named with what helps."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_files import archive, docx, p
from tokenizers import Tokenizer, models, pre_tokenizers

from ai_tools import documents, sources
from ai_tools.documents.chunking import chunk_document
from ai_tools.errors import InputError
from ai_tools.records import Document
from ai_tools.settings import Settings
from to_markdown import Conversion, convert


def read(text: str, name: str) -> Conversion:
    return convert(text.encode(), name)


def named(part: object) -> str:
    """What a case is called: not by its bytes, in which there may be the time."""
    return part if isinstance(part, str) else ""


def headings_of(found: Conversion, words: str) -> tuple[str, ...]:
    """The headings above the only chunk that has these words."""
    counting = Tokenizer(models.WordLevel({"?": 0}, "?"))
    counting.pre_tokenizer = pre_tokenizers.Whitespace()
    document = Document("i", "n", "n", found.title, found.media_type, "", found.converter, found.text)
    chunks = chunk_document(document, max_tokens=10, tokenizer=counting)
    [path] = [chunk.heading_path for chunk in chunks if words in chunk.text]
    return tuple(path)


# Mail ----------------------------------------------------------------------------------------------------------------

MESSAGE = """Return-Path: <lena@pumps.example>
From: =?utf-8?B?TGVuYSBLw7ZobGVy?= <lena@pumps.example>
To: "Service, Team" <service@pumps.example>
Subject: =?iso-8859-1?Q?Wartung_der_Pumpe_=28K=FChlung=29?=
Date: Mon, 4 Mar 2024 09:12:40 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b1"

--b1
Content-Type: multipart/alternative; boundary="b2"

--b2
Content-Type: text/html; charset=utf-8

<p>The same as a page</p>
--b2
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Die Temperatur darf 40 =B0C nicht =FCbersteigen.

Service wrote:
> What is the limit?
>> Asked twice.
> # 12
So it is.
--=20
Lena
--b2--
--b1
Content-Type: application/pdf
Content-Disposition: attachment; filename="=?utf-8?Q?Messbl=C3=A4tter=2Epdf?="
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--b1--
"""
HEAD = "From: a@x.example\nTo: b@x.example\nDate: Mon, 4 Mar 2024 09:00:00 +0000\nMessage-ID: <1@x>\n"


@pytest.mark.parametrize("name", ["a.eml", "a", "a.TXT"])
def test_a_message_is_its_head_and_its_plain_text_and_names_what_is_attached(name: str) -> None:
    found = read(MESSAGE, name)
    assert found.title == "Wartung der Pumpe (Kühlung)"
    assert found.text == (
        "# Wartung der Pumpe (Kühlung)\n\n- **From**: Lena Köhler <lena@pumps.example>\n"
        '- **To**: "Service, Team" <service@pumps.example>\n- **Date**: Mon, 4 Mar 2024 09:12:40 +0100\n'
        "- **Attachments**: Messblätter.pdf\n\nDie Temperatur darf 40 °C nicht übersteigen.\n\nService wrote:\n\n"
        "> What is the limit?\n>> Asked twice.\n> \\# 12\n\nSo it is.\n\n\\--\nLena\n"
    )
    assert found.warnings == ("attachments left out: Messblätter.pdf",)


def test_a_message_that_is_only_a_web_page_keeps_its_quotations_whatever_they_hold() -> None:
    quote = "<blockquote><p>One</p><ul><li>x</li></ul><blockquote>deep</blockquote><p>2</p><p>3</p></blockquote>"
    page = f"<html><body><p>It opens at <b>3 bar</b>.</p>{quote}<p>After.</p></body></html>"
    found = read(f"{HEAD}Subject: Valve\nContent-Type: text/html; charset=utf-8\n\n{page}", "a.eml")
    assert found.text.partition("+0000\n\n")[2] == (
        "It opens at **3 bar**.\n\n> One\n>\n> - x\n>\n> > deep\n>\n> 2\n>\n> 3\n\nAfter.\n"
    )


def test_each_message_of_a_mailbox_is_a_section_and_a_sentence_that_begins_with_from_begins_none() -> None:
    start = "From a@x.example Mon Mar  4 09:00:00 2024\n"
    box = (
        f"{start}{HEAD}Subject: One\n\nFirst.\n\nFrom here on.\n>From there.\n\n{start}{HEAD}Subject: Two\n\nSecond.\n"
    )
    found = read(box, "old.mbox")
    assert found.media_type == "application/mbox"
    assert [line for line in found.text.split("\n") if line.startswith("#")] == ["# One", "# Two"]
    assert "First.\n\nFrom here on.\nFrom there.\n\n# Two" in found.text
    assert headings_of(found, "Second.") == ("Two",)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp1251"])
def test_names_and_headers_of_mail_in_bytes_of_any_kind_are_letters(encoding: str) -> None:
    name = "Отчёт о насосах" if encoding == "cp1251" else "Übersicht März"
    head = f'Subject: {name}\nMIME-Version: 1.0\nContent-Type: application/pdf; name="{name}.pdf"\n'
    text = convert(
        f'{head}Content-Disposition: attachment; filename="{name}.pdf"\n\nx\n'.encode(encoding), "a.eml"
    ).text
    assert text == f"# {name}\n\n- **Attachments**: {name}.pdf\n"


def test_a_message_in_a_message_is_read_and_broken_parts_are_text() -> None:
    inner = f"{HEAD}Subject: Inner\n\nThe valve leaks."
    outer = f"{HEAD}Subject: Fwd\nContent-Type: message/rfc822\n\n{inner}"
    assert "# Inner" in read(outer, "a.eml").text
    assert "The valve leaks." in read(outer, "a.eml").text
    torn = f"{HEAD}Subject: =?utf-8?B?%%%?=\nContent-Type: multipart/mixed\n\nNo boundary at all."
    assert "No boundary at all." in read(torn, "a.eml").text


def test_japanese_mail_is_read_in_the_encoding_that_it_names() -> None:
    head = f"{HEAD}Subject: =?iso-2022-jp?B?GyRCRWMwNxsoQg==?=\nContent-Type: text/plain; charset=iso-2022-jp\n\n"
    found = convert(head.encode() + "弁は三バールで開く。".encode("iso-2022-jp"), "a.eml")
    assert "弁は三バールで開く。" in found.text


def test_a_memo_is_no_message() -> None:
    assert read("To: all\nFrom: Ada\nSubject: Pumps\n\nThe pump stops.", "memo.txt").media_type == "text/plain"


# Subtitles -----------------------------------------------------------------------------------------------------------

SPOKEN = """WEBVTT - Pump training
Kind: captions

STYLE
::cue { color: red }

NOTE not spoken

intro
00:00:01.000 --> 00:00:04.000 align:start
<v Ada Lind>Welcome to the <i>pump</i> room.</v>

00:00:04.000 --> 00:00:08.000
<v Ada Lind>The limit is 40 °C
and 3 bar &amp; no more.

00:00:08.500 --> 00:00:10.000
<v.loud Ben>Why?

01:03:00.000 --> 01:03:05.000
<v Ben>Later words.
"""
ROLLING = """WEBVTT

00:00:00.160 --> 00:00:02.230 align:start position:0%
 \nopen<00:00:00.480><c> the</c><00:00:01.000><c> valve</c>

00:00:02.230 --> 00:00:02.240
open the valve
 \n
00:00:02.240 --> 00:00:05.000
open the valve
and<00:00:02.480><c> close it</c>

00:00:05.000 --> 00:00:07.000
and close it slowly
"""


def test_subtitles_are_sentences_with_their_speakers_below_the_time_that_they_are_said_at() -> None:
    found = read(SPOKEN, "a.vtt")
    assert found.title == "Pump training"
    assert found.text == (
        "## 00:00:01\n\n**Ada Lind:** Welcome to the pump room. The limit is 40 °C and 3 bar & no more.\n\n"
        "**Ben:** Why?\n\n## 01:03:00\n\n**Ben:** Later words.\n"
    )
    assert headings_of(found, "Later") == ("01:03:00",)


def test_lines_of_captions_that_roll_or_grow_are_said_once() -> None:
    assert read(ROLLING, "a").text == "## 00:00:00\n\nopen the valve and close it slowly\n"


def test_a_long_silence_ends_a_paragraph_though_no_sentence_has_ended() -> None:
    cues = "1\n00:00:00,000 --> 00:00:02,000\nthe pump stops\n\n2\n01:00:06,000 --> 01:00:08,000\nit starts\n"
    assert read(cues, "a.srt").text == "## 00:00:00\n\nthe pump stops\n\n## 01:00:06\n\nit starts\n"


def test_srt_loses_its_numbers_and_tags_and_keeps_what_is_said_twice() -> None:
    cues = [
        "1\n00:00:01,000 --> 00:00:03,000\n{\\an8}<i>The pump moves\ntwelve litres.</i>",
        "2\n00:00:03,100 --> 00:00:05,000\n- Per minute?\n- Yes.",
        "3\n00:02:10,000 --> 00:02:12,000\n7",
        "4\n00:02:13,000 --> 00:02:15,000\nStop!",
        "5\n00:02:17,000 --> 00:02:18,000\nStop!",
    ]
    found = read("\n\n".join(cues), "a.srt")
    assert found.text == (
        "## 00:00:01\n\nThe pump moves twelve litres.\n\n- Per minute?\n\n- Yes.\n\n## 00:02:10\n\n7 Stop!\n\nStop!\n"
    )
    assert read("\r\n\r\n".join(cues).replace("\n", "\r\n"), "film").text == found.text


def test_lines_of_scripts_without_spaces_are_joined_without() -> None:
    first = "1\n00:00:01,000 --> 00:00:02,000\n容器は\n十二リットルです。"
    second = "2\n00:00:02,500 --> 00:00:03,000\n펌프가\n돕니다.\n"
    assert read(f"{first}\n\n{second}", "a.srt").text == "## 00:00:01\n\n容器は十二リットルです。 펌프가 돕니다.\n"


# Programs and data ---------------------------------------------------------------------------------------------------

PROGRAM = '''"""Pumps."""

LIMIT = 40  # °C


# Starts it.
@cache
def start(speed: int) -> None:
    """Start at `speed`."""


class Pump:
    """A pump."""

    def stop(self) -> None:
        """Stop within 3 s."""

    size = 12


main = start
'''


def test_a_python_file_is_code_below_the_names_of_what_it_defines() -> None:
    found = read(PROGRAM, "pumps.py")
    assert (found.media_type, found.converter) == ("text/x-python", "code")
    assert found.text.startswith('# pumps.py\n\n```python\n"""Pumps."""\n\nLIMIT = 40  # °C\n```\n\n## start\n\n')
    assert headings_of(found, "Starts it.") == headings_of(found, "Start at") == ("pumps.py", "start")
    assert headings_of(found, "within 3 s") == ("pumps.py", "Pump", "Pump.stop")
    assert headings_of(found, "size = 12") == ("pumps.py", "Pump")
    assert headings_of(found, "main = start") == ("pumps.py",)


@pytest.mark.parametrize(
    ("name", "code", "language", "heading"),
    [
        (
            "p.rs",
            "use std::io;\n\n/// Opens it.\n#[inline]\npub fn open(bar: u8) -> bool {\n    true\n}",
            "rust",
            "open",
        ),
        ("p.go", "package p\n\n// Stop stops it.\nfunc (p *Pump) Stop() error {\n\treturn nil\n}", "go", "Stop"),
        ("p.ts", "import x\n\n/** Moves.\n */\nexport async function move(n: number) {}\n", "typescript", "move"),
        ("p.C", "#include <a.h>\n\n/* Moves. */\nstatic int move_water(int n)\n{\n}", "c", "move_water"),
        ("p.sql", "-- All.\nCREATE TABLE IF NOT EXISTS pumps (id int);", "sql", "pumps"),
        ("p.sh", "# Stops it.\nstop() {\n  true\n}", "bash", "stop"),
        ("p.rb", "# A pump.\nclass Pump\nend", "ruby", "Pump"),
        ("P.java", "import x;\n\n/** A pump. */\npublic final class Pump {\n}", "java", "Pump"),
        ("old.py", "# Prints.\ndef show():\n    print 'x'", "python", "show"),
    ],
)
def test_comments_above_a_declaration_stand_with_it_below_its_name(
    name: str, code: str, language: str, heading: str
) -> None:
    found = read(code, name)
    assert f"```{language}\n" in found.text
    section = found.text.partition(f"## {heading}\n")[2]
    comment = next(line for line in code.split("\n") if line.startswith(("//", "/*", "--", "# ")))
    assert comment in section, found.text
    assert all(line in found.text for line in code.split("\n"))


@pytest.mark.parametrize(
    ("name", "text", "language", "kind"),
    [
        ("a.json", '{"limit": "40 °C"}', "json", "application/json"),
        ("answer", '[{"limit": 40}]', "json", "application/json"),
        ("a.YML", "limit: 40\n# a comment, no heading\n", "yaml", "application/yaml"),
        ("a.toml", "[pump]\nlimit = 40", "toml", "application/toml"),
        ("a.ini", "[pump]\nlimit = 40", "ini", "text/x-ini"),
        ("a.xml", "<?xml version='1.0'?>\n<pump><limit>40</limit></pump>", "xml", "application/xml"),
        ("run", "#!/usr/bin/env bash\n# a comment\nmake", "bash", "text/x-bash"),
    ],
)
def test_data_and_scripts_are_one_fence_with_their_language(name: str, text: str, language: str, kind: str) -> None:
    found = read(text, name)
    assert found.text == f"```{language}\n{text.strip()}\n```\n"
    assert found.media_type == kind


def test_lines_of_json_are_lines() -> None:
    assert read('{"a": 1}\n{"a": 2}\n', "a.jsonl").media_type == "text/plain"
    assert read('{"a": 1}\n', "a.jsonl").text == '{"a": 1}\n'


# Manual pages --------------------------------------------------------------------------------------------------------

MAN = """PUMP(1)                  User Commands                 PUMP(1)

NAME
       pump - move water

OPTIONS
       -l, --limit=N
              stop  at  N  litres; the speci‐
              fied limit is  kept

   Exit status
       0 if all is well.

pump 1.2                  March 2024                   PUMP(1)
"""


def struck(text: str) -> str:
    """As printers did it: headings bold, options underlined."""
    lines = text.split("\n")
    bold = [
        "".join(f"{sign}\b{sign}" for sign in line) if line.isupper() and line[0] != "P" else line for line in lines
    ]
    return "\n".join(bold).replace("--limit", "".join(f"_\b{sign}" for sign in "--limit"))


def coloured(text: str) -> str:
    return text.replace("NAME", "\x1b[1mNAME\x1b[0m").replace("--limit", "\x1b[4m--limit\x1b[24m")


@pytest.mark.parametrize("printed", [str, struck, coloured])
def test_a_printed_manual_page_is_its_sections_however_it_was_printed(printed: type[str]) -> None:
    found = read(printed(MAN), "pump.txt")
    assert found.title == "PUMP(1)"
    assert found.text == (
        "# PUMP(1)\n\n## NAME\n\npump - move water\n\n## OPTIONS\n\n-l, --limit=N\n       stop  at  N  litres; the "
        "specified limit is  kept\n\n### Exit status\n\n0 if all is well.\n\npump 1.2, March 2024\n"
    )


def test_letters_struck_over_one_another_and_colours_are_gone_from_any_text() -> None:
    assert read("_\bN\bNO\bOT\bTE: \x1b[31mhot\x1b[0m\n\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "a.txt").text == (
        "NOTE: hot\nhere\n"
    )


# What a file is ------------------------------------------------------------------------------------------------------

DOCBOOK = (
    "<?xml version='1.0'?>\n<book><title>Pumps</title><chapter><title>Use</title><para>Twelve.</para></chapter></book>"
)
JATS = "<article><front><article-meta/></front><body><sec><title>Use</title><p>Twelve.</p></sec></body></article>"


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"<html><body><p>x</p></body></html>", "a.txt", "text/html"),
        (b"<body><h1>x</h1></body>", "a.md", "text/html"),
        (b"%PDF-1.4 is how such a file begins.", "a.txt", "application/pdf"),
        (docx(p("x")), "a.TXT", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"{\\rtf1 A pump.}", "a.doc", "application/rtf"),
        (b"<html><body><p>x</p></body></html>", "a.DOC", "text/html"),
        (DOCBOOK.encode(), "a.xml", "application/docbook+xml"),
        (JATS.encode(), "a", "application/jats+xml"),
        (b"a\tb\n1\t2\n", "a.xls", "text/csv"),
        (b"# One\n\nx\n\n## Two\n\nx", "A.MD", "text/markdown"),
    ],
    ids=named,
)
def test_content_and_name_say_together_what_a_file_is(data: bytes, name: str, kind: str) -> None:
    if kind == "application/pdf":
        with pytest.raises(InputError, match="PDF"):
            convert(data, name)
    else:
        assert convert(data, name).media_type == kind


def test_a_page_that_says_not_found_in_place_of_a_pdf_is_told() -> None:
    found = convert(b"<html><body><p>404 Not found</p></body></html>", "report.pdf")
    assert found.warnings == ("called .pdf, but read as what it is, text/html",)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
WORD = docx(p("x"), **{"word/media/a.png": random.Random(1).randbytes(20_000)})


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", "a Word file of before 2007; save it as .docx"),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", "an Excel file of before 2007; save it as .xlsx"),
        (OLE + "__substg1.0_0037".encode("utf-16-le"), "a.msg", "a message of Outlook .*save it as .eml"),
        (WORD[: len(WORD) // 2], "a.docx", "a damaged Word file: its ZIP archive is broken or cut off .*get it again"),
        (WORD[: len(WORD) // 2], "a", "a damaged Word file: its ZIP archive is broken or cut off"),
        (WORD[300:], "a.docx", "a damaged Word file: it does not begin like one; get it again"),
        (bytes(3_000), "a.pptx", "a damaged PowerPoint file"),
        (random.Random(2).randbytes(4_000), "a.pdf", "a damaged PDF file"),
        (archive({"a.txt": "x"})[:40], "a.zip", "its ZIP archive is broken or cut off"),
        (archive({"Index/Document.iwa": "x"}), "a.pages", "a file of Pages, Numbers or Keynote; export it"),
        (b"<?xml version='1.0'?><?mso-application progid='Word.Document'?><x/>", "a.xml", "a Word file of 2003"),
        (b"<svg xmlns='x'><text>a</text></svg>", "a.svg", "a picture"),
        (b"\0\0\0\x18ftypmp42", "a.mp4", "sound or film; give its subtitles"),
        (b"SQLite format 3\0", "a.db", "a SQLite database; export its tables as CSV"),
        (b"x" * 257 + b"ustar\0", "a.tar", "a tar archive; unpack it"),
        (b"%!PS-Adobe-3.0\n", "a.ps", "PostScript; make a PDF of it"),
    ],
    ids=named,
)
def test_what_is_not_read_is_named_with_what_helps(data: bytes, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert(data, name)


@pytest.mark.parametrize("start", ["BMW is a car maker.", "MZ is a code.", "ID3 tags hold titles.", "PAR is a norm."])
def test_a_text_that_begins_as_a_program_or_picture_may_is_a_text(start: str) -> None:
    assert read(start, "a.txt").text == start + "\n"


def test_xml_in_a_folder_is_a_document_where_it_begins_like_one_and_else_passed_over_and_counted(
    tmp_path: Path,
) -> None:
    (tmp_path / "book.xml").write_text(DOCBOOK)
    (tmp_path / "article.XML").write_text(JATS)
    (tmp_path / "sitemap.xml").write_text("<?xml version='1.0'?><urlset/>")
    (tmp_path / "secret").mkdir()
    found = sources.find(str(tmp_path), tmp_path)
    assert sorted(path.name for path in found.files) == ["article.XML", "book.xml"]
    assert found.passed_over == {".xml": 1}
    assert [path.name for path in sources.find("s*.xml", tmp_path).files] == ["sitemap.xml"]


def test_code_is_called_by_the_name_of_its_file_and_other_documents_by_words(tmp_path: Path) -> None:
    (tmp_path / "pump_room.py").write_text("x = 1\n")
    (tmp_path / "pump_room.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nIt hums.\n")
    reading = documents.reading(Settings(output_dir=str(tmp_path / "out")))
    made, _ = documents.convert(sources.find(str(tmp_path), tmp_path), reading)
    assert [one.title for one in made] == ["pump_room.py", "Pump room"]


# Tables --------------------------------------------------------------------------------------------------------------


def test_a_quote_that_is_never_closed_costs_its_own_row_only_and_is_told() -> None:
    found = read('part,use\n"seal, red",cold\n"pipe,hot\nvalve,"a\nb"\npump,12\n', "a.csv")
    assert found.text == (
        '| part | use |\n| --- | --- |\n| seal, red | cold |\n| "pipe | hot |\n| valve | a; b |\n| pump | 12 |\n'
    )
    assert found.warnings == ("a quote that is never closed, taken as it stands: line 3",)


@given(st.lists(st.text(st.sampled_from('ab",\n'), max_size=12), max_size=12))
def test_no_letter_of_a_table_is_lost_whatever_its_quotes(lines: list[str]) -> None:
    text = "a,b\n" + "\n".join(lines)
    found = read(text, "a.csv").text
    assert [found.count(letter) for letter in "ab"] == [text.count(letter) for letter in "ab"]
