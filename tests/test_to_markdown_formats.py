"""Formats beside web pages, PDF and plain text: facts stay facts, and bad input costs no more than its file."""

import io
import json
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office_files import W, archive, docx, p, related
from tokenizers import Tokenizer, models, pre_tokenizers

from ai_tools.documents.chunking import chunk_document
from ai_tools.errors import InputError
from ai_tools.records import Document
from to_markdown import Conversion, FileLimits, convert
from to_markdown.docx_styles import shown
from to_markdown.number_formats import shown as shown_in_cell

TABLE = "| Name | Value |\n| --- | --- |\n| limit | 40 |\n"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(text: str, name: str) -> Conversion:
    return convert(text.encode(), name)


# Word ----------------------------------------------------------------------------------------------------------------


def formula(inside: str) -> str:
    return f'<m:oMath xmlns:m="{M}">{inside}</m:oMath>'


def run(text: str, marks: str = "") -> str:
    return f'<w:r><w:rPr>{marks}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def m(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


HALF = formula(f"<m:f><m:num>{m('1')}</m:num><m:den>{m('2')}</m:den></m:f>")
MILLION = formula(f"<m:sSup><m:e>{m('10')}</m:e><m:sup>{m('6')}</m:sup></m:sSup>")
ROOT = formula(f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>{m("16")}</m:e></m:rad>')


def test_formulas_of_word_are_tex_and_no_fraction_becomes_a_number() -> None:
    text = convert(
        docx(f"<w:p>{run('Give ')}{HALF}{run(' tablet. The count is ')}{MILLION}{run(' cells.')}</w:p>")
    ).text
    assert text == "Give $\\frac{1}{2}$ tablet. The count is $10^{6}$ cells.\n"
    apart = f'<w:p><m:oMathPara xmlns:m="{M}">{ROOT}</m:oMathPara></w:p>'
    assert convert(docx(p("So:") + apart + p("Done."))).text == "So:\n\n$$\n\\sqrt{16}\n$$\n\nDone.\n"


def test_the_edition_of_the_word_format_that_iso_has_is_read_like_the_usual_one() -> None:
    data = docx(f"<w:p>{run('Give ')}{HALF}</w:p>")
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    for usual, iso in ((W, "wordprocessingml/main"), (M, "officeDocument/math")):
        members = {
            name: data.replace(usual.encode(), f"http://purl.oclc.org/ooxml/{iso}".encode())
            for name, data in members.items()
        }
    assert convert(archive({**members})).text == "Give $\\frac{1}{2}$\n"


def test_symbols_of_old_fonts_raised_and_lowered_letters_are_kept() -> None:
    symbol = '<w:r><w:sym w:font="Symbol" w:char="F0B3"/></w:r>'
    lowered = run("i", '<w:vertAlign w:val="subscript"/>') + run("2", '<w:vertAlign w:val="superscript"/>')
    text = convert(docx(f"<w:p>{run('Age ')}{symbol}{run(' 18, x')}{lowered}{run(' m.')}</w:p>")).text
    assert text == "Age ≥ 18, x_i^2 m.\n"


def levels(key: int, *each: tuple[str, str, int], more: str = "") -> str:
    inside = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="{start}"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for at, (kind, text, start) in enumerate(each)
    )
    return f'<w:abstractNum w:abstractNumId="{key}">{inside}</w:abstractNum>'


NUMBERING = f"""<w:numbering xmlns:w="{W}">
  {levels(0, ("decimal", "%1.", 1), ("lowerLetter", "(%2)", 1), ("lowerRoman", "(%3)", 1))}
  {levels(1, ("decimal", "%1.", 5))}
  {levels(2, ("decimal", "Article %1.", 1), ("decimal", "%1.%2", 1))}
  {levels(3, ("upperRoman", "%1.", 1), ("decimal", "%1.%2", 1))}
  {levels(4, ("upperRoman", "%1.", 2), ("decimalZero", "%1.%2", 1), more="<w:isLgl/>")}
  {"".join(f'<w:num w:numId="{n + 1}"><w:abstractNumId w:val="{n}"/></w:num>' for n in range(5))}
  <w:num w:numId="6"><w:abstractNumId w:val="0"/>
    <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
</w:numbering>"""


def numbered(text: str, number: int, level: int = 0, more: str = "") -> str:
    marks = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>{more}'
    return p(text, more=marks) if text else f"<w:p><w:pPr>{marks}</w:pPr></w:p>"


def word_lists(*paragraphs: str) -> str:
    return convert(docx("".join(paragraphs), **{"word/numbering.xml": NUMBERING})).text


def test_marks_that_the_text_refers_to_are_those_that_word_shows() -> None:
    second = '<w:outlineLvl w:val="1"/>'
    text = word_lists(
        *(numbered("Payments", 1), numbered("Rent is due.", 1, 1), numbered("Fees under (a) are waived.", 1, 1)),
        *(numbered("for cellars,", 1, 2), numbered("for lofts.", 1, 2), p("On the other sheet:")),
        *(numbered("Close the valve.", 2), numbered("Log the time.", 2), numbered("Duration", 3, 0, second)),
        *(numbered("Termination", 3, 0, second), numbered("Notice is 30 days.", 3, 1), p("See 2.1.")),
    )
    assert text == (
        "1. Payments\n    - (a) Rent is due.\n    - (b) Fees under (a) are waived.\n"
        "        - (i) for cellars,\n        - (ii) for lofts.\n\nOn the other sheet:\n\n"
        "5. Close the valve.\n6. Log the time.\n\n## Article 1. Duration\n\n## Article 2. Termination\n\n"
        "- 2.1 Notice is 30 days.\n\nSee 2.1.\n"
    )


