"""What the converter makes of small PDFs that are drawn here, line by line, so that every place and font is known."""

from __future__ import annotations

import io
import itertools
import re
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from ai_tools.errors import InputError
from to_markdown import Conversion, FileLimits, convert

Draw = Callable[[Canvas], None]
PROSE = (
    "Beekeepers open the hive in early spring, when the willow is in flower and the first brood",
    "has been laid by then. They look for stores, for the queen, and for signs of disease, and",
    "they close it again before the combs are cold. A weak colony is united with a strong one.",
)
COLUMN = (
    "The river rises in the hills and falls",
    "slowly through meadows and old mills",
    "until it meets the sea beyond the town",
    "where boats have been built since ever",
    "and where the market is held each week",
    "under the arches of the old town hall",
)


def made(*pages: Draw, title: str = "", **options: object) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842), **options)
    canvas.setTitle(title)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def converted(*pages: Draw, title: str = "") -> Conversion:
    return convert(made(*pages, title=title))


def write(
    canvas: Canvas, x: float, y: float, *lines: str, font: str = "Times-Roman", size: float = 10, lead: float = 12
) -> float:
    """Lines of text from a baseline down; returns the baseline after a paragraph's gap."""
    canvas.setFont(font, size)
    for line in lines:
        canvas.drawString(x, y, line)
        y -= lead
    return y - 8


def page_of(*lines: str) -> Draw:
    return lambda canvas: void(write(canvas, 72, 700, *lines))


def void(_: object) -> None:
    return None


def picture(canvas: Canvas) -> None:
    canvas.drawImage(ImageReader(io.BytesIO(b"P5 1 1 255 \x80")), 0, 0, 595, 842)


def grid(canvas: Canvas, rows: list[list[str]], top: float, *, x: float = 72, widths: float = 120) -> None:
    canvas.grid([x + widths * n for n in range(len(rows[0]) + 1)], [top - 20 * n for n in range(len(rows) + 1)])
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            write(canvas, x + 4 + widths * column, top - 14 - 20 * number, cell)


def test_lines_of_a_paragraph_become_one_and_a_gap_begins_another() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, write(canvas, 72, 700, *PROSE), *PROSE)

    assert converted(draw).text == " ".join(PROSE) + "\n\n" + " ".join(PROSE) + "\n"


def test_indented_first_lines_begin_paragraphs_without_a_gap() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(3):
            write(canvas, 84, 700 - 36 * number, PROSE[0])
            write(canvas, 72, 688 - 36 * number, *PROSE[1:])

    assert converted(draw).text.count("\n\n") == 2


def test_headings_take_their_level_from_the_sizes_that_occur() -> None:
    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 780, "Beekeeping", font="Helvetica-Bold", size=24)
        for name in ("Spring", "Summer"):
            y = write(canvas, 72, y - 20, name, font="Helvetica-Bold", size=16)
            y = write(canvas, 72, y - 6, f"{name} work", font="Helvetica-Bold", size=12)
            y = write(canvas, 72, y, *PROSE)

    headings = re.findall(r"^#.*", converted(draw).text, re.MULTILINE)
    assert headings == ["# Beekeeping", "## Spring", "### Spring work", "## Summer", "### Summer work"]


def test_bold_lines_of_the_texts_size_are_headings_where_they_stand_alone() -> None:
    def draw(canvas: Canvas) -> None:
        y = 740.0
        for name in ("Feeding", "Swarming"):
            y = write(canvas, 72, y, name, font="Times-Bold")
            y = write(canvas, 72, y, *PROSE)

    assert re.findall(r"^# .*", converted(draw).text, re.MULTILINE) == ["# Feeding", "# Swarming"]


