"""An estimator for scikit-learn: MultilabelTextClassifier, which gives a text any number of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import MultiLabelBinarizer

from corpora.label_sets import SEPARATORS
from corpora.labels import bare
from corpora.table import TableWriter
from pipeline.models.texts import checked_texts
from zhpipe import fitting
from zhpipe.estimators import Fitted


class MultilabelTextClassifier(ClassifierMixin, Fitted):  # type: ignore[misc]  # scikit-learn has no types
    """Gives each text any number of classes, with a recurrent network that has one sigmoid a class.

    y is a list of the classes of each text (a list, tuple or set of names, perhaps empty), or an indicator matrix
    (texts, classes), whose classes are the numbers of its columns. Predictions have the form of y: tuples or a matrix.

    Arguments: as of `TextClassifier`. The texts that `dev_share` sets aside also choose the thresholds. Fitted:
    `classes_`, sorted; `class_prior_`, the share of the texts of each; `model_`, whose `predict` gives confidences, and
    `packed_`, the bytes of the model folder.

    >>> MultilabelTextClassifier(cell="gru", epochs=3)
    MultilabelTextClassifier(cell='gru', epochs=3)
    """

    classes_: NDArray[Any]
    class_prior_: NDArray[np.float64]
    is_matrix_: bool

    def __init__(
        self,
        *,
        unit: str | None = None,
        cell: str | None = None,
        units: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        dev_share: float = 0.1,
        seed: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.unit = unit
        self.cell = cell
        self.units = units
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.dev_share = dev_share
        self.seed = seed
        self.settings = settings

    def fit(self, X: Iterable[str], y: Any) -> Self:
        """Trains on texts and their classes. Texts of white space are left out.

        Raises ValueError for anything that is no text, naming its position, for other lengths of X and y, and for
        classes that can't be read; SettingsError and PipelineError as `zhpipe.run` does.
        """
        texts, is_matrix = checked_texts(X), _is_matrix(y)
        golds = [tuple(map(str, np.flatnonzero(row))) for row in np.asarray(y)] if is_matrix else _checked_sets(y)
        if len(texts) != len(golds):
            raise ValueError(f"expected classes for each text, received {len(texts)} texts and classes of {len(golds)}")
        binarizer = MultiLabelBinarizer(classes=[str(n) for n in range(np.asarray(y).shape[1])] if is_matrix else None)
        flags = binarizer.fit_transform(golds)
        separator = _separator(binarizer.classes_)

        def write(path: Path) -> None:
            with TableWriter(path, ("text", "label")) as table:
                for text, gold in zip(texts, golds, strict=True):
                    table.write((text, list(gold)))

        chosen = {**self._settings(), "task": "multilabel", "corpus.label_separator": separator}
        self.packed_ = fitting.train(write, "texts.jsonl", chosen)
        self.classes_ = np.arange(len(binarizer.classes_)) if is_matrix else np.asarray(binarizer.classes_)
        self.class_prior_, self.is_matrix_ = flags.mean(axis=0), is_matrix
        return self

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """Calibrated probabilities, each class by itself, (texts, classes). A blank text gets `class_prior_`."""
        texts, model = checked_texts(X), self.model_
        found = np.zeros((len(texts), len(self.classes_)))
        order = self._columns(model.labels.names)
        for row, prediction in zip(found, model.predict(texts), strict=True):
            if prediction.is_blank:
                row[:] = self.class_prior_
            else:
                row[order] = prediction.distribution
        return found

    def predict(self, X: Iterable[str]) -> Any:
        """The classes of each text whose probabilities reach their thresholds; of a blank text none."""
        texts, model = checked_texts(X), self.model_
        chosen = [prediction.chosen for prediction in model.predict(texts)]
        if not self.is_matrix_:
            return chosen
        matrix = np.zeros((len(texts), len(self.classes_)), int)
        for row, names in zip(matrix, chosen, strict=True):
            row[self._columns(names)] = 1
        return matrix

    def score(self, X: Iterable[str], y: Any) -> float:
        """The share of texts whose classes are all right."""
        found = self.predict(X)
        if self.is_matrix_:
            return float((found == np.asarray(y)).all(axis=1).mean())
        right = [set(one) == set(other) for one, other in zip(found, _checked_sets(y), strict=True)]
        return sum(right) / max(1, len(right))

    def _columns(self, names: Sequence[str]) -> list[int]:
        """The columns of classes by their names in the model."""
        place = {str(name): column for column, name in enumerate(self.classes_.tolist())}
        return [place[name] for name in names]


def _is_matrix(y: Any) -> bool:
    """Whether y is an indicator matrix: two dimensions of 0 and 1, at least one column."""
    if not isinstance(y, np.ndarray) and not hasattr(y, "columns"):
        return False
    values = np.asarray(y)
    return values.ndim == 2 and values.shape[1] > 0 and bool(np.isin(values, (0, 1)).all())


def _checked_sets(y: Iterable[Any]) -> list[tuple[str, ...]]:
    """The classes of each text, sorted. Raises ValueError naming the text for what is no set of names."""
    found = []
    for place, names in enumerate(y):
        if isinstance(names, str) or not isinstance(names, list | tuple | set | frozenset | np.ndarray):
            raise ValueError(
                f"y[{place}]: expected a list of classes, or all of y an indicator matrix, received {names!r}"
            )
        for name in names:
            if not isinstance(name, str) or not name or bare(name) != name:
                raise ValueError(f"y[{place}]: expected names without white space at their ends, received {name!r}")
        found.append(tuple(sorted(set(names))))
    return found


def _separator(names: Iterable[str]) -> str:
    """A mark that no name has inside, to join names with in files. Raises ValueError if there is none."""
    found = next((mark for mark in SEPARATORS if not any(mark in name for name in names)), None)
    if found is None:
        raise ValueError(f"expected classes without one of the marks {' '.join(SEPARATORS)}, to join them with")
    return found
