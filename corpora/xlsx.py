"""XLSX rows, by openpyxl, streamed: the first row of a sheet names the columns."""

import json
import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import IO, Any

from corpora import contents
from corpora.delimited import further_down
from corpora.errors import CorpusError, shown
from corpora.files import readable, replace_when_done, unencodable
from corpora.rows import BadRow, Row
from corpora.table_options import TableOptions

DEFAULTS = TableOptions()

# Limits of a sheet, by the specification of Excel.
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
# Excel shows whole numbers to 15 digits; longer ones, such as order numbers, are kept as text.
LARGEST_NUMBER = 10**15
UNPACKED = 1 << 28  # bytes that a part of the file may unpack to, however small it is packed
RATIO = 200  # packed so small, a larger part is refused
MOST_STRINGS = 1 << 30  # bytes of the table of strings, which is held in memory


def records(path: Path, options: TableOptions = DEFAULTS) -> Iterator[tuple[object, ...]]:
    """The rows of one sheet, the header among them; empty cells are None.

    A formula stands for the value that was last computed for it. Blank rows above the header and below the last value
    are skipped.

    Raises:
        CorpusError: The file is no XLSX, unpacks to far more than its size or has no such sheet, or a row has a value
            beyond the named columns.
    """
    for row, entry in enumerate(entries(path, options), start=int(not options.header)):
        if isinstance(entry, BadRow):
            raise CorpusError(f"{path}: row {row} (line {entry.line}): {entry.reason}")
        yield entry.cells


def entries(path: Path, options: TableOptions = DEFAULTS, *, unpacked: int = UNPACKED) -> Iterator[Row | BadRow]:
    """The rows, the header among them, good and bad; a row is bad if it has a value beyond the named columns.

    Args:
        path: The file.
        options: Of which sheet, and which rows.
        unpacked: Bytes to which a part of the file may unpack at more than `RATIO` times its size.

    Raises:
        CorpusError: The file is no XLSX, unpacks to far more than its size, or has no such sheet.
    """
    with opened(path, unpacked=unpacked) as book:
        yield from _rows(path, page_of(path, book, options.sheet), options)


@contextmanager
def opened(path: Path, *, unpacked: int = UNPACKED) -> Iterator[Any]:
    """A workbook of openpyxl to read from. Raises CorpusError as `entries`, also for what is read inside the block."""
    with readable(path):
        contents.check_regular(path)
        with path.open("rb") as stream:
            try:
                _check_packing(path, stream, unpacked)
                with closing(_workbook(stream)) as book:
                    yield book
            except (CorpusError, OSError, MemoryError, GeneratorExit):
                raise
            except Exception as error:  # openpyxl lets the errors of zipfile, of XML and of its own types through
                detail = contents.mistaken(path, contents.XLSX) or error
                raise CorpusError(f"{path}: damaged, or not an XLSX file ({detail})") from None


