"""Parts: an input's rows, labelled or segmented, in files of at most 32,768 rows, each made by whoever is free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from corpora import segmented
from corpora.document import Document
from corpora.files import replace_when_done
from corpora.lines import Lines
from corpora.table import TableReader, TableWriter
from pipeline.jobs.deferred_writer import DeferredWriter
from pipeline.jobs.journal import JobProgress
from pipeline.jobs.predict import answers
from pipeline.jobs.table_job import CHUNK, ORIGIN, Chunk, TableJob
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages.segment import row_text, without_stop_words

CHUNKS = 16  # of a labelling in a part
TEXTS = CHUNK * CHUNKS  # of a segmentation in a part

T = TypeVar("T")


@dataclass(frozen=True)
class PartRecord:
    """What a part holds: read = labelled + blank + rejected rows; `last`: whether the input ends with it.

    `reason`: what is wrong with the first bad row; `tally`: what was counted of the answers (`pipeline.models.drift`).
    """

    number: int
    read: int
    labelled: int
    blank: int = 0
    rejected: int = 0
    last: bool = False
    reason: str = ""
    tally: dict[str, float] = field(default_factory=dict)


class Parts(Protocol):
    """The parts of one input; quickest when asked for them in rising order, since it is read from front to back."""

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """Makes the files of a part, from 0, in `folder`; None where the input ends before it."""
        ...


class ChunkReader(Generic[T]):
    """The items of an iterator in stretches of one size, by number; a number behind begins anew.

    >>> letters = ChunkReader(lambda: iter("abcdefg"), 2)
    >>> "".join(letters.at(1)), letters.is_over, "".join(letters.at(3)), letters.is_over, "".join(letters.at(0))
    ('cd', False, 'g', True, 'ab')
    """

    def __init__(self, opened: Callable[[], Iterator[T]], size: int) -> None:
        self.opened = opened
        self.size = size
        self._items: Iterator[T] = iter(())
        self._ahead: list[T] = []
        self._next: int | None = None

    def at(self, number: int) -> Iterator[T]:
        """The items of a stretch, all of which are to be taken before anything else is asked for."""
        if self._next is None or number < self._next:
            self._items, self._ahead, self._next = self.opened(), [], 0
        for _ in islice(self, (number - self._next) * self.size):
            pass
        self._next = number + 1
        return islice(self, self.size)

    @property
    def is_over(self) -> bool:
        """Whether nothing stands behind what has been given."""
        self._ahead = self._ahead or list(islice(self._items, 1))
        return not self._ahead

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._ahead.pop() if self._ahead else next(self._items)


class LabelledParts:
    """The parts that a shard makes: `part-00000.csv` and so on, each with header; bad rows in `rejected-00000.csv`."""

    def __init__(self, shard: TableJob, chunks: int = CHUNKS) -> None:
        self.shard = shard
        self._chunks: ChunkReader[Chunk] = ChunkReader(shard.chunks, chunks)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`. Raises CorpusError where the input is damaged, all bad, or, if strict, has a bad row."""
        chunks = self._chunks.at(number)
        if number and self._chunks.is_over:
            return None
        suffix = self.shard.suffix
        with (
            replace_when_done(folder / f"part-{number:05}{suffix}") as made,
            replace_when_done(folder / f"rejected-{number:05}.csv") as rejected,
        ):
            standing = self._write(chunks, made, rejected)
        if not standing.rejected:
            (folder / f"rejected-{number:05}.csv").unlink()
        return PartRecord(
            number=number,
            read=standing.read,
            labelled=standing.labelled,
            blank=standing.blank,
            rejected=standing.rejected,
            last=self._chunks.is_over,
            reason=self.shard.reason if standing.rejected else "",
            tally=standing.tally,
        )

    def _write(self, chunks: Iterator[Chunk], made: Path, rejected: Path) -> JobProgress:
        sink, header = self.shard.sink()
        standing, rows, lines = JobProgress(), [], [header]
        with made.open("wb") as output, rejected.open("wb") as rejects:
            output.write(header)
            for chunk in chunks:
                options = self.shard.options
                answered = answers(self.shard.model, chunk.texts, options.wanted)
                data, bad, standing = self.shard.finished(sink, chunk, answered, standing)
                rejects.write(bad)
                if isinstance(sink, DeferredWriter):
                    rows += [chunk]
                    lines.append(data)
                else:
                    output.write(data)
        if isinstance(sink, DeferredWriter):
            first = rows[0].first if rows else 1
            all_rows = (row for chunk in rows for row in chunk.rows)
            sink.assemble(made, all_rows, b"".join(lines).decode().split("\n"), first=first)
        return standing


class SegmentedLines:
    """The parts of a plain text, segmented: `part-00000.txt` and so on, a line for a line."""

    def __init__(self, source: Path, segmenter: Segmenter, encoding: str = "utf-8") -> None:
        self.segmenter = segmenter
        self.encoding = encoding
        self._lines: ChunkReader[Document] = ChunkReader(lambda: iter(Lines(source, encoding)), TEXTS)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`. Raises CorpusError where the input can't be read or decoded."""
        lines = self._lines.at(number)
        if number and self._lines.is_over:
            return None
        tokens = (without_stop_words(self.segmenter, self.segmenter.split(line.text)) for line in lines)
        count = segmented.write(folder / f"part-{number:05}.txt", tokens, self.encoding)
        return PartRecord(number, count, count, last=self._lines.is_over)


class SegmentedTable:
    """The parts of a table, segmented: `part-00000.csv` and so on, each row with the columns file, row and tokens.

    `name`: what stands in the column file; `text`: the columns of the text, joined by a line feed.
    """

    def __init__(self, table: TableReader, segmenter: Segmenter, text: Sequence[str], name: str) -> None:
        self.table = table
        self.segmenter = segmenter
        self.name = name
        self.positions = [table.position(column) for column in text]
        self._rows: ChunkReader[tuple[object, ...]] = ChunkReader(lambda: iter(table), TEXTS)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`. Raises CorpusError where the input is damaged."""
        rows = self._rows.at(number)
        if number and self._rows.is_over:
            return None
        path = folder / f"part-{number:05}.{self.table.format}"
        with TableWriter(path, (*self.table.columns, *ORIGIN, "tokens"), encoding=self.table.encoding) as writer:
            for place, row in enumerate(rows, start=number * TEXTS + 1):
                tokens = without_stop_words(self.segmenter, self.segmenter.split(row_text(row, self.positions)))
                writer.write((*row, self.name, str(place), segmented.join(tokens)))
        return PartRecord(number, writer.rows, writer.rows, last=self._rows.is_over)
