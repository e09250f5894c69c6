"""Shard: one table on its way through a model to another, chunk by chunk, in as many processes as there are cores."""

from __future__ import annotations

import csv
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import cached_property
from io import StringIO
from itertools import chain, count, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from corpora import entries, packed, wordcells
from corpora.blocks import FORMATS as GROWING
from corpora.blocks import Blocks
from corpora.errors import CorpusError
from corpora.files import STREAM, codec, unescaped
from corpora.rows import BadRow, Row
from corpora.table import table_format
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.jobs import layouts
from pipeline.jobs.deferred_writer import DeferredWriter
from pipeline.jobs.journal import JobProgress
from pipeline.jobs.layouts import NEEDS_REVIEW, TABLE, LayoutWriter
from pipeline.jobs.predict import PRELOAD, Answers, Cells, OutputOptions, Predictor, answers
from pipeline.models import drift
from pipeline.models.model import Model
from pipeline.parallel import map_ordered
from pipeline.provenance import sha256, versions
from pipeline.stages.segment import joined

CHUNK = 2048  # rows in memory at a time, which are sorted by length together
CHARACTERS = 1 << 21  # a chunk ends sooner where its rows are long
ALONE = 1.0  # seconds of work in one process before others are started
HOPELESS = 100  # bad rows, and no good one, from the start of a file: it isn't what it was said to be
ORIGIN = ("file", "row")  # the columns that say where a row comes from
ALTERNATIVES = "alternatives"
DEPENDS = ("zhpipe", "numpy", "onnxruntime", "jieba", "rjieba")


@dataclass(frozen=True)
class Options:
    """How a table is read, labelled and written; None is the default that the input or the output's suffix gives.

    `text`: the column, or several whose texts are joined; `delimiter`, `header`: of CSV and TSV, kept in the output;
    `prefix`: before the names of the new columns; `excel_safe`: guard cells that a spreadsheet would run;
    `strict`: stop at a bad row; `review_below`: add `needs_review`, true where the confidence, as written, of a label,
    an entity or a word is below that;
    `workers`: processes, 0 for all cores, with no bearing on what is written; `origin`: what to call the input in the
    columns `file` and `row` (from 1), which are left out where it is None; `words`: a column with the words of the text
    (`corpora.wordcells`), or, where `text` is empty, the text itself; `layout`: one of `pipeline.jobs.layouts.LAYOUTS`;
    `n_best`: the column `alternatives` has so many answers of a tagger, if more than 1.
    """

    text: str | Sequence[str] = "text"
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    header: bool = True
    output_format: str | None = None
    output_encoding: str | None = None
    probabilities: bool = False
    prefix: str = ""
    excel_safe: bool = False
    strict: bool = False
    review_below: float | None = None
    workers: int = 1
    origin: str | None = None
    words: str | None = None
    layout: str = TABLE
    n_best: int = 1

    def as_arguments(self) -> dict[str, Any]:
        """The options by name, as `label_file` takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the text columns."""
        return (self.text,) if isinstance(self.text, str) else tuple(self.text)

    @property
    def ending(self) -> str | None:
        """The format that gives outputs their suffix; None: that of the input."""
        return self.layout if self.layout in layouts.FORMATS else self.output_format

    @property
    def wanted(self) -> OutputOptions:
        """What is asked of the model."""
        return OutputOptions(self.probabilities, self.review_below, self.layout, self.n_best)


