"""Sampling: the tokens of a large vocabulary that a step of training scores, instead of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Ids

POWER = 0.75  # of a token's count: rare tokens are drawn more often than they occur (Mikolov et al., 2013)
GRID = 64  # samples are padded to a multiple of this length
NOTHING = -1  # pads a sample
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PoissonSampling:
    """Draws each id independently of the others, with a chance of its own (Poisson sampling).

    `chances`: float64 (vocabulary,), above 0 and at most 1; their sum is the mean size of a sample. An id with the
    chance 1, as the most frequent ones have, is in every sample.

    >>> PoissonSampling.from_counts(np.array([5, 100, 1, 1]), 2).chances.round(2).tolist()
    [0.63, 1.0, 0.19, 0.19]
    """

    chances: Floats

    @classmethod
    def from_counts(cls, counts: NDArray[np.integer], size: int) -> PoissonSampling:
        """With chances by the counts of the ids in train, int (vocabulary,); a count of 0 is taken for 1.

        The chances are min(1, c * count ** 0.75), with c such that they add up to `size`; all are 1 if `size` is not
        below the vocabulary's.
        """
        weights = np.maximum(counts, 1) ** POWER
        chances = np.ones(len(weights))
        drawn = np.full(len(weights), size < len(weights))  # ids whose chance is below 1
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
        """The ids of a sample, int32, ascending, padded with -1 to a multiple of 64 so that there are few shapes."""
        ids = np.flatnonzero(generator.random(len(self.chances)) < self.chances).astype(np.int32)
        return np.pad(ids, (0, -len(ids) % GRID), constant_values=NOTHING)
