"""Any file -> Markdown: structure kept, furniture gone, bad input answered with one clear line in bounded time."""

import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from office_files import W, archive, docx, item, p, related

from ai_tools.errors import InputError, MissingExtra
from to_markdown import Conversion, FileLimits, convert

PAGE = """<!DOCTYPE html><html><head><title>Pumps | ACME</title><style>p{{}}</style></head><body>
<header><a href="/">ACME</a></header><nav><a href="/">Home</a> <a href="/shop">Shop</a></nav>
<div class="cookie-banner">We use cookies.</div><main>{}</main>
<script>alert(1)</script><footer>Imprint</footer></body></html>"""


def page(body: str) -> Conversion:
    return convert(PAGE.format(body).encode(), "page.html")


# Web pages -----------------------------------------------------------------------------------------------------------


def test_a_page_keeps_its_main_text_and_loses_menus_banners_scripts_and_footers() -> None:
    found = page("<h1>Pumps</h1><p onclick='evil()'>They move twelve litres.</p>")
    assert (found.title, found.text, found.media_type) == (
        "Pumps",
        "# Pumps\n\nThey move twelve litres.\n",
        "text/html",
    )


def test_headings_keep_their_levels_and_lose_the_links_to_themselves() -> None:
    text = page(
        '<h1>A<a class="headerlink" href="#a">¶</a></h1><h3><a href="#b">B</a><a href="#b">#</a></h3><h2> </h2><p>x</p>'
    ).text
    assert text == "# A\n\n### B\n\nx\n"


def test_code_becomes_a_fence_with_the_language_that_a_class_names_and_its_tabs_and_ticks_survive() -> None:
    text = page(
        '<pre><code class="language-sh"># not a heading\n\tmake</code></pre>'
        '<div class="highlight-python3 notranslate"><div class="highlight"><pre>x = 1\n</pre></div></div><pre>```</pre>'
    ).text
    assert text == "```sh\n# not a heading\n\tmake\n```\n\n```python3\nx = 1\n```\n\n````\n```\n````\n"


def test_a_table_keeps_header_pipes_and_merged_cells() -> None:
    text = page(
        "<table><tr><th>Part</th><th>Use</th></tr><tr><td rowspan=2>P|1</td><td>cold<br>water</td></tr>"
        "<tr><td><ul><li>a</li><li>b</li></ul></td></tr></table>"
    ).text
    assert text == "| Part | Use |\n| --- | --- |\n| P\\|1 | cold; water |\n| P\\|1 | a; b |\n"


def test_a_table_without_a_header_gets_an_empty_one_and_a_layout_table_is_no_table() -> None:
    assert page("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>").text.startswith(
        "|  |  |\n| --- |"
    )
    assert page("<table><tr><td><h2>Left</h2><p>text</p></td></tr></table>").text == "## Left\n\ntext\n"


def test_a_first_row_of_empty_cells_is_no_header() -> None:
    text = page("<table><tr><td></td><td></td></tr><tr><td>%d</td><td>day</td></tr></table>").text
    assert text == "|  |  |\n| --- | --- |\n| %d | day |\n"


def test_lines_of_code_within_a_paragraph_stay_lines() -> None:
    assert page("<p>So: <tt>0 Open<br>1 Halt</tt></p>").text == "So: `0 Open`\n`1 Halt`\n"


def test_a_term_that_is_a_bare_number_is_no_footnote() -> None:
    assert page("<dl><dt>8<dd>Rules changed.</dl>").text == "- **8**: Rules changed.\n"
    assert page("<dl><dt>[8]<dd>A note.</dl>").text == "[^8]: A note.\n"


def test_a_menu_in_a_banner_that_is_most_of_a_short_page_goes() -> None:
    menu = "<div class='menu'>" + "".join(f"<a href='{n}.html'>Entry {n}</a>" for n in range(9)) + "</div>"
    banner = f"<div class='nosearch'>{menu}<p>The motto of all.</p>{menu}</div>"
    text = page(f"{banner}<h1>Lamps</h1><p>{'Lit at dusk. ' * 8}</p>").text
    assert "Entry" not in text
    assert "motto" not in text
    assert text.startswith("# Lamps\n\nLit at dusk.")


