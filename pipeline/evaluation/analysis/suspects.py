"""Suspects: rows whose label looks wrong, since models that have not seen them expect another one."""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.scores import label_names

FOLDS = 5
FEWEST = 2 * FOLDS  # rows of a label, for it to be judged at all
EXAMPLES = 10
SAMPLES = 200_000  # most rows that are judged


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A text with the label that it was given: of which part, and which row in its source."""

    part: str
    row: int
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label may be wrong; `confidence`: probabilities, 0 to 1, of the given and of the expected label."""

    labelled: LabelledRow
    expected: str
    confidence: float
    given_confidence: float


def find(
    rows: Sequence[LabelledRow], labels: Sequence[str] = (), *, advance: Callable[[int], object] = lambda finished: None
) -> list[Suspect]:
    """The rows whose label is likely to be wrong, the most doubtful first, by confident learning.

    Northcutt, Jiang and Chuang (JAIR, 2021), as cleanlab implements it: a row is suspected where its probability of
    another label reaches that label's average, as many rows of each pair of labels as the joint distribution of given
    and true labels asks for. The probabilities come from TF-IDF of characters with logistic regression (by gradient
    descent, one label against the rest), trained on `FOLDS` - 1 of as many parts and asked of the last; rows of one
    text are in one part. Labels with less than
    `FEWEST` rows are left alone. `advance(1)` is called after each of the `FOLDS` trainings.
    """
    counts = Counter(row.label for row in rows)
    judged = [row for row in rows if counts[row.label] >= FEWEST and row.text.strip()][:SAMPLES]
    names = [name for name in label_names(labels, counts) if counts[name] >= FEWEST]
    place = {name: number for number, name in enumerate(names)}
    given = np.array([place[row.label] for row in judged], np.int64)
    if len(set(given.tolist())) < 2 or len(set(given.tolist())) < len(names):
        return []
    probabilities = _out_of_fold([row.text for row in judged], given, len(names), advance)
    return [
        Suspect(
            judged[index],
            names[int(probabilities[index].argmax())],
            float(probabilities[index].max()),
            float(probabilities[index, given[index]]),
        )
        for index in _issues(given, probabilities)
        if probabilities[index].argmax() != given[index]
    ]


def summary(suspects: Sequence[Suspect]) -> dict[str, Any]:
    """For a report: `count`, by part, and the first `examples`."""
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
    """Rows of a run's parts (`row`, `label`, `tokenised.text`) as `find` takes them."""
    return [LabelledRow(part, row.row, row.tokenised.text, row.gold) for part, rows in parts.items() for row in rows]


def _out_of_fold(
    texts: Sequence[str], given: NDArray[np.int64], labels: int, advance: Callable[[int], object]
) -> NDArray[np.float64]:
    """Probabilities (rows, labels), each row's from a model that was trained without its text."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    folds = np.array([int(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % FOLDS for text in texts])
    # No label is used here, so that to weigh the terms over all rows gives nothing away.
    features = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True).fit_transform(texts)
    probabilities = np.zeros((len(texts), labels))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(inside) and len(set(given[outside].tolist())) > 1:
            model = _fit(features[outside], given[outside])
            probabilities[np.ix_(inside, model.classes_)] = model.predict_proba(features[inside])
        else:
            probabilities[inside] = 1 / labels
        advance(1)
    return probabilities


def _fit(features: Any, targets: NDArray[np.int64]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import SGDClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return SGDClassifier(loss="log_loss", alpha=1e-4, max_iter=20, random_state=0).fit(features, targets)


def _issues(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[int]:
    from cleanlab.filter import find_label_issues

    found: list[int] = find_label_issues(
        given, probabilities, filter_by="prune_by_noise_rate", return_indices_ranked_by="normalized_margin", n_jobs=1
    ).tolist()
    return found
