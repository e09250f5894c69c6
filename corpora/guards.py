"""Guards: cells that a spreadsheet would run as a formula, and characters that a terminal or a page would obey."""

import re

_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")
# Blanks are skipped by some programs, and full-width forms are read as the others.
_RISKY = re.compile(r"'*(?:[\t\r]|[\s\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_UNSEEN = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)


def guarded(cell: str) -> str:
    r"""The cell, after a `'` if a spreadsheet would run it as a formula (OWASP, "CSV Injection").

    Such a cell begins with `=`, `+`, `-`, `@` or their full-width forms, perhaps after blanks, or with a tab or a
    carriage return, and is not a plain number. One that begins with `'` and then so is guarded too, so that `unguarded`
    gives back every cell.

    >>> guarded("=1+1"), guarded("-5"), guarded("－好"), guarded("'=1")
    ("'=1+1", '-5', "'－好", "''=1")
    """
    return "'" + cell if _RISKY.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that `guarded` was given.

    >>> unguarded("'=1+1"), unguarded("''=1"), unguarded("'好")
    ('=1+1', "'=1", "'好")
    """
    return cell[1:] if cell[:1] == "'" and guarded(cell[1:]) == cell else cell


def visible(text: str) -> str:
    r"""The text with control characters and those that change the direction of writing as escapes.

    Tabs and line ends stay. What is shown is then what is there: no text can move the cursor, colour or hide others.

    >>> print(visible("好\x1b[31m\u202e坏"))
    好\u001b[31m\u202e坏
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