def test_numbers_of_word_go_on_across_paragraphs_begin_anew_where_it_says_so_and_count_empty_items() -> None:
    text = word_lists(
        *(numbered("one", 1), p("between"), numbered("two", 1), numbered("", 1), numbered("four", 1)),
        *(p("again"), numbered("new one", 6), numbered("new two", 6)),
    )
    assert text == "1. one\n\nbetween\n\n2. two\n4. four\n\nagain\n\n1. new one\n2. new two\n"


def test_levels_above_are_written_in_their_own_digits_or_in_plain_ones_where_word_says_so() -> None:
    assert word_lists(numbered("a", 4), numbered("b", 4, 1)) == "- I. a\n    - I.1 b\n"
    assert word_lists(numbered("a", 5), numbered("b", 5, 1)) == "2. a\n    - 2.01 b\n"


def test_styles_number_their_paragraphs_at_their_own_level_whatever_they_are_called() -> None:
    linked = f"""<w:abstractNum w:abstractNumId="9">
      <w:lvl w:ilvl="0"><w:start w:val="2"/><w:numFmt w:val="cardinalText"/>
        <w:pStyle w:val="K1"/><w:lvlText w:val="Chapter %1:"/></w:lvl>
      <w:lvl w:ilvl="1"><w:numFmt w:val="russianLower"/><w:lvlRestart w:val="0"/><w:pStyle w:val="K2"/>
        <w:lvlText w:val="%2)"/></w:lvl></w:abstractNum>
      {levels(8, ("decimal", "%1.", 1))}
      <w:num w:numId="9"><w:abstractNumId w:val="9"/></w:num><w:num w:numId="8"><w:abstractNumId w:val="8"/></w:num>"""
    based = '<w:style w:styleId="K3"><w:name w:val="Unterpunkt"/><w:basedOn w:val="K2"/></w:style>'
    styles = "".join(
        f"""<w:style w:styleId="{key}"><w:name w:val="{name}"/><w:pPr>{more}<w:numPr>
          <w:numId w:val="{number}"/></w:numPr></w:pPr></w:style>"""
        for key, name, number, more in (
            ("K1", "Kapitel", 9, '<w:outlineLvl w:val="0"/>'),
            ("K2", "Punkt", 9, ""),
            ("N2", "List Number 2", 8, ""),
        )
    )
    parts = {"numbering": f"<w:numbering xmlns:w='{W}'>{linked}", "styles": f"<w:styles xmlns:w='{W}'>{styles}{based}"}
    body = p("Use", "K1") + p("dry", "K2") + p("clean", "K3") + p("Care", "K1") + p("on", "K2") + p("one", "N2")
    text = convert(docx(body, **{f"word/{key}.xml": f"{xml}</w:{key}>" for key, xml in parts.items()})).text
    assert text == ("# Chapter Two: Use\n\n- а) dry\n- б) clean\n\n# Chapter Three: Care\n\n- в) on\n\n1. one\n")


def test_numbers_are_written_as_word_writes_them() -> None:
    written = {
        "ordinal": "21st 22nd 113th", "decimalZero": "21 22 113", "ordinalText": "21 22 113",
        "chineseCounting": "二十一 二十二 113", "decimalFullWidth": "２１ ２２ １１３",
        "ideographTraditional": "甲甲甲", "decimalEnclosedCircle": "①①",
        "iroha": "ナ ラ", "upperRoman": "XXI XXII CXIII",
    }  # fmt: skip
    for style, texts in written.items():
        for text, number in zip(texts.split(), (21, 22, 113), strict=False):
            assert shown(number, style).startswith(text), (style, number)
    assert [shown(number, "ordinalText") for number in (1, 12)] == ["First", "Twelfth"]
    assert [shown(number, "japaneseCounting") for number in (1, 10, 12, 20)] == ["一", "十", "十二", "二十"]


def test_a_title_of_word_is_the_only_heading_of_level_one() -> None:
    styles = "".join(f'<w:style w:styleId="{n[0]}"><w:name w:val="{n}"/></w:style>' for n in ("title", "heading 1"))
    named = {"word/styles.xml": f'<w:styles xmlns:w="{W}">{styles}</w:styles>'}
    found = convert(docx(p("ACME") + p("Pumps", "t") + p("Use", "h") + p("x = 1") + p("Care", "h"), **named))
    assert (found.title, found.text) == ("Pumps", "# Pumps\n\nACME\n\n## Use\n\nx = 1\n\n## Care\n")


def test_readings_beside_words_are_left_out_and_the_words_are_not() -> None:
    def ruby(base: str, reading: str) -> str:
        return f"<w:ruby><w:rubyPr/><w:rt>{run(reading)}</w:rt><w:rubyBase>{run(base)}</w:rubyBase></w:ruby>"

    text = convert(docx(f"<w:p>{run('毎週')}<w:r>{ruby('点検', 'てんけん')}</w:r>{run('を行う。')}</w:p>")).text
    assert text == "毎週点検を行う。\n"
    assert (
        convert(docx(f"<w:p><w:r>{ruby('炉', 'ろ')}<w:t>と</w:t>{ruby('針', 'はり')}</w:r></w:p>")).text == "炉と針\n"
    )


