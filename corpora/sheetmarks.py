"""Sheet marks: what a sheet of XLSX has beside values: merged cells, hidden rows, and formulas that nobody computed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from corpora import findings, xlsx
from corpora.findings import Counts
from corpora.table_options import TableOptions

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass
class SheetMarks:
    """Places of a sheet by row, from 1, and column, from 0.

    Args:
        hidden: Hidden rows.
        not_computed: Cells with a formula and no value.
        merged: First and last row, first and last column of each merged cell.
    """

    hidden: list[int] = field(default_factory=list)
    not_computed: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def count(path: Path, options: TableOptions, columns: Collection[int], counts: Counts) -> None:
    """Adds to `counts` what the marks of these columns, from 0, do to the rows of data."""
    found = read(path, options)
    first = max(options.above + 1 + options.header, options.skip_rows + 1)
    findings.count("hidden_rows", counts, sum(row >= first for row in found.hidden))
    findings.count(
        "no_cached_value", counts, sum(row >= first and column in columns for row, column in found.not_computed)
    )
    findings.count("merged_cells", counts, sum(_emptied(merged, first, columns) for merged in found.merged))


def read(path: Path, options: TableOptions) -> SheetMarks:
    """The marks of the sheet that the options choose. Raises CorpusError as `corpora.xlsx.entries`."""
    marks = SheetMarks()
    with xlsx.opened(path) as book, _sheet_xml(path, book, options) as source:
        for element in _elements(source):
            _add(element, marks)
    return marks


def _sheet_xml(path: Path, book: Any, options: TableOptions) -> Any:
    page = xlsx.page_of(path, book, options.sheet)
    return page._get_source()  # the part of the archive; openpyxl's streaming sheet keeps its marks to itself


def _elements(source: Any) -> Iterator[Element]:
    """The elements; the rows are let go of once they were looked at."""
    rows: Element | None = None
    for event, element in iterparse(source, ("start", "end")):
        if event == "start":
            rows = element if element.tag == f"{_NAMESPACE}sheetData" else rows
            continue
        yield element
        if rows is not None and element.tag == f"{_NAMESPACE}row":
            rows.clear()


def _add(element: Element, marks: SheetMarks) -> None:
    if element.tag == f"{_NAMESPACE}mergeCell":
        first, _, last = element.get("ref", "A1").partition(":")
        (top, left), (bottom, right) = _place(first), _place(last or first)
        marks.merged.append((top, bottom, left, right))
    elif element.tag == f"{_NAMESPACE}row" and element.get("hidden") in ("1", "true"):
        marks.hidden.append(int(element.get("r", "0")))
    elif element.tag == f"{_NAMESPACE}c" and _is_not_computed(element):
        marks.not_computed.append(_place(element.get("r", "A1")))


def _place(name: str) -> tuple[int, int]:
    """The row, from 1, and the column, from 0, of a cell that is named like `AB12`.

    Raises:
        ValueError: It is no name of a cell.
    """
    letters = name.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = 26 * column + "ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) + 1
    return int(name[len(letters) :]), column - 1


def _is_not_computed(cell: Element) -> bool:
    value = cell.find(f"{_NAMESPACE}v")
    return cell.find(f"{_NAMESPACE}f") is not None and (value is None or not value.text)


def _emptied(merged: tuple[int, int, int, int], first: int, columns: Collection[int]) -> int:
    """How many cells of these columns a merged cell leaves empty."""
    top, bottom, left, right = merged
    covered = sum(left <= column <= right for column in columns) * max(0, bottom - max(top, first) + 1)
    return max(0, covered - (top >= first and left in columns))
