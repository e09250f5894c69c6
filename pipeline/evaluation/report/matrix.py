"""Matrix: a confusion matrix as a page shows it, and the pairs that are most often confused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LABELS = 40  # most names of a matrix that is shown whole
PAIRS = 20
Chosen = Mapping[str, object]  # what a button sets each select of the page to


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: a count, None for what is not counted, its share of the row, and the texts that it chooses, if any."""

    count: int | None
    share: float
    is_right: bool
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True)
class Confused:
    """Two labels that are confused: `count` of the `rows` with the label `gold` were given `predicted`."""

    gold: str
    predicted: str
    count: int
    rows: int
    chosen: Chosen | None = None


def cells(matrix: Sequence[Sequence[int]], chosen: Callable[[int, int], Chosen | None]) -> list[list[Cell]]:
    """The cells of a matrix of counts; `chosen`: by the places of a gold and a predicted label."""
    return [
        [Cell(count, count / (sum(row) or 1), line == column, chosen(line, column)) for column, count in enumerate(row)]
        for line, row in enumerate(matrix)
    ]


def without_right_nothing(matrix: list[list[Cell]]) -> list[list[Cell]]:
    """The cells of a tagger's matrix, whose first row and column are those of no type: the first cell is not counted.

    The rest of that row was invented, and that of the column missed.
    """
    if not matrix:
        return []
    first, *others = matrix
    total = sum(cell.count or 0 for cell in first[1:]) or 1
    invented = [Cell(cell.count, (cell.count or 0) / total, False, cell.chosen) for cell in first[1:]]
    return [[Cell(None, 0.0, False), *invented], *others]


def confused(
    names: Sequence[str], matrix: Sequence[Sequence[int]], chosen: Callable[[int, int], Chosen | None], first: int = 0
) -> list[Confused]:
    """The pairs of labels that are most often confused, among those from the place `first` on."""
    pairs = [
        Confused(names[line], names[column], count, sum(row), chosen(line, column))
        for line, row in enumerate(matrix)
        for column, count in enumerate(row)
        if count and line != column and min(line, column) >= first
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:PAIRS]
