"""How a table is read: its format, its encoding, where its columns are named, and what becomes of bad rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Self

from corpora import contents, packed
from corpora.errors import CorpusError
from corpora.files import codec

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
TABLES = tuple(dict.fromkeys(SUFFIXES.values()))
PACKABLE = ("csv", "tsv", "jsonl", "json")
WITH_HEADER = ("csv", "tsv", "xlsx")  # formats whose first row may name the columns, or not
BAD_ROWS = ("stop", "set-aside")
BadRows = Literal["stop", "set-aside"]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table is read. A config and every command that reads tables have these options by these names.

    Args:
        format: One of `TABLES`; by suffix if None.
        encoding: One of `corpora.files.ENCODINGS`, never guessed; a byte order mark at the start is dropped.
        delimiter: Between the cells of CSV or TSV, unless a first line `sep=;` of a CSV file names one; None: that of
            the format.
        quoting: Whether a quote at the start of a cell of CSV or TSV quotes it. None: yes, but a quoted cell whose
            lines look like rows is refused.
        sheet: Name or number, from 1, of a sheet of XLSX; None: the first that is not hidden.
        header: Whether a row names the columns; if not, they are "1", "2" and so on.
        header_row: The row that names them, counted from 1 as a spreadsheet does; rows above it are left out. None: the
            first that is not skipped.
        skip_rows: Rows at the top of the file that are left out, except the one that `header_row` names. Both count the
            lines of a text file.
        bad_rows: "stop" with an error at the first row that cannot be read, or put such rows "set-aside" with the
            reason.

    Raises:
        CorpusError: An option has an impossible value, or one excludes another.
    """

    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    quoting: bool | None = None
    sheet: str | int | None = None
    header: bool = True
    header_row: int | None = None
    skip_rows: int = 0
    bad_rows: BadRows = "stop"

    def __post_init__(self) -> None:
        codec(self.encoding)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise CorpusError(f'delimiter = {self.delimiter!r}: one character, such as ";" or a tab, is expected')
        if self.bad_rows not in BAD_ROWS:
            raise CorpusError(f'bad_rows = "{self.bad_rows}": one of {", ".join(BAD_ROWS)} is expected')
        if self.skip_rows < 0 or (self.header_row is not None and self.header_row < 1):
            raise CorpusError("header_row counts from 1, and skip_rows from 0")
        if self.header_row is not None and not self.header:
            raise CorpusError("header_row names a row, but header is false: choose one of them")

    @property
    def table(self) -> TableOptions:
        """These options alone, of an object that has more."""
        return TableOptions(**{field.name: getattr(self, field.name) for field in fields(TableOptions)})

    @property
    def above(self) -> int:
        """Rows at the top that are left out before anything is read."""
        return self.skip_rows if self.header_row is None else self.header_row - 1

    @property
    def below(self) -> int:
        """Rows that are left out directly behind the one that names the columns."""
        return 0 if self.header_row is None else max(0, self.skip_rows - self.header_row)

    def checked(self, path: Path) -> Self:
        """These options, if the format of the file has a use for those that it alone could ignore.

        Raises:
            CorpusError: The format is unknown, or has no sheets or no header row.
        """
        name = table_format(path, self.format)
        if self.sheet is not None and name != "xlsx":
            raise CorpusError(f"{path}: a {name} file has no sheets: leave out --sheet")
        if name not in WITH_HEADER and (not self.header or self.header_row or self.skip_rows):
            raise CorpusError(
                f"{path}: {name} names its columns itself: leave out --no-header, --header-row and --skip-rows"
            )
        return self


def table_format(path: Path, format: str | None = None) -> str:
    """The format of a table: the given one, or else that of the suffix, which `.gz`, `.zst` or `.zip` may follow.

    Raises:
        CorpusError: The name or the suffix is unknown, or a format with compression of its own is packed again.

    >>> table_format(Path("评论.CSV.gz"))
    'csv'
    """
    packing = packed.packing(path)
    suffix = packed.suffix_inside(path)
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
    return name
