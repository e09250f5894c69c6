"""CSV and TSV rows by RFC 4180, or without quoting: the first row names the columns, quoted cells may hold anything."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from corpora.errors import CorpusError
from corpora.files import EscapedLines, open_text, replace_when_done, text_lines
from corpora.rows import BadRow, Row
from corpora.swallowed import SwallowedRows
from corpora.table_options import TableOptions, table_format

DEFAULTS = TableOptions()
DELIMITERS = {"csv": ",", "tsv": "\t"}
LONGEST_CELL = 1 << 26  # characters; a quote that nobody closes swallows the rest of the file, and this bounds it
# Lines that were taken for one row by mistake are read again; in all at most so many times the size of the file.
REREADS = 4
_QUOTES = (
    "a cell that begins with a quote must end with one, and double those inside; if the file was written without "
    "quoting, read it with --no-quoting"
)
_SEPARATOR_LINE = re.compile(r'"?sep=(?:\\t|(.))"?', re.IGNORECASE)


def records(path: Path, options: TableOptions) -> Iterator[tuple[str, ...]]:
    """The rows, the header among them, all of the same length; blank lines are skipped.

    Args:
        path: The file.
        options: `quoting` False: a quote is a character like any other. None: quoting as in RFC 4180, and a cell whose
            lines look like rows is refused. True: such a cell is accepted. A line `sep=;` is not counted by
            `header_row` and `skip_rows`.

    Raises:
        CorpusError: A row has more or fewer cells than the header, or a quote is not closed.
    """
    row, width = 0, 0

    def place() -> str:
        number = row + (not options.header)
        return f"row {number} (line {feed.line})" if number else f"header (line {feed.line})"

    feed = _Feed(text_lines(path, options.encoding, place), delimiter_of(path, options))
    try:
        reader, swallowed = _reader(feed, options), SwallowedRows(feed.delimiter)
        for cells in reader:
            if cells:
                width = width or len(cells)
                fault = _width_fault(cells, width) or (options.quoting is None and swallowed.fault(feed.taken, cells))
                if fault:
                    raise CorpusError(f"{path}: {place()}: {fault}")
                yield tuple(cells)
                row += 1
            feed.begin()
            if row == 1:
                feed.skip(options.below)
    except csv.Error as error:
        raise CorpusError(f"{path}: {place()}: {error}: {_QUOTES}") from None


def entries(
    lines: EscapedLines, delimiter: str, options: TableOptions = DEFAULTS, *, width: int = 0
) -> Iterator[Row | BadRow]:
    """The rows, the header among them, good and bad, without an error for any; blank lines are skipped.

    The first good row, or else `width`, fixes the number of cells. Where a quote is not closed or is misplaced, or
    where the lines of a quoted cell look like rows, the first line of the row is bad and reading goes on with the next
    line. The time is linear in the size of the file: once lines have been read again too often, all lines of such a row
    are bad.
    """
    feed = _Feed(lines, delimiter, lines.longest)
    reader, swallowed = _reader(feed, options), SwallowedRows(feed.delimiter)
    below = options.below
    while True:
        line = feed.begin()
        if width:
            feed.skip(below)
            line, below = feed.line, 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            first = feed.first_line()
            yield BadRow(lines.fault(first) or f"{error}: {_QUOTES}", first, line)
            continue
        if not cells:
            continue
        width = width or len(cells)
        raw = feed.raw()
        if fault := lines.fault(raw) or _width_fault(cells, width):
            yield BadRow(fault, raw, line)
        elif options.quoting is None and (fault := swallowed.fault(feed.taken, cells)):
            yield BadRow(fault, feed.first_line(), line)
        else:
            yield Row(tuple(cells), raw)


def named_delimiter(text: str) -> str | None:
    r"""The delimiter that a text beginning with a line of the form `sep=;` names, as Excel reads it, or None.

    >>> named_delimiter("sep=;\n"), named_delimiter("sep=\\t\n"), named_delimiter("sep,text\n")
    (';', '\t', None)
    """
    found = _SEPARATOR_LINE.fullmatch(re.split(r"[\r\n]", text, maxsplit=1)[0])
    if found is None:
        return None
    delimiter = found[1] or "\t"
    return None if delimiter == '"' else delimiter


def delimiter_of(path: Path, options: TableOptions) -> str:
    """The delimiter that was asked for, or else that of the format."""
    return options.delimiter or DELIMITERS[table_format(path, options.format)]


def _reader(feed: _Feed, options: TableOptions) -> Any:
    feed.read_heading()
    feed.skip(options.above)
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    style: Literal[0, 3] = csv.QUOTE_NONE if options.quoting is False else csv.QUOTE_MINIMAL
    return csv.reader(feed, delimiter=feed.delimiter, strict=True, quoting=style)


def _width_fault(cells: Sequence[str], width: int) -> str | None:
    if len(cells) == width:
        return None
    found = f"{width} cells expected, as in the header, but {len(cells)} found"
    return f"{found}: {further_down(width)}quote cells that hold a delimiter"


def further_down(width: int) -> str:
    """The advice for a table whose first row has one cell and may be a title."""
    return "if the columns are named further down, tell where with --header-row; else " if width == 1 else ""


class _Feed:
    """The lines that a csv reader asks for; remembers those of the current row and can take them back.

    A first line `sep=;` sets the delimiter. It is no row, and part of the text of the first one.

    Args:
        lines: The lines with their ends.
        delimiter: Where no line names one.
        longest: Characters of the longest row; None: no bound.
    """

    def __init__(self, lines: Iterator[str] | EscapedLines, delimiter: str, longest: int | None = None) -> None:
        self._lines = iter(lines)
        self.delimiter = delimiter
        self.line = 1
        self.taken: list[str] = []
        self._heading = ""
        self._longest = longest
        self._again: deque[str] = deque()
        self._size = self._read = self._reread = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = next(self._lines)
            self._read += len(line)
        self.taken.append(line)
        self._size += len(line)
        if self._longest is not None and self._size > self._longest:
            raise csv.Error(f"a row of more than {self._longest:,} characters")
        return line

    def read_heading(self) -> None:
        """Reads the first line, if it only names the delimiter; a TSV file has no such line."""
        first = next(self._lines, "")
        named = named_delimiter(first) if self.delimiter != "\t" else None
        if named:
            self.delimiter, self.line, self._heading = named, 2, first
        elif first:
            self._lines = chain([first], self._lines)

    def skip(self, count: int) -> None:
        """Leaves out lines, between two rows."""
        for _ in islice(self._lines, count):
            self.line += 1

    def begin(self) -> int:
        """Forgets the row before; returns the number of the line on which the next one begins."""
        self.line += len(self.taken)
        if self.taken:
            self._heading = ""
        self.taken = []
        self._size = 0
        return self.line

    def raw(self) -> str:
        """The text of the row."""
        return self._heading + "".join(self.taken)

    def first_line(self) -> str:
        """The first line of the row. The others will be read again, as long as there is credit for it."""
        if len(self.taken) > 1 and self._reread + self._size <= REREADS * self._read:
            self._reread += self._size
            self._again.extendleft(reversed(self.taken[1:]))
            del self.taken[1:]
        return self.raw()


@contextmanager
def writing(
    path: Path, columns: Sequence[str], encoding: str, delimiter: str
) -> Iterator[Callable[[Sequence[object]], object]]:
    r"""A function that writes one row; cells are quoted where they must be, rows end in `\n`."""
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:

        class LineFeeds:
            # Told that rows end in "\r\n", csv quotes cells with a lone "\r", which it would otherwise leave bare.
            def write(self, line: str) -> object:
                return stream.write(line[:-2] + "\n")

        writer = csv.writer(LineFeeds(), delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(columns)
        yield writer.writerow
