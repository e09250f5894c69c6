"""Classification: one label a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.batch import Example
from pipeline.encoder import Encoder, Tokenised
from pipeline.evaluation.outcome import Outcome
from pipeline.labels import Labels
from pipeline.tasks.task import Prediction


class Classify:
    """Answers with the most probable label; the probabilities are the softmax of the scores."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text; a gold label that the train split doesn't have gives no target."""
        known = [self.labels.id(gold) if gold is not None and gold in self.labels else None for gold in golds]
        return encoder.examples(texts, known)

    def head(self) -> int:
        """One score a label."""
        return len(self.labels)

    def decode(self, scores: NDArray[np.float32]) -> list[Prediction]:
        """Scores (batch, labels) -> the label of the greatest, its probability, and all probabilities."""
        probabilities = softmax(scores)
        best = probabilities.argmax(axis=1).tolist()
        names = self.labels.names
        return [
            Prediction(names[index], row[index], tuple(row))
            for index, row in zip(best, probabilities.tolist(), strict=True)
        ]

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Accuracy, F1 and their like: `evaluation.scores.classification`."""
        from pipeline.evaluation import scores

        return scores.classification(outcomes, self.labels.names)

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`label`, `confidence` and `p:LABEL` of each label."""
        return ("label", "confidence", *(f"p:{name}" for name in self.labels.names if probabilities))

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """Probabilities with 4 decimals; all cells blank for a text with nothing in it."""
        if prediction.value is None:
            return ("",) * len(self.columns(probabilities))
        shown = prediction.distribution if probabilities else ()
        return (prediction.value, f"{prediction.score:.4f}", *(f"{share:.4f}" for share in shown))


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """exp(s) / sum exp(s) over the last axis, shifted by the greatest so that nothing overflows.

    >>> softmax(np.array([[1000.0, 1000.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]
