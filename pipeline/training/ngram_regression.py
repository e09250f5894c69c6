"""N-gram regression: a logistic regression on the n-grams of a classifier, weighed on dev and folded into its network.

A network with a linear part (`layers.LinearNgrams`) learns its n-gram weights by gradient steps that stop when the
recurrent part is at its best. A regression on the same features is solved to its optimum instead. The two scores are
added, and because both are linear in the n-grams, the sum is again a network of the same shape.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Example

Array = NDArray[np.float32]
Scores = NDArray[np.floating[Any]]
Targets = NDArray[np.integer[Any]]

STRENGTHS = (1.0, 10.0, 100.0)  # values of C, scikit-learn's inverse of the L2 penalty
FACTORS = tuple(2.0 ** (step / 2) for step in range(-6, 7))  # of a regression's scores, to make them fit dev
GRID = tuple(np.arange(0, 2.51, 0.25).tolist())  # weights of each part
PRECISION = 1e-3  # of both solvers
MOST_ITERATIONS = 100  # of L-BFGS, for small corpora
LARGE = 20_000  # texts of more than two labels, from which on SAGA is several times as fast
MOST_PASSES = 10  # of SAGA over the texts
SAME = 1e-6  # nats; smaller differences in loss are ties


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    `weights`: float32 (features, outputs), the features of all parts one after the other, without the padding;
    `intercept`: float32 (outputs,); `strength`: C.
    """

    weights: Array
    intercept: Array
    strength: float

    def scores(self, features: Any) -> Array:
        """Logits float32 (texts, outputs) of a sparse matrix (texts, features)."""
        return np.asarray(features @ self.weights + self.intercept, np.float32)


@dataclass(frozen=True)
class Weighing:
    """The weights of the sum `regression` * its score + `network` * its score."""

    regression: float
    network: float

    def sum(self, of_regression: Scores, of_network: Scores) -> Scores:
        """The weighed scores, (texts, outputs)."""
        return self.regression * of_regression + self.network * of_network


def features(examples: Sequence[Example], idf: Mapping[str, Array]) -> Any:
    """The n-grams of each text as a sparse matrix, float32 (texts, n-grams of all parts).

    The values are those of `layers.LinearNgrams` before its scale: in each part the idf of the text's n-grams, divided
    by their Euclidean length. `idf`: by the name of a part, with the padding at 0, which has no column.
    """
    from scipy import sparse

    return sparse.hstack([_part(examples, f"gram_{name}", values) for name, values in idf.items()], "csr", np.float32)


def fit(
    train: Any, train_targets: Targets, dev: Any, dev_targets: Targets, *, class_weights: bool = False
) -> Regression:
    """The regression on train whose C has the lowest cross-entropy on dev; ties go to the stronger penalty.

    Each is first multiplied by the factor that suits dev best: a strong penalty makes scores small and a weak one makes
    them large, which says nothing about their order. `train`, `dev`: from `features`; the targets are label ids, and
    train has every label. With `class_weights`, all labels count the same.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    is_large = len(train_targets) > LARGE and train_targets.max() > 1
    options: dict[str, Any] = {
        "solver": "saga" if is_large else "lbfgs",
        "max_iter": MOST_PASSES if is_large else MOST_ITERATIONS,
        "tol": PRECISION,
        "class_weight": "balanced" if class_weights else None,
        "random_state": 0,
    }
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # enough iterations for a score, if not for the optimum
        for strength in STRENGTHS:
            solver = LogisticRegression(C=strength, **options).fit(train, train_targets)
            found.append(_scaled(_regression(solver, strength), dev, dev_targets))
    losses = [cross_entropy(regression.scores(dev), dev_targets) for regression in found]
    return found[_first_lowest(losses)]


def weigh(of_regression: Scores, of_network: Scores, targets: Targets) -> Weighing:
    """The weights from `GRID` with the lowest cross-entropy.

    Of equal ones, those come first that need fewer parts, then those that need the regression alone.
    """
    pairs = [(a, b) for a in GRID for b in GRID if a or b]
    pairs.sort(key=lambda pair: (pair[0] > 0) + 2 * (pair[1] > 0))
    weighings = [Weighing(a, b) for a, b in pairs]
    losses = [cross_entropy(weighing.sum(of_regression, of_network), targets) for weighing in weighings]
    return weighings[_first_lowest(losses)]


def fold(
    weights: Mapping[str, Array],
    regression: Regression,
    weighing: Weighing,
    *,
    parts: Sequence[str],
    scale: float,
) -> dict[str, Array]:
    """The arrays of a network that change so that its scores become the weighed sum.

    `weights`: the network's, by the names of `networks.network.weights`; `parts`: the names of its linear parts, in
    the order of `features`; `scale`: the length of an n-gram vector in the network.
    """
    a, b = np.float32(weighing.regression), np.float32(weighing.network)
    folded = {
        "scores/kernel": b * weights["scores/kernel"],
        "scores/bias": b * weights["scores/bias"] + a * regression.intercept,
    }
    start = 0
    for part in parts:
        table = b * weights[f"{part}_wide/table"]
        stop = start + len(table) - 1
        table[1:] += a / np.float32(scale) * regression.weights[start:stop]
        folded[f"{part}_wide/table"] = table
        start = stop
    return folded


def cross_entropy(scores: Scores, targets: Targets) -> float:
    """Mean cross-entropy in nats of logits (texts, outputs) against label ids (texts,)."""
    from scipy.special import log_softmax

    of_target = log_softmax(np.asarray(scores, np.float64), axis=1)[np.arange(len(targets)), targets]
    return float(-of_target.mean())


def accuracy(scores: Scores, targets: Targets) -> float:
    """The share of texts (texts, outputs) whose target has the highest score."""
    return float((scores.argmax(axis=1) == targets).mean())


def _part(examples: Sequence[Example], bag: str, idf: Array) -> Any:
    from scipy import sparse

    rows = [example.bags[bag] for example in examples]
    ids = np.concatenate([np.zeros(0, np.int32), *rows])
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    values = idf[ids].astype(np.float64)
    owners = np.repeat(np.arange(len(rows)), np.diff(ends))
    lengths = np.sqrt(np.bincount(owners, values**2, minlength=len(rows)))
    values /= lengths[owners]
    return sparse.csr_matrix((values.astype(np.float32), ids - 1, ends), shape=(len(rows), len(idf) - 1))


def _regression(solver: Any, strength: float) -> Regression:
    """The solver's coefficients with a column for each label; scikit-learn has a single one for two labels."""
    weights, intercept = solver.coef_.T, solver.intercept_
    if weights.shape[1] == 1:
        weights, intercept = np.hstack([-weights / 2, weights / 2]), np.concatenate([-intercept / 2, intercept / 2])
    return Regression(np.ascontiguousarray(weights, np.float32), intercept.astype(np.float32), strength)


def _scaled(regression: Regression, dev: Any, targets: Targets) -> Regression:
    """The regression times the factor from `FACTORS` with the lowest cross-entropy on dev."""
    scores = regression.scores(dev)
    factor = np.float32(FACTORS[_first_lowest([cross_entropy(one * scores, targets) for one in FACTORS])])
    return replace(regression, weights=factor * regression.weights, intercept=factor * regression.intercept)


def _first_lowest(losses: Sequence[float]) -> int:
    lowest = min(losses)
    return next(place for place, loss in enumerate(losses) if loss <= lowest + SAME)
