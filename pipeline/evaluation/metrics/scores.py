"""Scores of a classifier, as scikit-learn defines them, in JSON's types.

They are computed with NumPy alone, so that a machine that labels can also evaluate; the tests compare them with
scikit-learn's.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome

Scores = dict[str, Any]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OVERALL = (
    "accuracy",
    "macro_f1",
    "micro_f1",
    "weighted_f1",
    "macro_precision",
    "macro_recall",
    "matthews",
    "roc_auc",
    "average_precision",
)


def classification(outcomes: Sequence[Outcome], labels: Sequence[str]) -> Scores:
    """Every score of `outcomes`; `labels`: the model's label names in the order of its probabilities.

    The keys are those of `compare`. `roc_auc` and `average_precision` need probabilities. With two labels the last one
    is the positive class; otherwise they are unweighted means over the labels, each against the rest, that have both
    positive and negative rows. They are None if there is no such label. Rows without a gold label are not counted.

    Raises PipelineError for a row that does not have one probability a label.

    >>> right = Outcome(1, "很快，好吃", "好评", "好评", 0.9, (0.1, 0.9))
    >>> wrong = Outcome(2, "没有送水", "差评", "好评", 0.6, (0.4, 0.6))
    >>> scores = classification([right, wrong], ["差评", "好评"])
    >>> scores["accuracy"], scores["roc_auc"], scores["per_label"]["差评"]["recall"]
    (0.5, 1.0, 0.0)
    """
    judged = [outcome for outcome in outcomes if outcome.gold is not None]
    gold = _gold(judged)
    scores = compare(gold, [outcome.predicted for outcome in judged], labels)
    return scores | _ranking(gold, _probabilities(judged, labels), labels)


def compare(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> Scores:
    """The scores that need no probabilities, of equally long `gold` and `predicted` label names.

    The keys are `rows`, those of `OVERALL` (fractions, 0 to 1; `matthews` -1 to 1; all None if there are no rows),
    and `per_label`: {label: {precision, recall, f1, support}}. The macro and weighted averages are over the labels that
    occur in `gold` or `predicted`, as is scikit-learn's default. `per_label` lists all of `labels`, and then the labels
    that occur in the rows alone, such as one that the model does not know, whose recall is 0. A division by zero
    counts as 0.
    """
    names = label_names(labels, gold, predicted)
    scores: Scores = {"rows": len(gold)} | dict.fromkeys(OVERALL)
    if not gold:
        return scores | {"per_label": {name: _label_scores(0.0, 0.0, 0.0, 0) for name in names}}
    counts = np.array(_matrix(zip(gold, predicted, strict=True), names), np.int64)
    return scores | _averages(counts) | {"per_label": _per_label(counts, names)}


def confusion(outcomes: Iterable[Outcome], labels: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """Label names, and counts (names, names): a row for each gold label, a column for each predicted one.

    >>> confusion([Outcome(1, "没有送水", "差评", "好评", 0.6)], ["差评", "好评"])
    (['差评', '好评'], [[0, 1], [0, 0]])
    """
    pairs = [(outcome.gold, outcome.predicted) for outcome in outcomes if outcome.gold is not None]
    names = label_names(labels, *pairs)
    return names, _matrix(pairs, names)


def label_names(labels: Sequence[str], *seen: Iterable[str]) -> list[str]:
    """`labels` in their order, then the other names in `seen`, sorted."""
    return list(labels) + sorted({name for names in seen for name in names}.difference(labels))


def cells(text: str) -> int:
    """The number of columns that `text` takes in a terminal: two for a wide or full-width character.

    >>> cells("好评 ok")
    7
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _matrix(pairs: Iterable[tuple[str, str]], names: Sequence[str]) -> list[list[int]]:
    """The counts of the pairs of gold and predicted label."""
    place = {name: number for number, name in enumerate(names)}
    matrix = [[0] * len(names) for _ in names]
    for gold, predicted in pairs:
        matrix[place[gold]][place[predicted]] += 1
    return matrix


def _gold(judged: Iterable[Outcome]) -> list[str]:
    return [outcome.gold for outcome in judged if outcome.gold is not None]


