"""Linear n-grams: a linear model of a classifier's n-grams, chosen by cross-validation and folded into its network.

A network with a linear part (`layers.LinearNgrams`) learns its n-gram weights by gradient steps that stop when the
recurrent part is at its best. The models here are solved to their optimum instead: logistic regression, a linear
support vector machine, and complement naive Bayes (Rennie et al., ICML 2003). All of them are weights and biases, so
that their mean is one linear model, and its sum with the network is again a network of the same shape.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Example
from pipeline.training.weighing import Weighing, scale_to_fit

Array = NDArray[np.float32]
Scores = NDArray[np.floating[Any]]
Targets = NDArray[np.integer[Any]]

FOLDS = 5
SMALL = 2_000  # rows; with more of them, one fold judges as well as five
PRECISION = 1e-3  # of logistic regression
MOST_ITERATIONS = 100  # of L-BFGS, for small corpora
TINY = 1e-12  # substituted where a divisor could be 0
LARGE = 20_000  # texts of more than two labels, from which on SAGA is several times as fast
MOST_PASSES = 10  # of SAGA over the texts


@dataclass(frozen=True)
class LinearModel:
    """Weights float32 (features, outputs) and intercept float32 (outputs,) of scores.

    The features are those of all parts one after the other, without the padding.
    """

    weights: Array
    intercept: Array

    def scores(self, features: Any) -> Array:
        """Logits float32 (texts, outputs) of a sparse matrix (texts, features)."""
        return np.asarray(features @ self.weights + self.intercept, np.float32)

    def times(self, factor: float) -> LinearModel:
        """The model whose scores are `factor` times these."""
        return LinearModel(np.float32(factor) * self.weights, np.float32(factor) * self.intercept)


@dataclass(frozen=True)
class Chosen:
    """The mean of the best models, their `names`, and the accuracy of every model tried, by its name."""

    model: LinearModel
    names: tuple[str, ...]
    accuracies: Mapping[str, float]


def features(examples: Sequence[Example], idf: Mapping[str, Array]) -> Any:
    """The n-grams of each text as a sparse matrix, float32 (texts, n-grams of all parts).

    The values are those of `layers.LinearNgrams` before its scale: in each part the idf of the text's n-grams, divided
    by their Euclidean length. `idf`: by the name of a part, with the padding at 0, which has no column.
    """
    from scipy import sparse

    return sparse.hstack([_part(examples, f"gram_{name}", values) for name, values in idf.items()], "csr", np.float32)


def choose(
    examples: Sequence[Example], idf: Mapping[str, Array], groups: Sequence[str], *, class_weights: bool = False
) -> Chosen:
    """The mean of the models that are, in cross-validation, within one standard error of the most accurate one.

    The scores of each are first brought to the size that fits best, so that all count alike. Rows of one group are
    never in different folds. With `class_weights`, all labels count the same in training.

    Arguments:
        examples: with a label id each; every id from 0 to the highest one occurs, and there are two or more.
        idf: as of `features`, with at least one n-gram.
        groups: of each example, equal for near-duplicates.
    """
    targets = np.array([example.target for example in examples])
    matrix = features(examples, idf)
    weights = _balanced(targets) if class_weights else np.ones(len(targets))
    held_out = _held_out(examples, idf, matrix, targets, weights, folds(targets, groups))
    judged = np.isfinite(next(iter(held_out.values()))[np.arange(len(targets)), targets])
    hits = {name: scores.argmax(axis=1)[judged] == targets[judged] for name, scores in held_out.items()}
    kept = _best(hits)
    factors = {name: scale_to_fit(held_out[name][judged], targets[judged]) / len(kept) for name in kept}
    parts = [_solved(name, matrix, targets, weights).times(factors[name]) for name in kept]
    mean = LinearModel(sum(part.weights for part in parts), sum(part.intercept for part in parts))  # type: ignore[arg-type]
    scores = sum(factors[name] * held_out[name][judged] for name in kept)
    accuracies = {name: float(found.mean()) if len(found) else 0.0 for name, found in hits.items()}
    return Chosen(mean.times(scale_to_fit(np.asarray(scores), targets[judged])), kept, accuracies)


def folds(targets: Targets, groups: Sequence[str]) -> NDArray[np.intp]:
    """The fold of each row, 0 to 4: rows of a group together, the labels spread evenly."""
    fold: dict[str, int] = {}
    order = sorted(range(len(groups)), key=lambda row: (targets[row], groups[row]))
    for place, row in enumerate(order):
        fold.setdefault(groups[row], place % FOLDS)
    return np.array([fold[group] for group in groups], np.intp)


def fold_in(
    weights: Mapping[str, Array],
    linear: LinearModel,
    weighing: Weighing,
    *,
    parts: Sequence[str],
    scale: float,
) -> dict[str, Array]:
    """The arrays of a network that change so that its scores become the weighed sum.

    `weights`: the network's, by the names of `networks.network.weights`; `parts`: the names of its linear parts, in
    the order of `features`; `scale`: the length of an n-gram vector in the network.
    """
    a, b = np.float32(weighing.linear), np.float32(weighing.network)
    folded = {
        "scores/kernel": b * weights["scores/kernel"],
        "scores/bias": b * weights["scores/bias"] + a * linear.intercept,
    }
    start = 0
    for part in parts:
        table = b * weights[f"{part}_wide/table"]
        stop = start + len(table) - 1
        table[1:] += a / np.float32(scale) * linear.weights[start:stop]
        folded[f"{part}_wide/table"] = table
        start = stop
    return folded


def _part(examples: Sequence[Example], bag: str, idf: Array) -> Any:
    from scipy import sparse

    rows = [example.bags[bag] for example in examples]
    ids = np.concatenate([np.zeros(0, np.int32), *rows])
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    values = idf[ids].astype(np.float64)
    owners = np.repeat(np.arange(len(rows)), np.diff(ends))
    lengths = np.sqrt(np.bincount(owners, values**2, minlength=len(rows)))
    values /= np.maximum(lengths, TINY)[owners]
    found = sparse.csr_matrix((values.astype(np.float32), ids - 1, ends), shape=(len(rows), len(idf) - 1))
    found.sum_duplicates()
    return found


def _balanced(targets: Targets) -> NDArray[np.float64]:
    """A weight for each row, with which all labels weigh the same; 1 on average."""
    counts = np.bincount(targets)
    return np.asarray(len(targets) / (np.count_nonzero(counts) * counts[targets]), np.float64)


def _held_out(
    examples: Sequence[Example],
    idf: Mapping[str, Array],
    matrix: Any,
    targets: Targets,
    weights: Scores,
    places: NDArray[np.intp],
) -> dict[str, Array]:
    """Scores of each row by each model, trained on the other folds: float32 (rows, outputs) by name.

    A label that the other folds lack has -inf. So has every label of a row that no model can judge: those folds have
    one label, or the row is in a fold that is not asked, as only the first is of many rows. N-grams that the other
    folds lack are left out, as those of a new text are.
    """
    scores = {name: np.full((len(targets), int(np.max(targets)) + 1), -np.inf, np.float32) for name in SOLVERS}
    for fold in range(FOLDS if len(targets) <= SMALL else 1):
        rest, asked = np.flatnonzero(places != fold), np.flatnonzero(places == fold)
        known, renumbered = np.unique(targets[rest], return_inverse=True)
        if len(known) > 1 and len(asked):
            seen = _only(idf, matrix[rest].getnnz(axis=0) > 0)
            new = features([examples[row] for row in asked.tolist()], seen)
            for name, found in scores.items():
                found[np.ix_(asked, known)] = _solved(name, matrix[rest], renumbered, weights[rest]).scores(new)
    return scores


def _only(idf: Mapping[str, Array], seen: NDArray[np.bool_]) -> dict[str, Array]:
    """The idf with 0 for n-grams that are not seen; `seen`: (n-grams of all parts,)."""
    kept, start = {}, 0
    for name, values in idf.items():
        stop = start + len(values) - 1
        kept[name] = np.where(np.append(True, seen[start:stop]), values, 0)
        start = stop
    return kept


def _best(hits: Mapping[str, NDArray[np.bool_]]) -> tuple[str, ...]:
    """The models within one standard error of the most accurate one; all if there is nothing to judge by."""
    means = {name: found.mean() if len(found) else 0.0 for name, found in hits.items()}
    best = max(means, key=lambda name: means[name])

    def is_near(name: str) -> bool:
        lead = hits[best].astype(float) - hits[name]
        return not len(lead) or bool(lead.mean() <= lead.std() / np.sqrt(len(lead)))

    return tuple(name for name in hits if is_near(name))


def _solved(name: str, matrix: Any, targets: Targets, weights: Scores) -> LinearModel:
    """A model of `SOLVERS`; it need not have reached its optimum to be of use."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return SOLVERS[name](matrix, targets, weights)


