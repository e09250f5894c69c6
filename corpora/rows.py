"""Rows of a table: good ones with their text in the file, bad ones with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer", "boolean"]  # of the cells of a column
Value = str | float | int | bool | None


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


def value(text: str, kind: Kind) -> Value:
    """The value of a cell for a format that has types; None for an empty cell that is not text, or no finite number.

    >>> value("0.9000", "number"), value("false", "boolean"), value("", "number"), value("", "text")
    (0.9, False, None, '')
    """
    if kind == "text":
        return text
    if not text:
        return None
    if kind == "boolean":
        return text == "true"
    number = int(text) if kind == "integer" else float(text)
    return number if math.isfinite(number) else None
