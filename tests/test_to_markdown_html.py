"""Web pages whose facts are in their looks: marks of lists, formulas, raised digits, readings, numbers beside code.

And tables of HTML in Markdown.
"""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from ai_tools.documents.chunking import chunk_document
from ai_tools.records import Document, Passage
from to_markdown import Conversion, convert


def page(body: str, head: str = "") -> Conversion:
    html = f"<!doctype html><html><head><title>Notes</title>{head}</head><body><main>{body}</main></body></html>"
    return convert(html.encode(), "page.html")


def text(body: str, head: str = "") -> str:
    return page(body, head).text


# Marks of lists and numbers of headings ------------------------------------------------------------------------------

ITEMS = "<li>Rent is due.</li><li>Pets are allowed.</li>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<ol type=a>{ITEMS}</ol>", "- a. Rent is due.\n- b. Pets are allowed.\n"),
        (f"<p>Not (b).</p><ol type=a>{ITEMS}</ol>", "Not (b).\n\n- (a) Rent is due.\n- (b) Pets are allowed.\n"),
        (f"<ol type=I start=4>{ITEMS}</ol>", "- IV. Rent is due.\n- V. Pets are allowed.\n"),
        (f"<ol start=5>{ITEMS}</ol>", "5. Rent is due.\n6. Pets are allowed.\n"),
        (f"<ol reversed>{ITEMS}</ol>", "2. Rent is due.\n1. Pets are allowed.\n"),
        ("<ol><li>Open.</li><li value=7>Close.</li><li>Log.</li></ol>", "1. Open.\n7. Close.\n8. Log.\n"),
        ("<ol><li>Open.</li><li></li><li>Log.</li></ol>", "1. Open.\n3. Log.\n"),
        (f'<ol style="list-style: upper-alpha inside">{ITEMS}</ol>', "- A. Rent is due.\n- B. Pets are allowed.\n"),
        (f'<ol class="lowerroman simple">{ITEMS}</ol>', "- i. Rent is due.\n- ii. Pets are allowed.\n"),
        ("<ol><li>(a) Rent.</li><li>(b) Pets.</li></ol>", "- (a) Rent.\n- (b) Pets.\n"),
        ("<ol><li><h2>Rent</h2><p>Due.</li><li><h2>Pets</h2></ol>", "## 1. Rent\n\nDue.\n\n## 2. Pets\n"),
        ("<table><tr><td>(a)<td>Rent;</tr><tr><td>(b)<td>Pets.</table>", "- (a) Rent;\n- (b) Pets.\n"),
    ],
)
def test_items_have_the_marks_that_a_browser_shows(body: str, expected: str) -> None:
    assert text(body) == expected


@pytest.mark.parametrize(
    ("css", "body", "expected"),
    [
        (
            "ol { counter-reset: n; list-style: none } li { counter-increment: n }"
            "li::before { content: counters(n, '.') ' ' }",
            "<ol><li>Rent<ol><li>Due.</li><li>Late.</li></ol></li><li>Pets<ol><li>Dogs.</ol></li></ol>",
            "- 1 Rent\n  - 1.1 Due.\n  - 1.2 Late.\n- 2 Pets\n  - 2.1 Dogs.\n",
        ),
        (
            "body { counter-reset: part } h2 { counter-reset: line }"
            'h2:before { counter-increment: part; content: "Article\\00a0" counter(part) "." }'
            'p { counter-increment: line } p::before { content: counter(part) "." counter(line) }',
            "<h2>Term</h2><p>A year.</p><p>Renewed.</p><h2>Notice</h2><p>A month.</p>",
            "## Article 1. Term\n\n1.1 A year.\n\n1.2 Renewed.\n\n## Article 2. Notice\n\n2.1 A month.\n",
        ),
        (
            "/* ol { list-style: none } */ @media screen { ol.law > li { list-style-type: lower-roman } } ol { x: y }",
            f"<ol class=law>{ITEMS}</ol>",
            "- i. Rent is due.\n- ii. Pets are allowed.\n",
        ),
        (
            "li:before { content: '(' counter(x, lower-latin) ') ' } li { counter-increment: x }"
            "#g { counter-reset: x 4 }",
            f"<ol id=g>{ITEMS}</ol>",
            "- (e) Rent is due.\n- (f) Pets are allowed.\n",
        ),
        (
            "#a { list-style-type: decimal } ol.b { list-style-type: lower-alpha } ol { list-style-type: upper-roman }",
            f"<ol id=a class=b>{ITEMS}</ol><div><ol class=b><li>x</ol></div>",
            "1. Rent is due.\n2. Pets are allowed.\n\n- a. x\n",
        ),
        (
            "code b::before { counter-increment: n; content: counter(n) }",
            "<pre><code><b>x = 3</b>\n<b>y = 4</b></code></pre>",
            "```\nx = 3\ny = 4\n```\n",
        ),
    ],
)
def test_what_style_sheets_count_is_written_but_not_into_code(css: str, body: str, expected: str) -> None:
    assert text(body, f"<style>{css}</style>") == expected