def _logistic(strength: float) -> Callable[[Any, Targets, Scores], LinearModel]:
    """Logistic regression; `strength`: scikit-learn's C, the inverse of the L2 penalty."""

    def solve(matrix: Any, targets: Targets, weights: Scores) -> LinearModel:
        from sklearn.linear_model import LogisticRegression

        is_large = len(targets) > LARGE and int(np.max(targets)) > 1
        solver, most = ("saga", MOST_PASSES) if is_large else ("lbfgs", MOST_ITERATIONS)
        machine = LogisticRegression(C=strength, solver=solver, max_iter=most, tol=PRECISION, random_state=0)
        return _model(machine.fit(matrix, targets, weights))

    return solve


def _svm(matrix: Any, targets: Targets, weights: Scores) -> LinearModel:
    """scikit-learn's LinearSVC, one label against the rest."""
    from sklearn.svm import LinearSVC

    return _model(LinearSVC(random_state=0).fit(matrix, targets, weights))


def _bayes(smoothing: float) -> Callable[[Any, Targets, Scores], LinearModel]:
    """Complement naive Bayes."""

    def solve(matrix: Any, targets: Targets, weights: Scores) -> LinearModel:
        from sklearn.naive_bayes import ComplementNB

        solved = ComplementNB(alpha=smoothing).fit(matrix, targets, weights)
        found = np.ascontiguousarray(solved.feature_log_prob_.T, np.float32)
        return LinearModel(found, np.zeros(found.shape[1], np.float32))

    return solve


def _model(solver: Any) -> LinearModel:
    """The solver's coefficients with a column for each label; scikit-learn has a single one for two labels."""
    weights, intercept = solver.coef_.T, np.asarray(solver.intercept_)
    if weights.shape[1] == 1:
        weights, intercept = np.hstack([-weights / 2, weights / 2]), np.concatenate([-intercept / 2, intercept / 2])
    return LinearModel(np.ascontiguousarray(weights, np.float32), intercept.astype(np.float32))


# What is tried, by name.
SOLVERS: dict[str, Callable[[Any, Targets, Scores], LinearModel]] = {
    "logistic regression": _logistic(100.0),
    "linear SVM": _svm,
    "naive Bayes 0.1": _bayes(0.1),
    "naive Bayes 0.5": _bayes(0.5),
}
