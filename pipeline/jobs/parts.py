"""Parts: an input's rows, labelled or segmented, in files of at most 32,768 rows that workers make in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from corpora import segmented
from corpora.document import Document
from corpora.files import replace_when_done
from corpora.lines import LineDocuments
from corpora.table import TableReader, TableWriter
from pipeline.jobs.deferred_writer import DeferredWriter
from pipeline.jobs.input_table import Chunk
from pipeline.jobs.journal import JobProgress
from pipeline.jobs.output_table import ORIGIN
from pipeline.jobs.predict import answers
from pipeline.jobs.results import FORCED, RowCounts
from pipeline.jobs.table_job import TableJob
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages.table_rows import row_text, without_stop_words

PART_ROWS = 32_768  # of a segmentation, by default

T = TypeVar("T")


@dataclass(frozen=True)
class PartRecord:
    """What a part holds; `last`: whether the input ends with it; `reason`: what is wrong with its first bad row."""

    number: int
    rows: RowCounts = field(default_factory=RowCounts)
    last: bool = False
    reason: str = ""


class Parts(Protocol):
    """The parts of one input. They are made fastest in rising order, since the input is read from front to back."""

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """Makes the files of a part, counted from 0, in `folder`; None if the input ends before it.

        Raises CorpusError if the input can't be read.
        """
        ...


class PartReader(Generic[T]):
    """Reads an iterator in parts of `size` items, by number; an earlier number starts again from the front.

    >>> letters = PartReader(lambda: iter("abcdefg"), 2)
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
        """The items of a part; take all of them before you ask for anything else."""
        if self._next is None or number < self._next:
            self._items, self._ahead, self._next = self.opened(), [], 0
        for _ in islice(self, (number - self._next) * self.size):
            pass
        self._next = number + 1
        return islice(self, self.size)

    @property
    def is_over(self) -> bool:
        """Whether no item comes after those read so far."""
        self._ahead = self._ahead or list(islice(self._items, 1))
        return not self._ahead

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._ahead.pop() if self._ahead else next(self._items)


class LabelledParts:
    """The parts of a labelled table: `part-00000.csv` and so on, each with a header; `rejected-00000.csv` if needed.

    A part has the rows of `job.limits.part_chunks` chunks.
    """

    def __init__(self, job: TableJob) -> None:
        self.job = job
        self._chunks: PartReader[Chunk] = PartReader(job.chunks, job.limits.part_chunks)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`; CorpusError also if all rows are bad, or one is and `strict` is set."""
        chunks = self._chunks.at(number)
        if number and self._chunks.is_over:
            return None
        rejected_path = folder / f"rejected-{number:05}.csv"
        with (
            replace_when_done(folder / f"part-{number:05}{self.job.output.suffix}") as made,
            replace_when_done(rejected_path) as rejected,
        ):
            rows = self._write(chunks, made, rejected)
        if not rows.rejected:
            rejected_path.unlink()
        reason = self.job.rejects.reason if rows.rejected else ""
        return PartRecord(number, rows, last=self._chunks.is_over, reason=reason)

    def _write(self, chunks: Iterator[Chunk], made: Path, rejected: Path) -> RowCounts:
        writer, header = self.job.writer()
        progress, done, answered_rows = JobProgress(), [], [header]
        with made.open("wb") as output, rejected.open("wb") as rejects:
            output.write(header)
            for chunk in chunks:
                answered = answers(self.job.model, chunk.texts, self.job.options.asked)
                piece = self.job.finish(writer, chunk, answered, progress)
                progress = piece.progress
                rejects.write(piece.rejects)
                if isinstance(writer, DeferredWriter):
                    done.append(chunk)
                    answered_rows.append(piece.output)
                else:
                    output.write(piece.output)
        if isinstance(writer, DeferredWriter):
            first = done[0].first if done else 1
            rows = (row for chunk in done for row in chunk.rows)
            writer.assemble(made, rows, b"".join(answered_rows).decode().split("\n"), first=first)
        return progress.rows


class SegmentedLines:
    """The parts of a segmented plain text: `part-00000.txt` and so on, one line per line of the input."""

    def __init__(self, source: Path, segmenter: Segmenter, encoding: str = "utf-8", part_rows: int = PART_ROWS) -> None:
        self.segmenter = segmenter
        self.encoding = encoding
        self._lines: PartReader[Document] = PartReader(lambda: iter(LineDocuments(source, encoding)), part_rows)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`."""
        lines = self._lines.at(number)
        if number and self._lines.is_over:
            return None
        tally = Counter[str]()
        tokens = (_cut(self.segmenter, line.text, tally) for line in lines)
        count = segmented.write(folder / f"part-{number:05}.txt", tokens, self.encoding)
        return PartRecord(number, RowCounts(count, count, tally=dict(tally)), last=self._lines.is_over)


class SegmentedTable:
    """The parts of a segmented table: `part-00000.csv` and so on, with the new columns file, row and tokens.

    `name`: the value of the column file; `text`: names of the text columns.
    """

    def __init__(
        self,
        table: TableReader,
        segmenter: Segmenter,
        text: Sequence[str],
        name: str,
        part_rows: int = PART_ROWS,
    ) -> None:
        self.table = table
        self.segmenter = segmenter
        self.name = name
        self.part_rows = part_rows
        self.positions = [table.position(column) for column in text]
        self._rows: PartReader[tuple[object, ...]] = PartReader(lambda: iter(table), part_rows)

    def write(self, number: int, folder: Path) -> PartRecord | None:
        """As `Parts.write`."""
        rows = self._rows.at(number)
        if number and self._rows.is_over:
            return None
        path, tally = folder / f"part-{number:05}.{self.table.format}", Counter[str]()
        with TableWriter(path, (*self.table.columns, *ORIGIN, "tokens"), encoding=self.table.encoding) as writer:
            for place, row in enumerate(rows, start=number * self.part_rows + 1):
                tokens = _cut(self.segmenter, row_text(row, self.positions), tally)
                writer.write((*row, self.name, str(place), segmented.join(tokens)))
        return PartRecord(number, RowCounts(writer.rows, writer.rows, tally=dict(tally)), last=self._rows.is_over)


def _cut(segmenter: Segmenter, text: str, tally: Counter[str]) -> list[str]:
    """The tokens of a text without stop words; adds the words of the dictionary that occur to a tally."""
    tokens = segmenter.split(text)
    tally.update(f"{FORCED}{word}" for word in segmenter.dictionary.occurring(text, tokens))
    return without_stop_words(segmenter, tokens)
