"""CSV and TSV rows, after RFC 4180: the first row names the columns, quoted cells may hold anything."""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from corpora.errors import CorpusError
from corpora.files import EscapedLines, open_text, replace_when_done, text_lines
from corpora.rows import BadRow, Row

# In characters. A quote that nobody closes swallows the rest of the file; this bounds the memory it takes.
LONGEST_CELL = 1 << 26
# The same for a row where bad rows are set aside.
LONGEST_ROW = 1 << 24
# Lines that were taken for a row and were none are read anew, at most so many times what the file has.
REREADS = 4
QUOTES = "a cell that begins with a quote must end with one, and double those inside"


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    """The header, then the data rows, all of one length; blank lines are no rows.

    Raises:
        CorpusError: A row has more or fewer cells than the header, or a quote is not closed.
    """
    row, line, width = 0, 1, 0

    def place() -> str:
        return f"row {row} (line {line})" if row else f"header (line {line})"

    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    reader = csv.reader(text_lines(path, encoding, place), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                width = width or len(cells)
                if len(cells) != width:
                    found = f"{width} cells expected, as in the header, but {len(cells)} found"
                    raise CorpusError(f"{path}: {place()}: {found}: quote cells that hold a delimiter")
                yield tuple(cells)
                row += 1
            line = reader.line_num + 1
    except csv.Error as error:
        raise CorpusError(f"{path}: {place()}: {error}: {QUOTES}") from None


def entries(lines: EscapedLines, delimiter: str, *, width: int = 0) -> Iterator[Row | BadRow]:
    """The rows, the header among them, good and bad, and no error for any of them; blank lines are no rows.

    The first good row, or else `width`, says how many cells are expected. Where a quote isn't closed or stands where it
    may not, the line with which the row began is bad, and reading goes on with the next line. The time is linear in
    the size of the file: of lines that are read anew again and again, all that seemed to be one row are bad at last.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    feed = _Feed(iter(lines))
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        line = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(f"{error}: {QUOTES}", feed.first_line(), line)
            continue
        if not cells:
            continue
        raw = "".join(feed.taken)
        width = width or len(cells)
        if fault := lines.fault(raw):
            yield BadRow(fault, raw, line)
        elif len(cells) != width:
            found = f"{width} cells expected, as in the header, but {len(cells)} found"
            yield BadRow(f"{found}: quote cells that hold a delimiter", raw, line)
        else:
            yield Row(tuple(cells), raw)


class _Feed:
    """The lines that a csv reader asks for; it keeps those of the row at hand, and can be given them back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.taken: list[str] = []
        self._lines = lines
        self._again: deque[str] = deque()
        self._size = self._read = self._reread = 0
        self._line = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > LONGEST_ROW:
            raise csv.Error(f"a row of more than {LONGEST_ROW:,} characters")
        if self._again:
            line = self._again.popleft()
        else:
            line = next(self._lines)
            self._read += len(line)
        self.taken.append(line)
        self._size += len(line)
        return line

    def begin(self) -> int:
        """Forgets the row before; gives the number of the line with which the next one begins."""
        self._line += len(self.taken)
        self.taken = []
        self._size = 0
        return self._line

    def first_line(self) -> str:
        """The first line of the row; the others will be given again, as long as there is credit for it."""
        if len(self.taken) > 1 and self._reread + self._size <= REREADS * self._read:
            self._reread += self._size
            self._again.extendleft(reversed(self.taken[1:]))
            del self.taken[1:]
        return "".join(self.taken)


@contextmanager
def writing(
    path: Path, columns: Sequence[str], encoding: str, delimiter: str
) -> Iterator[Callable[[Sequence[object]], object]]:
    r"""A function that writes one row; cells are quoted where they must be, rows end in `\n`."""
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:

        class LineFeeds:
            # Told that rows end in "\r\n", csv quotes cells with a lone "\r", which it otherwise may not.
            def write(self, line: str) -> object:
                return stream.write(line[:-2] + "\n")

        writer = csv.writer(LineFeeds(), delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(columns)
        yield writer.writerow
