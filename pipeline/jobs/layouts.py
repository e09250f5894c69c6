"""Layouts: a tagger's answers as lines of their own: long tables, CoNLL columns, CoNLL-U, spans in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from corpora import blocks, conll, conllu
from corpora.blocks import Blocks
from corpora.errors import CorpusError
from corpora.guards import guarded
from corpora.rows import BadRow, Row
from pipeline.errors import PipelineError
from pipeline.tasks import Prediction

Records = Sequence[tuple[Any, ...]]
LONG = ("row", "text", "type", "start", "end", "confidence")
NEEDS_REVIEW = "needs_review"  # the last column, which marks doubtful rows, or entities and words
ORIGIN = "file"  # the first column, if rows come from several files
TABLE = "table"
LAYOUTS = (TABLE, "long", "conll", "conllu", "jsonl")
FORMATS = ("conll", "conllu", "jsonl")  # layouts that are file formats of their own


def check(layout: str, fitting: Sequence[str], described: str) -> None:
    """Raises PipelineError if a layout is none of those that have a place for the answers of a model, `described`."""
    if layout == TABLE or layout in fitting:
        return
    if not fitting:
        raise PipelineError(f"--layout {layout} is for taggers, and this model gives one answer a text: leave it out")
    raise PipelineError(f"--layout {layout} cannot hold the answers of {described}: choose one of {', '.join(fitting)}")


def records(layout: str, text: str, answer: Prediction) -> Records:
    """The records that a layout has for one answer, without the number of its row.

    long: (text, type, start, end, confidence) of each entity or word; conll: (token, tag), or (character, letter of the
    scheme) if words without tags are found; conllu: (word, tag or "", whether white space follows); jsonl: one
    (text, [[start, end, type], ...]).
    """
    return _RECORDS[layout](text, answer)


class LayoutWriter:
    """Writes the records of rows, with the interface of `corpora.blocks.Blocks`.

    Arguments:
        layout: one of `LAYOUTS`, but not a table.
        path: of the output; its suffix says whether it is compressed.
        format: of a long table: csv, tsv or jsonl.
        upos: whether tags go into the column UPOS of CoNLL-U instead of XPOS.
        origin: what the column `file` of a long table says; None: no such column.
        review: whether the records of a long table end with a cell `needs_review`.
    """

    def __init__(
        self,
        layout: str,
        *,
        path: Path,
        format: str,
        encoding: str = "utf-8",
        delimiter: str = ",",
        excel_safe: bool = False,
        upos: bool = False,
        origin: str | None = None,
        review: bool = False,
    ) -> None:
        self.layout = layout
        self.format = format
        self.delimiter = delimiter
        self.excel_safe = excel_safe
        self.column = "upos" if upos else "xpos"
        self.origin = () if origin is None else (origin,)
        self.names = (*(() if origin is None else (ORIGIN,)), *LONG, *((NEEDS_REVIEW,) if review else ()))
        self._blocks = Blocks(self.names, (), path=path, format="csv", encoding=encoding, delimiter=delimiter)
        self._render: Callable[[int, Records], str] = {
            "long": self._long,
            "conll": self._conll,
            "conllu": self._conllu,
            "jsonl": self._spans,
        }[layout]

    def header(self, raw: str = "", *, names: bool = True) -> bytes:
        """The header of a long table; empty for the other layouts."""
        return self._blocks.header(names=names and self.layout == "long" and self.format != "jsonl")

    def resume(self) -> None:
        """As `Blocks.resume`."""
        self._blocks.resume()

    def rows(self, rows: Sequence[tuple[Row, Records]], numbers: Sequence[int] = ()) -> tuple[bytes, dict[int, BadRow]]:
        """The bytes of the rows' records, and the rows that the layout or the encoding can't hold, by their places."""
        bad: dict[int, BadRow] = {}
        rendered: list[tuple[Row, tuple[str, ...]]] = []
        places = []
        for place, ((row, found), number) in enumerate(zip(rows, numbers, strict=True)):
            try:
                text = self._render(number, found) if found else ""
            except CorpusError as error:
                bad[place] = _refused(row, f"{error}, which --layout {self.layout} cannot hold")
                continue
            if text:
                rendered.append((Row((), text), ()))
                places.append(place)
        data, unwritable = self._blocks.rows(rendered)
        bad |= {places[at]: _refused(rows[places[at]][0], found.reason) for at, found in unwritable.items()}
        return data, bad

    def _long(self, number: int, found: Records) -> str:
        rows = [(*self.origin, number, *record) for record in found]
        if self.format == "jsonl":
            return "".join(_json(dict(zip(self.names, row, strict=True))) for row in rows)
        rows = [tuple(str(cell).lower() if isinstance(cell, bool) else cell for cell in row) for row in rows]
        if self.excel_safe:
            rows = [tuple(guarded(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
        return "".join(blocks.line(row, self.delimiter) + "\n" for row in rows)

    def _conll(self, number: int, found: Records) -> str:
        return conll.lines((token, str(number), tag) for token, tag in found) + "\n"

    def _conllu(self, number: int, found: Records) -> str:
        place, rows = conllu.COLUMNS[self.column], []
        for position, (word, tag, spaced) in enumerate(found, start=1):
            row = [str(position), word, *[conllu.NONE] * 7, conllu.NONE if spaced else conllu.NOT_SEPARATED]
            row[place] = tag or conllu.NONE
            rows.append(tuple(row))
        text = "".join(word + " " * spaced for word, _, spaced in found).rstrip()
        parse = conllu.Parse(tuple(rows), (f"# sent_id = {number}", f"# text = {text}"))
        return "\n".join((*parse.comments, *map("\t".join, parse.rows))) + "\n\n"

    def _spans(self, number: int, found: Records) -> str:
        return "".join(
            _json({**dict(zip((ORIGIN,), self.origin, strict=False)), "row": number, "text": text, "label": spans})
            for text, spans in found
        )


def _refused(row: Row, reason: str) -> BadRow:
    return BadRow(reason, row.raw or json.dumps(row.cells, ensure_ascii=False, default=str))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _of_long(text: str, answer: Prediction) -> Records:
    return [(span.text, span.type, span.start, span.end, round(span.confidence, 4)) for span in answer.spans]


def _of_conll(text: str, answer: Prediction) -> Records:
    if answer.tags:
        return list(zip(answer.tokens, answer.tags, strict=True))
    characters = [character for character in text if not character.isspace()]
    return list(zip(characters, answer.raw_tags, strict=True))


def _of_conllu(text: str, answer: Prediction) -> Records:
    return [(span.text, span.type, text[span.end : span.end + 1].isspace()) for span in answer.spans]


def _of_jsonl(text: str, answer: Prediction) -> Records:
    return [(text, [[span.start, span.end, span.type] for span in answer.spans])]


_RECORDS: dict[str, Callable[[str, Prediction], Records]] = {
    "long": _of_long,
    "conll": _of_conll,
    "conllu": _of_conllu,
    "jsonl": _of_jsonl,
}
