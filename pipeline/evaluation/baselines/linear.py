"""Baselines of classifiers: the majority class, and TF-IDF with a linear SVM or logistic regression."""

import difflib
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PipelineError
from pipeline.evaluation.fitting import ALONE, Fitting, answers
from pipeline.evaluation.memory import Basis, fingerprint, libraries
from pipeline.evaluation.metrics.scores import Scores, compare, label_names

# Name -> its terms and its classifier; the majority class has neither.
BASELINES: dict[str, tuple[str, str]] = {
    "majority": ("", ""),
    "tfidf_words_svc": ("words", "svc"),
    "tfidf_words_logistic": ("words", "logistic"),
    "tfidf_characters_svc": ("characters", "svc"),
    "tfidf_characters_logistic": ("characters", "logistic"),
}
VERSION = 1  # of the answers: raise it if the same texts would get others, so that old ones are not taken for current
LIBRARIES = ("numpy", "scipy", "scikit-learn")
LOGISTIC_C = 10.0  # the inverse of the penalty of logistic regression


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled text as baselines see it: its words, cut by our segmenter, and the text.

    A tagger's has `tags`, one of several labels `labels`.
    """

    tokens: Sequence[str]
    text: str
    label: str = ""
    tags: Sequence[str] = ()
    labels: tuple[str, ...] = ()


Keep = Callable[[str, Mapping[str, Sequence[Any]]], object]  # called with a baseline's name and its answers by part


@dataclass(frozen=True, slots=True)
class Features:
    """TF-IDF matrices (rows, terms) of the training texts and of the rows to label, and the `seconds` they took."""

    train: Any
    rows: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class BaselineAnswers:
    """A baseline's label of each row, the number of its weights, and the seconds to train and predict."""

    labels: list[str]
    weights: int
    seconds: float


def majority(train: Sequence[Sample], rows: Sequence[Sample], labels: Sequence[str]) -> list[str]:
    """The most frequent label of `train`, for each of `rows`; the first of `labels` if several are most frequent.

    >>> good, bad = Sample(["好吃"], "好吃", "好评"), Sample(["难吃"], "难吃", "差评")
    >>> majority([good, bad, good], [bad], ["差评", "好评"])
    ['好评']
    """
    check(train)
    counts = Counter(sample.label for sample in train)
    winner = max(label_names(labels, counts), key=lambda name: counts[name])
    return [winner] * len(rows)


class Contest:
    """Baselines that are trained on `train` and label `rows`, and share the features of the texts.

    `labels` sets the order of the classes. Raises PipelineError if `train` is empty.
    """

    def __init__(self, train: Sequence[Sample], rows: Sequence[Sample], labels: Sequence[str]) -> None:
        check(train)
        self.train = train
        self.rows = rows
        self.names = label_names(labels, {sample.label for sample in train})
        self._features: dict[str, Features] = {}

    def answer(self, name: str) -> BaselineAnswers:
        """The answers of the baseline `name`, the same at each call.

        The features are the TF-IDF of 1- and 2-grams of tokens, or of 1- to 3-grams of characters; a count c counts as
        1 + log c. The classifier is scikit-learn's LinearSVC, or one LogisticRegression per label. If nothing can be
        learnt (`train` has one label, or no term) the answer is that of `majority`. Raises PipelineError for a name
        that is not in `BASELINES`.
        """
        unit, machine = terms_and_machine(name)
        start = time.perf_counter()
        if not unit or not self.rows or not _can_learn(self.train, unit):
            return BaselineAnswers(majority(self.train, self.rows, self.names), 1, time.perf_counter() - start)
        if unit not in self._features:
            self._features[unit] = tfidf(self.train, self.rows, unit)
        features, start = self._features[unit], time.perf_counter()
        place = {label: number for number, label in enumerate(self.names)}
        fitted = _fit(machine, features.train, [place[sample.label] for sample in self.train])
        answers = [self.names[number] for number in fitted.predict(features.rows)]
        return BaselineAnswers(answers, _weights(fitted), features.seconds + time.perf_counter() - start)

    def basis(self, name: str) -> Basis:
        """What the answers of the baseline `name` depend on."""
        return basis(name, self.train, self.rows, self.names)

    def packed(self, answers: BaselineAnswers) -> dict[str, Any]:
        """Answers as JSON: the place of each row's label in `names`, the weights and the seconds."""
        place = {label: number for number, label in enumerate(self.names)}
        labels = [place[label] for label in answers.labels]
        return {"labels": labels, "weights": answers.weights, "seconds": answers.seconds}

    def unpacked(self, content: Mapping[str, Any]) -> BaselineAnswers:
        """The answers that `packed` gave. Raises KeyError, TypeError or ValueError for anything else."""
        labels = chosen(content["labels"], self.names)
        if len(labels) != len(self.rows):
            raise ValueError(f"it has {len(labels)} answers to {len(self.rows)} rows")
        return BaselineAnswers(labels, int(content["weights"]), float(content["seconds"]))


def basis(name: str, train: Sequence[Sample], rows: Sequence[Sample], names: Sequence[str]) -> dict[str, Any]:
    """What the answers of a linear baseline depend on: what it reads of the texts, labels, and versions."""
    unit, _ = terms_and_machine(name)
    read = _units if unit else lambda samples, unit: ("" for _ in samples)
    golds = ([sample.label, sample.labels] for sample in train)
    return {
        "baseline": name,
        "version": VERSION,
        "libraries": libraries(*LIBRARIES),
        "labels": list(names),
        "train": fingerprint(zip(read(train, unit), golds, strict=True)),
        "rows": fingerprint(read(rows, unit)),
    }