# Formulas and raised digits -------------------------------------------------------------------------------------------

ENERGY = (
    "<math xmlns='http://www.w3.org/1998/Math/MathML'><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi>"
    "<msup><mi>c</mi><mn>2</mn></msup></mrow><annotation encoding='application/x-tex'>E = mc^2</annotation>"
    "</semantics></math>"
)
KATEX = (
    f"<span class=katex><span class=katex-mathml>{ENERGY}</span>"
    "<span class=katex-html aria-hidden=true><span class=base>E=mc2</span></span></span>"
)
ROOT = "<math><msqrt><mn>16</mn></msqrt></math>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>So {KATEX} at rest.</p>", "So $E = mc^2$ at rest.\n"),
        (f"<p>So</p><span class=katex-display>{KATEX}</span>", "So\n\n$$\nE = mc^2\n$$\n"),
        (
            "<p>It is <span class=MathJax_Preview>[x]</span><script type='math/tex'>Q = k \\Delta p</script> here.</p>",
            "It is $Q = k \\Delta p$ here.\n",
        ),
        (
            "<p>So <span class=MathJax><nobr>E=mc2</nobr><span class=MJX_Assistive_MathML>"
            f"{ENERGY}</span></span><script type='math/tex; mode=display'>R^4</script></p>",
            "So\n\n$$\nR^4\n$$\n",
        ),
        (
            "<p>A side of <mjx-container class=MathJax><mjx-math aria-hidden=true><mjx-c></mjx-c></mjx-math>"
            f"<mjx-assistive-mml>{ROOT}</mjx-assistive-mml></mjx-container> m.</p>",
            "A side of $\\sqrt{16}$ m.\n",
        ),
        (
            "<p>So <span class=mwe-math-element><span style='display: none'>"
            f"{ENERGY}</span><img aria-hidden=true class=mwe-math-fallback-image-inline alt='E = mc^2'></span>.</p>",
            "So $E = mc^2$.\n",
        ),
        ("<p>So <img class=math alt='E = mc^2' src=a.png>.</p>", "So $E = mc^2$.\n"),
        ("<p>So <span class=math>\\(a^2\\)</span>, \\(b\\), <code>\\(c\\)</code>.</p>", "So $a^2$, $b$, `\\(c\\)`.\n"),
        ("<div class=math>\n\\[x &lt; 1\\]</div><p>y</p>", "$$\nx < 1\n$$\n\ny\n"),
        ("<p>Keep \\(a\\) in a page on patterns.</p>", "Keep \\(a\\) in a page on patterns.\n"),
    ],
)
def test_a_formula_stands_once_as_tex(body: str, expected: str) -> None:
    assert text(body) == expected


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac>", r"\frac{1}{2}"),
        ("<msup><mn>10</mn><mn>6</mn></msup>", "10^{6}"),
        ("<msqrt><mn>16</mn></msqrt>", r"\sqrt{16}"),
        ("<mroot><mn>27</mn><mn>3</mn></mroot>", r"\sqrt[3]{27}"),
        ("<mover><mi>x</mi><mo>¯</mo></mover>", r"\overline{x}"),
        ("<mn>x</mn><mo>≥</mo><mn>18</mn>", r"x \geq 18"),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>",
            r"\begin{matrix} 1 & 2 \end{matrix}",
        ),
    ],
)
def test_formulas_without_tex_get_it_from_their_mathml(mathml: str, tex: str) -> None:
    assert text(f"<p>Give <math>{mathml}</math> now.</p>") == f"Give ${tex}$ now.\n"


