"""Tables of any size as streams of rows: CSV, TSV, JSON, Parquet and XLSX, in and out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from corpora import delimited, entries, findings, jsonarray, jsonl, packed, parquet, sheetmarks, xlsx
from corpora.errors import CorpusError
from corpora.files import codec, unencodable
from corpora.header import named, position
from corpora.rows import BadRow
from corpora.table_options import WITH_HEADER, TableOptions, table_format

DEFAULTS = TableOptions()


class TableReader:
    """The rows of a table; re-iterable, with the memory of one batch of rows.

    Each row is a tuple as long as `columns`. Its number, counted from 1 without the header, is that of
    `enumerate(reader, start=1)`: blank lines of a text format, and blank rows around the table in a sheet, do not
    count.

    | format      | cells                                   | columns                 |
    | csv, tsv    | str                                     | the first row           |
    | jsonl, json | JSON values, None where a key is missing | keys of the first one   |
    | parquet     | Python values, None for null            | the schema              |
    | xlsx        | str, numbers, dates, None where empty   | the first row           |

    Args:
        path: The file; it is opened when columns or rows are asked for.
        options: How it is read.
        set_aside: Called with the number and the reason of each row that cannot be read, if `options.bad_rows` is
            "set-aside".
        given: Fields of `TableOptions` in place of those in `options`.

    Raises:
        CorpusError: At once for options that are impossible or not those of the format; while reading for a file that
            cannot be read, and, unless such rows are set aside, for a row of another length than the header, or bytes
            that are not in the encoding.
    """

    def __init__(
        self,
        path: str | Path,
        options: TableOptions = DEFAULTS,
        *,
        set_aside: Callable[[int, BadRow], object] = lambda number, row: None,
        **given: Any,
    ) -> None:
        self.path = Path(path)
        self.options = replace(options, **given).checked(self.path)
        self.set_aside = set_aside
        self.format = table_format(self.path, self.options.format)
        self.encoding = codec(self.options.encoding)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, as in the file; a name may occur twice."""
        if self.options.bad_rows == "set-aside":
            table = entries.read(self.path, self.options)
            table.rows.close()
            return table.columns
        for first in self._records():
            return named(self.path, first, self.options)
        expected = "a first line" if self.format in ("jsonl", "json") else "a header row"
        raise CorpusError(f"{self.path}: the file is empty; {expected} that names the columns is expected")

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return (cells for _, cells in self.numbered())

    def numbered(self) -> Iterator[tuple[int, tuple[object, ...]]]:
        """The rows that can be read with their numbers, from 1; those that cannot have a number too."""
        if self.options.bad_rows == "set-aside":
            for number, row in enumerate(entries.read(self.path, self.options).rows, start=1):
                if isinstance(row, BadRow):
                    self.set_aside(number, row)
                else:
                    yield number, row.cells
        elif self.columns:
            has_header = self.options.header or self.format not in WITH_HEADER
            yield from enumerate(islice(self._records(), int(has_header), None), start=1)

    def doubts(self, names: Sequence[str]) -> list[str]:
        """A sentence for each thing that the sheet of an XLSX file does to these columns, see `corpora.sheetmarks`."""
        counts: dict[str, int] = {}
        if self.format == "xlsx":
            sheetmarks.count(self.path, self.options, [self.position(name) for name in names], counts)
        return findings.said(counts)

    def position(self, name: str, option: str = "--text") -> int:
        """The position of a column's cell in each row.

        Raises:
            CorpusError: No column, or more than one, has this name; `option` is what the user is told to set.
        """
        return position(self.path, self.columns, name, option)

    def _records(self) -> Iterator[tuple[object, ...]]:
        if self.format == "json":
            return jsonarray.records(self.path, self.encoding)
        if self.format == "jsonl":
            return jsonl.records(self.path, self.encoding)
        if self.format == "parquet":
            return parquet.records(self.path)
        if self.format == "xlsx":
            return xlsx.records(self.path, self.options)
        return delimited.records(self.path, self.options)


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
        packed.check_writable(self.path)
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
        if self.format == "json":
            return jsonarray.writing(self.path, self.columns, self.encoding)
        if self.format == "jsonl":
            return jsonl.writing(self.path, self.columns, self.encoding)
        if self.format == "parquet":
            return parquet.writing(self.path, self.columns)
        if self.format == "xlsx":
            return xlsx.writing(self.path, self.columns)
        return delimited.writing(self.path, self.columns, self.encoding, delimited.DELIMITERS[self.format])
