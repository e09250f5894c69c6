"""Significance: confidence intervals of a classifier's scores, and whether one system beats another."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import Counts, confusion, ratio

RESAMPLES = 2000
LEVEL = 0.95  # of every interval
SIGNIFICANT = 0.05

Interval = list[float]


def intervals(outcomes: Sequence[Outcome], labels: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """95 % bootstrap intervals [low, high] of `accuracy`, `macro_f1`, and of each label's precision, recall and F1.

    The percentile bootstrap over rows (Efron, 1979) with `RESAMPLES` resamples. To draw rows is to draw cells of the
    confusion matrix, so the resamples are multinomial counts of its cells. Macro F1 is over the labels that occur in
    `outcomes`; a division by zero counts as 0. {} if no row has a gold label.
    """
    names, matrix = confusion(outcomes, labels)
    counts = np.array(matrix, np.int64).reshape(len(names), len(names))
    if not counts.sum():
        return {}
    drawn = _resampled(counts, seed)
    right, gold, predicted = (_marginal(counts, drawn, of) for of in (_right, _gold, _predicted))
    precision, recall = ratio(right, predicted), ratio(right, gold)
    f1 = ratio(2 * right, gold + predicted)
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return {
        "accuracy": percentiles(right.sum(axis=1) / counts.sum()),
        "macro_f1": percentiles(f1[:, occurring].mean(axis=1)),
        "per_label": {
            name: {
                "precision": percentiles(precision[:, place]),
                "recall": percentiles(recall[:, place]),
                "f1": percentiles(f1[:, place]),
            }
            for place, name in enumerate(names)
        },
    }


def paired(ours: Sequence[bool], theirs: Sequence[bool], seed: int = 0) -> dict[str, Any]:
    """Whether two systems differ in accuracy on the same rows; `ours`, `theirs`: which rows each of them has right.

    `rows`; the `difference`, its 95 % bootstrap `interval`; `only_ours`, `only_theirs`: how many rows only one of them
    has right; `p`: McNemar's exact test (1947), two-sided, which is a binomial test of these two counts.
    """
    first, second = np.asarray(ours, np.bool_), np.asarray(theirs, np.bool_)
    only_ours, only_theirs = int((first & ~second).sum()), int((second & ~first).sum())
    rows, apart = len(first), only_ours + only_theirs
    drawn = np.random.default_rng(seed).multinomial(
        rows, [only_ours / rows, only_theirs / rows, (rows - apart) / rows], RESAMPLES
    )
    return {
        "rows": rows,
        "difference": (only_ours - only_theirs) / rows,
        "interval": percentiles((drawn[:, 0] - drawn[:, 1]) / rows),
        "only_ours": only_ours,
        "only_theirs": only_theirs,
        "p": _coin_throws(only_ours, apart),
    }


def _coin_throws(heads: int, throws: int) -> float:
    """The chance that a fair coin falls at least as unevenly as `heads` in `throws`, to either side."""
    fewer, ways, total = min(heads, throws - heads), 1, 0
    for taken in range(fewer + 1):
        total += ways
        ways = ways * (throws - taken) // (taken + 1)
    return min(1.0, 2 * total / (1 << throws))


def against(outcomes: Sequence[Outcome], answers: Sequence[str]) -> dict[str, Any]:
    """`paired` of the model's outcomes and another system's `answers` to the same rows; {} if none has a gold label."""
    judged = [(outcome, answer) for outcome, answer in zip(outcomes, answers, strict=True) if outcome.gold is not None]
    if not judged:
        return {}
    return paired(
        [outcome.predicted == outcome.gold for outcome, _ in judged],
        [answer == outcome.gold for outcome, answer in judged],
    )


def _resampled(counts: Counts, seed: int) -> Counts:
    """Resampled counts (resamples, cells) of the cells that are not 0, in the order of `np.nonzero`."""
    filled = counts[np.nonzero(counts)]
    return np.random.default_rng(seed).multinomial(filled.sum(), filled / filled.sum(), RESAMPLES)


def _marginal(counts: Counts, drawn: Counts, of: Callable[[Counts, Counts], Counts]) -> Counts:
    """Sums over the cells of each label, for each resample: (resamples, labels); `of` gives the label of each cell."""
    lines, columns = np.nonzero(counts)
    places = of(lines, columns)
    sums = np.zeros((len(counts) + 1, len(drawn)), np.int64)
    np.add.at(sums, places, drawn.T)
    return sums[:-1].T


def _gold(lines: Counts, columns: Counts) -> Counts:
    return lines


def _predicted(lines: Counts, columns: Counts) -> Counts:
    return columns


def _right(lines: Counts, columns: Counts) -> Counts:
    return np.where(lines == columns, lines, -1)


def percentiles(values: NDArray[Any]) -> Interval:
    """The interval [low, high] that holds the share `LEVEL` of the values."""
    edge = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, (edge, 100 - edge)).tolist()
    return [low, high]
