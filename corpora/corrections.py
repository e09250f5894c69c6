"""Corrections: labels that people have mended, by the fingerprint of their text, in a CSV file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from hashlib import sha256
from pathlib import Path

from corpora.errors import CorpusError, shown
from corpora.table import TableReader, TableWriter

FINGERPRINT = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person has decided about the label of a text.

    Args:
        fingerprint: Of the text, see `fingerprint`.
        file: Name of the file that the text was found in, and `row` its number there, from 1. Both are for people:
            nothing is found by them.
        old: The label that the text had; "" if it had none. Of several labels, or of the tags of a sentence, as the
            task writes them.
        new: The right label; equal to `old` if the person confirmed it.
        who: Who decided.
        when: Time of the decision, in ISO 8601.
    """

    fingerprint: str
    file: str
    row: int
    old: str
    new: str
    who: str = ""
    when: str = ""


COLUMNS = tuple(field.name for field in fields(Correction))


def fingerprint(text: str) -> str:
    """The first half of the SHA-256 of a text in UTF-8, so that a correction finds its text in any file and row.

    >>> fingerprint("房间很干净")
    '393beb2b4c7b5e81bc980749c1953c4b'
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT]


def read(path: str | Path) -> list[Correction]:
    """The corrections in a file, in its order.

    Raises:
        CorpusError: The file can't be read, lacks a column, or a cell is not what it should be.
    """
    table = TableReader(path, format="csv", quoting=True)
    places = [table.position(name, "a column named") for name in COLUMNS]
    return [
        _correction(path, number, ["" if (cell := cells[place]) is None else str(cell) for place in places])
        for number, cells in table.numbered()
    ]


def write(path: str | Path, corrections: Iterable[Correction]) -> None:
    """Writes a file of corrections, which appears whole or not at all."""
    with TableWriter(path, COLUMNS, format="csv") as table:
        for correction in corrections:
            table.write(astuple(correction))


def _correction(path: str | Path, number: int, cells: list[str]) -> Correction:
    mark, file, row, *others = cells
    if len(mark) != FINGERPRINT or set(mark) - set("0123456789abcdef"):
        raise CorpusError(
            f'{path}: row {number}: fingerprint "{shown(mark, 40)}": {FINGERPRINT} hexadecimal digits are expected'
        )
    if not row.isascii() or not row.isdigit():
        raise CorpusError(f'{path}: row {number}: row "{shown(row, 20)}": a number is expected')
    return Correction(mark, file, int(row), *others)