def chosen(places: Sequence[int], names: Sequence[str]) -> list[str]:
    """The names at `places`. Raises ValueError if a place is none."""
    if not all(isinstance(place, int) and 0 <= place < len(names) for place in places):
        raise ValueError(f"it has answers that are not among the {len(names)} labels")
    return [names[place] for place in places]


def grouped(names: Sequence[str]) -> list[list[str]]:
    """The names of baselines, those of the same terms together, the terms that take longest first."""
    units = ("characters", "words", "")
    found = {unit: [name for name in names if terms_and_machine(name)[0] == unit] for unit in units}
    return [group for group in found.values() if group]


def terms_and_machine(name: str) -> tuple[str, str]:
    """A baseline's entry in `BASELINES`. Raises PipelineError for a name that is not there."""
    if name not in BASELINES:
        nearest = difflib.get_close_matches(name, BASELINES, n=1, cutoff=0.0)
        raise PipelineError(f'no baseline "{name}"; there are {", ".join(BASELINES)}: did you mean "{nearest[0]}"?')
    return BASELINES[name]


def run(
    names: Sequence[str],
    train: Sequence[Sample],
    parts: Mapping[str, Sequence[Sample]],
    labels: Sequence[str] = (),
    *,
    fitting: Fitting = ALONE,
    advance: Callable[[int], object] = lambda finished: None,
    keep: Keep = lambda name, predicted: None,
) -> dict[str, dict[str, Any]]:
    """Train the baselines `names` on `train` and score each part: {name: {part: scores, and `costs`}}.

    `parts` is usually {"dev": [...], "test": [...]}. The scores are those of `scores.compare`. `keep` is called with
    the name of each baseline and its predictions for each part, and `advance` with 1 when it is fitted. Raises what
    `Contest` raises.
    """
    known = label_names(labels, {sample.label for sample in train})
    if not names:
        return {}
    contest = Contest(train, _together(parts), known)
    found = answers(grouped(names), contest, fitting, advance)
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        fitted, remembered = found[name]
        predicted = _by_part(fitted.labels, parts)
        keep(name, predicted)
        results[name] = {**_scored(predicted, parts, known), **costs(fitted.seconds, fitted.weights, remembered)}
    return results


def costs(seconds: float, weights: int, remembered: bool) -> dict[str, Any]:
    """What a baseline cost, as reports have it.

    `seconds`: the time to train and to predict, of the evaluation that did so; `remembered`: only there, and True, if
    that was an earlier one; `weights`: how many numbers were learnt.
    """
    return {"seconds": seconds, "weights": weights, **({"remembered": True} if remembered else {})}


def _together(parts: Mapping[str, Sequence[Sample]]) -> list[Sample]:
    return [sample for samples in parts.values() for sample in samples]


def _by_part(answers: Sequence[str], parts: Mapping[str, Sequence[Sample]]) -> dict[str, list[str]]:
    left = iter(answers)
    return {part: [next(left) for _ in samples] for part, samples in parts.items()}


def _scored(
    predicted: Mapping[str, list[str]], parts: Mapping[str, Sequence[Sample]], labels: Sequence[str]
) -> dict[str, Scores]:
    return {
        part: compare([sample.label for sample in samples], predicted[part], labels) for part, samples in parts.items()
    }


def check(train: Sequence[Sample]) -> None:
    """Raises PipelineError if there is nothing to train on."""
    if not train:
        raise PipelineError("baselines: expected training rows, got none: check the train split")


def _vectorizer(unit: str) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if unit == "characters":
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return TfidfVectorizer(preprocessor=list, tokenizer=list, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)


def _units(samples: Sequence[Sample], unit: str) -> Iterator[str | Sequence[str]]:
    return (sample.text if unit == "characters" else sample.tokens for sample in samples)


def has_terms(samples: Sequence[Sample], unit: str) -> bool:
    """Whether any text has something to count."""
    return any(_units(samples, unit))


def _can_learn(train: Sequence[Sample], unit: str) -> bool:
    return len({sample.label for sample in train}) > 1 and has_terms(train, unit)


def tfidf(train: Sequence[Sample], rows: Sequence[Sample], unit: str) -> Features:
    """The TF-IDF of "words" or "characters", fitted on `train`."""
    start, vectorizer = time.perf_counter(), _vectorizer(unit)
    of_train = vectorizer.fit_transform(_units(train, unit))
    of_rows = vectorizer.transform(_units(rows, unit))
    return Features(of_train, of_rows, time.perf_counter() - start)


def _fit(machine: str, features: Any, targets: list[int]) -> Any:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A baseline that has not converged is good enough.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _machine(machine).fit(features, targets)


def _machine(machine: str) -> Any:
    from sklearn.multiclass import OneVsRestClassifier

    return binary_machine(machine) if machine == "svc" else OneVsRestClassifier(binary_machine(machine))


def binary_machine(machine: str) -> Any:
    """scikit-learn's LinearSVC for "svc", else its LogisticRegression, not trained."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    if machine == "svc":
        return LinearSVC(random_state=0)
    # The dual problem is faster if there are more terms than texts: most corpora have far more.
    return LogisticRegression(C=LOGISTIC_C, solver="liblinear", dual=True, random_state=0)


def _weights(fitted: Any) -> int:
    """How many numbers were learnt: a weight per term and label, a bias per label, an IDF per term."""
    machines = getattr(fitted, "estimators_", [fitted])
    return int(sum(one.coef_.size + one.intercept_.size for one in machines) + machines[0].coef_.shape[1])