def test_hidden_text_of_word_is_left_out_and_said() -> None:
    styles = f"""<w:styles xmlns:w="{W}"><w:style w:styleId="Note"><w:name w:val="Note"/>
      <w:rPr><w:vanish/></w:rPr></w:style></w:styles>"""
    found = convert(docx(f"<w:p>{run('The limit is 40 l.')}{run(' Check: was 60 l.', '<w:vanish/>')}</w:p>"))
    assert (found.text, found.warnings) == ("The limit is 40 l.\n", ("hidden text left out: 1",))
    again = run("Shown", '<w:vanish w:val="0"/>')
    shown = f'<w:p><w:pPr><w:pStyle w:val="Note"/></w:pPr>{again}{run(" not")}</w:p>'
    found = convert(docx(shown + p("Hidden", "Note") + p("Seen"), **{"word/styles.xml": styles}))
    assert (found.text, found.warnings) == ("Shown\n\nSeen\n", ("hidden text left out: 2",))


# Markup --------------------------------------------------------------------------------------------------------------

FORMATS = Path(__file__).parent / "formats"


@pytest.mark.parametrize("expected", sorted(FORMATS.glob("*.md")), ids=lambda path: path.stem)
def test_each_markup_keeps_title_sections_code_tables_marks_formulas_and_notes(expected: Path) -> None:
    source = expected.with_suffix("")
    assert convert(source.read_bytes(), source.name).text == expected.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "title", "kind", "converter"),
    [
        ("guide.adoc", "Pump guide", "text/asciidoc", "asciidoc"),
        ("ref.rst", "Pump reference", "text/x-rst", "rst"),
        ("paper.tex", "Pump notes", "text/x-tex", "latex"),
        ("ls.1", "LS", "text/troff", "man"),
        ("pumps.xml", "Pumps", "application/docbook+xml", "docbook"),
    ],
)
def test_what_a_text_is_is_told_by_its_content_or_its_suffix(name: str, title: str, kind: str, converter: str) -> None:
    found = convert((FORMATS / name).read_bytes(), name)
    assert (found.title, found.media_type, found.converter) == (title, kind, converter)
    as_text = convert((FORMATS / name).read_bytes(), "a.txt").media_type
    assert as_text == ("text/plain" if name in {"guide.adoc", "ref.rst"} else kind)


def test_a_text_that_pandoc_cannot_read_is_plain_text_and_nothing_is_lost() -> None:
    found = read("\\documentclass{a}\n\\begin{document}\nThe limit is 40 l.\n\\begin{verbatim}\nx", "a.tex")
    assert "The limit is 40 l." in found.text
    assert found.warnings[0].startswith("not valid latex, taken as plain text: ")


def test_a_list_of_asciidoc_that_counts_down_does_so() -> None:
    assert (
        read("[%reversed]\n. on\n. off\n\n[%reversed,start=9]\n. nine\n", "a.adoc").text == "2. on\n1. off\n\n9. nine\n"
    )


def test_typst_keeps_what_functions_of_other_files_are_given_and_takes_a_first_row_for_a_header() -> None:
    text = (
        '#import "own.typ": *\n#show: paper.with(\n  title: [Pump notes],\n)\n#show link: underline\n= Use\n'
        "#warning[Keep *dry*.] Give $1/2$ of it.\n\n#table(columns: 2, [Name], [Value], [limit], [40])\n"
    )
    found = read(text, "a.typ")
    assert found.text == f"# Pump notes\n\n## Use\n\nKeep **dry**. Give $\\frac{{1}}{{2}}$ of it.\n\n{TABLE}"
    assert found.title == "Pump notes"


THESIS = r"""\documentclass{report}
\newcommand{\opening}[1]{\begin{center}\bfseries\Large #1\end{center}}
\newcommand\part[1]{\addcontentsline{toc}{chapter}{#1}{\centering\huge\textbf{#1}\par}}
\newcommand{\share}[1]{#1\%}
\NewDocumentCommand{\rate}{m}{#1\%}
\begin{document}
\opening{First words}
\share{2} or \rate{3} of 5\perthousand\ and \pr{4}.

\begin{tabular}{ll}
Name & Limit \\
pump & 40 \\
\end{tabular}
\mysectionhead{Second words}
Ends.
\end{document}
"""


def test_own_commands_of_latex_are_headings_and_signs_where_they_look_so() -> None:
    found = convert(THESIS.encode(), "thesis.tex")
    assert found.text == (
        "# First words\n\n2% or 3% of 5‰ and 4.\n\n| Name | Limit |\n| --- | --- |\n| pump | 40 |\n\n"
        "# Second words\n\nEnds.\n"
    )
    said = "commands that the file does not define, shown as the words given to them: 2, such as"
    assert found.warnings == (f"{said} \\pr{{4}}",)


def test_no_other_file_is_read_for_one_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    found = read(f"Pumps.\n\n\\input{{{tmp_path / 'secret'}}}\n", "a.tex")
    assert found.text == "Pumps.\n"
    assert found.warnings[0].startswith("Could not load include file ")