def test_exponents_and_indices_of_formulas_are_told_from_ordinals_and_chemistry() -> None:
    line = "2<sup><small>E</small></sup>, q<sub>i</sub>, CO<sub>2</sub>, 1<sup>e</sup>, 1<sup>st</sup>."
    assert page(f"<p>{line}</p>").text.startswith("2^E, q_i, CO2, 1e, 1st.")


def test_definitions_nested_lists_and_notes_are_kept() -> None:
    text = page(
        "<dl><dt>simple<dd>One line.<dt><code>folded</code><dd>Many lines.</dl>"
        "<ol start=3><li>c<ul><li>deep</ul><li>d</ol><p>See<a href='#n1'>[1]</a>, 10<sup>6</sup>.</p>"
    ).text
    assert "- **simple**: One line.\n- **`folded`**: Many lines." in text
    assert "3. c\n   - deep\n4. d" in text
    assert "See[^1], 10^6." in text


def test_text_loose_in_a_list_or_a_definition_list_is_not_lost() -> None:
    text = page("<ul>before<li>a</li><p>after</p></ul><dl><p>lead</p><dt>t<dd>d<pre>code</pre></dl>").text
    assert all(word in text for word in ("before", "after", "lead", "**t**", "code"))


LINKS = "".join(f'<p><a href="/{n}">Another story about number {n}</a></p>' for n in range(60))
STORY = "".join(
    f"<p>Paragraph {n} tells how the pump was repaired in the cellar, and what it cost.</p>" for n in range(12)
)
LINKS_AND_TEXT = f"""<html><head><title>The pump - News</title></head><body><div class=x>{LINKS}</div>
<div><h2>The pump</h2>{STORY}</div></body></html>"""


def test_control_characters_in_a_page_do_no_harm() -> None:
    text = "Twelve litres. " * 40
    found = page(f"<p>{text}a\x01b<script>\x02</script>\x03c</p><pre>x\x04<br>\x05y</pre>")
    assert found.text == f"{text}abc\n\n```\nx\ny\n```\n"


def test_where_the_page_does_not_say_what_is_main_the_text_is_found_and_its_heading_with_it() -> None:
    found = convert(LINKS_AND_TEXT.encode(), "a.html")
    assert found.title == "The pump"
    assert "Paragraph 0" in found.text
    assert "Paragraph 11" in found.text
    assert "Another story" not in found.text


def test_the_title_is_the_heading_that_the_page_names_and_not_the_site() -> None:
    body = "<h1>ACME</h1><h2>Oil pumps</h2><p>Text of it.</p>"
    html = f"<html><head><title>Oil pumps \u2013 ACME</title></head><body>{body}</body></html>"
    assert convert(html.encode(), "a.html").title == "Oil pumps"


def test_a_caption_that_repeats_the_description_of_its_picture_stands_once() -> None:
    text = page(
        "<p>See:</p><figure><img src=a.png alt='A red valve'><figcaption><p>A red valve</p></figcaption></figure>"
    ).text
    assert text == "See:\n\nA red valve\n"


def test_a_page_of_links_and_pictures_that_cannot_be_read_are_told() -> None:
    found = page("<img src=a.png><img src=b.png alt='A red valve'>" + "<p><a href=x>One two three</a></p>" * 9)
    assert found.warnings == ("pictures without a description left out: 1", "100% of its text is links; an index page?")
    assert "A red valve" in found.text


# Word, PowerPoint, EPUB ----------------------------------------------------------------------------------------------


def test_word_headings_are_told_by_outline_whatever_the_style_is_called_and_the_contents_list_is_left_out() -> None:
    found = convert(docx(p("Contents 3", "T") + p("Pumps", "berschrift1") + p("Use", "Own") + p("# Text.")))
    assert (found.title, found.text) == ("Pumps", "# Pumps\n\n## Use\n\n\\# Text.\n")


def test_word_lists_code_and_emphasis_are_kept_and_deleted_text_is_not() -> None:
    runs = (
        "<w:p><w:r><w:t>It is </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>hot</w:t></w:r>"
        "<w:del><w:r><w:delText>no</w:delText></w:r></w:del></w:p>"
    )
    text = convert(
        docx(item("open", 0) + item("left", 1) + item("close", 0) + p("a = 1", "C") + p("  b", "C") + runs)
    ).text
    assert text == "1. open\n    - left\n2. close\n\n```\na = 1\n  b\n```\n\nIt is **hot**\n"


