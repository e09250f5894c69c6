"""The columns of a table: what each holds, and which look like the text and the label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from corpora.card import columns_wide
from corpora.errors import CorpusError, shown
from corpora.label_sets import LIST, joined_by
from corpora.table import TableReader
from corpora.table_options import TableOptions

DEFAULTS = TableOptions()

READ = 5000  # rows that are looked at
LONGEST_SHOWN = 16  # characters of an example
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]")
_SEPARATED = re.compile(r"[;\t|,]")  # in a header, what looks like another delimiter
# What a column must be to count as text or as label.
SHORTEST_TEXT = 4.0  # characters on average
TEXT_HAN, TEXT_DISTINCT = 0.3, 0.5
MOST_LABELS, LONGEST_LABEL, LABEL_FILLED, ROWS_A_LABEL = 100, 20, 0.9, 5
LONGEST_JOINED = 100  # characters on average of cells in which joined labels are looked for


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds, in the rows that were looked at.

    Args:
        name: As in the header.
        rows: Rows that were looked at.
        filled: Cells that are not blank.
        distinct: Different values among them.
        length: Their characters, on average.
        han: Share of Chinese characters among their characters, 0 to 1.
        examples: The most frequent values, at most three.
        joined: The separator by which the cells look like joined labels, see `corpora.label_sets.joined_by`, or None.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    length: float
    han: float
    examples: tuple[str, ...]
    joined: str | None = None

    @property
    def may_be_text(self) -> bool:
        """Whether the cells are Chinese, long enough, mostly different, and no joined labels."""
        is_varied = self.distinct >= TEXT_DISTINCT * self.filled > 0
        return self.joined is None and is_varied and self.length >= SHORTEST_TEXT and self.han >= TEXT_HAN

    @property
    def looks_like(self) -> str:
        """What the cells seem to be, in a few words; "" if they seem to be nothing known."""
        if self.joined is not None:
            return "lists of labels" if self.joined == LIST else f'labels joined by "{self.joined}"'
        return "text" if self.may_be_text else "label" if self.may_be_label else ""

    @property
    def may_be_label(self) -> bool:
        """Whether a few short values fill the column."""
        few = 2 <= self.distinct <= min(MOST_LABELS, self.filled / ROWS_A_LABEL)
        return few and self.filled >= LABEL_FILLED * self.rows and self.length <= LONGEST_LABEL


def columns(path: Path, options: TableOptions = DEFAULTS) -> list[Column]:
    """The columns of a table, by its first `READ` rows.

    Raises CorpusError as `TableReader` does, and if the only column of the header seems to hold several.
    """
    reader = TableReader(path, options)
    if len(reader.columns) == 1 and (inside := _SEPARATED.search(reader.columns[0])):
        named = "tab" if inside[0] == "\t" else f"'{inside[0]}'"
        raise CorpusError(
            f'{path}: the only column is "{shown(reader.columns[0])}", which seems to hold several: '
            f"set --delimiter {named}"
        )
    rows = list(islice(reader, READ))
    return [_column(name, [_text(row[place]) for row in rows]) for place, name in enumerate(reader.columns)]


def text_candidates(found: Sequence[Column]) -> list[str]:
    """The names of the columns that look like texts."""
    return [column.name for column in found if column.may_be_text]


def label_candidates(found: Sequence[Column]) -> list[str]:
    """The names of the columns that look like labels."""
    return [column.name for column in found if column.may_be_label and not column.may_be_text and column.joined != LIST]


def joined_candidates(found: Sequence[Column]) -> list[str]:
    """The names of the columns that look like several labels a row, or else of those that look like labels."""
    return [column.name for column in found if column.joined is not None] or label_candidates(found)


def text(found: Sequence[Column]) -> str:
    """The columns as aligned lines, with what each looks like."""
    rows = [("column", "filled", "different", "characters", "looks like", "for example")]
    for column in found:
        examples = "  ".join(shown(value, LONGEST_SHOWN) for value in column.examples)
        rows.append(
            (
                shown(column.name),
                f"{column.filled:,}",
                f"{column.distinct:,}",
                f"{column.length:.1f}",
                column.looks_like,
                examples,
            )
        )
    widths = [max(columns_wide(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            " " * (width - columns_wide(cell)) + cell if 1 <= place <= 3 else cell + " " * (width - columns_wide(cell))
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _column(name: str, cells: Sequence[str]) -> Column:
    filled = [cell for cell in cells if cell]
    counts, characters = Counter(filled), sum(map(len, filled))
    return Column(
        name=name,
        rows=len(cells),
        filled=len(filled),
        distinct=len(counts),
        length=characters / max(1, len(filled)),
        han=sum(len(_HAN.findall(cell)) for cell in filled) / max(1, characters),
        examples=tuple(value for value, _ in counts.most_common(3)),
        joined=joined_by(counts) if characters <= LONGEST_JOINED * len(filled) else None,
    )
