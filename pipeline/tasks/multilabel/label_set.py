"""LabelSet: the prediction of a multi-label classifier."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.tasks.prediction import Prediction


@dataclass(frozen=True, slots=True)
class LabelSet(Prediction):
    """The labels of a text, perhaps none.

    `chosen`: the labels, in the model's order; `value`: the same, joined by the model's separator, or None for a blank
    text; `distribution`: the probability of each of the model's `labels`, each by itself, so that their sum may be more
    or less than 1; `score`: the probability that exactly these labels are right.

    >>> LabelSet("价格|物流", 0.72, (0.9, 0.8), labels=("价格", "物流"), chosen=("价格", "物流")).chosen
    ('价格', '物流')
    """

    chosen: tuple[str, ...] = ()
