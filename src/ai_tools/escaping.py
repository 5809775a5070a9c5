"""Names and titles that others chose, as a terminal, a log, a prompt or a page may have them: one line of what is seen.

A file's name may hold line ends, the codes that move a terminal's cursor, and marks that turn the direction of what
follows; so may a page's title, and what a library says of either.
"""

from __future__ import annotations

import re

# Control characters, line ends, halves of characters, and those that are not seen: marks of direction, tags, empty
# spaces. The two joiners stay, which letters of Persian and of India need.
UNSEEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def escaped(text: str) -> str:
    """The text with what is not seen as Python writes it, such as `\\x1b` or `\\u202e`; names stay apart."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The text without what is not seen, its lines joined by spaces: for titles, where a soft hyphen says nothing."""
    return " ".join(UNSEEN.sub("", " ".join(text.split())).split())
