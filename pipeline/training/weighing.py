"""Weighing: how much a linear model and a network count in the sum of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Targets = NDArray[np.integer[Any]]
Losses = NDArray[np.float64]

FACTORS: tuple[float, ...] = tuple(2.0 ** (step / 2) for step in range(-16, 13))  # of scores, to make them fit
SHARES = (0.5, 0.25, 0.75, 0.0, 1.0)  # of the network in the sum
SAME = 1e-6  # nats; smaller differences in loss are ties


@dataclass(frozen=True)
class Weighing:
    """The weights of the sum `linear` * its score + `network` * its score.

    `share`: of the network, 0 to 1, in the sum of both scores; before it, `weigh` scales each of them to fit.
    """

    linear: float
    network: float
    share: float

    def sum(self, of_linear: Scores, of_network: Scores) -> Scores:
        """The weighed scores, (texts, outputs)."""
        return self.linear * of_linear + self.network * of_network


def weigh(of_linear: Scores, of_network: Scores, targets: Targets) -> Weighing:
    """The weights of both scores, after each was scaled to fit: equal ones, unless the rows say otherwise.

    Two classifiers that are equally sure are best averaged, if little is known about them. Other weights replace equal
    ones only if their cross-entropy is lower by more than one standard error of the difference; of these the lowest is
    taken. So few rows seldom decide, and many do.
    """
    scales = scale_to_fit(of_linear, targets), scale_to_fit(of_network, targets)
    weighings = [Weighing((1 - share) * scales[0], share * scales[1], share) for share in SHARES]
    losses = [_losses(weighing.sum(of_linear, of_network), targets) for weighing in weighings]
    better = [place for place, found in enumerate(losses) if _is_lower(found, losses[0])]
    return weighings[min(better, key=lambda place: losses[place].mean(), default=0)]


def scale_to_fit(scores: Scores, targets: Targets) -> float:
    """The factor from `FACTORS` with which the scores have the lowest cross-entropy; 1 if there are none."""
    if not len(targets):
        return 1.0
    losses = [cross_entropy(factor * scores, targets) for factor in FACTORS]
    return FACTORS[_first_lowest(losses)]


def cross_entropy(scores: Scores, targets: Targets) -> float:
    """Mean cross-entropy in nats of logits (texts, outputs) against label ids (texts,)."""
    return float(_losses(scores, targets).mean())


def accuracy(scores: Scores, targets: Targets) -> float:
    """The share of texts (texts, outputs) whose target has the highest score."""
    return float((scores.argmax(axis=1) == targets).mean())


def _losses(scores: Scores, targets: Targets) -> Losses:
    """The cross-entropy of each text, in nats."""
    from scipy.special import log_softmax

    return np.asarray(-log_softmax(np.asarray(scores, np.float64), axis=1)[np.arange(len(targets)), targets])


def _is_lower(losses: Losses, others: Losses) -> bool:
    """Whether losses are lower by more than one standard error of the difference."""
    lead = others - losses
    return bool(lead.mean() > lead.std() / np.sqrt(len(lead)) + SAME)


def _first_lowest(losses: Sequence[float]) -> int:
    lowest = min(losses)
    return next(place for place, loss in enumerate(losses) if loss <= lowest + SAME)
