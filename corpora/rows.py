"""Rows of a table: good ones with their text in the file, bad ones with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read.

    Args:
        cells: As many as the table has columns.
        raw: The text that it was read from, line end included; "" for a format that is not text.
    """

    cells: tuple[object, ...]
    raw: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read.

    Args:
        reason: What is wrong, and the way out.
        raw: Its text, in which bytes that are not in the encoding are escaped as by `corpora.files.EscapedLines`; or
            its cells as JSON, for a format that is not text.
        line: Line of the file, from 1; 0 for a format without lines.
    """

    reason: str
    raw: str
    line: int = 0
