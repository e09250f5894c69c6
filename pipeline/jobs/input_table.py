"""Input table: the table of a labelling job, read in chunks of rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

from corpora import entries, wordcells
from corpora.errors import CorpusError
from corpora.rows import BadRow, Row
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.jobs.limits import Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.rejects import Rejects
from pipeline.models.model import Model
from pipeline.stages.table_rows import row_text


@dataclass(frozen=True)
class Chunk:
    """Rows that are labelled together, and the texts of the good ones; `first`: the number of the first row, from 1."""

    first: int
    rows: list[Row | BadRow] = field(default_factory=list)
    texts: list[str | Tokenised] = field(default_factory=list)

    @property
    def good(self) -> list[tuple[int, Row]]:
        """The rows that have a text, with their numbers."""
        return [(number, row) for number, row in zip(count(self.first), self.rows) if isinstance(row, Row)]

    @property
    def bad(self) -> list[tuple[int, BadRow]]:
        """The rows that can't be read, with their numbers."""
        return [(number, row) for number, row in zip(count(self.first), self.rows) if isinstance(row, BadRow)]


@dataclass(frozen=True)
class OpenTable:
    """A table whose header was read: its rows, once, and the positions of the text columns and the word column."""

    entries: entries.Entries
    texts: Sequence[int]
    words: int | None


class InputTable:
    """The input of a labelling job; can be read several times, unless it is standard input."""

    def __init__(self, model: Model, source: Path, options: LabelOptions, limits: Limits, rejects: Rejects) -> None:
        self.model = model
        self.source = source
        self.options = options
        self.limits = limits
        self.rejects = rejects

    @cached_property
    def format(self) -> str:
        """The format given, or that of the suffix."""
        return entries.input_format(self.source, self.options.format)

    def open(self, new_columns: Sequence[str], *, reserved: Collection[str] | None) -> OpenTable:
        """Reads the header. `reserved`: keys that no JSON object may have.

        Raises CorpusError if the file can't be read or a column is missing, PipelineError if a new column's name is
        taken.
        """
        options = self.options
        table = entries.read(self.source, options.table, format=self.format, reserved=reserved)
        opened = OpenTable(table, self._text_positions(table), self._words_position(table))
        if taken := sorted(set(new_columns) & set(table.columns)):
            raise PipelineError(
                f"{self.source}: has a column {taken[0]!r} already, which zhpipe would add: rename it in the input, "
                "or put something before the new names with --prefix"
            )
        return opened

    def chunks(self, table: OpenTable) -> Iterator[Chunk]:
        """All rows in chunks; where a chunk ends depends on the rows alone. Raises CorpusError as `Rejects.add`."""
        chunk, size = Chunk(1), 0
        for number, row in enumerate(table.entries.rows, start=1):
            size += len(row.raw)
            text = self._text(row, table) if isinstance(row, Row) else row
            if isinstance(text, BadRow):
                chunk.rows.append(text)
                self.rejects.add(text, number, all_bad=chunk.first == 1 and not chunk.texts)
            else:
                chunk.rows.append(row)
                chunk.texts.append(text)
                size += len(text if isinstance(text, str) else text.text)
            if len(chunk.rows) == self.limits.chunk_rows or size >= self.limits.chunk_characters:
                yield chunk
                chunk, size = Chunk(number + 1), 0
        if chunk.rows:
            yield chunk

    def _text_positions(self, table: entries.Entries) -> list[int]:
        if not self.options.header and self.options.columns == ("text",) and len(table.columns) == 1:
            return [0]
        return [table.position(self.source, name) for name in self.options.columns]

    def _words_position(self, table: entries.Entries) -> int | None:
        words = self.options.words
        return None if words is None else table.position(self.source, words, "--words")

    def _text(self, row: Row, table: OpenTable) -> str | Tokenised | BadRow:
        """The text of a row, with its words if a column has them; a bad row if text and words differ."""
        text = row_text(row.cells, table.texts)
        if table.words is None:
            return text
        try:
            words = wordcells.words(row.cells[table.words])
            if not table.texts:
                text = "".join(words)
            wordcells.check(text, words)
        except CorpusError as error:
            raw = row.raw or json.dumps(row.cells, ensure_ascii=False, default=str)
            return BadRow(f'column "{self.options.words}": {error}', raw)
        return self.model.given(text, words)