def test_the_outline_gives_levels_that_sizes_do_not_tell() -> None:
    def draw(canvas: Canvas) -> None:
        y = 740.0
        for level, name in ((0, "1 Hives"), (1, "1.1 Frames"), (2, "1.1.1 Wax"), (0, "2 Honey")):
            canvas.bookmarkPage(name, fit="XYZ", top=y)
            canvas.addOutlineEntry(name.split(" ")[1], name, level=level)
            y = write(canvas, 72, y, name, font="Times-Bold", size=13)
            y = write(canvas, 72, y, *PROSE)

    headings = re.findall(r"^#.*", converted(draw).text, re.MULTILINE)
    assert headings == ["# 1 Hives", "## 1.1 Frames", "### 1.1.1 Wax", "# 2 Honey"]


def test_words_broken_at_a_line_end_are_joined_and_real_hyphens_stay() -> None:
    text = converted(
        page_of(
            "A well-known keeper of bees looks at each hive in spring and at the colony inside to see the brood-",
            "nest, the stores and the well-",
            "known signs. His experi-",
            "ence with hives and pre-",
            "and post-war boxes of the Anglo-",
            "Swiss kind helps.",
        )
    ).text
    assert "well-known signs" in text
    assert "experience" in text
    assert "pre- and post-war" in text
    assert "Anglo-Swiss" in text


def test_ligatures_and_soft_hyphens_leave_plain_words() -> None:
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))  # comes with reportlab

    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 700, "The of\ufb01ce \ufb01led its co\u00adop\u00aderation's \ufb02ow.", font="Vera")

    assert converted(draw).text == "The office filed its cooperation's flow.\n"


def test_lists_keep_their_marks_and_their_nesting() -> None:
    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 740, *PROSE)
        for x, line in ((82, "smoker"), (100, "fuel"), (100, "matches"), (82, "hive tool")):
            if x == 82:
                write(canvas, x, y, "•")
            else:
                canvas.circle(x + 2, y + 3, 1.5, fill=1)  # as browsers draw bullets
            y = write(canvas, x + 10, y, line) + 6
        for number in (1, 2):
            write(canvas, 82, y, f"{number}.")
            y = write(canvas, 96, y, "Light the smoker and wait until the smoke is cool and", "white.") + 6

    assert converted(draw).text.partition("\n\n")[2] == (
        "- smoker\n  - fuel\n  - matches\n- hive tool\n"
        "1. Light the smoker and wait until the smoke is cool and white.\n"
        "2. Light the smoker and wait until the smoke is cool and white.\n"
    )


def test_code_keeps_its_lines_its_indentation_and_its_words_in_prose_are_marked() -> None:
    code = ("def open(hive):", "    if hive.cold:", "        return None", "", "    return hive.frames  # all")

    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 740, *PROSE)
        canvas.setFont("Times-Roman", 10)
        canvas.drawString(72, y, "Call")
        canvas.setFont("Courier", 10)
        canvas.drawString(94, y, "open()")
        canvas.setFont("Times-Roman", 10)
        canvas.drawString(133, y, "on a warm day, as the following listing shows for a hive:")
        y = write(canvas, 84, y - 20, *code, font="Courier", size=9, lead=11)
        write(canvas, 72, y, *PROSE)

    text = converted(draw).text
    assert "```\n" + "\n".join(code) + "\n```" in text
    assert "Call `open()` on a warm day" in text


def test_ruled_tables_become_markdown_and_go_on_over_a_page() -> None:
    first = [["Month", "Work", "Days"], ["March", "feeding", "2"], ["April", "frames | wax", "4"]]
    second = [["Month", "Work", "Days"], ["May", "swarms", "9"]]
    text = converted(lambda canvas: grid(canvas, first, 300), lambda canvas: grid(canvas, second, 760)).text
    assert text == (
        "| Month | Work | Days |\n| --- | --- | --- |\n| March | feeding | 2 |\n"
        "| April | frames \\| wax | 4 |\n| May | swarms | 9 |\n"
    )


def test_a_table_with_three_rules_and_no_walls_is_told_by_its_free_columns() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 780, *PROSE)
        for y in (700, 680, 640):
            canvas.line(72, y, 400, y)
        for y, row in ((686, ("Plant", "Nectar")), (666, ("Lime tree", "much")), (650, ("Heather", "little"))):
            write(canvas, 76, y, row[0])
            write(canvas, 250, y, row[1])
        write(canvas, 72, 600, *PROSE)

    assert "| Plant | Nectar |\n| --- | --- |\n| Lime tree | much |\n| Heather | little |" in converted(draw).text