# Tables of data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        (
            *("a.csv", 'part,limit,note\npump,40,"keep dry, always"\nvalve,7,"line one\nline two"\n'),
            ["part | limit | note", "pump | 40 | keep dry, always", "valve | 7 | line one; line two"],
        ),
        ("b.csv", "Teil;Grenze\nPumpe;1,5\n\n;\n", ["Teil | Grenze", "Pumpe | 1,5"]),
        ("c.tsv", 'part\tnote\npump\t"a|b"\nvalve\tx, y\n', ["part | note", "pump | a\\|b", "valve | x, y"]),
    ],
)
def test_a_table_of_data_is_a_table_whatever_parts_its_columns(name: str, text: str, rows: list[str]) -> None:
    head, *body = (f"| {row} |" for row in rows)
    rule = "| " + " | ".join(["---"] * (rows[0].count(" | ") + 1)) + " |"
    found = read(text, name)
    assert found.text == "\n".join([head, rule, *body]) + "\n"
    assert (found.media_type, found.converter) == ("text/csv", "csv")


def test_every_chunk_of_a_table_of_data_knows_its_header() -> None:
    stations = "".join(f"ST{n:03},{n + 10},{n + 60},Keeper {n}\n" for n in range(200))
    found = read("station,mast height m,gust limit km/h,keeper\n" + stations, "stations.csv")
    words = Tokenizer(models.WordLevel({"?": 0}, "?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    document = Document("1", "stations", "stations.csv", "Stations", "text/csv", "", "csv", found.text)
    chunks = chunk_document(document, max_tokens=200, tokenizer=words)
    assert len(chunks) > 5
    header = "| station | mast height m | gust limit km/h | keeper |\n| --- | --- | --- | --- |"
    assert [chunk.metadata.get("table_header") for chunk in chunks] == [None, *[header] * (len(chunks) - 1)]


def workbook(sheets: dict[str, str], hidden: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    states = {name: "hidden" if name == hidden else "visible" for name in sheets}
    entries = "".join(
        f'<sheet name="{name}" state="{state}" xmlns:r="r" r:id="{at}"/>'
        for at, (name, state) in enumerate(states.items())
    )
    styles = """<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd&quot;s&quot;.mm.yyyy"/></numFmts>
      <fonts><font/><font><strike/></font></fonts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>
      <xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="0" fontId="1"/></cellXfs></styleSheet>"""
    shared = "<sst><si><t>part</t></si><si><r><t>pu</t></r><r><t>mp</t></r><rPh><t>x</t></rPh></si></sst>"
    parts = {f"sheet{at}": f"sheets/{at}.xml" for at in range(len(sheets))}
    members = {f"xl/sheets/{at}.xml": f"<worksheet>{rows}</worksheet>" for at, rows in enumerate(sheets.values())}
    return archive(
        {
            "[Content_Types].xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            "_rels/.rels": related(officeDocument="xl/workbook.xml"),
            "xl/workbook.xml": f'<workbook xmlns="{main}"><sheets>{entries}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": related(**parts, sharedStrings="shared.xml", styles="styles.xml"),
            "xl/shared.xml": shared,
            "xl/styles.xml": styles,
            **members,
        }
    )


def test_sheets_are_tables_whose_numbers_and_dates_are_those_that_are_shown() -> None:
    limits = (
        '<row><c t="s"><v>0</v></c><c t="inlineStr"><is><t>limit</t></is></c><c r="D1" t="str"><v>on</v></c>'
        '</row><row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4"><v>40</v></c><c r="D4" s="1"><v>45292</v></c></row>'
        '<row><c t="b"><v>1</v></c><c><f>1/3</f><v>0.33333333333333331</v></c><c/><c s="2"><v>45292.5</v></c></row>'
    )
    found = convert(workbook({"Limits": limits, "Notes": "<row><c s='3'><v>0.25</v></c></row>", "Old": limits}, "Old"))
    assert found.text == (
        "## Limits\n\n| part | limit |  | on |\n| --- | --- | --- | --- |\n| pump | 40 |  | 2024-01-01 |\n"
        "| TRUE | 0.333333333333 |  | 2024-01-01 12:00 |\n\n## Notes\n\n| 06:00 |\n| --- |\n"
    )
    assert found.warnings == ("hidden sheet left out: Old",)
    assert found.converter == "xlsx"


def sheet(*rows: str, more: str = "") -> str:
    """A sheet of rows of `text`, `=formula` and `number@style` between bars; an empty row is none."""

    def cell(text: str, at: str) -> str:
        if text.startswith("="):
            return f'<c r="{at}"><f>{text[1:]}</f><v></v></c>'
        number, _, style = text.partition("@")
        if re.fullmatch(r"-?[\d.]+", number):
            return f'<c r="{at}" s="{style or 0}"><v>{number}</v></c>'
        return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>' if text else ""

    lines = ""
    for number, row in enumerate(rows, 1):
        cells = "".join(cell(text.strip(), f"{'ABCDEFGH'[at]}{number}") for at, text in enumerate(row.split("|")))
        lines += f'<row r="{number}"{" hidden=" + repr("1") if row.startswith("#") else ""}>{cells}</row>'
    return f"<sheetData>{lines}</sheetData>{more}"


def test_tables_beside_and_below_one_another_are_tables_of_their_own_with_titles_and_merged_headers() -> None:
    merged = '<mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="B3:C3"/><mergeCell ref="A3:A4"/></mergeCells>'
    titled = sheet("Sales", "as of May", "Region|2023", "|Q1|Q2", "North|1|2", "", "Source: ledger", more=merged)
    beside = sheet("Name|Qty||City|Zip", "a|1||Bonn|5", "|||Ulm|8", "", "Code|Limit", "x|40", "", "y|41")
    text = convert(workbook({"A": titled, "B": beside, "C": sheet("1|2", "3|4")})).text
    assert text == (
        "## A\n\nSales\n\nas of May\n\n| Region | 2023 Q1 | 2023 Q2 |\n| --- | --- | --- |\n| North | 1 | 2 |\n\n"
        "Source: ledger\n\n## B\n\n| Name | Qty |\n| --- | --- |\n| a | 1 |\n\n"
        "| City | Zip |\n| --- | --- |\n| Bonn | 5 |\n| Ulm | 8 |\n\n"
        "| Code | Limit |\n| --- | --- |\n| x | 40 |\n| y | 41 |\n\n"
        "## C\n\n|  |  |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"
    )


def test_notes_above_and_below_a_table_are_none_of_its_rows() -> None:
    notes = "Of all pumps", "as of|May||by hand", "Name|Place|Since|Limit", "P1|hall|2001|40", "P2|yard|2004|41"
    corner = "|Mon|Tue", "early|Ann|Bob", "noon|3|4", "late|4|5"
    text = convert(workbook({"A": sheet(*notes, "P3 is being built"), "B": sheet(*corner)})).text
    table = "| Name | Place | Since | Limit |\n| --- | --- | --- | --- |\n| P1 | hall | 2001 | 40 |\n"
    assert text.startswith(f"## A\n\nOf all pumps\n\nas of May by hand\n\n{table}| P2 | yard | 2004 | 41 |\n\nP3 is")
    assert "|  | Mon | Tue |\n| --- | --- | --- |\n| early | Ann | Bob |" in text


def test_hidden_rows_and_columns_go_and_a_formula_without_a_result_is_shown_and_all_is_said() -> None:
    column = '<cols><col min="3" max="3" hidden="1"/></cols>'
    found = convert(workbook({"A": sheet("Part|No|Note", "# x|1|old", "pump|=1+1|new", more=column)}))
    assert found.text == "## A\n\n| Part | No |\n| --- | --- |\n| pump | =1+1 |\n"
    assert found.warnings == (
        "formulas without a result, shown as they are: 1",
        "hidden rows left out: 1",
        "hidden columns left out: 1",
    )


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("0.125", "0%", "12.5%"),
        ("1234.5", '#,##0.00 "€"', "1,234.50 €"),
        ("1234567", "#,##0", "1,234,567"),
        ("-1234.5", "#,##0.00_);[Red](#,##0.00)", "(1,234.50)"),
        ("-5", "#,##0;[Red]#,##0", "-5"),
        ("1234.5", "[$€-407]#,##0.00", "€1,234.50"),
        ("77", "00000", "00077"),
        ("4155551234", "(000) 000-0000", "(415) 555-1234"),
        ("1.75", "# ?/?", "1 3/4"),
        ("12300000", '0.0,,"M"', "12.3M"),
        ("3.14159", "0.00", "3.14159"),
        ("1.5", "[h]:mm", "36:00"),
        ("45292", "mmm yyyy", "2024-01"),
        ("45292.75", "m/d/yy h:mm", "2024-01-01 18:00"),
        ("1", "yyyy-mm-dd", "1900-01-01"),
        ("1.5E-3", "0.00E+00", "0.0015"),
    ],
)
def test_a_number_has_the_signs_of_its_format_and_all_its_digits(value: str, code: str, text: str) -> None:
    assert shown_in_cell(value, code, datetime(1899, 12, 30)) == text


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=4), st.sampled_from(["0", "0.00", "#,##0", "0.0##", "#"]))
def test_no_format_takes_a_digit_away(number: Decimal, code: str) -> None:
    assert Decimal(shown_in_cell(f"{number:f}", code, datetime(1899, 12, 30)).replace(",", "")) == number


