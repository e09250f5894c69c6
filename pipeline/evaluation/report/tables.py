"""Tables: the CSV files of a report, which people open in spreadsheets and zhpipe reads again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from corpora.files import codec, replace_when_done
from corpora.guards import guarded, unguarded
from corpora.table import TableReader, TableWriter


class Rows(Protocol):
    """A table that is being written."""

    def write(self, row: Sequence[object]) -> None: ...


@contextmanager
def table(path: Path, columns: Sequence[str], *, excel_safe: bool) -> Iterator[Rows]:
    """Writes a table, which appears whole or not at all.

    `excel_safe`: whether cells that a spreadsheet would run as a formula get a `'` in front.
    """
    with TableWriter(path, tuple(map(guarded, columns)) if excel_safe else columns) as writer:
        yield _Guarded(writer) if excel_safe else writer


def encode(folder: Path, encoding: str) -> None:
    """Rewrites the CSV files of a folder, which are UTF-8, in another encoding. Raises CorpusError if it is unknown."""
    for path in sorted(folder.glob("*.csv")) if codec(encoding) != "utf-8" else []:
        text = path.read_bytes().decode("utf-8-sig")
        with replace_when_done(path) as temporary:
            temporary.write_bytes(text.encode(codec(encoding)))


def read(path: Path, document: Mapping[str, Any]) -> tuple[list[dict[str, str]], Sequence[str]]:
    """The rows of a table, by column, and its columns, as they were before cells were guarded.

    `document`: the report.json beside it.
    """
    found = TableReader(path, quoting=True)
    plain = unguarded if is_excel_safe(document) else str
    columns = tuple(map(plain, found.columns))
    return [dict(zip(columns, (plain(str(cell)) for cell in row), strict=True)) for row in found], columns


def is_excel_safe(document: Mapping[str, Any]) -> bool:
    """The setting evaluate.excel_safe of the run whose report.json this is."""
    evaluate = document.get("made", {}).get("config", {}).get("evaluate", {})
    return bool(evaluate.get("excel_safe", True))


class _Guarded:
    def __init__(self, writer: TableWriter) -> None:
        self.writer = writer

    def write(self, row: Sequence[object]) -> None:
        self.writer.write([guarded(cell) if isinstance(cell, str) else cell for cell in row])
