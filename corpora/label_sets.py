"""Label sets: the labels of a row that may have several, in a cell with a separator or as a list."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from corpora.errors import CorpusError, shown
from corpora.labels import bare

LONGEST_LIST = 10_000  # characters of a cell that is read as a list
# Among these, `joined_by` looks for a separator.
SEPARATORS = ("|", ";", "；", ",", "，", "、", "/", "#", "+", " ")
LIST = "list"  # what `joined_by` answers for lists
MOST_LABELS, LONGEST_LABEL = 100, 20
MOST_CELLS = 5000  # different cells that are looked at, the most frequent ones
JOINED = 0.02  # least share of the filled cells that have several labels
ROWS_A_LABEL = 3


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a row, each once, in order of name.

    Args:
        labels: May be empty.
        repeated: How many labels the cell names again.
        blank: How many places between separators are blank.
    """

    labels: tuple[str, ...]
    repeated: int = 0
    blank: int = 0


def parse(cell: object, separator: str) -> LabelSet:
    """The labels in a cell: a list, a list written as JSON or as pandas writes one, or text with a separator.

    White space and invisible characters around a label are dropped. An empty cell has no labels.

    Raises:
        CorpusError: An element of a list is neither text nor a number, or has the separator inside.

    >>> parse("物流| 价格|物流|", "|")
    LabelSet(labels=('价格', '物流'), repeated=1, blank=1)
    >>> parse("['物流', '价格']", "|").labels, parse([3, 1], "|").labels, parse(None, "|").labels
    (('价格', '物流'), ('1', '3'), ())
    """
    found = cell if isinstance(cell, list | tuple) else _written_list(cell)
    if found is None:
        text = "" if cell is None else bare(str(cell))
        names = [bare(part) for part in text.split(separator)] if text else []
    else:
        names = [_name(element, separator) for element in found]
    filled = [name for name in names if name]
    labels = tuple(sorted(set(filled)))
    return LabelSet(labels, len(filled) - len(labels), len(names) - len(filled))


def is_list(cell: object) -> bool:
    """Whether a cell is a list of labels, perhaps written as text.

    >>> is_list(["物流"]), is_list('["物流", "价格"]'), is_list("[通知]"), is_list("物流|价格")
    (True, True, False, False)
    """
    return isinstance(cell, list | tuple) or bool(_written_list(cell))


def joined_by(counts: Counter[str]) -> str | None:
    """The separator by which cells look like joined labels, or `LIST` if they are lists; None if they don't.

    Some cells have several parts, and these are few and short, and occur in other combinations too. `counts`: how often
    each cell occurs, without empty ones.

    >>> joined_by(Counter(["物流|价格", "价格", "物流", "物流|质量", "质量", "质量|价格"] * 3))
    '|'
    >>> joined_by(Counter(["好评", "差评"] * 10)) is None
    True
    """
    if not counts:
        return None
    counts = Counter(dict(counts.most_common(MOST_CELLS)))
    if all(cell.startswith("[") and _written_list(cell) is not None for cell in counts):
        return LIST if any(len(_written_list(cell) or ()) > 1 for cell in counts) else None
    return next((separator for separator in SEPARATORS if _is_joined(counts, separator)), None)


def advice(separator: str) -> str:
    """That labels look like several joined, and the way out.

    >>> advice("|")
    'labels that look like several joined by "|": --label-separator "|" reads them as such'
    """
    if separator == LIST:
        return 'labels that are lists: --label-separator "|" reads them, and "|" joins them again'
    return f'labels that look like several joined by "{separator}": --label-separator "{separator}" reads them as such'


def _is_joined(counts: Counter[str], separator: str) -> bool:
    named = {cell: {name for part in cell.split(separator) if (name := bare(part))} for cell in counts}
    cells_of = Counter(name for names in named.values() for name in names)
    several = [cell for cell, names in named.items() if len(names) > 1]
    rows, total = sum(counts[cell] for cell in several), counts.total()
    # In a name such as "食品/饮料", no part occurs elsewhere.
    shared = sum(any(cells_of[name] > 1 for name in named[cell]) for cell in several)
    is_small = 2 <= len(cells_of) <= min(MOST_LABELS, total / ROWS_A_LABEL)
    is_short = max(map(len, cells_of), default=0) <= LONGEST_LABEL
    return is_small and is_short and rows >= JOINED * total and shared > len(several) / 2


def _name(element: object, separator: str) -> str:
    if isinstance(element, bool) or not isinstance(element, str | int | float):
        raise CorpusError(f"its list of labels has {shown(repr(element), 40)}, expected texts or numbers")
    name = bare(str(element))
    if separator in name:
        raise CorpusError(
            f'the label "{shown(name)}" in its list has the separator "{separator}" inside: set another '
            "--label-separator"
        )
    return name


def _written_list(cell: object) -> Sequence[object] | None:
    """The elements of a list in JSON or Python's notation; None if the cell is something else."""
    if not isinstance(cell, str):
        return None
    text = bare(cell)
    if not (text.startswith("[") and text.endswith("]")) or len(text) > LONGEST_LIST:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None