# Struck out -----------------------------------------------------------------------------------------------------------

STRUCK = "Fee ~~30~~ 60"


def pptx(shapes: str) -> bytes:
    names = f'xmlns:p="{P}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{R}"'
    slides = f'<p:presentation {names}><p:sldIdLst><p:sldId id="256" r:id="0"/></p:sldIdLst></p:presentation>'
    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    return archive(
        {
            "[Content_Types].xml": f'<Types><Override PartName="/ppt/presentation.xml" ContentType="{kind}"/></Types>',
            "_rels/.rels": related(officeDocument="ppt/presentation.xml"),
            "ppt/presentation.xml": slides,
            "ppt/_rels/presentation.xml.rels": related(slide="slides/slide1.xml"),
            "ppt/slides/slide1.xml": f"<p:sld {names}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>",
        }
    )


def test_what_is_struck_out_never_reads_as_if_it_held() -> None:
    word = f"<w:p>{run('Fee ')}{run('30', '<w:b/><w:strike/>')}{run(' 60')}</w:p>"
    assert convert(docx(word)).text == f"{STRUCK}\n"
    heading = f'<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr>{run("Fee ")}{run("30", "<w:dstrike/>")}{run(" 60")}</w:p>'
    assert convert(docx(heading)).text == f"# {STRUCK}\n"
    through = """<style:style style:name="T" style:family="text">
      <style:text-properties style:text-line-through-style="solid"/></style:style>"""
    assert convert(odt('<text:p>Fee <text:span text:style-name="T">30</text:span> 60</text:p>', through)).text == (
        f"{STRUCK}\n"
    )
    assert read(r"{\rtf1 Fee {\strike 30} 60\par}", "a.rtf").text == f"{STRUCK}\n"
    for tag in ("del", "s", "strike", 'span style="text-decoration: line-through"'):
        assert read(f"<body><p>Fee <{tag}>30</{tag.split()[0]}> 60", "a.html").text == f"{STRUCK}\n"
    assert read("<body><p>Fee <del>30<br>40</del> 60", "a.html").text == "Fee ~~30~~\n~~40~~ 60\n"
    assert STRUCK in read("== Fees ==\nFee <s>30</s> 60\n", "a.wiki").text
    rich = "<is><r><t>Fee </t></r><r><rPr><strike/></rPr><t>30</t></r><r><t> 60</t></r></is>"
    row = f'<row><c t="inlineStr">{rich}</c><c s="4"><v>7</v></c></row>'
    assert f"| {STRUCK} | ~~7~~ |" in convert(workbook({"Fees": row})).text
    slide = '<p:sp><p:txBody><a:p><a:r><a:t>Fee </a:t></a:r><a:r><a:rPr strike="sngStrike"/><a:t>30</a:t></a:r>'
    assert STRUCK in convert(pptx(f"{slide}<a:r><a:t> 60</a:t></a:r></a:p></p:txBody></p:sp>")).text
    assert STRUCK in read("* Fees\n\nFee +30+ 60\n", "a.org").text
    assert STRUCK in read("= Fees\n\nFee [line-through]#30# 60\n", "a.adoc").text


