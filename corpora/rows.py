"""Rows of a table as they stood in the file: good ones with their text, bad ones with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read.

    `cells`: as many as the table has columns; `raw`: the text that it was read from, line end included, "" where the
    format is no text.
    """

    cells: tuple[object, ...]
    raw: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be read.

    `reason`: what is wrong, and what helps; `raw`: its text as it was, bytes that are not in the encoding escaped as
    `corpora.files.EscapedLines` does it, or its cells as JSON where the format is no text; `line`: of the file, from 1,
    0 where the format has none.
    """

    reason: str
    raw: str
    line: int = 0