def test_flush_rows_without_rules_are_a_table_and_prose_is_not() -> None:
    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 780, *PROSE)
        for row in (("Name", "Colour", "Year"), ("Anna", "blue", "2020"), ("Berta", "white", "2021")):
            for x, cell in zip((72, 180, 300), row, strict=True):
                write(canvas, x, y, cell)
            y -= 14
        write(canvas, 72, y - 14, *PROSE)

    text = converted(draw).text
    assert "| Name | Colour | Year |\n| --- | --- | --- |\n| Anna | blue | 2020 |\n| Berta | white | 2021 |" in text
    assert text.count("|\n") == 4


def test_two_columns_are_read_one_after_the_other_below_a_title_over_both() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 150, 780, "Rivers and towns of the north", font="Times-Bold", size=20)
        write(canvas, 72, 740, *COLUMN)
        write(canvas, 320, 738, *[line.upper() for line in COLUMN], size=7.5)

    text = converted(draw).text
    assert text.startswith("# Rivers and towns of the north\n\n" + " ".join(COLUMN))
    assert text.index("OLD TOWN HALL") > text.index("old town hall")
    assert " ".join(COLUMN).upper() in text


def test_running_headers_and_page_numbers_go_and_the_text_stays() -> None:
    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            write(canvas, 72, 810, f"The Beekeeper's Year {number}")
            write(canvas, 72, 700, f"Chapter text {number}.", *PROSE)
            write(canvas, 290, 30, f"- {number} -")

        return draw

    text = converted(*[page(number) for number in range(1, 6)]).text
    assert "Year" not in text
    assert "- 3 -" not in text
    assert [f"Chapter text {number}." in text for number in range(1, 6)] == [True] * 5


def test_running_headers_go_of_which_only_a_part_repeats() -> None:
    sections = ["Wax", "Bees", "Hives", "Honey", "Queens", "Smoke"]

    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            write(canvas, 72, 810, "CHAPITRE 1. ABEILLES")
            write(canvas, 400, 810, f"1.{number} {sections[number].upper()}")
            write(canvas, 72, 700, f"Text of {sections[number]}.", *PROSE)

        return draw

    text = converted(*[page(number) for number in range(6)]).text
    assert "CHAPITRE" not in text
    assert "HONEY" not in text
    assert all(f"Text of {name}." in text for name in sections)


@pytest.mark.parametrize("label", ["Chapitre 3", "Kapitel 3", "Capítulo 3"])
def test_labels_of_chapters_in_other_languages_are_part_of_their_heading(label: str) -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 740, label, "Hivernage", font="Helvetica-Bold", size=20, lead=40)
        write(canvas, 72, 660, *PROSE)

    assert converted(draw).text.startswith(f"# {label}: Hivernage\n\nBeekeepers")


def test_a_paragraph_goes_on_over_the_page_and_page_starts_are_recorded() -> None:
    result = converted(page_of(*PROSE[:2]), page_of(PROSE[2]), page_of("The end of the book."))
    assert result.text == " ".join(PROSE) + "\n\nThe end of the book.\n"
    assert [result.text[at : at + 8] for at in result.pages] == ["Beekeepe", "they clo", "The end "]


def test_footnotes_stand_at_the_end_of_their_page() -> None:
    def first(canvas: Canvas) -> None:
        write(canvas, 72, 700, *PROSE[:2])
        x = 72 + canvas.stringWidth(PROSE[1], "Times-Roman", 10)
        write(canvas, x, 692, "1", size=6)
        write(canvas, 72, 83, "1", size=5)
        write(canvas, 76, 80, "Foulbrood above all.", size=8)

    result = converted(first, page_of(PROSE[2], *PROSE))
    assert "disease, and[^1] they close" in result.text
    assert result.text.index("[^1]: Foulbrood above all.") < result.pages[1]


