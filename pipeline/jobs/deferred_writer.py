"""Deferred writer: for Parquet, XLSX and JSON, which can't grow; new cells are kept, and join the rows at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from corpora import jsonarray, parquet, xlsx
from corpora.errors import CorpusError
from corpora.rows import BadRow, Kind, Row, Value


class DeferredWriter:
    """Writes new cells as JSON lines, and at the end the table.

    A line is the number of a row, then its new cells, which are of the `kinds`. Parquet made from Parquet (`like`: that
    file) keeps the types of the other columns; made from another format it holds strings in them, and JSON for values
    that are not strings. `encoding`: of JSON.
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        format: str,
        like: Path | None,
        kinds: Sequence[Kind],
        encoding: str = "utf-8",
    ) -> None:
        self.columns = tuple(columns)
        self.format = format
        self.like = like
        self.kinds = tuple(kinds)
        self.encoding = encoding

    def resume(self) -> None:
        """Does nothing: JSON lines have no header."""

    def rows(
        self, rows: Sequence[tuple[Row, Sequence[Value]]], numbers: Sequence[int]
    ) -> tuple[bytes, dict[int, BadRow]]:
        """The line of each row, and by its place each row that the format can't hold."""
        if self.format == "xlsx" and numbers and numbers[-1] >= xlsx.MOST_ROWS:
            raise CorpusError(f"a sheet holds {xlsx.MOST_ROWS:,} rows and the input has more: write CSV or Parquet")
        lines, bad = [], {}
        for place, ((row, cells), number) in enumerate(zip(rows, numbers, strict=True)):
            if reason := self._fault(row):
                bad[place] = BadRow(reason, row.raw or json.dumps(row.cells, default=str))
            else:
                lines.append(json.dumps([number, *cells], ensure_ascii=False) + "\n")
        return "".join(lines).encode(), bad

    def assemble(self, path: Path, rows: Iterable[Row | BadRow], answers: Iterable[str], *, first: int = 1) -> None:
        """Writes the table: the rows that have a line in `answers`, each with its new cells.

        `first`: the number of the first row.
        """
        kept = _answers(answers)
        number, cells = next(kept, (0, []))
        with self._writing(path) as write:
            for place, row in enumerate(rows, start=first):
                if place == number and isinstance(row, Row):
                    write((*self._values(row.cells), *cells))
                    number, cells = next(kept, (0, []))

    def _writing(self, path: Path) -> AbstractContextManager[Callable[[Sequence[object]], object]]:
        if self.format == "xlsx":
            return xlsx.writing(path, self.columns)
        if self.format == "json":
            return jsonarray.writing(path, self.columns, self.encoding)
        return parquet.writing(path, self.columns, like=self.like, kinds=self.kinds)

    def _values(self, cells: Sequence[object]) -> Sequence[object]:
        if self.format in ("xlsx", "json") or self.like is not None:
            return cells
        return [
            cell if cell is None or isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, default=str)
            for cell in cells
        ]

    def _fault(self, row: Row) -> str | None:
        for cell in row.cells:
            # A JSON list or object is written as text.
            text = cell if isinstance(cell, str) else "" if cell is None else str(cell)
            if self.format == "xlsx" and (reason := xlsx.fault(text)):
                return reason
            if not text.isascii() and not _encodable(text, "utf-8"):
                return "half a character (a lone surrogate) cannot be written: mend the text"
            if self.format == "json" and not _encodable(text, self.encoding):
                return f"a character is not in {self.encoding}: write it as utf-8"
        return None


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _answers(lines: Iterable[str]) -> Iterator[tuple[int, list[Value]]]:
    for line in filter(None, lines):
        number, *cells = json.loads(line)
        yield number, cells