def test_formulas_that_are_only_drawn_are_told() -> None:
    found = page("<p>So <mjx-container><mjx-math><mjx-c class=mjx-c1></mjx-c></mjx-math></mjx-container> holds.</p>")
    assert found.warnings == ("formulas that are only drawn left out: 1",)
    assert (
        text("<p>So <span class=katex><span class=katex-html aria-hidden=true>x = 1</span></span>.</p>")
        == "So x = 1.\n"
    )


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("10<sup>6</sup> cells", "10^6 cells"),
        ("10<sup>6</sup>m", "10^{6}m"),
        ("x<sup>n+1</sup>, e<sup>−x/2</sup>, 5<sup>−3</sup>", "x^{n+1}, e^{−x/2}, 5^−3"),
        ("2<sup>1</sup>/<sub>2</sub> or <sup>3</sup>&frasl;<sub>4</sub> cups", "2 1/2 or 3\u20444 cups"),
        ("m<span style='vertical-align: super'>2</span>", "m^2"),
        ("CO<sub>2</sub>, H<sub>2</sub>O, SO<sub>4</sub><sup>2−</sup>", "CO2, H2O, SO4^2−"),
        (
            "101<sub>2</sub>, log<sub>10</sub>100, a<sub>i,j</sub>, a<sub>i+1</sub>",
            "101_2, log_{10}100, a_{i,j}, a_{i+1}",
        ),
        ("1<sup>st</sup>, M<sup>me</sup>, n<sup>o</sup> 5, see<sup>[a]</sup>", "1st, Mme, no 5, see[a]"),
        ("&frac12; tablet if &ge; 18 °C", "½ tablet if ≥ 18 °C"),
    ],
)
def test_raised_and_lowered_signs_make_no_other_number(html: str, expected: str) -> None:
    assert text(f"<p>{html}</p>") == f"{expected}\n"


# Readings, hidden text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        "<ruby>炉<rt>ろ</rt></ruby>は<ruby>点検<rp>(</rp><rt>てんけん</rt><rp>)</rp></ruby>を毎週",
        "<ruby><rb>炉</rb><rtc><rt>ろ</rt></rtc></ruby>は\n  <ruby>点<rt>てん</rt>検<rt>けん</rt></ruby>を\n毎週",
        "炉は点検を<b></b>\n毎週",
    ],
)
def test_words_stand_without_their_readings_and_lines_of_such_scripts_join_without_a_space(html: str) -> None:
    assert text(f"<p>{html}行う。</p>") == "炉は点検を毎週行う。\n"


@pytest.mark.parametrize("hidden", ["hidden", "style='display: none'", "aria-hidden=true", "style=visibility:hidden"])
@pytest.mark.parametrize("tag", ["span", "p", "h2"])
def test_what_no_reader_sees_is_left_out(tag: str, hidden: str) -> None:
    shown = "<p>All of this is shown to every reader of the page.</p>"
    assert text(f"{shown}<{tag} {hidden}>Not this.</{tag}><template>Nor this.</template>") == f"{shown[3:-4]}\n"


def test_what_is_ticked_is_told_from_what_is_not_and_boxes_of_menus_go() -> None:
    items = "<li><input type=checkbox checked> dry</li><li><label><input type=checkbox disabled id=a>wet</label></li>"
    menu = "<li><input type=checkbox id=m><label for=m>more</label></li>"
    assert text(f"<p>Valves:</p><ul>{items}{menu}</ul>") == "Valves:\n\n- ☒ dry\n- ☐ wet\n- more\n"


def test_what_opens_at_a_click_or_a_search_is_shown() -> None:
    found = text("<details><summary>More</summary>A.</details><div hidden=until-found>B.</div><p>C, D, E.</p>")
    assert found == "More\n\nA.\n\nB.\n\nC, D, E.\n"


# Numbers beside code --------------------------------------------------------------------------------------------------

HUGO = "<span style='white-space:pre;user-select:none;margin-right:0.4em;color:#7f7f7f'>{}</span>"
TWO = "<td class={}><pre{}>1\n2\n</pre></td><td class=code><pre>x = 5\n  y = 1\n</pre></td>"