def test_footnotes_wait_for_the_end_of_a_list_that_goes_on_over_the_page() -> None:
    def first(canvas: Canvas) -> None:
        y = write(canvas, 72, 740, *PROSE)
        for number in (1, 2):
            write(canvas, 82, y, f"{number}.")
            y = write(canvas, 96, y, f"Light smoker {number} and wait until its smoke is cool.") + 6
        x = 96 + canvas.stringWidth("Light smoker 2 and wait until its smoke is cool.", "Times-Roman", 10)
        write(canvas, x, y + 8, "1", size=6)
        write(canvas, 72, 83, "1", size=5)
        write(canvas, 76, 80, "Foulbrood above all.", size=8)

    def second(canvas: Canvas) -> None:
        write(canvas, 82, 740, "3.")
        y = write(canvas, 96, 740, "Light smoker 3 and wait until its smoke is cool.")
        write(canvas, 72, y - 20, *PROSE)

    text = converted(first, second).text
    assert text.index("3. Light smoker 3") < text.index("[^1]: Foulbrood above all.")
    assert text.index("2. Light smoker 2") < text.index("3. Light smoker 3")


def test_superscripts_that_are_no_footnotes_stay_superscripts() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 700, "There are 10")
        write(canvas, 72 + canvas.stringWidth("There are 10", "Times-Roman", 10), 704, "6", size=6)

    assert converted(draw).text == "There are 10⁶\n"


def test_superscripts_as_high_as_libreoffice_sets_them_stay_in_their_line() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 700, "at most 5 x 10", size=11)
        x = 72 + canvas.stringWidth("at most 5 x 10", "Times-Roman", 11)
        write(canvas, x, 705, "-3", size=6.4)
        write(canvas, x + canvas.stringWidth("-3", "Times-Roman", 6.4) + 3, 700, "g.", size=11)

    assert converted(draw).text == "at most 5 x 10⁻³ g.\n"


def test_a_table_of_contents_is_left_out_with_a_warning() -> None:
    def contents(canvas: Canvas) -> None:
        write(canvas, 72, 760, "Contents", font="Times-Bold", size=16)
        for number in range(1, 7):
            write(canvas, 72, 740 - 14 * number, f"{number} Chapter " + ". " * 60 + str(number * 3))

    result = converted(contents, page_of(*PROSE))
    assert result.text == " ".join(PROSE) + "\n"
    assert result.warnings == ("contents or index left out: pages 1",)


def leaders(title: str, *numbers: int) -> Draw:
    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 760, title, font="Times-Bold", size=16)
        for name, number in zip(("Wax", "Bees", "Hives", "Honey", "Queen"), numbers, strict=True):
            y = write(canvas, 72, y, f"{name} " + ". " * 60 + str(number))

    return draw


def test_an_index_is_left_out_and_a_list_of_prices_is_not() -> None:
    result = converted(page_of(*PROSE), leaders("Concept Index", 9, 3, 12, 1, 4))
    assert result.text == " ".join(PROSE) + "\n"
    assert result.warnings == ("contents or index left out: pages 2",)
    assert "Honey" in converted(page_of(*PROSE), leaders("Prices", 9, 3, 12, 1, 4)).text


def test_the_label_of_a_chapter_and_its_title_are_one_heading() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 740, "Chapter 3", "Wintering", font="Helvetica-Bold", size=20, lead=40)
        write(canvas, 72, 660, *PROSE)

    assert converted(draw).text.startswith("# Chapter 3: Wintering\n\nBeekeepers")


def test_a_rotated_page_is_read_as_it_is_seen() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        canvas.translate(595, 0)
        canvas.rotate(90)
        write(canvas, 72, 400, *PROSE)
        grid(canvas, [["Month", "Work"], ["March", "feeding"]], 300)

    text = converted(draw).text
    assert text.startswith(" ".join(PROSE))
    assert "| Month | Work |\n| --- | --- |\n| March | feeding |" in text


