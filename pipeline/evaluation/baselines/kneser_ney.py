"""The baseline of language models: n-grams with interpolated modified Kneser-Ney smoothing (Chen & Goodman, 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Ids
from pipeline.language import BOUNDARY

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
HIGHEST = 3  # counts of this and more share a discount


@dataclass(frozen=True)
class _Level:
    """The n-grams of one order, encoded as integers: history h and token w are h * vocabulary + w.

    `grams`: sorted int64 (grams,); `shares`: float64 (grams,), (c - D(c)) / sum of the history's c;
    `rest`: float64 (histories,), the mass that the discounts leave each history for the order below.
    """

    grams: Integers
    shares: Floats
    rest: Floats


@dataclass(frozen=True)
class KneserNey:
    """An n-gram model of `order` over ids below `outputs`; order 1 is a unigram.

    p(w | h) = max(c(hw) - D(c(hw)), 0) / c(h) + rest(h) * p(w | h without its first token), down to 1 / `outputs`.
    Below the highest order, c is the number of different tokens before the n-gram; for n-grams at the start of a text,
    which no token precedes, it is how often they occur. The discounts D1, D2, D3+ are estimated from the counts of each
    order, and are 0.5, 1, 1.5 if there are too few counts.

    >>> model = KneserNey.train([np.array([2, 3], np.int32)] * 9, order=3, outputs=5)
    >>> model.log_probabilities([np.array([2, 3], np.int32)])[0].round(2).tolist()
    [-0.02, -0.06, -0.06]
    """

    levels: tuple[_Level, ...]
    histories: tuple[Integers, ...]
    outputs: int

    @classmethod
    def train(cls, texts: Sequence[Ids], *, order: int, outputs: int) -> KneserNey:
        """Count the n-grams of the texts, ends of texts included. Raises ValueError if there is no text."""
        if not texts:
            raise ValueError("an n-gram model needs at least one text")
        windows = _windows(texts, order)
        levels: list[_Level] = []
        histories = [np.zeros(1, np.int64)]
        known = np.zeros(len(windows), np.int64)
        numbers = []
        for length in range(order):
            if length:
                keys, known = np.unique(known * outputs + windows[:, order - 1 - length], return_inverse=True)
                histories.append(keys)
            numbers.append(known * outputs + windows[:, -1])
        for length in range(order):
            above = numbers[length + 1] if length + 1 < order else None
            grams, counts = _counts(numbers[length], above, windows[:, order - 1 - length] if length else None)
            levels.append(_level(grams, counts, len(histories[length]), outputs))
        return cls(tuple(levels), tuple(histories), outputs)

    @property
    def weights(self) -> int:
        """How many numbers were learnt: a share per n-gram, and a rest per history."""
        return sum(len(level.shares) + len(level.rest) for level in self.levels)

    def log_probabilities(self, texts: Sequence[Ids]) -> list[Floats]:
        """Natural log-probabilities of the tokens and of the end of each text: float64 (n + 1,)."""
        order = len(self.levels)
        windows = _windows(texts, order)
        probabilities = np.full(len(windows), 1 / self.outputs)
        history = np.zeros(len(windows), np.int64)
        known = np.ones(len(windows), bool)
        for length, level in enumerate(self.levels):
            if length:
                keys = history * self.outputs + windows[:, order - 1 - length]
                found, history = _find(self.histories[length], keys)
                known &= found
            present, place = _find(level.grams, history * self.outputs + windows[:, -1])
            share = np.where(present, level.shares[place], 0.0)
            probabilities = np.where(known, share + level.rest[history] * probabilities, probabilities)
        ends = np.cumsum([len(text) + 1 for text in texts])
        return np.split(np.log(probabilities), ends[:-1]) if len(texts) else []


def _windows(texts: Sequence[Ids], order: int) -> NDArray[np.int32]:
    """int32 (tokens and ends, order): each after the order - 1 tokens before it, padded with the boundary."""
    before = np.full(order - 1, BOUNDARY, np.int32)
    end = np.array([BOUNDARY], np.int32)
    rows = [np.lib.stride_tricks.sliding_window_view(np.concatenate([before, text, end]), order) for text in texts]
    return np.concatenate(rows) if rows else np.empty((0, order), np.int32)


def _counts(numbers: Integers, above: Integers | None, first: Ids | None) -> tuple[Integers, Integers]:
    """The different n-grams, sorted, and the count c of each (see `KneserNey`); `above`: the n-grams one longer."""
    grams, place, inverse, counts = np.unique(numbers, return_index=True, return_inverse=True, return_counts=True)
    if above is None:
        return grams, counts
    _, place_above = np.unique(above, return_index=True)
    after = np.bincount(inverse[place_above], minlength=len(grams))
    begins = np.zeros(len(grams), bool) if first is None else first[place] == BOUNDARY
    return grams, np.where(begins, counts, after)


def _level(grams: Integers, counts: Integers, histories: int, outputs: int) -> _Level:
    discounts = _discounts(counts)[np.minimum(counts, HIGHEST)]
    history = grams // outputs
    total = np.bincount(history, weights=counts, minlength=histories)
    taken = np.bincount(history, weights=discounts, minlength=histories)
    return _Level(grams, (counts - discounts) / total[history], taken / total)


def _discounts(counts: Integers) -> Floats:
    """The discounts of the counts 0, 1, 2, and 3 or more."""
    n = np.bincount(np.minimum(counts, HIGHEST + 2), minlength=HIGHEST + 3)
    discounts = np.array([0.0, 0.5, 1.0, 1.5])
    if n[1] and n[2]:
        y = n[1] / (n[1] + 2 * n[2])
        for count in range(1, HIGHEST + 1):
            estimate = count - (count + 1) * y * n[count + 1] / n[count] if n[count] else 0.0
            if 0 < estimate <= count:
                discounts[count] = estimate
    return discounts


def _find(sorted_keys: Integers, keys: Integers) -> tuple[NDArray[np.bool_], Integers]:
    """Whether each key is in `sorted_keys`, and its index, or an arbitrary one if it is not."""
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return sorted_keys[place] == keys, place