def test_word_tables_keep_merged_cells_and_notes_stand_at_the_end() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<w:tc><w:tcPr>{more}</w:tcPr>{p(text)}</w:tc>"

    rows = (
        cell("Part") + cell("No"),
        cell("Pump", '<w:vMerge w:val="restart"/>') + cell("1|2"),
        cell("", "<w:vMerge/>") + cell("3"),
    )
    table = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    note = f'<w:footnote w:type="separator" w:id="0"/><w:footnote w:id="2">{p("Since 1990.")}</w:footnote>'
    text = convert(
        docx(
            table + '<w:p><w:r><w:t>See</w:t><w:footnoteReference w:id="2"/></w:r></w:p>',
            **{"word/footnotes.xml": f'<w:footnotes xmlns:w="{W}">{note}</w:footnotes>'},
        )
    ).text
    assert text == "| Part | No |\n| --- | --- |\n| Pump | 1\\|2 |\n| Pump | 3 |\n\nSee[^2]\n\n[^2]: Since 1990.\n"


def slide(*shapes: str) -> str:
    return f'<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r">{"".join(shapes)}</p:sld>'


def shape(kind: str, *lines: tuple[int, str]) -> str:
    paragraphs = "".join(f'<a:p><a:pPr lvl="{level}"/><a:r><a:t>{text}</a:t></a:r></a:p>' for level, text in lines)
    return f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>'


def test_slides_come_in_their_order_with_bullets_tables_and_notes_and_count_as_pages() -> None:
    def row(*cells: str) -> str:
        return f"<a:tr>{''.join(f'<a:tc><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:tc>' for c in cells)}</a:tr>"

    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    order = "".join(f'<p:sldId id="{256 + at}" r:id="{at}"/>' for at in (1, 2, 0))
    bullets = shape("body", (0, "Gloves"), (1, "thick"), (0, "Boots"))
    found = convert(
        archive(
            {
                "[Content_Types].xml": f'<Types><Override ContentType="{kind}"/></Types>',
                "_rels/.rels": related(officeDocument="ppt/presentation.xml"),
                "ppt/presentation.xml": slide(f"<p:sldIdLst>{order}</p:sldIdLst>"),
                "ppt/_rels/presentation.xml.rels": related(a="slides/1.xml", b="slides/2.xml", c="slides/3.xml"),
                "ppt/slides/2.xml": slide(shape("ctrTitle", (0, "Training")), shape("subTitle", (0, "for all"))),
                "ppt/slides/3.xml": slide(),
                "ppt/slides/1.xml": slide(
                    shape("title", (0, "Safety")), bullets, f"<a:tbl>{row('a', 'b')}{row('c', 'd')}</a:tbl>"
                ),
                "ppt/slides/_rels/1.xml.rels": related(notesSlide="../notes/1.xml"),
                "ppt/notes/1.xml": slide(shape("body", (0, "Say it twice."))),
            }
        )
    )
    assert found.title == "Training"
    assert [found.text[at:].partition("\n")[0] for at in found.pages] == ["# Training", "## Safety", "## Safety"]
    assert found.text == (
        "# Training\n\nfor all\n\n## Safety\n\n- Gloves\n    - thick\n- Boots\n\n"
        "| a | b |\n| --- | --- |\n| c | d |\n\n**Notes:** Say it twice.\n"
    )


