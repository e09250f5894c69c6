"""Rows that a quoted cell has swallowed: a file written without quoting, read as if it had some."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST_VALUES = 1000  # distinct cells of a column that are remembered; one with more holds free text
_NUMBER = re.compile(r"[0-9]+")


class SwallowedRows:
    """Tells a cell with line breaks of its own from one that began with a stray quote and swallowed the rows behind it.

    In the latter each line, split without quoting, has as many cells as the header. That alone happens in good files
    too, so that one more sign is needed: quotes in the middle of unquoted cells earlier in the file, which a writer
    that quotes never leaves there; or a column in which the lines look like rows, because its few values repeat, or
    because its numbers count on.

    >>> rows = SwallowedRows(",")
    >>> rows.fault(["label,text\\n"], ["label", "text"])
    >>> lines = ['0,"差\\n', "1,好\\n", '0,不行"\\n']
    >>> rows.fault(lines, ["0", "差\\n1,好\\n0,不行"])[:36]
    'a quoted cell runs over 3 lines that'
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._values: list[set[str]] = []
        self._rows = 0
        self._has_stray_quotes = False

    def fault(self, lines: Sequence[str], cells: Sequence[str]) -> str | None:
        """What is wrong with a row that was read from these lines, or None; good rows are learnt from."""
        if self._rows and len(lines) > 1 and self._is_suspicious(lines, len(cells)):
            return (
                f"a quoted cell runs over {len(lines)} lines that look like rows: read the file with --no-quoting if "
                "it was written without quoting, and else with --quoting"
            )
        self._learn(lines, cells)
        return None

    def _learn(self, lines: Sequence[str], cells: Sequence[str]) -> None:
        if self._rows == 0:
            self._values = [set() for _ in cells]
        else:
            for seen, cell in zip(self._values, cells, strict=True):
                if len(seen) < _MOST_VALUES:
                    seen.add(cell)
        self._rows += 1
        if len(lines) == 1 and '"' in lines[0] and not self._has_stray_quotes:
            split = self._split(lines[0])
            self._has_stray_quotes = len(split) == len(cells) and any(
                '"' in cell and not cell.startswith('"') for cell in split
            )

    def _is_suspicious(self, lines: Sequence[str], width: int) -> bool:
        rows = [self._split(line) for line in lines if line.strip("\r\n")]
        if width < 2 or len(rows) < 2 or any(len(row) != width for row in rows):
            return False
        columns = [(place, cells) for place, cells in enumerate(zip(*rows, strict=True)) if '"' not in "".join(cells)]
        return self._has_stray_quotes or any(
            self._counts_on(cells) or self._repeats(place, cells) for place, cells in columns
        )

    def _split(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split(self._delimiter)

    @staticmethod
    def _counts_on(cells: Sequence[str]) -> bool:
        numbers = [int(cell) for cell in cells if _NUMBER.fullmatch(cell) and len(cell) < 20]
        return len(numbers) == len(cells) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def _repeats(self, column: int, cells: Sequence[str]) -> bool:
        """Whether the cells have few values: those seen in the column, or about half as many as there are cells."""
        seen = self._values[column] if column < len(self._values) else set[str]()
        known = seen if 0 < len(seen) <= (self._rows - 1) / 2 else set[str]()
        distinct = set(cells)
        if "" in distinct:
            return False
        return distinct <= known or len(distinct) <= (len(cells) + 1) // 2
