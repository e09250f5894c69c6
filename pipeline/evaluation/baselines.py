"""Baselines that a trained model has to beat: the majority class, and TF-IDF with a linear SVM."""

import difflib
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.errors import PipelineError
from pipeline.evaluation.scores import Scores, compare, label_names


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled text as the baselines see it: its words, cut by our segmenter, and the text itself."""

    tokens: Sequence[str]
    text: str
    label: str


Keep = Callable[[str, dict[str, list[str]]], object]  # is handed a baseline's name, and its answers to each part
Predictor = Callable[[Sequence[Sample], Sequence[Sample], Sequence[str]], list[str]]


def majority(train: Sequence[Sample], rows: Sequence[Sample], labels: Sequence[str]) -> list[str]:
    """The most frequent label of `train` for each of `rows`; of equally frequent ones the first of `labels`.

    >>> good, bad = Sample(["好吃"], "好吃", "好评"), Sample(["难吃"], "难吃", "差评")
    >>> majority([good, bad, good], [bad], ["差评", "好评"])
    ['好评']
    """
    _check(train)
    counts = Counter(sample.label for sample in train)
    winner = max(label_names(labels, counts), key=lambda name: counts[name])
    return [winner] * len(rows)


def tfidf_svc(
    train: Sequence[Sample],
    rows: Sequence[Sample],
    labels: Sequence[str],
    unit: Literal["words", "characters"],
) -> list[str]:
    """The label of each of `rows` by TF-IDF and a linear SVM, scikit-learn's LinearSVC, trained on `train`.

    `unit = "words"` counts 1- and 2-grams of the tokens, "characters" 1- to 3-grams of the text, a count c
    weighing 1 + log c. The result is the same at each call. Where nothing can be learnt (one label, or no
    term at all in `train`) it is that of `majority`. Raises PipelineError when `train` is empty.
    """
    _check(train)
    if not _can_learn(train, unit):
        return majority(train, rows, labels)
    if not rows:
        return []
    names = label_names(labels, {sample.label for sample in train})
    place = {name: number for number, name in enumerate(names)}
    vectorizer = _vectorizer(unit)
    machine = _fit(vectorizer.fit_transform(_units(train, unit)), [place[sample.label] for sample in train])
    return [names[number] for number in machine.predict(vectorizer.transform(_units(rows, unit)))]


def _tfidf_words_svc(train: Sequence[Sample], rows: Sequence[Sample], labels: Sequence[str]) -> list[str]:
    return tfidf_svc(train, rows, labels, "words")


def _tfidf_characters_svc(train: Sequence[Sample], rows: Sequence[Sample], labels: Sequence[str]) -> list[str]:
    return tfidf_svc(train, rows, labels, "characters")


BASELINES: dict[str, Predictor] = {
    "majority": majority,
    "tfidf_words_svc": _tfidf_words_svc,
    "tfidf_characters_svc": _tfidf_characters_svc,
}


def predict(
    name: str,
    train: Sequence[Sample],
    parts: Mapping[str, Sequence[Sample]],
    labels: Sequence[str] = (),
) -> dict[str, list[str]]:
    """The labels that the baseline `name`, trained once on `train`, gives the samples of each part.

    `labels` sets the order of the classes; left out, it is that of their sorted names. Raises PipelineError
    for a name that is none of `BASELINES`, and when `train` is empty.
    """
    if name not in BASELINES:
        nearest = difflib.get_close_matches(name, BASELINES, n=1, cutoff=0.0)
        raise PipelineError(f'no baseline "{name}"; there are {", ".join(BASELINES)}: did you mean "{nearest[0]}"?')
    rows = [sample for samples in parts.values() for sample in samples]
    answers = iter(BASELINES[name](train, rows, labels))
    return {part: [next(answers) for _ in samples] for part, samples in parts.items()}


def run(
    names: Sequence[str],
    train: Sequence[Sample],
    parts: Mapping[str, Sequence[Sample]],
    labels: Sequence[str] = (),
    *,
    advance: Callable[[int], object] = lambda finished: None,
    keep: Keep = lambda name, predicted: None,
) -> dict[str, dict[str, Any]]:
    """Train the baselines `names` on `train` and score each part: {name: {part: scores, "seconds": float}}.

    `parts` is usually {"dev": [...], "test": [...]}; the scores are those of `scores.compare`, `seconds` the
    time to train and to predict. After each baseline `keep` is called with its name and what it predicted for each
    part, and `advance` with 1. Raises as `predict` does.
    """
    known = label_names(labels, {sample.label for sample in train})
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        start = time.perf_counter()
        predicted = predict(name, train, parts, known)
        seconds = time.perf_counter() - start
        keep(name, predicted)
        results[name] = {**_scored(predicted, parts, known), "seconds": seconds}
        advance(1)
    return results


def _scored(
    predicted: Mapping[str, list[str]], parts: Mapping[str, Sequence[Sample]], labels: Sequence[str]
) -> dict[str, Scores]:
    return {
        part: compare([sample.label for sample in samples], predicted[part], labels) for part, samples in parts.items()
    }


def _check(train: Sequence[Sample]) -> None:
    if not train:
        raise PipelineError("baselines: expected training rows, got none: check the train split")


def _vectorizer(unit: str) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if unit == "characters":
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return TfidfVectorizer(preprocessor=list, tokenizer=list, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)


def _units(samples: Sequence[Sample], unit: str) -> Iterator[str | Sequence[str]]:
    return (sample.text if unit == "characters" else sample.tokens for sample in samples)


def _can_learn(train: Sequence[Sample], unit: str) -> bool:
    return len({sample.label for sample in train}) > 1 and any(_units(train, unit))


def _fit(features: Any, targets: list[int]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        # The last step before the limit is a fair baseline too.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LinearSVC(random_state=0).fit(features, targets)
