"""Label errors, found by confident learning: models that were trained without a row expect another label."""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.fitting import ALONE, Fitting
from pipeline.evaluation.memory import fingerprint, libraries
from pipeline.evaluation.metrics.scores import label_names

NAME = "suspects"
VERSION = 1  # of the answers: raise it if the same rows would get others, so that old ones are not taken for current
FOLDS = 5
FEWEST = 2 * FOLDS  # rows that a label must have to be checked
EXAMPLES = 10
SAMPLES = 200_000  # most rows that are checked


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A text and the label it was given; `part`: train, dev or test; `row`: its row in the source."""

    part: str
    row: int
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A possible label error; `confidence`, `given_confidence`: probabilities of the expected and the given label."""

    labelled: LabelledRow
    expected: str
    confidence: float
    given_confidence: float


# A row's place among those judged, the place of the expected label, and the probabilities of a `Suspect`.
Found = tuple[int, int, float, float]


def find(
    rows: Sequence[LabelledRow],
    labels: Sequence[str] = (),
    *,
    fitting: Fitting = ALONE,
    advance: Callable[[int], object] = lambda finished: None,
) -> list[Suspect]:
    """The rows whose label is probably wrong, the most doubtful first, by confident learning.

    Northcutt, Jiang and Chuang (JAIR, 2021), as implemented by cleanlab: a row counts for the pair (given, other label)
    if its probability of the other label reaches that label's average. These counts estimate the joint distribution of
    given and true labels, which says how many rows of each pair are label errors. The probabilities are out of fold:
    from logistic regression (stochastic gradient descent, one label against the rest) on TF-IDF of characters, with
    `FOLDS` folds; rows with the same text are in the same fold. Labels with fewer than `FEWEST` rows are not checked.
    `advance(1)` is called after each fold. Where they are remembered, nothing is fitted.
    """
    counts = Counter(row.label for row in rows)
    judged = [row for row in rows if counts[row.label] >= FEWEST and row.text.strip()][:SAMPLES]
    names = [name for name in label_names(labels, counts) if counts[name] >= FEWEST]
    place = {name: number for number, name in enumerate(names)}
    given = np.array([place[row.label] for row in judged], np.int64)
    if len(set(given.tolist())) < 2 or len(set(given.tolist())) < len(names):
        return []
    texts = [row.text for row in judged]
    basis = {
        "version": VERSION,
        "libraries": libraries("numpy", "scipy", "scikit-learn", "cleanlab"),
        "labels": names,
        "texts": fingerprint(texts),
        "given": fingerprint(given.tolist()),
    }
    found = fitting.memory.recall(NAME, basis, lambda content: _checked(content, len(judged), len(names)))
    if found is None:
        found = _doubtful(given, _out_of_fold(texts, given, len(names), fitting.workers, advance))
        fitting.memory.keep(NAME, basis, found)
    else:
        advance(FOLDS)
    return [Suspect(judged[row], names[expected], *confidences) for row, expected, *confidences in found]


def _doubtful(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[Found]:
    expected = probabilities.argmax(axis=1).tolist()
    return [
        (row, expected[row], float(probabilities[row].max()), float(probabilities[row, given[row]]))
        for row in _issues(given, probabilities)
        if expected[row] != given[row]
    ]


def _checked(content: Any, rows: int, labels: int) -> list[Found]:
    """What `_doubtful` gave, from JSON. Raises TypeError or ValueError for anything else."""
    found = [(row, expected, float(confidence), float(own)) for row, expected, confidence, own in content]
    if not all(0 <= row < rows and 0 <= expected < labels for row, expected, *_ in found):
        raise ValueError(f"it is not about {rows} rows with {labels} labels")
    return found


def summary(suspects: Sequence[Suspect]) -> dict[str, Any]:
    """The possible label errors as a report holds them: `count`, `parts` (counts), and the first `examples`."""
    return {
        "count": len(suspects),
        "parts": dict(Counter(suspect.labelled.part for suspect in suspects)),
        "examples": [
            {
                "part": suspect.labelled.part,
                "row": suspect.labelled.row,
                "text": suspect.labelled.text,
                "given": suspect.labelled.label,
                "expected": suspect.expected,
            }
            for suspect in suspects[:EXAMPLES]
        ],
    }


def by_part(parts: Mapping[str, Sequence[Any]]) -> list[LabelledRow]:
    """The rows of a run's parts as `find` takes them."""
    return [LabelledRow(part, row.row, row.tokenised.text, row.gold) for part, rows in parts.items() for row in rows]


def _out_of_fold(
    texts: Sequence[str], given: NDArray[np.int64], labels: int, threads: int, advance: Callable[[int], object]
) -> NDArray[np.float64]:
    """Probabilities (rows, labels), those of a row from a model that was trained without its text."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    folds = np.array([int(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % FOLDS for text in texts])
    # The features use no labels, so computing them over all rows leaks nothing.
    features = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True).fit_transform(texts)
    probabilities = np.zeros((len(texts), labels))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(inside) and len(set(given[outside].tolist())) > 1:
            model = _fit(features[outside], given[outside], threads)
            probabilities[np.ix_(inside, model.classes_)] = model.predict_proba(features[inside])
        else:
            probabilities[inside] = 1 / labels
        advance(1)
    return probabilities


def _fit(features: Any, targets: NDArray[np.int64], threads: int) -> Any:
    """Logistic regression; each label has a random state of its own, so that threads change nothing."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import SGDClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SGDClassifier(loss="log_loss", alpha=1e-4, max_iter=20, random_state=0, n_jobs=threads)
        return model.fit(features, targets)


def _issues(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[int]:
    from cleanlab.filter import find_label_issues

    found: list[int] = find_label_issues(
        given, probabilities, filter_by="prune_by_noise_rate", return_indices_ranked_by="normalized_margin", n_jobs=1
    ).tolist()
    return found