@pytest.mark.parametrize(
    "html",
    [
        "<pre class=fragment><span class=lineno>    1</span> x = 5\n<span class=lineno>    2</span>   y = 1</pre>",
        "<div class=fragment><div class=line><a id=l1></a><span class=lineno>    1</span>x = 5</div>\n"
        "<div class=line><span class=lineno><a href=#f>    2</a></span>  y = 1</div>\n<div class=ttc>y</div></div>",
        f"<table class=rouge-table><tr>{TWO.format('gutter', ' class=lineno')}</tr></table>",
        f"<pre><code><table class=linenotable><tr>{TWO.format('linenos', ' class=lineno')}</tr></table></code></pre>",
        f"<figure class='highlight'><table><tr>{TWO.format('gutter', '')}</tr></table></figure>",
        "<table class=highlighttable><tr><td class=linenos><div class=linenodiv><pre>1\n2</pre></div></td>"
        "<td class=code><div class=highlight><pre><span></span>x = 5\n  y = 1\n</pre></div></td></tr></table>",
        "<table class=lntable><tr><td class=lntd><pre><code><span class=lnt>1\n</span><span class=lnt>2\n</span></code>"
        "</pre></td><td class=lntd><pre><code>x = 5\n  y = 1\n</code></pre></td></tr></table>",
        "<pre class=chroma><code><span class=line><span class=ln><a class=lnlinks>1</a></span>x = 5\n</span>"
        "<span class=line><span class=ln>2</span>  y = 1\n</span></code></pre>",
        "<pre><span class=linenos>1</span>x = 5\n<span class=linenos>2</span>  y = 1\n</pre>",
        "<table class='highlight js-file-line-container'>\n<tr>\n <td class='blob-num'>1</td>\n"
        " <td class=blob-code>x = 5</td>\n</tr>\n<tr>\n <td class=blob-num></td>\n <td class=blob-code>  y = 1</table>",
        "<pre><code><table class=hljs-ln><tr><td class=hljs-ln-numbers><div class=hljs-ln-n>1</div></td>"
        "<td class=hljs-ln-code>x = 5</td></tr><tr><td class=hljs-ln-numbers><div class=hljs-ln-n>2</div></td>"
        "<td class=hljs-ln-code>  y = 1</td></tr></table></code></pre>",
        "<pre class=line-numbers><code>x = 5\n  y = 1<span aria-hidden=true class=line-numbers-rows><span>1</span>"
        "<span>2</span></span></code></pre>",
        "<table><tr><td class=gutter><div class='line number1'>1</div><div class=line>2</div></td><td class=code>"
        "<div class=container><div class=line><code>x</code> = 5</div><div class=line>  y = 1</div></div></table>",
        "<table class=blob><tr><td class=linenumbers><pre><a href=#n1>1</a>\n<a href=#n2>2</a>\n</pre></td>"
        "<td class=lines><pre><code>x = 5\n  y = 1\n</code></pre></td></tr></table>",
        "<div><div class=pre><a id=l1 class=linenr>   1</a> x = 5</div>\n<div class=pre><a class=linenr>   2</a>"
        "   y = 1</div></div>",
        f"<table><tr><td><pre><code>{HUGO.format('1 ')}{HUGO.format('2 ')}</code></pre></td>"
        "<td><pre><code>x = 5\n  y = 1\n</code></pre></td></tr></table>",
        f"<pre><code><span>{HUGO.format('1')}<span>x = 5\n</span></span><span>{HUGO.format('2')}  y = 1</span></pre>",
        "<pre><ol class=linenums><li class=L0>x = 5</li><li class=L1>  y = 1</li></ol></pre>",
    ],
)
def test_numbers_of_lines_never_reach_code(html: str) -> None:
    assert text(f"<p>Code:</p>{html}") == "Code:\n\n```\nx = 5\n  y = 1\n```\n"


def test_numbers_that_are_code_stay() -> None:
    assert text("<pre class=line-numbers><code>1\n2</code></pre>") == "```\n1\n2\n```\n"
    assert text("<pre>x = <span class=ln>ln</span>(<b class=mi>3</b>)</pre>") == "```\nx = ln(3)\n```\n"
    assert text("<p>In verse <span class=ln>12</span> of it.</p>") == "In verse 12 of it.\n"