def _averages(counts: Counts) -> Scores:
    """The scores of `OVERALL` that follow from a confusion matrix, which has a row for each gold label."""
    hits, gold, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    precision, recall, f1 = _shares(counts)
    occurring = gold + predicted > 0
    accuracy = int(np.sum(hits)) / int(np.sum(counts))
    return {
        "accuracy": accuracy,
        "macro_f1": float(f1[occurring].mean()),
        "micro_f1": accuracy,  # each row has one gold label and one prediction
        "weighted_f1": float(f1 @ gold / counts.sum()),
        "macro_precision": float(precision[occurring].mean()),
        "macro_recall": float(recall[occurring].mean()),
        "matthews": _matthews(hits, gold, predicted),
    }


def _shares(counts: Counts) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1 of each label, each (labels,), 0 where they are undefined."""
    hits, gold, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    return ratio(hits, predicted), ratio(hits, gold), ratio(2 * hits, gold + predicted)


def _matthews(hits: Counts, gold: Counts, predicted: Counts) -> float:
    """The correlation R_K of Gorodkin (2004); 0 if gold or predictions are one label alone."""
    # Python's numbers: the products of large counts would not fit into 64 bits.
    rows, right = int(gold.sum()), int(hits.sum())
    true, guessed = gold.tolist(), predicted.tolist()
    together = sum(one * other for one, other in zip(true, guessed, strict=True))
    spread = (rows**2 - sum(one**2 for one in true)) * (rows**2 - sum(one**2 for one in guessed))
    return (right * rows - together) / math.sqrt(spread) if spread else 0.0


def ratio(above: Counts, below: Counts) -> Floats:
    """`above` / `below`, 0 where `below` is 0."""
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)


def _per_label(counts: Counts, names: Sequence[str]) -> Scores:
    columns = (*(found.tolist() for found in _shares(counts)), counts.sum(axis=1).tolist())
    return {name: _label_scores(*values) for name, *values in zip(names, *columns, strict=True)}


def _label_scores(precision: float, recall: float, f1: float, support: int) -> Scores:
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}


def _probabilities(judged: Sequence[Outcome], labels: Sequence[str]) -> Floats | None:
    """Probabilities (rows, labels), or None if no row has any."""
    if not any(outcome.probabilities for outcome in judged):
        return None
    check_probabilities(judged, labels)
    return np.array([outcome.probabilities for outcome in judged], dtype=np.float64)


def check_probabilities(outcomes: Iterable[Outcome], labels: Sequence[str]) -> None:
    """Raise PipelineError for the first row that does not have one finite probability a label."""
    for outcome in outcomes:
        if len(outcome.probabilities) != len(labels):
            raise PipelineError(
                f"row {outcome.row}: {len(outcome.probabilities)} probabilities for {len(labels)} labels: "
                "pass one a label, in the order of the labels"
            )
        if not np.isfinite(outcome.probabilities).all():
            raise PipelineError(
                f"row {outcome.row}: expected finite probabilities, got {list(outcome.probabilities)}: "
                "the model's weights are broken, train it again"
            )


def _ranking(gold: Sequence[str], probabilities: Floats | None, labels: Sequence[str]) -> Scores:
    if probabilities is None:
        return {}
    first = 1 if len(labels) == 2 else 0
    areas, precisions = [], []
    for column, label in enumerate(labels[first:], start=first):
        positive = np.array([name == label for name in gold])
        if positive.any() and not positive.all():
            areas.append(_roc_auc(positive, probabilities[:, column]))
            precisions.append(_average_precision(positive, probabilities[:, column]))
    if not areas:
        return {}
    return {"roc_auc": float(np.mean(areas)), "average_precision": float(np.mean(precisions))}


def _roc_auc(positive: Flags, chances: Floats) -> float:
    """The share of pairs of a positive and a negative row that are in order, an equal pair counting half.

    Mann and Whitney's U (1947), by the sum of the positive rows' ranks.
    """
    _, places, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # from 1; equal chances share their mean rank
    ours, theirs = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - ours * (ours + 1) / 2) / (ours * theirs))


def _average_precision(positive: Flags, chances: Floats) -> float:
    """The sum over falling thresholds of the precision times the gain in recall."""
    order = np.argsort(-chances, kind="stable")
    ends = np.flatnonzero(np.diff(chances[order], append=np.inf))  # the last row of each threshold
    hits = np.cumsum(positive[order])[ends]
    return float((hits / (ends + 1)) @ np.diff(hits, prepend=0) / positive.sum())