@pytest.mark.parametrize(("title", "expected"), [("Bees in Spring", "Bees in Spring"), ("bees-final2.docx", "Hives")])
def test_the_title_is_the_files_own_or_else_its_largest_text(title: str, expected: str) -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, write(canvas, 72, 780, "Hives", size=22) - 20, *PROSE)

    assert converted(draw, title=title).title == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.4\nnothing of use\n%%EOF", "damaged"),
        (made(page_of(*PROSE))[:900], "cut short"),
        (made(page_of(*PROSE), encrypt=StandardEncryption("secret")), "password"),
        (made(picture), "only images"),
        (made(void), "no text"),
    ],
)
def test_what_cannot_be_converted_says_why_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        convert(data)
    assert "\n" not in str(caught.value)


def test_a_file_locked_only_against_changes_is_read() -> None:
    data = made(page_of(*PROSE), encrypt=StandardEncryption("", ownerPassword="secret"))
    assert convert(data).text == " ".join(PROSE) + "\n"


def test_pages_that_are_only_images_are_named_and_the_others_converted() -> None:
    result = converted(page_of(*PROSE), picture, picture, page_of(*PROSE), picture)
    assert result.warnings == ("pages without text, only images (OCR would be needed): 2-3, 5",)
    assert len(result.pages) == 5


def test_more_text_than_the_limit_is_refused() -> None:
    data = made(*[page_of(*PROSE)] * 3)
    with pytest.raises(
        InputError, match=r"more than 0\.0005 MB of text, which is the limit; split it or raise MAX_FILE_MB"
    ):
        convert(data, limits=FileLimits(expanded=500))
    assert convert(data, limits=FileLimits(expanded=5_000)).text


def test_work_grows_no_faster_than_the_pages() -> None:
    def dense(canvas: Canvas) -> None:
        for number in range(60):
            write(canvas, 72, 800 - 12.5 * number, PROSE[number % 3])

    def calls(pages: int) -> int:
        """How many calls of functions it takes to convert so many pages."""
        count = itertools.count()
        data = made(*[dense] * pages)
        sys.setprofile(lambda *_: void(next(count)))
        try:
            convert(data)
        finally:
            sys.setprofile(None)
        return next(count)

    assert calls(20) < 5 * calls(5)


@pytest.mark.parametrize("named", ["(anonymous)", "untitled", "report.docx"])
def test_a_title_that_a_program_made_up_is_not_the_documents(named: str) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold", 24)
        canvas.drawString(60, 780, "The Orchard Guide")
        canvas.setFont("Helvetica", 11)
        for number in range(8):
            canvas.drawString(60, 740 - 14 * number, "Every tree in the orchard is pruned once in the winter months")

    assert converted(page, title=named).title == "The Orchard Guide"


# From right to left -----------------------------------------------------------------------------------------------

HEBREW = "אבגדהוזחטי"


def dejavu(canvas: Canvas, size: float) -> None:
    pdfmetrics.registerFont(TTFont("DejaVu", Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    canvas.setFont("DejaVu", size)


def from_left(canvas: Canvas, x: float, y: float, line: str, size: float = 10) -> None:
    """A line that ends at x, in one piece and as it looks: what runs from right to left is turned round."""
    dejavu(canvas, size)
    canvas.drawRightString(x, y, " ".join(word[::-1] if word[0] > "\u0590" else word for word in line.split()[::-1]))


def word_by_word(canvas: Canvas, x: float, y: float, line: str, size: float = 10) -> None:
    """The same line as others write it: each word in turn, letter by letter, where it belongs."""
    dejavu(canvas, size)
    for word in line.split():
        for part in word if word[0] > "\u0590" else [word]:
            x -= canvas.stringWidth(part, "DejaVu", size)
            canvas.drawString(x, y, part)
        x -= 0.3 * size


WAYS = pytest.mark.parametrize("write_rtl", [from_left, word_by_word])


@WAYS
def test_lines_from_right_to_left_are_read_as_they_are_written(write_rtl: Callable[..., None]) -> None:
    def draw(canvas: Canvas) -> None:
        write_rtl(canvas, 520, 760, "מדריך המשאבה", 20)
        write_rtl(canvas, 520, 720, "יש לבדוק A-17/3 כל 24 שעות")

    assert converted(draw).text == ("# מדריך המשאבה\n\nיש לבדוק A-17/3 כל 24 שעות\n")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(HEBREW, min_size=2, max_size=8), min_size=2, max_size=6),
    st.lists(st.sampled_from(["24", "1,500", "3.5", "2024-05-17", "A-17/3", "ISO", "B2B", "F-200"]), max_size=5),
)
def test_any_mixture_of_words_numbers_and_codes_keeps_its_order(words: list[str], others: list[str]) -> None:
    parts = [part for pair in itertools.zip_longest(words, others[: len(words) - 1]) for part in pair if part]
    for write_rtl in (from_left, word_by_word):
        found = converted(lambda canvas, way=write_rtl: way(canvas, 540, 700, " ".join(parts), 7))  # type: ignore[misc]
        assert found.text == " ".join(parts) + "\n"


