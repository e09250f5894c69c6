"""Label regressions: one logistic regression a label on the n-grams of a multi-label classifier, for its network.

As for single labels, the regressions are solved to their optimum, weighed against the network on dev, and folded into
it, which is possible because both scores are linear in the n-grams.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.training.linear_ngrams import LinearModel
from pipeline.training.weighing import Weighing

Scores = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

STRENGTHS = (1.0, 10.0, 100.0)  # values of C, scikit-learn's inverse of the L2 penalty
GRID = tuple(np.arange(0, 2.01, 0.25).tolist())  # weights of each part
SAME = 1e-6  # nats; smaller differences in loss are ties


@dataclass(frozen=True)
class Regressions(LinearModel):
    """Fitted regressions, a column of weights and an intercept for each label; `strength`: C."""

    strength: float


def choose(
    train: Any, train_gold: Flags, dev: Any, of_network: Scores, dev_gold: Flags
) -> tuple[Regressions, Weighing]:
    """The regressions and the weights whose sum has the lowest binary cross-entropy on dev.

    Ties go to the stronger penalty, and to fewer parts. `train`, `dev`: sparse (texts, features); `of_network`: the
    network's logits on dev; `..._gold`: which labels each text has.
    """
    pairs = sorted(((a, b) for a in GRID for b in GRID if a or b), key=lambda pair: (pair[0] > 0) + 2 * (pair[1] > 0))
    best: tuple[float, Regressions, Weighing] | None = None
    for strength in STRENGTHS:
        regressions = fit(train, train_gold, strength)
        of_regressions = regressions.scores(dev)
        for a, b in pairs:
            weighing = Weighing(a, b, b / (a + b))
            loss = cross_entropy(weighing.sum(of_regressions, of_network), dev_gold)
            if best is None or loss < best[0] - SAME:
                best = loss, regressions, weighing
    if best is None:
        raise ValueError("no value of C to choose from")
    return best[1:]


def fit(train: Any, gold: Flags, strength: float) -> Regressions:
    """One regression a label. `train`: sparse (texts, features); `gold`: which labels each text has.

    A label that all texts have, or none, gets no weights, and the logit of its smoothed share as its intercept.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    having, texts = gold.sum(axis=0), len(gold)
    weights = np.zeros((train.shape[1], gold.shape[1]), np.float32)
    intercept = np.log((having + 1) / (texts - having + 1)).astype(np.float32)
    # The dual problem is faster if there are more n-grams than texts: most corpora have far more.
    solver = LogisticRegression(C=strength, solver="liblinear", dual=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # enough iterations for a score, if not for the optimum
        for place in np.flatnonzero((having > 0) & (having < texts)):
            solver.fit(train, gold[:, place])
            weights[:, place], intercept[place] = solver.coef_[0], solver.intercept_[0]
    return Regressions(weights, intercept, strength)


def cross_entropy(scores: Scores, gold: Flags) -> float:
    """Mean binary cross-entropy in nats of logits (texts, labels) against which labels the texts have."""
    logits = np.asarray(scores, np.float64)
    return float((np.logaddexp(0, logits) - gold * logits).mean())