@contextmanager
def writing(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Sequence[object]], object]]:
    """A function that writes one row; no text ever becomes a formula, and an empty text an empty cell.

    Raises:
        CorpusError: A cell is longer than 32,767 characters, or there are more rows than a sheet can hold.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet()
    written = 0

    def write(row: Sequence[object]) -> None:
        nonlocal written
        if written == MOST_ROWS:
            raise CorpusError(f"{path}: a sheet holds {MOST_ROWS:,} rows and is full: write CSV or Parquet")
        page.append([_cell(page, value, f"{path}: row {written}") for value in row])
        written += 1

    with replace_when_done(path) as temporary:
        try:
            write(columns)
            yield write
            book.save(temporary)
        except BaseException:
            if not page.closed:
                page.close()
            raise


def _check_packing(path: Path, stream: IO[bytes], unpacked: int) -> None:
    for part in zipfile.ZipFile(stream).infolist():
        size, packed = part.file_size, max(1, part.compress_size)
        if (size > unpacked and size > RATIO * packed) or (
            size > MOST_STRINGS and "sharedstrings" in part.filename.lower()
        ):
            message = f'"{shown(part.filename)}" in it unpacks {packed:,} bytes to {size:,}'
            raise CorpusError(f"{path}: {message}, which may fill the memory: save the table as CSV")
    stream.seek(0)


def _rows(path: Path, page: Any, options: TableOptions) -> Iterator[Row | BadRow]:
    width = blank = 0
    for line, cells in enumerate(map(_trimmed, page.iter_rows(values_only=True)), start=1):
        if line > MOST_ROWS:
            raise CorpusError(f"{path}: has a row beyond {MOST_ROWS:,}, the last one of a sheet: save it again")
        if line <= options.above or (width and line <= options.skip_rows):
            continue
        if not cells:
            if line == options.header_row:
                raise CorpusError(f"{path}: row {line}, which was to name the columns, is empty: name another row")
            blank += width > 0
            continue
        yield from repeat(Row((None,) * width), blank)
        blank = 0
        if len(cells) > width > 0:
            found = f"{width} cells expected, as in the header, but {len(cells)} found"
            found += f": {further_down(width)}name every column"
            yield BadRow(found, json.dumps(cells, ensure_ascii=True, default=str), line)
            continue
        padded = (*cells, *[None] * (width - len(cells)))
        is_header = options.header and not width
        yield Row(tuple("" if name is None else str(name) for name in padded) if is_header else padded)
        width = len(padded)


def _workbook(stream: IO[bytes]) -> Any:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which no row depends on
        return load_workbook(stream, read_only=True, data_only=True)


def page_of(path: Path, book: Any, sheet: str | int | None) -> Any:
    """The sheet of that name or number, from 1, or the first that is not hidden.

    Raises:
        CorpusError: There is none.
    """
    pages = {page.title: page for page in book.worksheets}
    visible = [page for page in pages.values() if page.sheet_state == "visible"]
    if sheet is None:
        page = (visible or list(pages.values()))[0]
    elif sheet in pages:
        page = pages[str(sheet)]
    elif str(sheet).isdecimal() and 1 <= int(sheet) <= len(pages):
        page = list(pages.values())[int(sheet) - 1]
    else:
        names = ", ".join(f'"{shown(name, 31)}"' for name in pages)
        raise CorpusError(f'{path}: no sheet "{sheet}"; the sheets are {names}')
    page.reset_dimensions()  # the size that a file claims may be wrong
    return page


def _trimmed(cells: tuple[object, ...]) -> list[object]:
    row = [_unescaped(cell) if isinstance(cell, str) else cell for cell in cells]
    while row and row[-1] is None:
        row.pop()
    return row


def _unescaped(text: str) -> str:
    """Undoes `_x000D_` and the like: escapes of characters that XML cannot hold (ECMA-376, ST_Xstring)."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def _escaped(text: str) -> str:
    special = r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
    return re.sub(special, lambda match: f"_x{ord(match[0]):04X}_", text)


def fault(text: str) -> str | None:
    """Why a sheet can't hold a text, or None."""
    length = len(_escaped(text))
    return f"a cell of {length:,} characters; XLSX holds {LONGEST_CELL:,}: write CSV" if length > LONGEST_CELL else None


def _cell(page: Any, value: object, where: str) -> object:
    from openpyxl.cell import WriteOnlyCell

    if value is None or value == "" or _storable(value):
        return None if value == "" else value
    if reason := fault(str(value)):
        raise CorpusError(f"{where}: {reason}")
    text = _escaped(str(value))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise unencodable(where, error) from None
    cell = WriteOnlyCell(page, text)
    cell.data_type = "s"  # openpyxl would make a formula of a text that begins with "="
    return cell


def _storable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < LARGEST_NUMBER
    aware = isinstance(value, datetime | time) and value.tzinfo is not None
    return isinstance(value, date | time | timedelta) and not aware
