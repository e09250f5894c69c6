"""Label thresholds: which labels of a text are given, by their probabilities; all chosen on dev."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVEN = 0.5  # the threshold of a label about which nothing is known
FEWEST = 20  # rows of dev that have a label, and rows that lack it, for a threshold and a scaling of its own
STEPS = 100  # thresholds are multiples of 1 / STEPS
STEEPEST, FURTHEST = 20.0, 20.0  # bounds of slopes (and their inverses) and of offsets

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scaling:
    """The probability of label l is the sigmoid of slopes[l] * logit + offsets[l] (Platt, 1999)."""

    slopes: tuple[float, ...]
    offsets: tuple[float, ...]

    @classmethod
    def none(cls, labels: int) -> Scaling:
        """The scaling that changes nothing."""
        return cls((1.0,) * labels, (0.0,) * labels)

    @classmethod
    def fit(cls, scores: Floats, gold: Flags) -> Scaling:
        """The scaling of each label with the least binary cross-entropy; one for all labels that are too few.

        `scores`: logits (rows, labels); `gold`: which labels each row has. The targets are Platt's: (n + 1) / (n + 2)
        for the n rows that have the label, 1 / (m + 2) for the m that lack it.
        """
        if not gold.size:
            return cls.none(gold.shape[1])
        shared, own = _platt(scores.ravel(), gold.ravel()), are_many(gold)
        found = [_platt(scores[:, place], gold[:, place]) if many else shared for place, many in enumerate(own)]
        return cls(tuple(slope for slope, _ in found), tuple(offset for _, offset in found))

    def probabilities(self, scores: NDArray[Any]) -> Floats:
        """Of logits (rows, labels), float64 of the same shape."""
        from scipy.special import expit

        scaled: Floats = expit(np.asarray(scores, np.float64) * self.slopes + self.offsets)
        return scaled


def are_many(gold: Flags) -> Flags:
    """Of which labels `FEWEST` rows have the label, and as many lack it: (labels,)."""
    having = gold.sum(axis=0)
    many: Flags = (having >= FEWEST) & (len(gold) - having >= FEWEST)
    return many


def choose(gold: Flags, probabilities: Floats) -> list[float]:
    """The threshold of each label: of its own, that with the highest F1, or where rows are few, a shared one.

    The shared one has the highest micro F1 over all labels. Of equally good ones the one nearest to 0.5 is taken; 0.5
    if no row has a label. `gold`, `probabilities`: (rows, labels).

    >>> choose(np.array([[True], [True], [False]]), np.array([[0.9], [0.3], [0.2]]))
    [0.3]
    """
    if not gold.any():
        return [EVEN] * gold.shape[1]
    hits, said = (_at_least(probabilities, counted) for counted in (gold, np.ones_like(gold)))
    of_gold = gold.sum(axis=0)
    own = _best(2 * hits / np.maximum(said + of_gold, 1))
    shared = _best((2 * hits.sum(axis=1) / np.maximum(said.sum(axis=1) + of_gold.sum(), 1))[:, None])
    chosen: list[float] = np.where(are_many(gold), own, shared).tolist()
    return chosen


def decide(probabilities: Floats, thresholds: Sequence[float], never_empty: bool = False) -> Flags:
    """Which labels are given: (rows, labels).

    Probabilities count with 4 decimals, as they are written. With `never_empty`, a row that has none gets the label
    whose probability is the largest share of its threshold.
    """
    bounds = np.asarray(thresholds, np.float64)
    given: Flags = np.round(probabilities, 4) >= bounds
    if never_empty:
        empty = np.flatnonzero(~given.any(axis=1))
        given[empty, (probabilities[empty] / np.maximum(bounds, 1e-9)).argmax(axis=1)] = True
    return given


def log_confidence(probabilities: Floats, given: Flags) -> Floats:
    """The logarithm of the probability that each row has just the labels given, if these are independent: (rows,)."""
    chances = np.where(given, probabilities, 1 - probabilities)
    logs: Floats = np.log(np.maximum(chances, 1e-12)).sum(axis=1)
    return logs


def _at_least(probabilities: Floats, counted: Flags) -> Floats:
    """How many of the rows `counted` reach each threshold 1 / STEPS, 2 / STEPS, ... below 1: (thresholds, labels)."""
    steps = np.floor(np.round(probabilities, 4) * STEPS + 1e-9).astype(np.int64).clip(0, STEPS - 1)
    columns = [
        np.bincount(steps[rows, place], minlength=STEPS)[::-1].cumsum()[::-1][1:]
        for place, rows in enumerate(counted.T)
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _best(f1: Floats) -> Floats:
    """The threshold of the highest F1 (thresholds, labels) of each label."""
    candidates = np.arange(1, STEPS) / STEPS
    nearness = -np.abs(candidates - EVEN)[:, None]
    is_best = f1 >= f1.max(axis=0) - 1e-12
    best: Floats = candidates[np.where(is_best, nearness, -np.inf).argmax(axis=0)]
    return best


def _platt(scores: Floats, gold: Flags) -> tuple[float, float]:
    """The slope, above 0, and the offset with the least cross-entropy."""
    from scipy.optimize import minimize
    from scipy.special import expit

    having = int(gold.sum())
    targets = np.where(gold, (having + 1) / (having + 2), 1 / (len(gold) - having + 2))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, offset = np.exp(parameters[0]), parameters[1]
        scaled = slope * scores + offset
        errors = expit(scaled) - targets
        total = np.logaddexp(0, scaled) - targets * scaled
        return float(total.mean()), np.array([(errors * scores).mean() * slope, errors.mean()])

    widest = float(np.log(STEEPEST))
    bounds = [(-widest, widest), (-FURTHEST, FURTHEST)]
    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), float(found.x[1])