def test_slides_keep_formulas_raised_digits_and_the_marks_of_their_lists_and_hidden_ones_are_said() -> None:
    def line(text: str, more: str = "", marks: str = "") -> str:
        return f"<a:p><a:pPr>{marks}</a:pPr><a:r><a:rPr{more}/><a:t>{text}</a:t></a:r></a:p>"

    parts = "".join(f"<m:{part}><m:r><m:t>{n}</m:t></m:r></m:{part}>" for n, part in ((1, "num"), (2, "den")))
    half = f'<m:oMath xmlns:m="m"><m:f>{parts}</m:f></m:oMath>'
    numbers = '<a:buAutoNum type="alphaLcParenR" startAt="2"/>'
    raised = '<a:p><a:r><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/><a:t>6</a:t></a:r></a:p>'
    lines = line("Pets", "", numbers) + line("Cats", "", numbers)
    lines += line("One", "", '<a:buAutoNum type="arabicPeriod"/>')
    body = f"<p:sp><p:txBody>{lines}{raised}<a:p>{half}</a:p></p:txBody></p:sp>"
    cells = (("", "Part"), ("", "No")), (('rowSpan="2"', "Pump"), ("", "1")), (('vMerge="1"', ""), ("", "2"))
    rows = ("".join(f"<a:tc {span}>{line(text)}</a:tc>" for span, text in row) for row in cells)
    body += f"<a:tbl>{''.join(f'<a:tr>{row}</a:tr>' for row in rows)}</a:tbl>"
    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    found = convert(
        archive(
            {
                "[Content_Types].xml": f'<Types><Override ContentType="{kind}"/></Types>',
                "_rels/.rels": related(officeDocument="ppt/p.xml"),
                "ppt/p.xml": slide('<p:sldId id="1" r:id="0"/><p:sldId id="2" r:id="1"/>'),
                "ppt/_rels/p.xml.rels": related(a="1.xml", b="2.xml"),
                "ppt/1.xml": slide(shape("title", (0, "Dose")), body),
                "ppt/2.xml": slide(shape("title", (0, "Old"))).replace("<p:sld ", '<p:sld show="0" '),
            }
        )
    )
    assert found.text == (
        "## Dose\n\n- b) Pets\n- c) Cats\n\n1. One\n\n10^6\n\n$\\frac{1}{2}$\n\n"
        "| Part | No |\n| --- | --- |\n| Pump | 1 |\n| Pump | 2 |\n"
    )
    assert found.warnings == ("hidden slides left out: 1",)


def chapter(title: str) -> str:
    note = '<a id="x"/>Text<a href="#f">[1]</a>.'
    return f"""<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>
      <body><h1>{title}</h1><p>{note}</p></body></html>"""


def epub(**more: str | bytes) -> bytes:
    names = {"n": "nav.xhtml", "a": "a%20b.xhtml", "b": "b.xhtml", "c": "gone.xhtml"}
    items = "".join(
        f'<item id="{key}" href="{name}" media-type="application/xhtml+xml" properties="{nav}"/>'
        for (key, name), nav in zip(names.items(), ("nav", "", "", ""), strict=True)
    )
    package = f"""<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
      <metadata><dc:title>The\n  Book</dc:title></metadata><manifest>{items}</manifest>
      <spine>{"".join(f'<itemref idref="{key}"/>' for key in "nbac")}</spine></package>"""
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="c"><rootfile full-path="O/c.opf"/></container>',
        "O/c.opf": package,
        "O/nav.xhtml": chapter("Nav"),
        "O/a b.xhtml": chapter("Second"),
        "O/b.xhtml": chapter("First"),
    }
    return archive(members | more)


def test_a_book_is_read_in_its_own_order_and_each_chapter_has_its_own_notes() -> None:
    found = convert(epub(), "book.zip")
    assert (found.title, found.media_type) == ("The Book", "application/epub+zip")
    assert found.text == "# The Book\n\n## First\n\nText[^1-1].\n\n## Second\n\nText[^2-1].\n"
    assert found.warnings == ("O/gone.xhtml: named in the book, but not in it",)


def test_formulas_and_readings_of_a_book_are_those_of_web_pages() -> None:
    half = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mn>1</mn><mn>2</mn></mfrac></math>'
    text = f"<ruby>点検<rp>(</rp><rt>てんけん</rt><rp>)</rp></ruby>は{half}。"
    assert "点検は$\\frac{1}{2}$。" in convert(epub(**{"O/b.xhtml": chapter("First").replace("Text", text)})).text
    assert page(f"<p>Give {half} of it, <ruby>炉<rt>ろ</rt></ruby></p>").text == "Give $\\frac{1}{2}$ of it, 炉\n"


