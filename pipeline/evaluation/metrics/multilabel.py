"""Scores of a multi-label classifier, as scikit-learn defines them, in JSON's types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import Scores, check_probabilities, label_names, ratio
from pipeline.evaluation.metrics.significance import RESAMPLES, percentiles

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Names = tuple[str, ...]

OVERALL = (
    *("micro_f1", "macro_f1", "sample_f1", "weighted_f1", "micro_precision", "micro_recall"),
    *("macro_precision", "macro_recall", "subset_accuracy", "hamming_loss", "roc_auc", "average_precision"),
)


@dataclass(frozen=True)
class LabelTable:
    """The gold and the predicted labels of rows.

    `names`: of all labels, first the model's; `gold`, `said`: bool (rows, names); `probabilities`: float64 (rows,
    labels of the model), or None.
    """

    names: Names
    gold: Flags
    said: Flags
    probabilities: Floats | None = None

    @classmethod
    def of(cls, gold: Sequence[Names], said: Sequence[Names], labels: Sequence[str]) -> Self:
        """Of sets of names; `labels`: the model's."""
        names = tuple(label_names(labels, *gold, *said))
        return cls(names, indicators(gold, names), indicators(said, names))

    @classmethod
    def of_outcomes(cls, outcomes: Sequence[Outcome], labels: Sequence[str]) -> Self:
        """Of the judged outcomes. Raises PipelineError for a row without one finite probability a label."""
        judged = [outcome for outcome in outcomes if outcome.is_judged]
        found = cls.of([one.gold_labels or () for one in judged], [one.predicted_labels for one in judged], labels)
        if not any(one.probabilities for one in judged):
            return found
        check_probabilities(judged, labels)
        return cls(found.names, found.gold, found.said, np.array([one.probabilities for one in judged], np.float64))

    def __len__(self) -> int:
        return len(self.gold)


def indicators(sets: Sequence[Iterable[str]], names: Sequence[str]) -> Flags:
    """Which of `names` each set has, bool (sets, names); other names are left out.

    >>> indicators([("价格",), (), ("质量", "价格")], ("价格", "质量")).astype(int).tolist()
    [[1, 0], [0, 0], [1, 1]]
    """
    place = {name: number for number, name in enumerate(names)}
    found = np.zeros((len(sets), len(names)), np.bool_)
    for row, labels in enumerate(sets):
        found[row, [place[label] for label in labels if label in place]] = True
    return found


def scores(table: LabelTable) -> Scores:
    """`rows`, the scores named in `OVERALL` (0 to 1, None without rows), and `per_label`.

    Micro averages count all labels of all rows alike. Macro and weighted ones are over the labels that occur in gold or
    predictions. `sample_f1` is the mean F1 of a row, 1 where a row rightly has no label. `subset_accuracy`: the share
    of rows whose labels are all right; `hamming_loss`: the share of wrong decisions among rows x labels. `roc_auc` and
    `average_precision` are means over the labels that some rows have and others lack, None without probabilities.

    `per_label`: name -> precision, recall, f1, support (rows), and, of the model's labels, roc_auc, average_precision
    and `calibration_error` of its probability.

    >>> table = LabelTable.of([("价格", "物流"), ("质量",)], [("价格",), ("质量",)], ("价格", "物流", "质量"))
    >>> found = scores(table)
    >>> found["micro_f1"], found["subset_accuracy"], round(found["sample_f1"], 4)
    (0.8, 0.5, 0.8333)
    """
    if not len(table):
        empty = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
        return {"rows": 0, **dict.fromkeys(OVERALL), "per_label": {name: dict(empty) for name in table.names}}
    ranked = _ranking(table)
    means = {key: _mean([found[key] for found in ranked.values()]) for key in ("roc_auc", "average_precision")}
    per_label = {name: {**found, **ranked.get(name, {})} for name, found in _per_label(table).items()}
    return {"rows": len(table), **_averages(table), **means, "per_label": per_label}


def micro_f1(gold: Flags, said: Flags) -> float:
    """2 * right / (gold + predicted) over all labels of all rows; 0 if there are none."""
    total = int(gold.sum() + said.sum())
    return 2 * int((gold & said).sum()) / total if total else 0.0


def binary_cross_entropy(gold: Flags, probabilities: Floats) -> float:
    """The mean over rows and labels, in nats."""
    chances = np.clip(np.where(gold, probabilities, 1 - probabilities), 1e-12, 1.0)
    return float(-np.log(chances).mean()) if gold.size else float("nan")


def intervals(table: LabelTable, seed: int = 0) -> dict[str, Any]:
    """95 % bootstrap intervals [low, high] of micro and macro F1, subset accuracy, and each label's scores.

    The percentile bootstrap over rows (Efron, 1979) with `RESAMPLES` resamples. Rows with the same gold and predicted
    labels share a cell; a resample is a multinomial draw of cells. {} if there are no rows.
    """
    if not len(table):
        return {}
    [gold, said, both, exact] = _drawn([table.gold, table.said, table.gold & table.said, _exact(table)], seed)
    f1 = ratio(2 * both, gold + said)
    occurring = np.flatnonzero((table.gold | table.said).any(axis=0))
    precision, recall = ratio(both, said), ratio(both, gold)
    return {
        "micro_f1": percentiles(_micro(both, gold, said)),
        "macro_f1": percentiles(f1[:, occurring].mean(axis=1)) if len(occurring) else [0.0, 0.0],
        "subset_accuracy": percentiles(exact[:, 0] / len(table)),
        "per_label": {
            name: {
                "precision": percentiles(precision[:, place]),
                "recall": percentiles(recall[:, place]),
                "f1": percentiles(f1[:, place]),
            }
            for place, name in enumerate(table.names)
        },
    }


