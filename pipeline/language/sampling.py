"""Sampling: the tokens of a large vocabulary that a step of training scores, in place of all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Ids

POWER = 0.75  # of a token's count in its weight: rare tokens are drawn more often than they come (Mikolov et al., 2013)
GRID = 64  # the length of a sample is a multiple of it
NOTHING = -1  # what stands behind its last id
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """Samples in which each id is or isn't, whatever else is, by a chance of its own (Poisson sampling).

    `chances`: float64 (vocabulary,), above 0 and at most 1; their sum is how many ids a sample has on average. An id
    with the chance 1, which the most frequent ones have, is in every sample.

    >>> Sampling.of(np.array([5, 100, 1, 1]), 2).chances.round(2).tolist()
    [0.63, 1.0, 0.19, 0.19]
    """

    chances: Floats

    @classmethod
    def of(cls, counts: NDArray[np.integer], size: int) -> Sampling:
        """By the counts of the ids in train, int (vocabulary,), one that never came as if it came once.

        The chances are min(1, c * count ** 0.75), c such that they add up to `size`; all are 1 where it is no less than
        the vocabulary.
        """
        weights = np.maximum(counts, 1) ** POWER
        chances = np.ones(len(weights))
        drawn = np.full(len(weights), size < len(weights))  # those that aren't certain
        while drawn.any():
            chances[drawn] = weights[drawn] * ((size - (~drawn).sum()) / weights[drawn].sum())
            over = drawn & (chances > 1)
            if not over.any():
                break
            chances[over] = 1
            drawn &= ~over
        return cls(chances)

    @property
    def logs(self) -> NDArray[np.float32]:
        """The natural logarithms of the chances, float32 (vocabulary,)."""
        return np.log(self.chances).astype(np.float32)

    def draw(self, generator: np.random.Generator) -> Ids:
        """The ids of a sample, int32, ascending, filled up with -1 to the next multiple of 64: few shapes."""
        ids = np.flatnonzero(generator.random(len(self.chances)) < self.chances).astype(np.int32)
        return np.pad(ids, (0, -len(ids) % GRID), constant_values=NOTHING)