def test_notes_of_a_book_stand_in_the_chapter_that_names_them_wherever_the_book_keeps_them() -> None:
    said = 'Limit 40 l<a role="doc-noteref" href="b.xhtml#n1" id="r1">1</a>, 50<sup><a href="#s" id="t">*</a></sup>.'
    star = '<p><a id="s"/><a href="#t">*</a> A star.</p>'
    notes = '<ol><li id="n1"><p>Since <i>May</i>. <a href="a%20b.xhtml#r1">↩</a></p><p>Or June.</p></li></ol>'
    found = convert(
        epub(
            **{
                "O/a b.xhtml": chapter("Use").replace("Text", said).replace("</body>", f"{star}</body>"),
                "O/b.xhtml": f"<html><body><h1>Notes</h1>{notes}</body></html>",
            }
        )
    )
    assert found.text == (
        "# The Book\n\n## Use\n\nLimit 40 l[^1-1], 50[^1-2].[^1-1].\n\n"
        "[^1-1]: Since *May*.\n\n    Or June.\n\n[^1-2]: A star.\n"
    )


def test_a_note_of_a_book_that_is_a_definition_leaves_no_term_behind() -> None:
    said = 'Limit 40 l<a href="#n" id="r">1</a>.<dl><dt id="n"><a href="#r">1</a></dt><dd><p>Since May.</p></dd></dl>'
    found = convert(epub(**{"O/a b.xhtml": chapter("Use").replace("Text", said)}))
    assert found.text.endswith("## Use\n\nLimit 40 l[^2-1].\n\n[^2-1]: Since May.\n\n[^2-1].\n")


def test_covers_and_lists_of_contents_of_a_book_go_and_what_its_order_names_in_vain_is_said() -> None:
    package = """<package><metadata/><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>
      <item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/>
      <itemref idref="b"/><itemref idref="z"/></spine><guide>
      <reference type="toc" href="a.xhtml#x"/></guide></package>"""
    found = convert(epub(**{"O/c.opf": package, "O/a.xhtml": chapter("Contents")}))
    assert found.text == "# First\n\nText[^1-1].\n"
    assert found.warnings == ("z: named in the book's order, but not in its list of files",)


def test_the_index_of_a_book_is_left_out_and_said() -> None:
    found = convert(epub(**{"O/a b.xhtml": chapter("Index").replace("Text", "Pumps, 1")}))
    assert found.text == "# The Book\n\n## First\n\nText[^1-1].\n"
    assert "O/a b.xhtml: left out; it is an index or a list of links" in found.warnings


ASSETS = Path(__file__).parents[1] / "assets"
FURNITURE = ("Corvane Handbook", "Risk and compliance", "Internal use only", "cookie", "Previous:", "¶", "accept(")


@pytest.mark.parametrize("edition", sorted((ASSETS / "editions").iterdir()), ids=lambda path: path.name)
def test_an_edition_of_a_sample_page_has_its_headings_and_every_paragraph_and_nothing_of_the_frame(
    edition: Path,
) -> None:
    page = (ASSETS / "corpus" / f"{edition.stem}.md").read_text("utf-8")
    found = convert(edition.read_bytes(), edition.name)
    blocks, source = found.text.strip().split("\n\n"), page.strip().split("\n\n")
    added = [block for block in blocks if block not in source]
    assert [block for block in blocks if block not in added] == source, "in their order, and none of them twice"
    assert all(block.startswith(("| ", "- ", "1. ")) for block in added), "a table and lists repeat what the page says"
    assert sum(block.startswith("| ") for block in added) == 1
    assert not [word for word in FURNITURE if word in found.text]
    assert f"# {found.title}" == source[0]
    assert found.warnings == ()
    assert len(found.pages) == (2 if edition.suffix == ".pdf" else 0)
    assert edition.stat().st_size < 60_000


# Text and Markdown ---------------------------------------------------------------------------------------------------

GERMAN = "Die Größe des Behälters beträgt höchstens zwölf Liter; die Gebühr beträgt fünf Euro."


@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [
        ("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-32", ""),
        ("utf-16-le", "UTF-16-LE without a mark, guessed"), ("utf-16-be", "UTF-16-BE without a mark, guessed"),
        ("utf-32-be", "UTF-32-BE without a mark, guessed"),
        ("latin-1", "encoding guessed: windows-1252"), ("cp1252", "encoding guessed: windows-1252"),
    ],
)  # fmt: skip
def test_encodings_are_told_from_the_bytes_and_a_guess_is_said(encoding: str, guessed: str) -> None:
    found = convert(GERMAN.encode(encoding), "a.txt")
    assert found.text == GERMAN + "\n"
    assert found.warnings == ((guessed,) if guessed else ())


