"""The answerer of a multi-label classifier: the labels whose probabilities reach their thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import Labels
from pipeline.evaluation.metrics import calibration, label_thresholds
from pipeline.evaluation.metrics.label_thresholds import Scaling
from pipeline.evaluation.metrics.multilabel import indicators
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.answerer import Answerer, Calibrated
from pipeline.tasks.classify import ClassifyOutput, text_scores
from pipeline.tasks.multilabel.label_set import LabelSet
from pipeline.tasks.prediction import Claim, Prediction


@dataclass(frozen=True)
class MultilabelAnswerer(Answerer[Prediction]):
    """Answers with the labels whose probabilities, with 4 decimals, are their thresholds or more.

    The probability of a label is the sigmoid of its scaled logit. The confidence in the whole set is the probability
    that each label is rightly given or rightly left out, as if labels did not depend on each other: the product over
    all labels of p or 1 - p, to the power of 1 / `temperature`.

    Arguments:
        labels: their names.
        separator: joins the labels of an answer.
        never_empty: whether the label nearest to its threshold is given where none reaches it.
        scaling: of the logits; None before calibration.
        thresholds: one a label, 0 to 1; none before calibration, when all are 0.5.
        temperature: makes the confidence fit how often the whole set is right on dev.
    """

    labels: Labels
    separator: str
    never_empty: bool
    scaling: Scaling | None = None
    thresholds: tuple[float, ...] = ()
    temperature: float = 1.0

    @property
    def claimed(self) -> tuple[str, str]:
        """The set of labels as a whole is the claim."""
        return "labelled row", "labelled rows"

    @property
    def reviewed(self) -> str:
        """Rows, each of which has one set of labels."""
        return "rows"

    @property
    def facts(self) -> Mapping[str, Any]:
        """The separator of its labels, and their thresholds."""
        thresholds = dict(zip(self.labels.names, self._thresholds, strict=True))
        return {"label_separator": self.separator, "thresholds": thresholds}

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[tuple[str, ...]]
    ) -> Calibrated:
        """With scaled logits, thresholds, and a temperature that fit these texts, those of dev."""
        scores = self.scores(network, encoder, texts).astype(np.float64)
        gold = indicators(golds, self.labels.names)
        scaling = Scaling.fit(scores, gold)
        probabilities = scaling.probabilities(scores)
        fitted = replace(self, scaling=scaling, thresholds=tuple(label_thresholds.choose(gold, probabilities)))
        said = fitted.decide(probabilities)
        # A set with a label that the model does not have can't be right.
        right = (said == gold).all(axis=1) & np.array([set(names) <= set(self.labels.names) for names in golds], bool)
        logs = label_thresholds.log_confidence(probabilities, said)
        factor = calibration.temperature_of(lambda factor: np.exp(logs / factor), right)
        about, points = calibration.calibrated_claims(np.exp(logs), np.exp(logs / factor), right, factor)
        return Calibrated(replace(fitted, temperature=about.pop("temperature")), about, points)

    def save(self, folder: Path) -> dict[str, Any]:
        """The scaling of the logits, the thresholds and the temperature."""
        scaling = self.scaling or Scaling.none(len(self.labels))
        return {
            "temperature": self.temperature,
            "slopes": list(scaling.slopes),
            "offsets": list(scaling.offsets),
            "thresholds": list(self._thresholds),
        }

    def load(self, folder: Path, options: Mapping[str, Any]) -> Self:
        """As `save` left it. Raises ValueError unless each label has its numbers."""
        slopes, offsets, thresholds = (tuple(map(float, options[name])) for name in ("slopes", "offsets", "thresholds"))
        if not len(slopes) == len(offsets) == len(thresholds) == len(self.labels):
            raise ValueError(f"options: expected {len(self.labels)} slopes, offsets and thresholds, one a label")
        scaling, temperature = Scaling(slopes, offsets), float(options["temperature"])
        return replace(self, scaling=scaling, thresholds=thresholds, temperature=temperature)

    def predict_at(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], temperatures: Sequence[float]
    ) -> list[list[Prediction]]:
        """The labels of each text; a temperature changes the confidence in the whole set, and nothing else."""
        probabilities = self.probabilities(self.scores(network, encoder, texts))
        said = self.decide(probabilities)
        logs = label_thresholds.log_confidence(probabilities, said)
        rows = list(zip(texts, probabilities.tolist(), map(self._names, said), strict=True))
        return [
            [
                self._answer(text, row, chosen, confidence)
                for (text, row, chosen), confidence in zip(rows, np.exp(logs / temperature).tolist(), strict=True)
            ]
            for temperature in temperatures
        ]

    def scores(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> NDArray[np.float32]:
        """Logits float32 (texts, labels)."""
        return text_scores(network, encoder, texts, len(self.labels))

    def probabilities(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """The probability of each label, float64 (texts, labels)."""
        return (self.scaling or Scaling.none(len(self.labels))).probabilities(scores)

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which labels are given, (texts, labels)."""
        return label_thresholds.decide(probabilities, self._thresholds, self.never_empty)

    def choices(self, scores: NDArray[np.float32], lengths: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """1 for each label that is given: int32 (texts, labels)."""
        return self.decide(self.probabilities(scores)).astype(np.int32)

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """The set of labels."""
        return () if prediction.value is None else (Claim(prediction.value, prediction.score),)

    def labels_of(self, prediction: Prediction) -> Sequence[str]:
        """Each label by itself: the shares of whole sets are too small to compare."""
        return prediction.chosen

    @property
    def blank(self) -> LabelSet:
        """No answer."""
        return LabelSet(None, 0.0)

    @property
    def output(self) -> ClassifyOutput:
        """The joined labels, the confidence and the probability of each label."""
        return ClassifyOutput(self.labels)

    @property
    def _thresholds(self) -> tuple[float, ...]:
        return self.thresholds or (label_thresholds.EVEN,) * len(self.labels)

    def _names(self, said: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(self.labels.names[place] for place in np.flatnonzero(said))

    def _answer(
        self, text: Tokenised, probabilities: Sequence[float], chosen: tuple[str, ...], confidence: float
    ) -> LabelSet:
        return LabelSet(
            self.separator.join(chosen),
            confidence,
            tuple(probabilities),
            text=text.text,
            labels=self.labels.names,
            chosen=chosen,
        )