def test_the_language_of_code_beside_numbers_is_kept() -> None:
    table = f"<table><tr>{TWO.format('gutter', '')}</tr></table>"
    assert text(f"<figure class='highlight python'>{table}</figure>").startswith("```python\n")


# Tables ---------------------------------------------------------------------------------------------------------------

HEADS = (
    "<tr><th rowspan=2>Kind</th><th colspan=2>Range</th></tr><tr><th>low</th><th>high</th></tr>"
    "<tr><td>oil</td><td>1</td><td>2</td></tr>"
)


@pytest.mark.parametrize("title", ["", "<tr><th colspan=3>Ranges</th></tr>"])
def test_a_head_of_several_rows_becomes_one(title: str) -> None:
    table = "| Kind | Range low | Range high |\n| --- | --- | --- |\n| oil | 1 | 2 |\n"
    assert text(f"<table>{title}{HEADS}</table>") == ("Ranges\n\n" * bool(title)) + table


def markdown(source: str) -> str:
    return convert(source.encode(), "notes.md").text


ROWS = "<tr><td>Name</td><td>Limit</td></tr><tr><td>a<br>b</td><td><b>5</b> kg</td></tr>"
PIPES = "| Name | Limit |\n| --- | --- |\n| a; b | **5** kg |"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"<table>{ROWS}</table>", PIPES),
        (f"<html><body><table>\n{ROWS}\n</table></body></html>\n\nEnd.", f"{PIPES}\n\nEnd."),
        (f"Lead:\n<TABLE border=1>{ROWS}</TABLE>\nEnd.", f"Lead:\n\n{PIPES}\n\nEnd."),
        (f"<div align=center>\n<table>{ROWS}</table>\n</div>", PIPES),
        (f"<table>{ROWS}</table> End.", f"{PIPES}\n\n End."),
        (f"- one\n\n  <table>\n  {ROWS}\n  </table>\n- two", f"- one\n\n  {PIPES}\n\n- two".replace("|\n|", "|\n  |")),
        (f"1. <table>{ROWS}</table>", f"1. {PIPES}".replace("|\n|", "|\n   |")),
        (f"> <table>\n> {ROWS}</table>", f"> {PIPES}".replace("|\n|", "|\n> |")),
        (
            "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>",
            "|  |  |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |",
        ),
    ],
)
def test_a_table_that_markdown_has_as_html_is_a_table(source: str, expected: str) -> None:
    assert markdown(f"# T\n\n{source}\n") == f"# T\n\n{expected}\n"


@pytest.mark.parametrize(
    "source",
    [
        f"```html\n<table>{ROWS}</table>\n```",
        f"    <table>{ROWS}</table>",
        f"Say `<table>{ROWS}</table>`.",
        "<table><tr><td>\n\n- one\n- two\n\n</td><td>x</td></tr></table>",
        "<table><tr><td><img src=a.png></td><td><img src=b.png></td></tr></table>",
        f"<table>{ROWS}\n\n# Never closed",
    ],
)
def test_html_in_markdown_that_is_code_or_layout_stays_as_it_is(source: str) -> None:
    assert markdown(f"# T\n\n{source}\n") == f"# T\n\n{source}\n"


def test_chunks_of_a_table_of_html_hold_whole_rows_and_its_head_is_shown_to_the_teacher() -> None:
    rows = "".join(f"<tr><td>ST{n:03}</td><td>{n} m</td><td>{n + 50} km/h</td></tr>" for n in range(60))
    head = "<tr><th>Station</th><th>Mast height</th><th>Gust limit</th></tr>"
    found = markdown(f"# Stations\n\n<html><body><table>{head}{rows}</table></body></html>\n\nText after.\n")
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    document = Document("d", "s.md", "s", "Stations", "text/markdown", "0", "markdown", found)
    chunks = chunk_document(document, max_tokens=120, tokenizer=tokenizer)
    assert len(chunks) > 3
    assert all(len(row.split("|")) == 5 for one in chunks for row in one.text.split("\n") if "ST" in row)
    header = "| Station | Mast height | Gust limit |\n| --- | --- | --- |"
    inside = [Passage.from_row(one.to_row()) for one in chunks[1:] if "ST" in one.text]
    assert all(passage.shown.startswith(f"{header}\n| ST") for passage in inside)