# Notebooks ------------------------------------------------------------------------------------------------------------


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def notebook(*cells: dict[str, Any], **more: Any) -> Conversion:
    meta = {"kernelspec": {"language": "python"}}
    return read(json.dumps({"cells": cells, "metadata": meta, "nbformat": 4, **more}), "a.ipynb")


def test_a_notebook_is_its_words_its_code_and_results_that_are_text() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0", "text/plain": "<Figure>"}}
    stream = {"output_type": "stream", "name": "stdout", "text": ["41\n"]}
    words = {"cell_type": "markdown", "source": ["# Pump notes\n", "\n", "The limit is 40 l."]}
    found = notebook(words, code("# add one\nprint(40 + 1)", stream, picture))
    assert found.text == (
        "# Pump notes\n\nThe limit is 40 l.\n\n```python\n# add one\nprint(40 + 1)\n```\n\n```\n41\n```\n"
    )
    assert (found.title, found.converter, found.warnings) == ("Pump notes", "ipynb", ("pictures left out: 1",))


def test_tables_and_errors_of_a_notebook_are_text_and_pictures_in_its_words_are_left_out() -> None:
    table = {"output_type": "execute_result", "data": {"text/html": "<table>", "text/plain": ["   a\n", "0  1"]}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no pump", "traceback": ["\x1b[0;31m"]}
    words = {"cell_type": "markdown", "source": "See ![valve](attachment:a.png) and\n\n* one\n* two"}
    found = notebook(words, code("t", table), code("f()", error), {"cell_type": "raw", "source": "kept"})
    assert found.text == (
        "See valve and\n\n* one\n* two\n\n```python\nt\n```\n\n```\n   a\n0  1\n```\n\n"
        "```python\nf()\n```\n\n```\nValueError: no pump\n```\n\nkept\n"
    )


def test_results_that_show_themselves_as_text_are_kept_and_not_the_names_of_objects() -> None:
    def shown(**data: str) -> dict[str, Any]:
        more = {key.replace("_", "/"): text for key, text in data.items()}
        return {"output_type": "display_data", "data": {"text/plain": "<IPython.core.display.HTML object>", **more}}

    table = "<table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td>-7.5</td></tr></table>"
    formula = shown(text_latex="$x^{2} + 1$", text_plain=" 2\nx  + 1", image_png="iVBORw0")
    found = notebook(code("f()", shown(text_markdown="It is **not** 5."), shown(text_html=table), formula, shown()))
    assert found.text == (
        "```python\nf()\n```\n\nIt is **not** 5.\n\n| k | v |\n| --- | --- |\n| a | -7.5 |\n\n$x^{2} + 1$\n\n"
        "```\n<IPython.core.display.HTML object>\n```\n"
    )
    assert found.warnings == ("pictures left out: 1",)


def test_notebooks_of_the_third_format_are_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Use"},
        {"cell_type": "code", "language": "r", "input": ["ls()"], "outputs": [{"output_type": "pyout", "text": "[1]"}]},
    ]
    text = json.dumps({"worksheets": [{"cells": cells}], "metadata": {}, "nbformat": 3})
    assert read(text, "x").text == "## Use\n\n```r\nls()\n```\n\n```\n[1]\n```\n"


# OpenDocument, RTF ----------------------------------------------------------------------------------------------------

ODT = "application/vnd.oasis.opendocument.text"
NAMES = {
    name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
    for name in ("office", "text", "style", "drawing", "table")
}


def odt(body: str, styles: str = "", **more: str) -> bytes:
    names = " ".join(f'xmlns:{"draw" if key == "drawing" else key}="{value}"' for key, value in NAMES.items())
    content = (
        f'<office:document-content {names} xmlns:xlink="http://www.w3.org/1999/xlink"><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    empty = f"<office:document-styles {names}/>"
    return archive({"mimetype": ODT, **more} | {"content.xml": content, "styles.xml": empty})


def test_an_open_document_keeps_marks_of_lists_formulas_notes_and_the_words_under_readings() -> None:
    styles = """<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="a"
      style:num-prefix="(" style:num-suffix=")" text:start-value="2"/></text:list-style>"""
    items = "".join(f"<text:list-item><text:p>{text}</text:p></text:list-item>" for text in ("Pets", "Cars"))
    ruby = "<text:ruby><text:ruby-base>点検</text:ruby-base><text:ruby-text>てんけん</text:ruby-text></text:ruby>"
    math = '<draw:frame><draw:object xlink:href="./Object 1/"/></draw:frame>'
    note = "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Old.</text:p>"
    note += "</text:note-body></text:note>"
    square = "<msup><mi>x</mi><mn>2</mn></msup>"
    found = convert(
        odt(
            f'<text:h text:outline-level="1">Use</text:h><text:p>毎週{ruby}を{math}で{note}。</text:p>'
            f'<text:list text:style-name="L">{items}</text:list>',
            styles,
            **{"Object 1/content.xml": f'<math xmlns="http://www.w3.org/1998/Math/MathML">{square}</math>'},
        )
    )
    assert found.text == "# Use\n\n毎週点検を$x^{2}$で[^1]。\n\n- (b) Pets\n- (c) Cars\n\n[^1]: Old.\n"
    assert (found.title, found.media_type) == ("Use", ODT)


def test_an_open_document_counts_on_from_list_to_list_and_numbers_its_headings() -> None:
    styles = """<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1"
        style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/>
      </text:list-style><text:outline-style style:name="Outline">
      <text:outline-level-style text:level="1" style:num-format="I"/><text:outline-level-style text:level="2"
        style:num-format="1" text:display-levels="2"/></text:outline-style>"""

    def items(more: str, *texts: str) -> str:
        inside = "".join(f"<text:list-item><text:p>{text}</text:p></text:list-item>" for text in texts)
        return f'<text:list text:style-name="L" {more}>{inside}</text:list>'

    def h(text: str, level: int) -> str:
        return f'<text:h text:outline-level="{level}">{text}</text:h>'

    inner = items("", "on").replace("</text:list-item>", f"{items('', 'deep')}</text:list-item>")
    lists = items('xml:id="a"', "one", "two") + items("", "new") + items('text:continue-list="a"', "three") + inner
    text = convert(odt(h("Use", 1) + h("Start", 2) + h("Stop", 2) + h("Care", 1) + lists, styles)).text
    assert text == (
        "# I Use\n\n## I.1 Start\n\n## I.2 Stop\n\n# II Care\n\n"
        "1. one\n2. two\n1. new\n3. three\n1. on\n    - a) deep\n"
    )


def test_a_heading_of_an_open_document_that_is_an_item_of_a_list_has_its_number_and_counts() -> None:
    styles = """<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1"
        style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="1"
        text:display-levels="2"/></text:list-style>"""

    def section(title: str, clause: str) -> str:
        inner = f"<text:list><text:list-item><text:p>{clause}</text:p></text:list-item></text:list>"
        return f'<text:list-item><text:h text:outline-level="1">{title}</text:h>{inner}</text:list-item>'

    body = f'<text:list text:style-name="L">{section("Fees", "One fee.")}{section("End", "Thirty days.")}</text:list>'
    assert convert(odt(body, styles)).text == "# 1. Fees\n\n- 1.1 One fee.\n\n# 2. End\n\n- 2.1 Thirty days.\n"


def test_an_open_document_has_its_title_its_code_and_loses_what_is_hidden() -> None:
    styles = """<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>
      <style:style style:name="P2" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>
      <style:style style:name="T1" style:family="text"><style:text-properties text:display="none"/></style:style>
      <style:style style:name="T2" style:family="text"><style:text-properties style:text-position="super 58%"
        style:font-weight="bold"/></style:style>"""
    lines = "".join(f'<text:p text:style-name="P2">{line}</text:p>' for line in ("if x:", '<text:s text:c="4"/>y'))
    words = 'At most 10<text:span text:style-name="T2">6</text:span>'
    words += '<text:span text:style-name="T1"> or not</text:span> <text:span>now</text:span>.'
    found = convert(
        odt(f'<text:p text:style-name="P1">Pumps</text:p><text:h>Use</text:h><text:p>{words}</text:p>{lines}', styles)
    )
    assert found.text == "# Pumps\n\n## Use\n\nAt most 10^6 now.\n\n```\nif x:\n    y\n```\n"
    assert (found.title, found.warnings) == ("Pumps", ("hidden text left out: 1",))


def test_an_open_document_has_code_where_its_font_says_so_and_its_title_wherever_that_stands() -> None:
    styles = """<style:style style:name="P1" style:family="paragraph" style:display-name="Title"/>
      <style:style style:name="P2" style:family="paragraph"><style:text-properties style:font-name="Courier New"/>
      </style:style>"""
    lines = "".join(f'<text:p text:style-name="P2">{line}</text:p>' for line in ("a = 1", "", "b = 2"))
    items = "<text:list><text:list-item><text:p>- x</text:p></text:list-item></text:list>"
    found = convert(odt(f'<text:h>Use</text:h>{lines}{items}<text:p text:style-name="P1">Pumps</text:p>', styles))
    assert (found.title, found.text) == ("Pumps", "# Pumps\n\n## Use\n\n```\na = 1\n\nb = 2\n```\n\n- x\n")


def test_a_table_of_a_word_processor_has_its_first_row_for_a_header() -> None:
    def row(*cells: str) -> str:
        inside = (f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{''.join(inside)}</table:table-row>"

    assert convert(odt(f"<table:table>{row('Name', 'Value')}{row('limit', '40')}</table:table>")).text == TABLE


def test_rich_text_keeps_headings_letters_tables_notes_and_loses_what_is_hidden() -> None:
    rich = (
        r"{\rtf1\ansi\ansicpg1252{\stylesheet{\s1 heading 1;}}\pard\s1\outlinelevel0 Pumps\par\pard\plain "
        r"Gr\'f6\'dfe \u8805? 18, {\b dry}{\v hidden}.{\footnote \pard Old.}\par "
        r"\trowd\cellx1000\cellx2000\pard\intbl Name\cell Value\cell\row "
        r"\trowd\cellx1000\cellx2000\pard\intbl limit\cell 40\cell\row\pard End.\par}"
    )
    found = read(rich, "a.rtf")
    assert found.text == f"# Pumps\n\nGröße ≥ 18, **dry**.[^1]\n\n{TABLE}\nEnd.\n\n[^1]: Old.\n"
    assert (found.title, found.media_type, found.converter) == ("Pumps", "application/rtf", "rtf")
    assert found.warnings == ("hidden text left out: 1",)


@pytest.mark.parametrize(
    ("rich", "text"),
    [
        (r"{\rtf1 It\u8217's \u8220\'93dry\u8221\'94, it\rquote s{\uc0 \u8230 }", "It’s “dry”, it’s…\n"),
        (
            r"{\rtf1\ansi\ansicpg1251{\fonttbl{\f2\fcharset128 M;}}\'cd\'e0\'f1\'ee\'f1 \f2\'83\'7c\'83\'93v",
            "Насос ポンv\n",
        ),
        (r"{\rtf1\uc2 \u-10179?\'a1\u-8704?\'a1{\v no} \u20320\'c4\'e3}", "\U0001f600 你\n"),
        (r'{\rtf1 {\field{\*\fldinst SYMBOL 179 \\f "Symbol"}} 18, {\super 2}, a{\deleted b}c\~d}', "≥ 18, ^2, ac d\n"),
        (
            r"{\rtf1{\fonttbl{\f0 Times;}{\f1\fnil\fcharset2 Wingdings;}}{\f1\'fc} dry {\f1\u-3845 ?} wet \'fc\par}",
            "✓ dry ✗ wet ü\n",
        ),
        (r"{\rtf1 in {\revised\revdttm-2074015744 60} days}", "in 60 days\n"),  # no number ends after nine digits
        (
            r"{\rtf1{\listtext\pard\plain (b)\tab}\ilvl0\ls1 Pets\par{\listtext i.\tab}\ilvl1 Cats\par\pard End\par}",
            "- (b) Pets\n    - i. Cats\n\nEnd\n",
        ),
        (
            r"{\rtf1 A{\super\chftn}{\*\footnote\chftn {\pard One.\par}{\pard Two.\par}}, b{\footnote Three.}.\par}",
            "A[^1], b[^2].\n\n[^1]: One.\n\n    Two.\n\n[^2]: Three.\n",
        ),
        (
            r"{\rtf1\trowd\cellx1\cellx2\intbl Part\cell No\cell\row\clvmgf\cellx1\cellx2\intbl Pump\cell 1\cell\row"
            r"\trowd\clvmrg\cellx1\cellx2\intbl\cell 2\cell\row}",
            "| Part | No |\n| --- | --- |\n| Pump | 1 |\n| Pump | 2 |\n",
        ),
    ],
)
def test_rich_text_of_word_libreoffice_and_pandoc_keeps_its_letters_marks_and_notes(rich: str, text: str) -> None:
    assert read(rich, "a.rtf").text == text


# Bounds --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("exec sleep 60", r"took longer than 0\.2 s; split it or raise FILE_TIMEOUT"),
        ("exec yes", r"expands to more than 0\.01 MB; split it or raise MAX_FILE_MB"),
        ("exit 251", "MB of memory to read; split it"),
        ("echo no such thing >&2; exit 64", "broken DOCX .no such thing.; open it in its program"),
    ],
)
def test_a_program_that_hangs_overflows_or_fails_costs_its_file_only(
    program: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "pandoc"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setattr("to_markdown.pandoc._program", lambda: str(script))
    limits = FileLimits(expanded=10_000, seconds=0.2 if "sleep" in program else 60)
    with pytest.raises(InputError, match=message):
        convert(docx(f"<w:p>{HALF}</w:p>"), limits=limits)