def test_a_few_bad_bytes_do_not_make_utf_8_into_something_else() -> None:
    found = convert((GERMAN.encode() + b" \xff ") * 2, "a.md")
    assert found.text.count("Größe") == 2
    assert found.warnings == ("bytes that are not UTF-8, shown as \ufffd: 2",)


def test_a_bad_byte_for_every_good_letter_does_not_make_utf_8_into_something_else() -> None:
    found = convert("The café is open at noon. It\N{RIGHT SINGLE QUOTATION MARK}s full.".encode() + b" \xff", "a.txt")
    assert "café is open at noon. It\N{RIGHT SINGLE QUOTATION MARK}s full. \ufffd" in found.text


def test_a_page_is_read_in_the_encoding_that_it_or_its_server_names() -> None:
    body = '<html><head><meta charset="windows-1251"></head><body><p>Размер</p></body></html>'
    assert convert(body.encode("cp1251"), "a.html").text == "Размер\n"
    assert convert(body.replace("windows-1251", "x").encode("koi8-r"), "a.html", charset="koi8-r").text == "Размер\n"


def test_markdown_stays_as_it_is_but_for_line_ends_mark_and_front_matter() -> None:
    found = convert(b'\xef\xbb\xbf---\r\ntitle: "Own title"\r\ntags: [a]\r\n---\r\n# One\r\n\r\n<b>x</b>\r\n', "a.md")
    assert (found.title, found.text) == ("Own title", "# One\n\n<b>x</b>\n")
    assert found.warnings == ("front matter left out: title, tags",)
    assert convert(b"---\n\nA rule, no front matter.\n\n---\n", "a.md").text.startswith("---\n\nA rule")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Real title\n==========\n\ntext", "Real title"),
        ("```sh\n# install\n```\n\n# After", "After"),
        ("~~~~\n```\n# no\n~~~\n~~~~\n## Second level", "Second level"),
        ("## Sub\n\n# Top `code` [link](x)", "Top code link"),
        ("```\n# in a fence that never ends\n", ""),
        ("- item\n---\n\n#hash\n\n    # indented", ""),
    ],
)
def test_the_title_is_the_first_heading_and_never_a_comment_in_code(text: str, title: str) -> None:
    assert convert(text.encode(), "a.md").title == title


def test_pages_of_an_rfc_are_one_text_with_its_title_and_sections() -> None:
    def page(number: int, text: str) -> str:
        return f"{text}\n\n\nBell{' ' * 40}[Page {number}]\n\f\nRFC 9{' ' * 30}May 2026\n\n\n"

    entries = "".join(f"   {line} . . . . . . 1\n" for line in ("1. Ringing", "1.1. Ropes", "2. Towers", "A. Weights"))
    pages = (
        f"Bell Group{'A. Bell':>40}\n\n\n{' ' * 20}The Ringing of Bells\n\nAbstract\n\n   Bells ring.\n\n"
        f"Table of Contents\n\n{entries}\n",
        "1. Ringing\n\n   A bell is rung by its rope, of which the end\n",
        "   is held.\n\n1.1. Ropes\n\n   Type name: hemp\n\n   Ropes are long.\n",
        "2. Towers\n\n   +---+\n   | o |\n   -----\n\nA. Weights\n\n   Bells are heavy.\n",
    )
    found = convert("".join(page(number, text) for number, text in enumerate(pages, 1)).encode(), "rfc9.txt")
    assert found.title == "The Ringing of Bells"
    assert re.findall(r"^#.*", found.text, re.MULTILINE) == (
        ["# The Ringing of Bells", "## Abstract", "## 1. Ringing", "### 1.1. Ropes", "## 2. Towers", "## A. Weights"]
    )
    assert "of which the end\n   is held." in found.text
    assert "[Page" not in found.text
    assert "RFC 9" not in found.text
    assert "Type name: hemp" in found.text


