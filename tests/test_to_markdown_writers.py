"""One document as pandoc writes it in each format, read back: the same facts in every one."""

from pathlib import Path

import pypandoc
import pytest

from to_markdown import convert

SOURCE = """---
title: Pump handbook
---

# First

Text[^1] with it's "quotes", $\\frac{1}{2}$ tablet, 10^6^ m. See [below](#second).

3. three
4. four

   a) inner
   b) next

## Second

| Name  | Value |
|-------|------:|
| limit |    40 |
| 7     |    41 |

``` python
x = {'a': 1}
```

> Quoted text.

[^1]: A note with *emphasis*.

    Second paragraph.
"""
READ = """# Pump handbook

## First

Text[^1] with it’s “quotes”, $\\frac{1}{2}$ tablet, 10^6 m. See below.

3. three
4. four
   - a) inner
   - b) next

### Second

| Name | Value |
| --- | --- |
| limit | 40 |
| 7 | 41 |

```python
x = {'a': 1}
```

> Quoted text.

[^1]: A note with *emphasis*.

    Second paragraph.
"""
# What a format has no way to say.
DIFFERS = {
    "latex": {"python": ""},
    "typst": {
        "3. three\n4. four\n ": "- a) three\n- b) four\n",
        "   - b)": "  - b)",
    },  # pandoc takes the inner list's marks for both
    "org": {"it’s": "it's", "- a) inner\n   - b) next": "1. inner\n   2. next"},
    "epub2": {"[^1]": "[^2-1]", "- a) inner\n   - b) next": "- a. inner\n   - b. next"},
    "epub3": {"[^1]": "[^2-1]", "- a) inner\n   - b) next": "- a. inner\n   - b. next"},
}
FLAT = {"python": "", "- a) inner\n   - b) next": " - a) inner\n    - b) next"}
DIFFERS |= {
    "odt": FLAT,
    "docx": FLAT | {"[^1]": "[^9]"},
    "rtf": FLAT | {"# Pump": "**Pump", "handbook\n": "handbook**\n", "### S": "## S", "## F": "# F", "> Q": "Q"},
}
SUFFIXES = {"latex": "tex", "typst": "typ", "rst": "rst", "org": "org"}


@pytest.mark.parametrize("format", DIFFERS)
def test_what_pandoc_writes_is_read_with_all_its_facts(format: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{SUFFIXES.get(format, format)}"
    pypandoc.convert_text(SOURCE, format, "markdown", outputfile=str(path), extra_args=["--standalone"])
    expected = READ
    for usual, here in DIFFERS[format].items():
        expected = expected.replace(usual, here)
    assert convert(path.read_bytes(), path.name).text == expected