def test_shapes_of_arabic_letters_become_letters() -> None:
    def draw(canvas: Canvas) -> None:
        dejavu(canvas, 12)
        # "as-salam", its letters as they are shaped, with the ligature of lam and alef, from left to right
        canvas.drawRightString(520, 700, "\ufee1\ufefc\ufeb4\ufedf\ufe8d")

    assert converted(draw).text == "السلام\n"


def test_units_follow_their_number_and_numbers_their_name_in_text_from_right_to_left() -> None:
    def draw(canvas: Canvas) -> None:
        dejavu(canvas, 10)
        canvas.drawRightString(520, 700, "דחא mm 13")
        canvas.drawRightString(520, 660, "דחא ISO 9001 ןקת")

    assert converted(draw).text == "13 mm אחד\n\nתקן ISO 9001 אחד\n"


@WAYS
def test_lists_tables_and_brackets_from_right_to_left(write_rtl: Callable[..., None]) -> None:
    def draw(canvas: Canvas) -> None:
        for number, word in enumerate(("אבג", "דהו"), 1):
            dejavu(canvas, 10)
            canvas.drawString(513, 760 - 14 * number, f".{number}")
            write_rtl(canvas, 500, 760 - 14 * number, f"{word} {word}")
        canvas.grid([300, 400, 500], [600, 620, 640])
        for y, row in ((626, ("חלק", "קוד")), (606, ("מסנן", "F-200"))):
            for x, cell in zip((496, 396), row, strict=True):
                write_rtl(canvas, x, y, cell)
        dejavu(canvas, 10)
        canvas.drawRightString(520, 560, "(גבא) והד")

    assert converted(draw).text == (
        "1. אבג אבג\n2. דהו דהו\n\n| חלק | קוד |\n| --- | --- |\n| מסנן | F-200 |\n\nדהו (אבג)\n"
    )


def test_a_word_from_right_to_left_in_a_line_from_left_to_right() -> None:
    def draw(canvas: Canvas) -> None:
        dejavu(canvas, 10)
        canvas.drawString(72, 700, "The word םולש means peace, and the page is read from the left.")

    assert converted(draw).text == ("The word שלום means peace, and the page is read from the left.\n")


# Numbers and signs that are facts ---------------------------------------------------------------------------------


def test_clauses_keep_their_numbers_and_stay_apart_where_they_hang_beside_full_lines() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 780, "§ 3", font="Helvetica-Bold", size=16)
        write(canvas, 110, 780, "Delivery", font="Helvetica-Bold", size=16)
        y = write(canvas, 72, 750, *PROSE)
        for mark, lines in (("2.1.1", PROSE[:2]), ("2.1.2", PROSE[1:3]), ("(a)", PROSE[:1]), ("(b)", PROSE[2:])):
            write(canvas, 40, y, mark)
            y = write(canvas, 72, y, *lines) + 8

    first, second, third = PROSE
    assert converted(draw).text == (
        f"# § 3 Delivery\n\n{first} {second} {third}\n\n2.1.1 {first} {second}\n\n2.1.2 {second} {third}\n\n"
        f"(a) {first}\n\n(b) {third}\n"
    )


