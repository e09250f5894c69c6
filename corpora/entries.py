"""A table read once from front to back, whatever it holds: good rows as they were, bad rows set aside."""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path

from corpora import delimited, jsonl, parquet, xlsx
from corpora.errors import CorpusError
from corpora.files import STREAM, EscapedLines
from corpora.rows import BadRow, Row
from corpora.table import position, table_format

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
    path: Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    quoting: bool | None = None,
    header: bool = True,
    reserved: Collection[str] | None = None,
) -> Entries:
    """The columns and rows of a table.

    Args:
        path: The file; `-` is standard input, CSV unless `format` names another text format.
        format: One of `corpora.table.TABLES`; by suffix if None.
        encoding: One of `corpora.files.ENCODINGS`.
        delimiter: One character between the cells of CSV or TSV, unless a first line `sep=;` of a CSV file names one;
            None: that of the format.
        quoting: As of `corpora.table.TableReader`; a cell that would be refused there makes a bad row here.
        header: Whether the first row of a CSV, TSV or XLSX file names the columns; if not, they are "1", "2" and so on.
        reserved: JSON objects may have keys that the first one lacks, except these.

    Raises:
        CorpusError: The file cannot be read or has no header. Damage further on may end the rows with one.
    """
    name = input_format(path, format)
    rows = _rows(path, name, encoding, delimiter or DELIMITERS.get(name, ","), quoting, reserved)
    first = next(rows, None)
    if first is None:
        expected = "a first line" if name == "jsonl" else "a header row"
        raise CorpusError(f"{path}: the file is empty; {expected} that names the columns is expected")
    if isinstance(first, BadRow):
        what = "first line" if name == "jsonl" or not header else "header"
        raise CorpusError(f"{path}: {what} (line {first.line}): {first.reason}")
    used = _delimiter(name, delimiter, first)
    if header or name in ("jsonl", "parquet"):
        return Entries(tuple(map(str, first.cells)), first.raw, rows, used)
    return Entries(tuple(str(number) for number in range(1, len(first.cells) + 1)), "", _with(first, rows), used)


def input_format(path: Path, format: str | None = None) -> str:
    """As `table_format`, and CSV for standard input.

    Raises:
        CorpusError: The format is unknown, or cannot be streamed from standard input.
    """
    if path != STREAM:
        return table_format(path, format)
    if format in ("parquet", "xlsx"):
        raise CorpusError(f"{path}: {format} can't be read from standard input: write it to a file first")
    return table_format(Path("-.csv"), format)


def _delimiter(format: str, given: str | None, first: Row) -> str:
    if format not in DELIMITERS:
        return ""
    named = delimited.named_delimiter(first.raw) if format == "csv" else None
    return named or given or DELIMITERS[format]


def _with(first: Row, rows: RowStream) -> RowStream:
    yield first
    yield from rows


def _rows(
    path: Path,
    format: str,
    encoding: str,
    delimiter: str,
    quoting: bool | None,
    reserved: Collection[str] | None,
) -> RowStream:
    if format == "parquet":
        yield from map(Row, parquet.records(path))
    elif format == "xlsx":
        yield from xlsx.entries(path)
    elif format == "jsonl":
        yield from jsonl.entries(EscapedLines(path, encoding), reserved=reserved)
    else:
        yield from delimited.entries(EscapedLines(path, encoding), delimiter, quoting=quoting)
