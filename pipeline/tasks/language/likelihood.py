"""Likelihood: the prediction of a language model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.tasks.prediction import Prediction

LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Likelihood(Prediction):
    """How likely a text is.

    `value`: the text, or None for a blank one; `score`: 0, as the probability of all but the shortest texts is too
    small for a float; `tokens`: those of the text; `distribution`: the natural logarithm of the probability of each
    token, given all before it, and last that of the text's end, so that their sum is the text's.

    >>> half = Likelihood("好吃", 0.125, (math.log(0.5),) * 3, ("好", "吃"))
    >>> round(half.log_probability, 4), half.perplexity, half.bits
    (-2.0794, 2.0, (1.0, 1.0, 1.0))
    """

    @property
    def log_probability(self) -> float:
        """The natural logarithm of the text's probability, its end included."""
        return math.fsum(self.distribution)

    @property
    def perplexity(self) -> float:
        """The inverse of the geometric mean of the probabilities, the end's included; infinite above 1e307."""
        mean = -self.log_probability / len(self.distribution)
        return math.exp(mean) if mean < 709 else math.inf

    @property
    def bits(self) -> tuple[float, ...]:
        """-log2 of each probability: how surprising each token is, and the end."""
        return tuple(-log / LN2 for log in self.distribution)

    @property
    def places(self) -> list[tuple[int, int]]:
        """The characters of each token in the text, half-open; last those of the end, which are none."""
        ends = np.cumsum([0, *map(len, self.tokens)]).tolist()
        return [*pairwise(ends), (ends[-1], ends[-1])]