def test_underlined_titles_of_plain_text_become_headings_and_comments_do_not() -> None:
    text = "Manual\n******\n\n1. Use\n======\n\nRun:\n\n# reboot\n\n2. Care\n=======\n\na   b\n=== ===\n"
    found = convert(text.encode(), "a.txt")
    assert found.title == "Manual"
    assert found.text == "# Manual\n\n## 1. Use\n\nRun:\n\n\\# reboot\n\n## 2. Care\n\na   b\n=== ===\n"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how Office files of before 2007 begin, and encrypted ones


def test_a_list_of_contents_in_plain_text_is_left_out_and_a_list_that_names_no_headings_is_not() -> None:
    names = ("1. Use", "2. Care", "3. Oil", "4. Repair")
    sections = "\n\n".join(f"{name}\n{'=' * len(name)}\n\nAbout {name}." for name in names)
    contents = "\n\n".join(f"* {name} ..... 7" for name in names)
    found = convert(f"Manual\n\n{contents}\n\n* Other\n\n{sections}".encode(), "a.txt")
    assert found.text.startswith("Manual\n\n* Other\n\n# 1. Use\n\nAbout 1. Use.\n\n# 2. Care")
    assert found.warnings == ("contents left out: 8 lines",)


# What a file is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"<!-- x -->\n<!DOCTYPE HTML><p>x", "a.txt", "text/html"),
        (b"<div><p>part of a page</p></div>", "a", "text/html"),
        (b'<p align="center">logo</p>\n\n# Title', "a.md", "text/markdown"),
        (b"no tags at all", "a.html", "text/plain"),
        (b"# One\n\ntext\n\n## Two\n\ntext", "README", "text/markdown"),
        (b"# comment\nset x\n", "x.conf", "text/plain"),
    ],
)
def test_the_kind_is_told_from_the_content(data: bytes, name: str, kind: str) -> None:
    assert convert(data, name).media_type == kind


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no text in it"),
        (b" \r\n\t ", "no text in it"),
        (b"<html><body><script>x()</script></body></html>", "a page that only scripts fill"),
        (b"\0\1\2\3", "binary, not text"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x1f\x8b\x08", "gunzip"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.text"}), "broken ODT"),
        (OLE, "before 2007; save it as .docx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted; save it without a password"),
        (docx(p("x"))[:300], "broken or cut off"),
        (docx(p("x"), **{"word/document.xml": "<w:p>"}), "broken DOCX"),
        (docx("x").replace(b"word/document.xml", b"word/documenX.xml"), "broken"),
        (archive({"a.txt": "x"}), "a ZIP archive; unpack it"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.graphics"}), "an OpenDocument file"),
        (archive({"[Content_Types].xml": "spreadsheetml.sheet.main"}), "broken XLSX"),
        (b'{"cells": [1], "nbformat": 4}', "broken IPYNB"),
        (epub(**{"META-INF/encryption.xml": '<x URI="O/b.xhtml"/>'}), "DRM"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_answered_with_one_line_and_a_fix(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        convert(data, "file.bin")
    assert "\n" not in str(caught.value)


# Bounds --------------------------------------------------------------------------------------------------------------


def test_limits_of_size_and_of_expansion_hold_before_anything_is_expanded() -> None:
    with pytest.raises(InputError, match=r"0\.1 MB, over the limit of 0\.05 MB; split it or raise MAX_FILE_MB"):
        convert(b"x" * 100_000, "a.txt", limits=FileLimits(file=50_000))
    bomb = docx("", **{"word/document.xml": b" " * 30_000_000})
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="expands to 30 MB of text, over the limit of 10 MB; split it"):
            convert(bomb, limits=FileLimits(expanded=10_000_000))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    many = epub(**{"O/b.xhtml": b"<p>x" + b" " * 4_000_000, "O/a b.xhtml": b"<p>x" + b" " * 4_000_000})
    assert convert(many, limits=FileLimits(expanded=9_000_000)).text
    with pytest.raises(InputError, match="expands to 8 MB of text, over the limit of 7 MB"):
        convert(many, limits=FileLimits(expanded=7_000_000))


def test_entities_of_xml_neither_multiply_nor_read_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    entities = '<!DOCTYPE d [<!ENTITY a "lololol">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for declared, used in (
        (entities + "]>", "&i;"),
        (f'<!DOCTYPE d [<!ENTITY x SYSTEM "{tmp_path / "secret"}">]>', "&x;"),
    ):
        part = f'{declared}<w:d xmlns:w="{W}"><w:body>{p("See " + used)}</w:body></w:d>'
        try:
            text = convert(docx("", **{"word/document.xml": part})).text
        except InputError:
            continue
        assert "secret words" not in text
        assert len(text) < 1_000


LONG = "The pump moves twelve litres per minute. " * 75_000


HOSTILE = {
    "line": LONG,
    "line in html": f"<html><body><p>{LONG}",
    "paragraphs": "<html><body>" + "<p>pump" * 100_000,
    "hashes": "#" * 3_000_000,
    "underlines": "=" * 3_000_000,
    "brackets": "<html>" + "<" * 3_000_000,
    "deep": "<html><body><div>" * 100_000,
    "lists": "<html><body>" + "<ul><li>x" * 1_500,
    "unclosed": "<html><body>" + "<b>x" * 1_500,
    "comments": "<html>" + "<!--" * 700_000,
    "spans": f"<table><tr>{'<td colspan=999999 rowspan=999999>x' * 2_000}</tr>{'<tr><td>y</tr>' * 50}</table>",
    "rows": f"<table><tr><th>a<th>b</tr>{'<tr><td>pump<td>12</tr>' * 5_000}</table>",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["a.html", "a.md", "a.txt"])
def test_long_and_hostile_input_comes_to_an_end_and_does_not_multiply(data: str, name: str) -> None:
    try:
        answer = convert(data.encode(), name).text
    except InputError as error:
        answer = str(error)
        assert re.match("nested too deeply|no text in it", answer)
    assert len(answer) <= 10 * len(data)


def test_an_unclosed_fence_stays_as_it_is_and_hides_no_text() -> None:
    text = "# Pumps\n\n```sh\nmake\n\n# not a heading\n\nThe end."
    assert convert(text.encode(), "a.md").text == text + "\n"


@pytest.mark.parametrize(
    ("missing", "data", "options", "extra"),
    [
        ("lxml", b"<html><p>x", {}, "documents"),
        ("trafilatura", LINKS_AND_TEXT.encode(), {}, "documents"),
        ("chardetng_py", "Größe: пять".encode("cp1251", "ignore"), {}, "documents"),
        ("pypdfium2", b"%PDF-1.4 %%EOF", {}, "documents"),
        ("pypandoc", b"\\documentclass{a} A pump.", {}, "documents"),
        ("docling", b"%PDF-1.4 %%EOF", {"pdf": "docling"}, "docling"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it(
    missing: str, data: bytes, options: dict[str, str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("to_markdown.pdf")]:
        monkeypatch.delitem(sys.modules, name)  # so that what it needs is imported again
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra) as caught:
        convert(data, **options)
    package = missing.replace("_", "-")
    assert str(caught.value) == f"{package} is not installed. Fix, in the project's folder: pip install -e '.[{extra}]'"


def test_a_long_line_and_a_table_of_5000_rows_lose_nothing() -> None:
    assert convert(LONG.encode(), "a.txt").text.strip() == LONG.strip()
    rows = "".join(f"<tr><td>pump {n}<td>{n} litres</tr>" for n in range(5_000))
    text = convert(f"<table><tr><th>Name<th>Use</tr>{rows}</table>".encode(), "a.html").text
    assert len(text.splitlines()) == 5_002
    assert "| pump 4999 | 4999 litres |" in text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds the limit")
@pytest.mark.parametrize("kind", ["html", "docx"])
def test_a_file_that_takes_more_memory_than_there_is_is_not_called_broken(tmp_path: Path, kind: str) -> None:
    """lxml says `unknown error` then."""
    words = "<p><r><t>a</t></r></p>" * 400_000
    data = docx(words) if kind == "docx" else f"<html><body>{words}</body></html>".encode()
    (tmp_path / f"large.{kind}").write_bytes(data)
    work = (
        "import resource, sys, pathlib, to_markdown; path = pathlib.Path(sys.argv[1]); data = path.read_bytes();"
        "resource.setrlimit(resource.RLIMIT_DATA, (150_000_000, -1)); to_markdown.convert(data, path.name)"
    )
    done = subprocess.run([sys.executable, "-c", work, str(tmp_path / f"large.{kind}")], capture_output=True, text=True)
    assert done.stderr.strip().endswith("MemoryError")
