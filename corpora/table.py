"""Tables of any size as streams of rows: CSV, TSV, JSONL, Parquet and XLSX, in and out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from corpora import contents, delimited, jsonl, packed, parquet, xlsx
from corpora.errors import CorpusError, shown
from corpora.files import codec, unencodable

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
TABLES = tuple(dict.fromkeys(SUFFIXES.values()))
SHOWN = 40  # columns that an error names
COMPARED = 1000  # columns among which it looks for the nearest name
PACKABLE = ("csv", "tsv", "jsonl")


def table_format(path: Path, format: str | None = None) -> str:
    """The format of a table: the given one, or else that of the suffix, which `.gz` or `.zst` may follow.

    Raises:
        CorpusError: The name or the suffix is unknown, a format with compression of its own is packed again, or pyarrow
            is not installed and the format is Parquet.

    >>> table_format(Path("评论.CSV.gz"))
    'csv'
    """
    packing = packed.packing(path)
    suffix = Path(path.stem if packing else path.name).suffix.lower()
    name = SUFFIXES.get(suffix) if format is None else format
    if name not in TABLES:
        unknown = f'no table format "{format}"' if format is not None else f'no table has the suffix "{suffix}"'
        if format is None and suffix in contents.ADVICE:
            raise CorpusError(f"{path}: {unknown}{contents.advice(suffix)}")
        raise CorpusError(f"{path}: {unknown}; the formats are {', '.join(TABLES)}: choose one with --format")
    if packing and name not in PACKABLE:
        raise CorpusError(
            f"{path}: {name} files are compressed already and not read through {packing}: unpack it first"
        )
    if name == "parquet":
        packed.check_pyarrow(f"{path}: Parquet")
    return name


def position(path: Path, columns: Sequence[str], name: str, option: str = "--text") -> int:
    """The position of a column's cell in each row of a file; see `TableReader.position`."""
    found = columns.count(name)
    if found == 1:
        return columns.index(name)
    distinct = list(dict.fromkeys(columns))
    known = ", ".join(f'"{shown(column)}"' for column in distinct[:SHOWN]) + (", …" if len(distinct) > SHOWN else "")
    if found:
        raise CorpusError(f'{path}: {found} columns are named "{shown(name)}" (columns: {known}): rename one')
    close = get_close_matches(name, distinct[:COMPARED], 1, 0.4)
    hint = f', "{shown(close[0])}" is the nearest' if close else ""
    raise CorpusError(f'{path}: no column "{shown(name)}"; the columns are {known}{hint}: choose one with {option}')


class TableReader:
    """The rows of a table; re-iterable, with the memory of one batch of rows.

    Each row is a tuple as long as `columns`. Its number, counted from 1 without the header, is that of
    `enumerate(reader, start=1)`: blank lines of a text format, and blank rows around the table in a sheet, do not
    count.

    | format      | cells                                   | columns                 |
    | csv, tsv    | str                                     | the first row           |
    | jsonl       | JSON values, None where a key is missing | keys of the first line  |
    | parquet     | Python values, None for null            | the schema              |
    | xlsx        | str, numbers, dates, None where empty   | the first row           |

    Args:
        path: The file; it is opened when columns or rows are asked for.
        format: One of `TABLES`; by suffix if None.
        encoding: One of `corpora.files.ENCODINGS`, never guessed; a byte order mark at the start of UTF-8 is dropped.
        sheet: Name of the sheet of an XLSX file; None: the first.
        delimiter: Between the cells of CSV or TSV, unless a first line `sep=;` of a CSV file names one; None: that of
            the format.
        quoting: Whether a quote at the start of a cell of CSV or TSV quotes it. None: yes, but a quoted cell whose
            lines look like rows is refused.

    Raises:
        CorpusError: At once for an unknown format or encoding; while reading for a file that cannot be read,
            a row of another length than the header, or bytes that are not in the encoding.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        encoding: str = "utf-8",
        sheet: str | None = None,
        delimiter: str | None = None,
        quoting: bool | None = None,
    ) -> None:
        self.path = Path(path)
        self.format = table_format(self.path, format)
        self.encoding = codec(encoding)
        self.sheet = sheet
        self.delimiter = delimiter
        self.quoting = quoting

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, as in the file; a name may occur twice."""
        for header in self._records():
            return tuple(map(str, header))
        expected = "a first line" if self.format == "jsonl" else "a header row"
        raise CorpusError(f"{self.path}: the file is empty; {expected} that names the columns is expected")

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        if self.columns:
            yield from islice(self._records(), 1, None)

    def position(self, name: str, option: str = "--text") -> int:
        """The position of a column's cell in each row.

        Raises:
            CorpusError: No column, or more than one, has this name; `option` is what the user is told to set.
        """
        return position(self.path, self.columns, name, option)

    def _records(self) -> Iterator[tuple[object, ...]]:
        if self.format == "jsonl":
            return jsonl.records(self.path, self.encoding)
        if self.format == "parquet":
            return parquet.records(self.path)
        if self.format == "xlsx":
            return xlsx.records(self.path, self.sheet)
        delimiter = self.delimiter or delimited.DELIMITERS[self.format]
        return delimited.records(self.path, self.encoding, delimiter, self.quoting)


class TableWriter:
    r"""Writes a table row by row; the file appears under its name when the block succeeds, or not at all.

    What is written reads back equal: strings in CSV and TSV, JSON values in JSONL. In XLSX an empty string reads back
    as None; in Parquet the cells of a column must have one type; JSONL without rows has no columns either.

    Args:
        path: The file to make or replace, in a folder that exists.
        columns: At least one name.
        format: One of `TABLES`; by suffix if None.
        encoding: One of `corpora.files.ENCODINGS`, for the text formats.

    Raises:
        CorpusError: No columns, a row of another length, a cell the format or encoding cannot hold.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with TableWriter(Path(folder, "评论.csv"), ["内容", "评论"]) as table:
    ...         table.write(["房间很好，\n早餐也不错", "好评"])
    ...     list(TableReader(Path(folder, "评论.csv")))
    [('房间很好，\n早餐也不错', '好评')]
    """

    def __init__(
        self, path: str | Path, columns: Sequence[str], *, format: str | None = None, encoding: str = "utf-8"
    ) -> None:
        self.path = Path(path)
        self.columns = tuple(columns)
        self.format = table_format(self.path, format)
        self.encoding = codec(encoding)
        self.rows = 0
        if not self.columns:
            raise CorpusError(f"{self.path}: a table without columns: name at least one")

    def __enter__(self) -> Self:
        self.rows = 0
        with ExitStack() as stack:
            try:
                self._write = stack.enter_context(self._writing())
            except UnicodeEncodeError as error:
                raise unencodable(f"{self.path}: header", error) from None
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, row: Sequence[object]) -> None:
        """Writes one row, with as many cells as columns; `rows` counts them."""
        self.rows += 1
        if len(row) != len(self.columns):
            expected = f"{len(self.columns)} cells expected, {len(row)} came"
            raise CorpusError(f"{self.path}: row {self.rows}: {expected}")
        try:
            self._write(row)
        except UnicodeEncodeError as error:
            raise unencodable(f"{self.path}: row {self.rows}", error) from None

    def _writing(self) -> AbstractContextManager[Callable[[Sequence[object]], object]]:
        if self.format == "jsonl":
            return jsonl.writing(self.path, self.columns, self.encoding)
        if self.format == "parquet":
            return parquet.writing(self.path, self.columns)
        if self.format == "xlsx":
            return xlsx.writing(self.path, self.columns)
        return delimited.writing(self.path, self.columns, self.encoding, delimited.DELIMITERS[self.format])
