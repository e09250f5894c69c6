"""Blocks: rows with new cells as packed bytes, to be appended to a file that can grow and be resumed."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from corpora import packed
from corpora.errors import CorpusError, shown
from corpora.files import codec, unencodable
from corpora.guards import guarded
from corpora.rows import BadRow, Row

FORMATS = ("csv", "tsv", "jsonl")


class Blocks:
    r"""Writes rows as text, each with new cells at its end.

    A row whose `raw` text has the same format keeps it to the byte: quotes, spaces, line ends, numbers.

    Args:
        columns: Names of the columns of the input.
        added: Names of the new cells.
        path: Of the output; its suffix says how it is compressed.
        format: csv, tsv or jsonl.
        encoding: One of `corpora.files.ENCODINGS`.
        delimiter: Of CSV and TSV.
        keep: Whether `raw` of the rows has this format and this delimiter.
        excel_safe: Put `'` before a cell that a spreadsheet would run as a formula (`corpora.guards.guarded`).

    Raises:
        CorpusError: Two columns have the same name and the format is jsonl.

    >>> blocks = Blocks(("文",), ("label",), path=Path("a.csv"), format="csv")
    >>> (blocks.header("文\n") + blocks.rows([(Row(("好,吃",), '"好,吃"\n'), ("好评",))])[0]).decode()
    '文,label\n"好,吃",好评\n'
    """

    def __init__(
        self,
        columns: Sequence[str],
        added: Sequence[str],
        *,
        path: Path,
        format: str,
        encoding: str = "utf-8",
        delimiter: str = ",",
        keep: bool = True,
        excel_safe: bool = False,
    ) -> None:
        self.columns = tuple(columns)
        self.added = tuple(added)
        self.path = path
        self.json = format == "jsonl"
        self.delimiter = delimiter
        self.keep = keep
        self.excel_safe = excel_safe and not self.json
        self.line_end = "\n"
        self.encoding = codec(encoding)
        self._encoder = codecs.getincrementalencoder(self.encoding)()
        packed.check_writable(path)
        self._pack = packed.packer(packed.packing(path))
        self._special = re.compile(f'["\\r\\n{re.escape(delimiter)}]')
        names = (*self.columns, *self.added)
        name, count = Counter(names).most_common(1)[0]
        if self.json and count > 1:
            raise CorpusError(f'{path}: {count} columns are named "{shown(name)}": write CSV')

    def header(self, raw: str = "", *, names: bool = True) -> bytes:
        """The first bytes of the file, with the line of the names unless `names` is false.

        `raw` is that line as it stood in the input. A last row without a line end gets that of `raw`.
        """
        if self.keep and raw.endswith(("\r", "\n")):
            self.line_end = raw[len(raw.rstrip("\r\n")) :]
        text = self._text(Row(self.columns, raw), self.added) if names and not self.json else ""
        try:
            return self._pack(self._encoder.encode(text)) if text else b""
        except UnicodeEncodeError as error:
            raise unencodable(f"{self.path}: header", error) from None

    def rows(
        self, rows: Sequence[tuple[Row, Sequence[Any]]], numbers: Sequence[int] = ()
    ) -> tuple[bytes, dict[int, BadRow]]:
        """The bytes of the rows with their new cells, and by index the rows that the encoding cannot hold.

        The new cells are strings or, for jsonl, any JSON values.
        """
        texts = [self._text(row, cells) for row, cells in rows]
        try:
            return self._pack(self._encode("".join(texts))), {}
        except UnicodeEncodeError:
            bad = {place: found for place, text in enumerate(texts) if (found := self._fault(text, rows[place][0]))}
            good = "".join(text for place, text in enumerate(texts) if place not in bad)
            return self._pack(self._encode(good)) if good else b"", bad

    def resume(self) -> None:
        """Tells the encoder that the file has begun, so that it writes no second byte order mark."""
        self._encoder.encode("x")

    def _encode(self, text: str) -> bytes:
        state = self._encoder.getstate()
        try:
            return self._encoder.encode(text)
        except UnicodeEncodeError:
            self._encoder.setstate(state)
            raise

    def _fault(self, text: str, row: Row) -> BadRow | None:
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError as error:
            reason = str(unencodable("", error)).removeprefix(": ")
            return BadRow(reason, row.raw or json.dumps(row.cells, default=str))
        return None

    def _text(self, row: Row, added: Sequence[Any]) -> str:
        if self.json:
            return self._object(row, added)
        keep, cells = self.keep and row.raw != "", row.cells
        if self.excel_safe:
            cells, added = tuple(map(_guarded, cells)), [guarded(str(cell)) for cell in added]
            keep = keep and cells == row.cells
        if not keep:
            return self.delimiter.join((line(cells, self.delimiter), *map(self._cell, added))) + self.line_end
        body = row.raw.rstrip("\r\n")
        return self.delimiter.join((body, *map(self._cell, added))) + (row.raw[len(body) :] or self.line_end)

    def _cell(self, text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if self._special.search(text) else text

    def _object(self, row: Row, added: Sequence[Any]) -> str:
        new = dict(zip(self.added, added, strict=True))
        if self.keep and row.raw:
            body = row.raw.rstrip()
            end = row.raw[len(body) :] or self.line_end
            return f"{body[:-1].rstrip()}, {json.dumps(new, ensure_ascii=False)[1:]}{end}"
        values = dict(zip(self.columns, row.cells, strict=True))
        return json.dumps({**values, **new}, ensure_ascii=False, default=str) + self.line_end


def line(cells: Sequence[object], delimiter: str) -> str:
    """A row of CSV without its line end."""
    # Told that rows end in "\\r\\n", csv quotes cells with a lone "\\r", which it would otherwise leave bare.
    text = StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue()[:-2]


def _guarded(cell: object) -> object:
    return guarded(cell) if isinstance(cell, str) else cell
