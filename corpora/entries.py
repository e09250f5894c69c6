"""A table read once from front to back, whatever it holds: good rows as they were, bad rows set aside."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpora import delimited, jsonarray, jsonl, parquet, xlsx
from corpora.errors import CorpusError
from corpora.files import STREAM, EscapedLines
from corpora.header import named, position
from corpora.rows import BadRow, Row
from corpora.table_options import WITH_HEADER, TableOptions, table_format

DEFAULTS = TableOptions()
RowStream = Generator[Row | BadRow, None, None]
DELIMITERS = delimited.DELIMITERS


@dataclass(frozen=True)
class Entries:
    """A table that is read once.

    Args:
        columns: The names of the columns.
        header: Their line as it stood, "" where there is none.
        rows: The data rows, good and bad.
        delimiter: What separates the cells of CSV or TSV; "" for other formats.
    """

    columns: tuple[str, ...]
    header: str
    rows: RowStream
    delimiter: str = ""

    def position(self, path: Path, name: str, option: str = "--text") -> int:
        """The position of a column's cell in each row; CorpusError as `TableReader.position`."""
        return position(path, self.columns, name, option)


def read(
    path: Path, options: TableOptions = DEFAULTS, *, reserved: Collection[str] | None = None, **given: Any
) -> Entries:
    """The columns and rows of a table. `options.bad_rows` is for whoever goes through the rows.

    Args:
        path: The file; `-` is standard input, CSV unless the format names another text format.
        options: How it is read.
        reserved: JSON objects may have keys that the first one lacks, except these.
        given: Fields of `TableOptions` in place of those in `options`.

    Raises:
        CorpusError: The file cannot be read or has no header. Damage further on may end the rows with one.
    """
    options = replace(options, **given)
    name = input_format(path, options.format)
    options = replace(options, format=name).checked(path)
    rows = _rows(path, name, options, reserved)
    first = next(rows, None)
    if first is None:
        expected = "a header row" if name in DELIMITERS or name == "xlsx" else "a first object"
        raise CorpusError(f"{path}: the file is empty; {expected} that names the columns is expected")
    if isinstance(first, BadRow):
        what = "header" if options.header and name in WITH_HEADER else "first line"
        raise CorpusError(f"{path}: {what} (line {first.line}): {first.reason}")
    columns, used = named(path, first.cells, options), _delimiter(path, name, options, first)
    if options.header or name not in WITH_HEADER:
        return Entries(columns, first.raw, rows, used)
    return Entries(columns, "", _with(first, rows), used)


def input_format(path: Path, format: str | None = None) -> str:
    """As `table_format`, and CSV for standard input.

    Raises:
        CorpusError: The format is unknown, or cannot be streamed from standard input.
    """
    if path != STREAM:
        return table_format(path, format)
    if format in ("parquet", "xlsx", "json"):
        raise CorpusError(f"{path}: {format} can't be read from standard input: write it to a file first")
    return table_format(Path("-.csv"), format)


def _delimiter(path: Path, format: str, options: TableOptions, first: Row) -> str:
    if format not in DELIMITERS:
        return ""
    heading = delimited.named_delimiter(first.raw) if format == "csv" else None
    return heading or delimited.delimiter_of(path, options)


def _with(first: Row, rows: RowStream) -> RowStream:
    yield first
    yield from rows


def _rows(path: Path, format: str, options: TableOptions, reserved: Collection[str] | None) -> RowStream:
    if format == "parquet":
        yield from map(Row, parquet.records(path))
    elif format == "xlsx":
        yield from xlsx.entries(path, options)
    elif format == "json":
        yield from jsonarray.entries(path, options.encoding)
    elif format == "jsonl":
        yield from jsonl.entries(EscapedLines(path, options.encoding), reserved=reserved)
    else:
        lines = EscapedLines(path, options.encoding)
        yield from delimited.entries(lines, delimited.delimiter_of(path, options), options)
