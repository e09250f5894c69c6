"""Task: the protocol that all tasks follow, and what they answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.batch import Example
from pipeline.encoder import Encoder, Tokenised
from pipeline.evaluation.outcome import Outcome
from pipeline.labels import Labels


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one text.

    `value`: the answer, a label name, or None for a text with nothing in it; `score`: its probability, 0 to 1;
    `distribution`: the probability of each label, in the order of the model's labels, or empty.
    """

    value: str | None
    score: float
    distribution: tuple[float, ...] = ()


class Task(Protocol):
    """The five things in which tasks differ. `labels` are those of the train split."""

    def __init__(self, labels: Labels) -> None: ...

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """What the network reads and, where there is a gold answer that it can give, what it should answer."""
        ...

    def head(self) -> int:
        """The number of scores that the network gives a text."""
        ...

    def decode(self, scores: NDArray[np.float32]) -> list[Prediction]:
        """Scores (batch, outputs) -> a Prediction a row."""
        ...

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The scores of a report, JSON-ready."""
        ...

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """The names of the columns that `label` adds; with `probabilities` one more for each label."""
        ...

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """A prediction in those columns."""
        ...
