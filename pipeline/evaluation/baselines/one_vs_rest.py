"""Baselines of multi-label classifiers: the most frequent set of labels, and one linear model a label on TF-IDF."""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines import linear
from pipeline.evaluation.baselines.linear import Features, Keep, Sample
from pipeline.evaluation.fitting import ALONE, Fitting, answers
from pipeline.evaluation.memory import Basis, fingerprint
from pipeline.evaluation.metrics import label_thresholds
from pipeline.evaluation.metrics.multilabel import LabelTable, indicators, scores

Names = tuple[str, ...]
Margins = NDArray[np.float64]
VERSION = 1  # of the answers, as `linear.VERSION`
TUNED_ON = ("dev_without_leaked", "dev")  # parts that thresholds are chosen on, the first that has rows


@dataclass(frozen=True, slots=True)
class Answers:
    """A baseline's labels of each row of each part, the number of its weights, and the seconds to train and predict."""

    labels: Mapping[str, list[Names]]
    weights: int
    seconds: float


class Contest:
    """Baselines that are trained on `train`, answer `parts`, and share the features of the texts.

    Thresholds are chosen on dev as those of a model are (`label_thresholds.choose`), and where `never_empty`, each
    answer has a label. Raises PipelineError if `train` is empty.
    """

    def __init__(
        self,
        train: Sequence[Sample],
        parts: Mapping[str, Sequence[Sample]],
        *,
        never_empty: bool = False,
    ) -> None:
        linear.check(train)
        self.train = train
        self.parts = parts
        self.names = sorted({label for sample in train for label in sample.labels})
        self.never_empty = never_empty
        self._features: dict[str, Features] = {}

    def answer(self, name: str) -> Answers:
        """The answers of the baseline `name`, the same at each call.

        The features are those of `linear.Contest`, the machine is scikit-learn's LinearSVC or LogisticRegression in a
        OneVsRestClassifier. If nothing can be learnt, each answer is the most frequent set.
        """
        unit, machine = linear.terms_and_machine(name)
        rows = [sample for samples in self.parts.values() for sample in samples]
        start = time.perf_counter()
        if not unit or not rows or not self.names or not linear.has_terms(self.train, unit):
            usual, _ = Counter(sample.labels for sample in self.train).most_common(1)[0]
            answers = {part: [usual] * len(samples) for part, samples in self.parts.items()}
            return Answers(answers, 1, time.perf_counter() - start)
        if unit not in self._features:
            self._features[unit] = linear.tfidf(self.train, rows, unit)
        features, start = self._features[unit], time.perf_counter()
        fitted = _fit(machine, features.train, indicators([sample.labels for sample in self.train], self.names))
        margins = _by_part(_margins(fitted, features.rows), self.parts)
        labels = self._decided(margins)
        return Answers(labels, _weights(fitted), features.seconds + time.perf_counter() - start)

    def basis(self, name: str) -> Basis:
        """What the answers of the baseline `name` depend on: thresholds depend on the labels of dev, too."""
        rows = [sample for samples in self.parts.values() for sample in samples]
        golds = {part: fingerprint(sample.labels for sample in self.parts.get(part, ())) for part in TUNED_ON}
        sizes = {part: len(samples) for part, samples in self.parts.items()}
        of_linear = linear.basis(name, self.train, rows, self.names)
        return {**of_linear, "several": VERSION, "never_empty": self.never_empty, "golds": golds, "sizes": sizes}

    def packed(self, answers: Answers) -> dict[str, Any]:
        """Answers as JSON: the places in `names` of each row's labels, by part; the weights and the seconds."""
        place = {label: number for number, label in enumerate(self.names)}
        labels = {part: [[place[name] for name in row] for row in rows] for part, rows in answers.labels.items()}
        return {"labels": labels, "weights": answers.weights, "seconds": answers.seconds}

    def unpacked(self, content: Mapping[str, Any]) -> Answers:
        """The answers that `packed` gave. Raises KeyError, TypeError or ValueError for anything else."""
        labels = {
            part: [tuple(linear.chosen(row, self.names)) for row in content["labels"][part]] for part in self.parts
        }
        if any(len(labels[part]) != len(samples) for part, samples in self.parts.items()):
            raise ValueError("it has not an answer to each row")
        return Answers(labels, int(content["weights"]), float(content["seconds"]))

    def _decided(self, margins: Mapping[str, Margins]) -> dict[str, list[Names]]:
        from scipy.special import expit

        shares = {part: expit(found) for part, found in margins.items()}
        part = next((part for part in TUNED_ON if self.parts.get(part)), None)
        thresholds = [label_thresholds.EVEN] * len(self.names)
        if part is not None:
            gold = indicators([sample.labels for sample in self.parts[part]], self.names)
            thresholds = label_thresholds.choose(gold, shares[part])
        return {
            part: [
                tuple(self.names[place] for place in np.flatnonzero(row))
                for row in label_thresholds.decide(found, thresholds, self.never_empty)
            ]
            for part, found in shares.items()
        }


def run(
    names: Sequence[str],
    train: Sequence[Sample],
    parts: Mapping[str, Sequence[Sample]],
    labels: Sequence[str] = (),
    *,
    never_empty: bool = False,
    fitting: Fitting = ALONE,
    advance: Callable[[int], object] = lambda finished: None,
    keep: Keep = lambda name, predicted: None,
) -> dict[str, dict[str, Any]]:
    """Train the baselines `names` on `train` and score each part: {name: {part: scores, and `linear.costs`}}.

    As `linear.run`; the scores are those of `multilabel.scores`.
    """
    results: dict[str, dict[str, Any]] = {}
    if not names:
        return results
    contest = Contest(train, parts, never_empty=never_empty)
    found = answers(linear.grouped(names), contest, fitting, advance)
    for name in names:
        fitted, remembered = found[name]
        keep(name, fitted.labels)
        scored = {
            part: scores(LabelTable.of([sample.labels for sample in samples], fitted.labels[part], labels))
            for part, samples in parts.items()
        }
        results[name] = {**scored, **linear.costs(fitted.seconds, fitted.weights, remembered)}
    return results


def _fit(machine: str, features: Any, targets: NDArray[np.bool_]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.multiclass import OneVsRestClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline that has not converged is good enough
        warnings.filterwarnings("ignore", "Label .* is present in all training examples", UserWarning)
        flags = targets.astype(int)
        return OneVsRestClassifier(linear.binary_machine(machine)).fit(
            features, flags if flags.shape[1] > 1 else flags[:, 0]
        )


def _margins(fitted: Any, features: Any) -> Margins:
    """Above 0 for a label that scikit-learn would give, (rows, labels)."""
    found = np.asarray(fitted.decision_function(features), np.float64)
    return found[:, None] if found.ndim == 1 else found


def _by_part(found: Margins, parts: Mapping[str, Sequence[Sample]]) -> dict[str, Margins]:
    ends = np.cumsum([len(samples) for samples in parts.values()])
    return dict(zip(parts, np.split(found, ends[:-1]), strict=True))


def _weights(fitted: Any) -> int:
    machines = [one for one in fitted.estimators_ if hasattr(one, "coef_")]
    terms = machines[0].coef_.shape[1] if machines else 0
    return int(sum(one.coef_.size + one.intercept_.size for one in machines) + terms)
