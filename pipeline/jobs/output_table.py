"""Output table: the format of a labelling's output, its new columns, and the writer of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from corpora import conllu, entries, packed
from corpora.blocks import FORMATS as TEXT_FORMATS
from corpora.blocks import Blocks
from corpora.errors import CorpusError
from corpora.files import STREAM, codec, written_as
from corpora.rows import BadRow, Kind, Row, value
from corpora.table_options import table_format
from pipeline.jobs import layouts
from pipeline.jobs.deferred_writer import DeferredWriter
from pipeline.jobs.input_table import InputTable
from pipeline.jobs.layouts import NEEDS_REVIEW, TABLE, LayoutWriter
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.predict import Cells
from pipeline.models.model import Model

ORIGIN = ("file", "row")  # the columns that say where a row comes from
ALTERNATIVES = "alternatives"


class RowWriter(Protocol):
    """Turns rows into the bytes of a file: `Blocks`, `DeferredWriter` or `LayoutWriter`."""

    def resume(self) -> None:
        """Prepares for rows of a file that has begun already."""
        ...

    def rows(self, rows: Sequence[tuple[Row, Cells]], numbers: Sequence[int]) -> tuple[bytes, dict[int, BadRow]]:
        """The bytes of rows with their new cells, and by its place each row that the format can't hold."""
        ...


class OutputTable:
    """The output of a labelling job. Properties raise CorpusError for a format that doesn't exist or can't be used."""

    def __init__(self, model: Model, source: InputTable, target: Path, options: LabelOptions) -> None:
        self.model = model
        self.source = source
        self.target = target
        self.options = options

    @cached_property
    def format(self) -> str:
        """The layout's, the one given, or that of the suffix; on standard output that of the input if it is text."""
        if self.options.layout in layouts.FORMATS:
            return self.options.layout
        if self.target != STREAM:
            return table_format(self.target, self.options.output_format)
        chosen = self.options.output_format or (self.source.format if self.source.format in TEXT_FORMATS else "csv")
        if chosen not in TEXT_FORMATS:
            raise CorpusError(f"-: {chosen} can't be written to standard output: name a file")
        return chosen

    @property
    def is_appendable(self) -> bool:
        """Whether the output is text, which can grow chunk by chunk."""
        return self.format in TEXT_FORMATS or self.options.layout != TABLE

    @property
    def keeps_format(self) -> bool:
        """Whether rows are written in the format that they were read in."""
        return self.source.format == self.format

    @property
    def suffix(self) -> str:
        """Suffix of the output, that of its compression included."""
        return f".{self.format}{packed.packing(self.target) if self.is_appendable else ''}"

    @property
    def file_name(self) -> str:
        """Name in the job's folder of the file that becomes the output."""
        return "output" if self.is_appendable else f"assembled.{self.format}"

    @cached_property
    def new_columns(self) -> tuple[str, ...]:
        """Names of the new columns; layouts other than the table add none."""
        options = self.options
        if options.layout != TABLE:
            return ()
        origin = () if options.origin is None else ORIGIN
        review = () if options.review_below is None else (NEEDS_REVIEW,)
        others = (ALTERNATIVES,) if options.n_best > 1 else ()
        columns = self.model.answerer.output.columns(options.probabilities)
        return tuple(f"{options.prefix}{name}" for name in (*origin, *columns, *review, *others))

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What the cells of the new columns are."""
        options = self.options
        origin: tuple[Kind, ...] = () if options.origin is None else ("text", "integer")
        review: tuple[Kind, ...] = () if options.review_below is None else ("boolean",)
        others: tuple[Kind, ...] = ("text",) if options.n_best > 1 else ()
        return (*origin, *self.model.answerer.output.kinds(options.probabilities), *review, *others)

    @property
    def reserved(self) -> tuple[str, ...] | None:
        """Keys that no JSON object of the input may have, since they would be in the output twice."""
        return self.new_columns if self.keeps_format and self.options.layout == TABLE else None

    @cached_property
    def encoding(self) -> str:
        """The encoding given, or that of the input, with a byte order mark if the input has one."""
        return self.options.output_encoding or written_as(self.source.source, self.options.encoding)

    def cells(self, number: int, found: Cells | None) -> Cells:
        """The new cells of a row, the `number`-th, from the model's; in other layouts its records.

        They are strings, except in formats that have types; these have null in the cells of a blank row.
        """
        if self.options.layout != TABLE:
            return () if found is None else found
        origin = () if self.options.origin is None else (self.options.origin, str(number))
        if self.format in entries.DELIMITERS:
            return (*origin, *(self._blank if found is None else found))
        if found is None:
            return (*map(value, origin, self.kinds), *[None] * len(self._blank))
        return tuple(map(value, (*origin, *found), self.kinds))

    def writer(self, table: entries.Entries) -> tuple[RowWriter, bytes]:
        """The writer of the rows of a table, and the bytes that the output begins with."""
        if self.options.layout != TABLE:
            lines = self._layout_writer()
            return lines, lines.header(names=self.options.header)
        if not self.is_appendable:
            return self.deferred_writer(table), b""
        # Rows that were read without quoting are written anew, with quotes where cells need them.
        keep = self.keeps_format and not (self.options.quoting is False and self.format in entries.DELIMITERS)
        blocks = Blocks(
            table.columns,
            self.new_columns,
            path=self.target,
            format=self.format,
            encoding=self.encoding,
            delimiter=(keep and table.delimiter) or self._delimiter,
            keep=keep,
            excel_safe=self.options.excel_safe,
        )
        return blocks, blocks.header(table.header, names=self.options.header)

    def deferred_writer(self, table: entries.Entries) -> DeferredWriter:
        """The writer of a format that can't grow."""
        like = self.source.source if self.keeps_format and self.format == "parquet" else None
        columns = (*table.columns, *self.new_columns)
        return DeferredWriter(columns, format=self.format, like=like, kinds=self.kinds, encoding=codec(self.encoding))

    @property
    def _delimiter(self) -> str:
        own = entries.DELIMITERS.get(self.format, ",")
        return self.options.delimiter or own if self.keeps_format else own

    @cached_property
    def _blank(self) -> Cells:
        return ("",) * (len(self.new_columns) - (0 if self.options.origin is None else len(ORIGIN)))

    def _layout_writer(self) -> LayoutWriter:
        types = {tag.partition("-")[2] or tag for tag in self.model.labels.names}
        return LayoutWriter(
            self.options.layout,
            path=self.target,
            format=self.format,
            encoding=self.encoding,
            delimiter=self._delimiter,
            excel_safe=self.options.excel_safe,
            upos=types <= conllu.UPOS,
            origin=self.options.origin,
            review=self.options.review_below is not None,
        )
