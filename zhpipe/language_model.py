"""LanguageModel: an estimator for scikit-learn that learns which token follows which, and says how likely a text is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from corpora.table import TableWriter
from pipeline.models import language_model
from pipeline.models.texts import checked_texts
from zhpipe import fitting
from zhpipe.estimators import Fitted


class LanguageModel(Fitted):
    """A recurrent language model of texts.

    Arguments:
        unit: What a token is, "char" or "word".
        settings and the other arguments: As of TextClassifier.

    Fitted: `model_`, a `pipeline.models.language_model.LanguageModel` with `next`, `generate`, `stream` and `search`,
    and `packed_`, the bytes of the model folder.

    >>> LanguageModel(epochs=3).unit
    'char'
    """

    def __init__(
        self,
        *,
        unit: str = "char",
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

    @property
    def model_(self) -> language_model.LanguageModel:
        """The trained model. Raises NotFittedError before `fit`."""
        return language_model.LanguageModel.of(super().model_)

    def fit(self, X: Iterable[str], y: object = None) -> Self:
        """Trains on texts: a list, an array or a pandas Series. Texts of white space are left out; y is ignored.

        Raises ValueError for anything that is no text, naming its position; SettingsError and PipelineError as
        `zhpipe.run` does.
        """
        texts = checked_texts(X)

        def write(path: Path) -> None:
            with TableWriter(path, ("text",)) as table:
                for text in texts:
                    table.write((text,))

        self.packed_ = fitting.train(write, "texts.jsonl", {**self._settings(), "task": "language"})
        return self

    def score_samples(self, X: Iterable[str]) -> NDArray[np.float64]:
        """The natural logarithm of each text's probability, its end included, float64 (texts,)."""
        return np.array([found.log_probability for found in self.model_.score(X)], np.float64)

    def score(self, X: Iterable[str], y: object = None) -> float:
        """The mean of the natural logarithm of a token's probability, ends included: minus the log of the perplexity.

        Higher is better. y is ignored. Raises ValueError if there is no text.
        """
        found = self.model_.score(X)
        if not found:
            raise ValueError("expected texts, received none")
        return sum(one.log_probability for one in found) / sum(len(one.distribution) for one in found)