def against(ours: LabelTable, theirs: LabelTable, seed: int = 0) -> dict[str, Any]:
    """Whether two systems differ in micro F1 on the same rows, by the paired bootstrap (Koehn, EMNLP 2004).

    `rows`; the `difference`, its 95 % `interval`, and the two-sided `p`: twice the share of resamples in which the
    difference is 0 or has the other sign, one such resample added; `only_ours`, `only_theirs`: the rows of which only
    one has all labels right. {} if there are no rows.
    """
    if not len(ours):
        return {}
    parts = [_sums(one) for table in (ours, theirs) for one in (table.gold & table.said, table.gold, table.said)]
    drawn = [found[:, 0] for found in _drawn(parts, seed)]
    differences = _of_sums(*drawn[:3]) - _of_sums(*drawn[3:])
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    first, second = _exact(ours)[:, 0], _exact(theirs)[:, 0]
    return {
        "rows": len(ours),
        "difference": micro_f1(ours.gold, ours.said) - micro_f1(theirs.gold, theirs.said),
        "interval": percentiles(differences),
        "p": min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1)),
        "only_ours": int((first & ~second).sum()),
        "only_theirs": int((second & ~first).sum()),
    }


def confused(outcomes: Iterable[Outcome]) -> Counter[tuple[Names, Names]]:
    """How often each pair of a gold set and another predicted one occurs."""
    return Counter((one.gold_labels or (), one.predicted_labels) for one in outcomes if one.is_error)


def scored_claims(outcomes: Sequence[Outcome]) -> ScoredClaims:
    """The sets of labels that were predicted for the `calibration.scorable` rows, each right or wrong as a whole."""
    rows = calibration.scorable(outcomes)
    return ScoredClaims(
        np.array([row.confidence for row in rows], np.float64),
        np.array([row.unscaled[0] if row.unscaled else row.confidence for row in rows], np.float64),
        np.array([not row.is_error for row in rows], np.bool_),
    )


def _averages(table: LabelTable) -> Scores:
    from sklearn.metrics import accuracy_score, f1_score, hamming_loss, precision_score, recall_score

    gold, said = _padded(table.gold), _padded(table.said)
    occurring = np.flatnonzero((gold | said).any(axis=0))
    averages = {
        "f1": (f1_score, ("micro", "macro", "weighted")),
        "precision": (precision_score, ("micro", "macro")),
        "recall": (recall_score, ("micro", "macro")),
    }
    found = {
        f"{average}_{name}": float(function(gold, said, labels=occurring, average=average, zero_division=0))
        if len(occurring)
        else 0.0
        for name, (function, kinds) in averages.items()
        for average in kinds
    }
    return {
        **found,
        "sample_f1": float(f1_score(gold, said, average="samples", zero_division=1)),
        "subset_accuracy": float(accuracy_score(gold, said)),
        "hamming_loss": float(hamming_loss(table.gold, table.said)),
    }


def _per_label(table: LabelTable) -> Mapping[str, Scores]:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        _padded(table.gold), _padded(table.said), labels=range(len(table.names)), zero_division=0
    )
    return {
        name: {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}
        for name, precision, recall, f1, support in zip(table.names, *columns, strict=True)
    }


def _padded(flags: Flags) -> NDArray[np.int64]:
    """The indicators and a label that no row has: scikit-learn would take a single column for two classes."""
    return np.pad(flags.astype(np.int64), ((0, 0), (0, 1)))


def _ranking(table: LabelTable) -> dict[str, dict[str, float | None]]:
    """ROC-AUC, average precision and calibration error of each of the model's labels; {} without probabilities."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if table.probabilities is None:
        return {}
    found: dict[str, dict[str, float | None]] = {}
    for name, gold, chances in zip(table.names, table.gold.T, table.probabilities.T, strict=False):
        mixed = bool(gold.any() and not gold.all())
        found[name] = {
            "roc_auc": float(roc_auc_score(gold, chances)) if mixed else None,
            "average_precision": min(float(average_precision_score(gold, chances)), 1.0) if mixed else None,
            "calibration_error": calibration.calibration_error(chances, gold),
        }
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _exact(table: LabelTable) -> Flags:
    """Of which rows all labels are right: (rows, 1)."""
    exact: Flags = (table.gold == table.said).all(axis=1, keepdims=True)
    return exact


def _sums(flags: Flags) -> Counts:
    sums: Counts = flags.sum(axis=1, keepdims=True, dtype=np.int64)
    return sums


def _drawn(columns: Sequence[NDArray[Any]], seed: int) -> list[Counts]:
    """The sums of each array (rows, n) over resampled rows: (resamples, n)."""
    joined = np.hstack([column.astype(np.int64) for column in columns])
    cells, sizes = np.unique(joined, axis=0, return_counts=True)
    times = np.random.default_rng(seed).multinomial(sizes.sum(), sizes / sizes.sum(), RESAMPLES)
    sums = np.rint(times.astype(np.float64) @ cells).astype(np.int64)
    return np.split(sums, np.cumsum([column.shape[1] for column in columns])[:-1], axis=1)


def _micro(both: Counts, gold: Counts, said: Counts) -> Floats:
    return _of_sums(both.sum(axis=1), gold.sum(axis=1), said.sum(axis=1))


def _of_sums(both: Counts, gold: Counts, said: Counts) -> Floats:
    return ratio(2 * both, gold + said)