def test_a_number_at_the_start_of_an_items_line_begins_no_item() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 740, "1.")
        write(
            canvas,
            90,
            740,
            "The seller bears the cost of the carriage and of the packing as is said in article",
            "7. of these terms.",
        )
        write(canvas, 72, 716, "2.")
        write(canvas, 90, 716, "The buyer names defects.")

    assert converted(draw).text == (
        "1. The seller bears the cost of the carriage and of the packing as is said in article 7. of these terms.\n"
        "2. The buyer names defects.\n"
    )


@pytest.mark.parametrize(("mark", "shown"), [("II.", "- II. "), ("b)", "- b) "), ("7.", "7. ")])
def test_items_keep_the_marks_that_a_text_refers_to(mark: str, shown: str) -> None:
    def draw(canvas: Canvas) -> None:
        y = write(canvas, 72, 740, "The seller:")
        write(canvas, 72, y, mark)
        write(canvas, 92, y, "delivers the pump.")

    assert converted(draw).text == f"The seller:\n\n{shown}delivers the pump.\n"


def test_fractions_signs_and_powers_keep_their_worth_beside_notes_of_the_same_number() -> None:
    def draw(canvas: Canvas) -> None:
        x = 72.0
        for text, y, size in (
            ("Give ½ tablet at ≥ 18 and 10", 0, 10),
            ("2", 4, 6),
            (" cells or 5 m", 0, 10),
            ("2", 4, 6),
        ):
            canvas.setFont("DejaVu", size)
            canvas.drawString(x, 700 + y, text)
            x += canvas.stringWidth(text, "DejaVu", size)
        canvas.drawString(x, 700, ", see below")
        canvas.drawString(x + canvas.stringWidth(", see below", "DejaVu", 6), 703, "2")
        write(canvas, 72, 684, *PROSE)
        write(canvas, 72, 83, "2", size=5)
        write(canvas, 76, 80, "By weight.", size=8)

    pdfmetrics.registerFont(TTFont("DejaVu", Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    text = converted(draw).text
    assert text.startswith("Give ½ tablet at ≥ 18 and 10² cells or 5 m², see below[^2]")
    assert "[^2]: By weight." in text


def test_a_comma_after_a_raised_figure_has_no_space_before_it() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 700, "An area of 7 m")
        x = 72 + canvas.stringWidth("An area of 7 m", "Times-Roman", 10)
        write(canvas, x, 704, "2", size=6)
        write(canvas, x + 3, 700, ", not more.")

    assert converted(draw).text == "An area of 7 m², not more.\n"


def test_page_numbers_within_the_page_go_and_the_text_goes_on() -> None:
    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            write(canvas, 72, 700, *PROSE[:2])
            write(canvas, 290, 120, str(number))

        return draw

    assert converted(*[page(number) for number in range(5, 10)]).text == " ".join([*PROSE[:2]] * 5) + "\n"


def test_a_german_word_broken_between_its_parts_is_joined() -> None:
    lines = (
        "Die Kommandozelle ist klein, und jedes Kommando steht in der Zeile vor dem Ende und nach der Kommando-",
        "zeile, die Zeile hat ein Ende.",
    )
    text = converted(page_of(lines[0], lines[1], "Ein Wort wie Kommando und ein Wort wie zeile.")).text
    assert "nach der Kommandozeile" in text


def test_fonts_that_are_nowhere_are_named() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))  # which no PDF holds

    def draw(canvas: Canvas) -> None:
        write(canvas, 72, 700, "ポンプは二十四時間", font="HeiseiMin-W3")

    found = converted(draw)
    assert found.text == "ポンプは二十四時間\n"
    assert all("HeiseiMin-W3" in warning for warning in found.warnings)  # none where the machine has such a font
