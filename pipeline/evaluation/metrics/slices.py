"""Slices: scores of parts of the rows, by length, by share of unknown tokens, or by a column of the file."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.significance import intervals

UNKNOWN = ((0.0, "none"), (0.1, "up to 10%"), (0.25, "over 10 to 25%"), (1.0, "over 25%"))
PARTS = 4  # slices by length, of as equal size as equally long texts allow
MOST = 20  # values of a column that have a slice of their own; the others share one

Measure = Callable[[Sequence[Outcome]], dict[str, Any]]


def accuracy(labels: Sequence[str]) -> Measure:
    """The measure of a classifier's slices: `accuracy` and its 95 % `interval`."""

    def measure(rows: Sequence[Outcome]) -> dict[str, Any]:
        right = sum(not outcome.is_error for outcome in rows)
        return {"accuracy": right / len(rows), "interval": intervals(rows, labels)["accuracy"]}

    return measure


def scored(
    outcomes: Sequence[Outcome], measure: Measure, columns: Sequence[str] = (), *, lengths: bool = True
) -> list[dict[str, Any]]:
    """Slicings of the outcomes: `by`, its name, and `slices`, each with `name`, `rows` and what `measure` returns.

    The slicings are by `tokens` (the length, if `lengths`), by `unknown` (the share of tokens that training has not
    seen), and by each of `columns`, in the order of `Outcome.slices`. Rows without a gold answer are left out, and so
    is a slicing with only one slice.
    """
    judged = [outcome for outcome in outcomes if outcome.is_judged]
    slicings: list[tuple[str, Callable[[Outcome], str], Sequence[str] | None]] = []
    if any(outcome.length for outcome in judged):
        edges = _edges([outcome.length for outcome in judged])
        by_length = ("tokens", lambda outcome: _length(outcome, edges), [_named(*edge) for edge in edges])
        slicings += [by_length] if lengths else []
        slicings.append(("unknown", _unknown, [name for _, name in UNKNOWN]))
    for place, column in enumerate(columns):
        slicings.append((column, lambda outcome, place=place: outcome.slices[place], None))  # type: ignore[misc]
    found = [{"by": by, "slices": _scores(judged, measure, of, order)} for by, of, order in slicings]
    return [slicing for slicing in found if len(slicing["slices"]) > 1]


def _scores(
    judged: Sequence[Outcome], measure: Measure, of: Callable[[Outcome], str], order: Sequence[str] | None
) -> list[dict[str, Any]]:
    groups: dict[str, list[Outcome]] = {name: [] for name in order or ()}
    for outcome in judged:
        groups.setdefault(of(outcome), []).append(outcome)
    named = [(name, rows) for name, rows in groups.items() if rows]
    if order is None:
        named.sort(key=lambda pair: (-len(pair[1]), pair[0]))
        rest = [outcome for _, rows in named[MOST:] for outcome in rows]
        named = named[:MOST] + ([(f"{len(named) - MOST:,} others", rest)] if rest else [])
    return [{"name": name, "rows": len(rows), **measure(rows)} for name, rows in named]


def _edges(lengths: Iterable[int]) -> list[tuple[int, int]]:
    """The first and last length of each slice."""
    values = np.sort(np.fromiter(lengths, np.int64))
    cuts = np.unique(np.percentile(values, np.linspace(0, 100, PARTS + 1)[1:-1], method="lower"))
    starts = [int(values[0]), *(int(cut) + 1 for cut in cuts if cut < values[-1])]
    return list(zip(starts, [*(start - 1 for start in starts[1:]), int(values[-1])], strict=True))


def _length(outcome: Outcome, edges: Sequence[tuple[int, int]]) -> str:
    return next(_named(low, high) for low, high in edges if outcome.length <= high)


def _named(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _unknown(outcome: Outcome) -> str:
    share = outcome.unknown / max(outcome.length, 1)
    return next(name for most, name in UNKNOWN if share <= most)