class TableJob:
    """One input on its way to one output; `reason`: what is wrong with the first bad row that came."""

    def __init__(self, model: Model, source: Path, target: Path, options: Options) -> None:
        self.model = model
        self.source = source
        self.target = target
        self.options = options
        self.reason = ""

    @cached_property
    def format(self) -> str:
        """Of the input."""
        return entries.input_format(self.source, self.options.format)

    @cached_property
    def output_format(self) -> str:
        """Of the output: as given, or by its suffix; on standard output as the input, if that can be streamed."""
        if self.options.layout in layouts.FORMATS:
            return self.options.layout
        if self.target != STREAM:
            return table_format(self.target, self.options.output_format)
        chosen = self.options.output_format or (self.format if self.format in GROWING else "csv")
        if chosen not in GROWING:
            raise CorpusError(f"-: {chosen} can't be written to standard output: name a file")
        return chosen

    @property
    def grows(self) -> bool:
        """Whether the output is text, to which more can be put behind."""
        return self.output_format in GROWING or self.options.layout != TABLE

    @property
    def suffix(self) -> str:
        """Of the output, however it is packed."""
        return f".{self.output_format}{packed.packing(self.target) if self.grows else ''}"

    @property
    def made(self) -> str:
        """The file in the job's folder that becomes the output."""
        return "output" if self.grows else f"assembled.{self.output_format}"

    @cached_property
    def added(self) -> tuple[str, ...]:
        """The names of the new columns; another layout adds none."""
        if self.options.layout != TABLE:
            return ()
        origin = () if self.options.origin is None else ORIGIN
        columns = self.model.answerer.output.columns(self.options.probabilities)
        review = () if self.options.review_below is None else (NEEDS_REVIEW,)
        others = (ALTERNATIVES,) if self.options.n_best > 1 else ()
        return tuple(f"{self.options.prefix}{name}" for name in (*origin, *columns, *review, *others))

    def check(self) -> None:
        """Raises what is wrong with the columns and formats, before anything is made."""
        self._check_layout()
        if self.options.n_best > 1 and not self.model.answerer.has_alternatives:
            raise PipelineError("--n-best is of taggers; a classifier has --probabilities: leave it out")
        self._check_words()
        self._check_labels()
        self._check_review()
        if self.source != STREAM:
            self.sink()
        elif not self.grows:
            raise CorpusError(f"{self.target}: {self.output_format} can't be made from standard input: write it first")

    def _check_layout(self) -> None:
        options = self.options
        layouts.check(options.layout, self.model.answerer.output.layouts, self.model.task.described)
        if options.layout == TABLE:
            return
        if self.output_format not in (*GROWING, *layouts.FORMATS):
            raise PipelineError(
                f"{self.target}: --layout {options.layout} is written as {', '.join(GROWING)}: name such a file"
            )
        columns = {"--probabilities": options.probabilities, "--prefix": options.prefix, "--n-best": options.n_best > 1}
        for name, given in columns.items():
            if given:
                raise PipelineError(
                    f"{name} is about the columns of --layout table, not of {options.layout}: leave it out"
                )

    def _check_words(self) -> None:
        if self.options.words is not None and self.model.segmenter.unit != "word":
            raise PipelineError(
                f"{self.model.network.path.parent}: reads characters, and --words is for models that read words: "
                "leave it out"
            )

    def _check_review(self) -> None:
        if self.options.review_below is None:
            return
        if not self.model.answerer.claimed:
            raise PipelineError(
                f"{self.model.network.path.parent}: its task is {self.model.task.name}, and only labels, entities "
                "and words are reviewed by confidence: leave out --review-below"
            )
        if self.options.layout in layouts.FORMATS:
            raise PipelineError(
                f"--review-below adds a column, which --layout {self.options.layout} has no place for: choose table or "
                "long"
            )

    def _check_labels(self) -> None:
        encoding = codec(self.options.output_encoding or self.options.encoding)
        for name in self.model.labels.names if self.grows else ():
            try:
                name.encode(encoding)
            except UnicodeEncodeError:
                raise PipelineError(
                    f"{self.target}: the label {name!r} is not in {encoding}: pass --output-encoding utf-8"
                ) from None

    def depends(self) -> dict[str, Any]:
        """All that the bytes of the output depend on, under the names that a user knows."""
        options, folder = self.options, self.model.network.path.parent
        return {
            "the input": None if self.source == STREAM else sha256(self.source),
            "the model": sha256(folder / "SHA256SUMS"),
            "--int8": self.model.network.path.name,
            "the installed programs": {name: found for name, found in versions().items() if name in DEPENDS},
            "--text": options.columns,
            "--words": options.words,
            "--layout": options.layout,
            "--n-best": options.n_best,
            "--format": self.format,
            "--output-format": self.output_format,
            "--encoding": options.encoding,
            "--output-encoding": options.output_encoding,
            "--delimiter": options.delimiter,
            "--no-header": not options.header,
            "--probabilities": options.probabilities,
            "--review-below": options.review_below,
            "--prefix": options.prefix,
            "--excel-safe": options.excel_safe,
            "the name of the input": options.origin,
            "the size of a chunk": (CHUNK, CHARACTERS),
        }

    def pieces(self, standing: JobProgress) -> Iterator[tuple[bytes, bytes, JobProgress]]:
        """The bytes of one chunk after the other behind what is done, of the output and of the rejected rows."""
        table = self._table()
        with closing(table.rows):
            sink, head = self._sink(table)
            if standing.chunks:
                sink.resume()
            elif head:
                standing = replace(standing, output=len(head))
                yield head, b"", standing
            chunks = self._chunks(table)
            for chunk, answered in self._answered(islice(chunks, standing.chunks, None)):
                data, rejects, standing = self.finished(sink, chunk, answered, standing)
                yield data, rejects, standing

    def chunks(self) -> Iterator[Chunk]:
        """The rows in chunks, from the first on."""
        table = self._table()
        with closing(table.rows):
            yield from self._chunks(table)

    def sink(self) -> tuple[Sink, bytes]:
        """What writes the rows of chunks, and the bytes that a file begins with."""
        return self._sink(self._heading)

    def assemble(self, folder: Path) -> None:
        """Makes the output of a format that can't grow."""
        table = self._table()
        sink, _ = self._sink(table)
        if isinstance(sink, DeferredWriter):
            with closing(table.rows), (folder / "output").open(encoding="utf-8") as answers:
                sink.assemble(folder / self.made, table.rows, answers)
            with (folder / self.made).open("rb+") as made:
                os.fsync(made.fileno())

    @cached_property
    def _heading(self) -> entries.Entries:
        table = self._table()
        table.rows.close()
        return table

    def _table(self) -> entries.Entries:
        options = self.options
        table = entries.read(
            self.source,
            format=self.format,
            encoding=options.encoding,
            delimiter=options.delimiter,
            header=options.header,
            reserved=self.added if self.format == self.output_format and self.options.layout == TABLE else None,
        )
        self._positions(table)
        self._words_position(table)
        if taken := sorted(set(self.added) & set(table.columns)):
            raise PipelineError(
                f"{self.source}: has a column {taken[0]!r} already, which zhpipe would add: rename it in the input, "
                "or put something before the new names with --prefix"
            )
        return table

    def _sink(self, table: entries.Entries) -> tuple[Sink, bytes]:
        kept = self.format == self.output_format
        own = entries.DELIMITERS.get(self.output_format, ",")
        delimiter = self.options.delimiter or own if kept else own
        encoding = self.options.output_encoding or self.options.encoding
        if self.options.layout != TABLE:
            lines = self._lines(encoding, delimiter)
            return lines, lines.header(names=self.options.header)
        if self.output_format not in GROWING:
            like = self.source if kept and self.format == "parquet" else None
            return DeferredWriter((*table.columns, *self.added), format=self.output_format, like=like), b""
        blocks = Blocks(
            table.columns,
            self.added,
            path=self.target,
            format=self.output_format,
            encoding=encoding,
            delimiter=delimiter,
            keep=kept,
            excel_safe=self.options.excel_safe,
        )
        return blocks, blocks.header(table.header, names=self.options.header)

    def _lines(self, encoding: str, delimiter: str) -> LayoutWriter:
        types = {tag.partition("-")[2] or tag for tag in self.model.labels.names}
        return LayoutWriter(
            self.options.layout,
            path=self.target,
            format=self.output_format,
            encoding=encoding,
            delimiter=delimiter,
            excel_safe=self.options.excel_safe,
            upos=types <= layouts.UPOS,
            origin=self.options.origin,
            review=self.options.review_below is not None,
        )

    def _positions(self, table: entries.Entries) -> list[int]:
        if not self.options.header and self.options.columns == ("text",) and len(table.columns) == 1:
            return [0]
        return [table.position(self.source, name) for name in self.options.columns]

    def _words_position(self, table: entries.Entries) -> int | None:
        words = self.options.words
        return None if words is None else table.position(self.source, words, "--words")

    def _chunks(self, table: entries.Entries) -> Iterator[Chunk]:
        """Where a chunk ends depends on the rows alone."""
        positions, words = self._positions(table), self._words_position(table)
        first, chunk, size = 1, Chunk(1, [], []), 0
        for number, row in enumerate(table.rows, start=1):
            chunk.rows.append(row)
            size += len(row.raw)
            read = self._read(row, positions, words) if isinstance(row, Row) else row
            if isinstance(read, BadRow):
                chunk.rows[-1] = read
                self._stop_at(read, number, chunk)
            else:
                chunk.texts.append(read)
                size += len(read if isinstance(read, str) else read.text)
            if len(chunk.rows) == CHUNK or size >= CHARACTERS:
                yield chunk
                first, size = number + 1, 0
                chunk = Chunk(first, [], [])
        if chunk.rows:
            yield chunk

    def _read(self, row: Row, positions: Sequence[int], place: int | None) -> str | Tokenised | BadRow:
        """The text of a row, with its words where it has such; a bad row where these are not those of the text."""
        text = joined(row.cells, positions)
        if place is None:
            return text
        try:
            words = wordcells.words(row.cells[place])
            if not positions:
                text = "".join(words)
            wordcells.check(text, words)
        except CorpusError as error:
            raw = row.raw or json.dumps(row.cells, ensure_ascii=False, default=str)
            return BadRow(f'column "{self.options.words}": {error}', raw)
        return self.model.given(text, words)

    def _stop_at(self, bad: BadRow, number: int, chunk: Chunk) -> None:
        """Raises CorpusError for a bad row, where it has to end the job."""
        place = f"row {number} (line {bad.line})" if bad.line else f"row {number}"
        self.reason = self.reason or f"{place}: {bad.reason}"
        if self.options.strict:
            raise CorpusError(f"{self.source}: {place}: {bad.reason}")
        if number == HOPELESS and not chunk.texts and chunk.first == 1:
            raise CorpusError(f"{self.source}: none of the first {HOPELESS} rows can be read; {self.reason}")

    def _answered(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Answers]]:
        """Each chunk with its answers: in this process for a while, and what is left then in workers."""
        workers = self.options.workers or os.cpu_count() or 1
        until = time.monotonic() + ALONE
        for chunk in chunks:
            if workers > 1 and time.monotonic() >= until:
                yield from self._answered_by(workers, chain([chunk], chunks))
            else:
                yield chunk, answers(self.model, chunk.texts, self.options.wanted)

    def _answered_by(self, workers: int, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Answers]]:
        """The same over worker processes; the chunks that they have in hand wait here."""
        wanted = self.options.wanted
        waiting: deque[Chunk] = deque()

        def texts() -> Iterator[list[str | Tokenised]]:
            for chunk in chunks:
                waiting.append(chunk)
                yield chunk.texts

        found = map_ordered(
            Predictor.like(self.model, wanted),
            texts(),
            workers=workers,
            chunk=1,
            here=lambda texts: answers(self.model, texts, wanted),
            preload=PRELOAD,
        )
        with closing(found):  # type: ignore[type-var]
            for answered in found:
                yield waiting.popleft(), answered

    def finished(
        self, sink: Sink, chunk: Chunk, answered: Answers, before: JobProgress
    ) -> tuple[bytes, bytes, JobProgress]:
        """The bytes of a chunk, those of its bad rows, and the standing behind it."""
        numbered = list(zip(count(chunk.first), chunk.rows))
        good = [(number, row) for number, row in numbered if isinstance(row, Row)]
        bad = [(number, row) for number, row in numbered if isinstance(row, BadRow)]
        rows = [(row, self._added(number, found)) for (number, row), found in zip(good, answered.cells, strict=True)]
        data, unwritable = sink.rows(rows, [number for number, _ in good])
        for place, row in unwritable.items():
            self._stop_at(row, good[place][0], chunk)
            bad.append((good[place][0], row))
        rejects = self._rejects(sorted(bad, key=itemgetter(0)), first=before.rejects == 0)
        blank = sum(found is None for place, found in enumerate(answered.cells) if place not in unwritable)
        standing = JobProgress(
            chunks=before.chunks + 1,
            read=before.read + len(numbered),
            labelled=before.labelled + len(numbered) - len(bad) - blank,
            blank=before.blank + blank,
            rejected=before.rejected + len(bad),
            output=before.output + len(data),
            rejects=before.rejects + len(rejects),
            tally=drift.added(before.tally, answered.tally),
        )
        return data, rejects, standing

    def _added(self, number: int, found: Cells | None) -> Cells:
        if self.options.layout != TABLE:
            return () if found is None else found
        cells = self._blank if found is None else found
        return cells if self.options.origin is None else (self.options.origin, str(number), *cells)

    @cached_property
    def _blank(self) -> Cells:
        return ("",) * (len(self.added) - (0 if self.options.origin is None else len(ORIGIN)))

    def _rejects(self, bad: Sequence[tuple[int, BadRow]], *, first: bool) -> bytes:
        """Bad rows as CSV in the encoding of the input, so that what was undecodable in it is what it was."""
        if not bad:
            return b""
        encoding = codec(self.options.encoding)
        if self.format not in GROWING or encoding not in ("gb18030", "big5"):
            encoding = "utf-8"
        lines = StringIO()
        writer = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_ALL)
        if first:
            writer.writerow(("row", "reason", "content"))
        for number, row in bad:
            body = row.raw.removesuffix("\n").removesuffix("\r")
            reason = row.reason.encode(encoding, "backslashreplace").decode(encoding)
            writer.writerow((number, reason, body))
        return unescaped(lines.getvalue(), encoding)


@dataclass(frozen=True)
class Chunk:
    """Rows that are labelled together, and the texts of the good ones; `first`: the number of the first row."""

    first: int
    rows: list[Row | BadRow]
    texts: list[str | Tokenised]


class Sink(Protocol):
    """What `Blocks` and `DeferredWriter` have in common."""

    def header(self, raw: str = "", *, names: bool = True) -> bytes: ...
    def resume(self) -> None: ...
    def rows(self, rows: Sequence[tuple[Row, Cells]], numbers: Sequence[int]) -> tuple[bytes, dict[int, BadRow]]: ...
