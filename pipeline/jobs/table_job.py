"""Table job: one table goes through a model into another table, chunk by chunk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from corpora.entries import Entries
from corpora.files import STREAM
from corpora.rejected import reject_lines
from pipeline.errors import ModelError
from pipeline.jobs.checks import check_options
from pipeline.jobs.dependencies import Dependencies, file_stamp, installed
from pipeline.jobs.input_table import Chunk, InputTable, OpenTable
from pipeline.jobs.journal import JobProgress
from pipeline.jobs.limits import DEFAULT_LIMITS, Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.output_table import OutputTable, RowWriter
from pipeline.jobs.predict import Answers
from pipeline.jobs.rejects import Rejects
from pipeline.jobs.results import RowCounts
from pipeline.jobs.workers import answer_chunks
from pipeline.models.model import Model
from pipeline.provenance import sha256


class Piece(NamedTuple):
    """The bytes that a chunk adds to the output and to the rejected rows, and the progress after it."""

    output: bytes
    rejects: bytes
    progress: JobProgress


class TableJob:
    """Labels one input into one output; every number of workers gives the same bytes."""

    def __init__(
        self, model: Model, source: Path, target: Path, options: LabelOptions, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.model = model
        self.source = source
        self.target = target
        self.options = options
        self.limits = limits
        self.rejects = Rejects(source, strict=options.bad_rows == "stop", limit=limits.bad_rows)
        self.input = InputTable(model, source, options, limits, self.rejects)
        self.output = OutputTable(model, self.input, target, options)

    def check(self) -> None:
        """Raises CorpusError or PipelineError if options, columns or formats are wrong; nothing is written."""
        check_options(self.model, self.options, self.output)
        if self.source != STREAM:
            self.writer()

    @cached_property
    def dependencies(self) -> Dependencies:
        """What the output depends on. The first call hashes the input. Raises FileNotFoundError if there is none."""
        stamp = file_stamp(self.source)
        return Dependencies(json.loads(json.dumps(self._values())), stamp)

    def pieces(self, progress: JobProgress) -> Iterator[Piece]:
        """Labels the chunks that come after `progress`, one at a time."""
        table = self._open()
        with closing(table.entries.rows):
            writer, head = self.output.writer(table.entries)
            if progress.chunks:
                writer.resume()
            elif head:
                progress = replace(progress, output=len(head))
                yield Piece(head, b"", progress)
            chunks = islice(self.input.chunks(table), progress.chunks, None)
            for chunk, answered in self._answered(chunks):
                piece = self.finish(writer, chunk, answered, progress)
                progress = piece.progress
                yield piece

    def chunks(self) -> Iterator[Chunk]:
        """All rows of the input in chunks."""
        table = self._open()
        with closing(table.entries.rows):
            yield from self.input.chunks(table)

    def writer(self) -> tuple[RowWriter, bytes]:
        """The writer of chunks, and the bytes that a file begins with."""
        return self.output.writer(self._heading)

    def finish(self, writer: RowWriter, chunk: Chunk, answered: Answers, before: JobProgress) -> Piece:
        """The bytes of a chunk whose answers are known. Raises ModelError if the scores of a row are not finite."""
        good, bad = chunk.good, chunk.bad
        if answered.failure:
            raise ModelError(answered.failure.message(f"{self.source}: row {good[answered.failure.text][0]}"))
        rows = [
            (row, self.output.cells(number, found)) for (number, row), found in zip(good, answered.cells, strict=True)
        ]
        data, unwritable = writer.rows(rows, [number for number, _ in good])
        for place, row in unwritable.items():
            self.rejects.add(row, good[place][0], all_bad=False)
            bad.append((good[place][0], row))
        bad.sort(key=itemgetter(0))
        rejects = reject_lines(bad, self.input.format, self.options.encoding, header=before.rejects == 0)
        blank = sum(found is None for place, found in enumerate(answered.cells) if place not in unwritable)
        counts = RowCounts(len(chunk.rows), len(chunk.rows) - len(bad) - blank, blank, len(bad), dict(answered.tally))
        progress = JobProgress(
            chunks=before.chunks + 1,
            rows=before.rows + counts,
            output=before.output + len(data),
            rejects=before.rejects + len(rejects),
        )
        return Piece(data, rejects, progress)

    def assemble(self, folder: Path) -> None:
        """Makes the output of a format that can't grow from the answers in a job's folder; else does nothing."""
        if self.output.is_appendable:
            return
        table, made = self._open().entries, folder / self.output.file_name
        with closing(table.rows), (folder / "output").open(encoding="utf-8") as answers:
            self.output.deferred_writer(table).assemble(made, table.rows, answers)
        with made.open("rb+") as file:
            os.fsync(file.fileno())

    @cached_property
    def _heading(self) -> Entries:
        table = self._open().entries
        table.rows.close()
        return table

    def _open(self) -> OpenTable:
        return self.input.open(self.output.new_columns, reserved=self.output.reserved)

    def _answered(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Answers]]:
        return answer_chunks(
            self.model,
            chunks,
            self.options.asked,
            workers=self.options.workers,
            solo_seconds=0.0 if self.limits.is_large(self.source) else self.limits.solo_seconds,
        )

    def _values(self) -> dict[str, Any]:
        options, network = self.options, self.model.network.path
        return {
            "the input": None if self.source == STREAM else sha256(self.source),
            "the model": sha256(network.parent / "SHA256SUMS"),
            "--int8, --float32": network.name,
            "--dictionary": extended.added.fingerprint if (extended := self.model.extended) else None,
            "the installed programs": installed(),
            "--text": options.columns,
            "--words": options.words,
            "--layout": options.layout,
            "--n-best": options.n_best,
            "--format": self.input.format,
            "--output-format": self.output.format,
            "--encoding": options.encoding,
            "--output-encoding": options.output_encoding,
            "--delimiter": options.delimiter,
            "--quoting": options.quoting,
            "--sheet": options.sheet,
            "--no-header": not options.header,
            "--header-row": options.header_row,
            "--skip-rows": options.skip_rows,
            "--probabilities": options.probabilities,
            "--review-below": options.review_below,
            "--prefix": options.prefix,
            "--excel-safe": options.excel_safe,
            "the name of the input": options.origin,
            "the size of a chunk": (self.limits.chunk_rows, self.limits.chunk_characters),
        }
