"""Scores of a classifier, as scikit-learn defines them, in JSON's types."""

import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome

Scores = dict[str, Any]

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
    left, right = _ids(gold, names), _ids(predicted, names)
    return scores | _averages(left, right) | {"per_label": _per_label(left, right, names)}


def confusion(outcomes: Iterable[Outcome], labels: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """Label names, and counts (names, names): a row for each gold label, a column for each predicted one.

    >>> confusion([Outcome(1, "没有送水", "差评", "好评", 0.6)], ["差评", "好评"])
    (['差评', '好评'], [[0, 1], [0, 0]])
    """
    pairs = [(outcome.gold, outcome.predicted) for outcome in outcomes if outcome.gold is not None]
    names = label_names(labels, *pairs)
    place = {name: number for number, name in enumerate(names)}
    matrix = [[0] * len(names) for _ in names]
    for gold, predicted in pairs:
        matrix[place[gold]][place[predicted]] += 1
    return names, matrix


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


def _gold(judged: Iterable[Outcome]) -> list[str]:
    return [outcome.gold for outcome in judged if outcome.gold is not None]


def _ids(names: Iterable[str], known: Sequence[str]) -> NDArray[np.int64]:
    # Numbers instead of names: NumPy drops a trailing NUL, which would merge two names that differ by it.
    place = {name: number for number, name in enumerate(known)}
    return np.array([place[name] for name in names], dtype=np.int64)


def _averages(gold: NDArray[np.int64], predicted: NDArray[np.int64]) -> Scores:
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, precision_score, recall_score

    with warnings.catch_warnings():
        # scikit-learn warns if gold and predictions have one label alone; the Matthews correlation is 0 then.
        warnings.simplefilter("ignore", UserWarning)
        return {
            "accuracy": float(accuracy_score(gold, predicted)),
            "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
            "micro_f1": float(f1_score(gold, predicted, average="micro", zero_division=0)),
            "weighted_f1": float(f1_score(gold, predicted, average="weighted", zero_division=0)),
            "macro_precision": float(precision_score(gold, predicted, average="macro", zero_division=0)),
            "macro_recall": float(recall_score(gold, predicted, average="macro", zero_division=0)),
            "matthews": float(matthews_corrcoef(gold, predicted)),
        }


def _per_label(gold: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]) -> Scores:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(gold, predicted, labels=range(len(names)), zero_division=0)
    return {name: _label_scores(*values) for name, *values in zip(names, *columns, strict=True)}


def _label_scores(precision: float, recall: float, f1: float, support: int) -> Scores:
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}


def _probabilities(judged: Sequence[Outcome], labels: Sequence[str]) -> NDArray[np.float64] | None:
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


def _ranking(gold: Sequence[str], probabilities: NDArray[np.float64] | None, labels: Sequence[str]) -> Scores:
    from sklearn.metrics import average_precision_score, roc_auc_score

    if probabilities is None:
        return {}
    first = 1 if len(labels) == 2 else 0
    areas, precisions = [], []
    for column, label in enumerate(labels[first:], start=first):
        positive = np.array([name == label for name in gold])
        if positive.any() and not positive.all():
            areas.append(roc_auc_score(positive, probabilities[:, column]))
            precisions.append(average_precision_score(positive, probabilities[:, column]))
    if not areas:
        return {}
    return {"roc_auc": float(np.mean(areas)), "average_precision": float(np.mean(precisions))}
