"""A table read once from front to back, whatever stands in it: good rows as they were, bad rows set aside."""

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
DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class Entries:
    """What `read` gives: the names of the columns, their line as it stood ("" where there is none), the rows once."""

    columns: tuple[str, ...]
    header: str
    rows: RowStream

    def position(self, path: Path, name: str, option: str = "--text") -> int:
        """Where in a row the cell of a column stands; CorpusError as `TableReader.position`."""
        return position(path, self.columns, name, option)


def read(
    path: Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    header: bool = True,
    reserved: Collection[str] | None = None,
) -> Entries:
    """The columns and rows of a table; `-` is standard input, CSV unless `format` says another text format.

    `delimiter`: of CSV, one character; `header`: whether the first row of a CSV, TSV or XLSX file names the columns,
    which are else "1", "2" and so on; `reserved`: JSON objects may have keys that the first one hasn't, but these.
    Raises CorpusError for a file that can't be read at all or has no header; damage behind may end the rows with one.
    """
    name = input_format(path, format)
    rows = _rows(path, name, encoding, delimiter or DELIMITERS.get(name, ","), reserved)
    first = next(rows, None)
    if first is None:
        expected = "a first line" if name == "jsonl" else "a header row"
        raise CorpusError(f"{path}: the file is empty; {expected} that names the columns is expected")
    if isinstance(first, BadRow):
        what = "first line" if name == "jsonl" or not header else "header"
        raise CorpusError(f"{path}: {what} (line {first.line}): {first.reason}")
    if header or name in ("jsonl", "parquet"):
        return Entries(tuple(map(str, first.cells)), first.raw, rows)
    return Entries(tuple(str(number) for number in range(1, len(first.cells) + 1)), "", _with(first, rows))


def input_format(path: Path, format: str | None = None) -> str:
    """As `table_format`; of standard input CSV. Raises CorpusError for a format that can't be streamed."""
    if path != STREAM:
        return table_format(path, format)
    if format in ("parquet", "xlsx"):
        raise CorpusError(f"{path}: {format} can't be read from standard input: write it to a file first")
    return table_format(Path("-.csv"), format)


def _with(first: Row, rows: RowStream) -> RowStream:
    yield first
    yield from rows


def _rows(path: Path, format: str, encoding: str, delimiter: str, reserved: Collection[str] | None) -> RowStream:
    if format == "parquet":
        yield from map(Row, parquet.records(path))
    elif format == "xlsx":
        yield from xlsx.entries(path)
    elif format == "jsonl":
        yield from jsonl.entries(EscapedLines(path, encoding), reserved=reserved)
    else:
        yield from delimited.entries(EscapedLines(path, encoding), delimiter)
