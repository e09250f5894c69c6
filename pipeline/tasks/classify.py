"""Classification: one label a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora import formats
from corpora.document import Document
from corpora.normalise import normaliser
from pipeline.config.corpus import CorpusSettings
from pipeline.config.settings import Settings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import Point, ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.task import Claim, Prediction, Task

if TYPE_CHECKING:
    from pipeline.evaluation.report.report import Detail, Report


class Classify(Task):
    """Answers with the most probable label; the probabilities are the softmax of the scores."""

    single_label: ClassVar[bool] = True
    claimed = ("labelled row", "labelled rows")
    headlines: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "macro_f1": "macro F1"}

    def __init__(self, labels: Labels = NO_LABELS, temperature: float = 1.0) -> None:
        self.labels = labels
        self.temperature = temperature

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """A classifier has no settings of its own."""
        return cls()

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The rows of a table."""
        return formats.read(
            path,
            corpus.format,
            text=corpus.text_columns,
            label=corpus.label,
            encoding=corpus.encoding,
            normalise=normaliser(corpus.nfkc, corpus.simplify),
        )

    def gold(self, document: Document) -> str | None:
        """The label."""
        return document.label

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError where there are fewer than two labels."""
        labels = {document.label for document in train}
        if len(labels) < 2:
            found = f"only {next(iter(labels))!r}" if labels else "none"
            raise PipelineError(
                f'{corpus.train}: a classifier needs at least two labels in column "{corpus.label}", found {found}: '
                "check corpus.label, or add rows of another label"
            )

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """With the labels of the train split."""
        return type(self)(Labels.build(golds))

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text; a gold label that the train split doesn't have gives no target."""
        known = [self.labels.id(gold) if gold is not None and gold in self.labels else None for gold in golds]
        return encoder.examples(texts, known)

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """Cross-entropy."""
        from pipeline.training import losses

        return losses.CrossEntropy(settings.label_smoothing)

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]
    ) -> tuple[Self, dict[str, Any], Sequence[Point]]:
        """With the temperature that fits dev best: `calibration.measure`."""
        dev = self.examples(encoder, texts, golds)
        targets = [example.target if isinstance(example.target, int) else None for example in dev]
        about, points = calibration.calibrated_rows(self.scores(network, dev), targets)
        return type(self)(self.labels, about.pop("temperature")), about, points

    def save(self, folder: Path) -> dict[str, Any]:
        """What scores are divided by."""
        return {"temperature": self.temperature}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """The labels and the temperature."""
        return cls(labels, float(options["temperature"]))

    def predict(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Prediction]:
        """The label of each text, whatever the batches."""
        return self.decode(self.scores(network, encoder.examples(texts, [None] * len(texts))))

    def scores(self, network: OnnxNetwork, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Logits (examples, labels)."""
        scores = np.zeros((len(examples), self.head()), np.float32)
        for batch, found in network.answers(examples, self.head()):
            scores[batch.positions] = found
        return scores

    def decode(self, scores: NDArray[np.float32]) -> list[Prediction]:
        """Scores (batch, labels) -> the label of the greatest, its probability at the temperature, and all of them."""
        # In float64, so that no two scores become equal, and no answer another one.
        probabilities = softmax(scores.astype(np.float64) / self.temperature)
        best = probabilities.argmax(axis=1).tolist()
        names = self.labels.names
        return [
            Prediction(names[index], row[index], tuple(row))
            for index, row in zip(best, probabilities.tolist(), strict=True)
        ]

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """The label."""
        return () if prediction.value is None else (Claim(prediction.value, prediction.score),)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Accuracy, macro F1, and mean cross-entropy (nats; of rows whose label train has)."""
        found = self.score(outcomes)
        of_gold = [
            outcome.probabilities[self.labels.id(outcome.gold)]
            for outcome in outcomes
            if outcome.gold is not None and outcome.gold in self.labels
        ]
        loss = -np.mean(np.log(np.maximum(of_gold, 1e-12))) if of_gold else np.nan
        return {"accuracy": found["accuracy"], "macro_f1": found["macro_f1"], "loss": float(loss)}

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Accuracy, F1 and their like: `evaluation.scores.classification`."""
        from pipeline.evaluation.metrics import scores

        return scores.classification(outcomes, self.labels.names)

    def claimed_of(self, outcomes: Sequence[Outcome]) -> ScoredClaims:
        """A label a row."""
        return ScoredClaims.from_rows(outcomes, self.temperature)

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`accuracy`."""
        from pipeline.evaluation.metrics import slices

        return slices.accuracy(self.labels.names)(outcomes)

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.report.write`."""
        from pipeline.evaluation.report import report

        report.write(folder, written, outcomes, self.labels.names, **vars(detail))

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`label`, `confidence` and `p:LABEL` of each label."""
        return ("label", "confidence", *(f"p:{name}" for name in self.labels.names if probabilities))

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """Probabilities with 4 decimals; all cells blank for a text with nothing in it."""
        if prediction.value is None:
            return ("",) * len(self.columns(probabilities))
        shown = prediction.distribution if probabilities else ()
        return (prediction.value, f"{prediction.score:.4f}", *(f"{share:.4f}" for share in shown))


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """exp(s) / sum exp(s) over the last axis, shifted by the greatest so that nothing overflows.

    >>> softmax(np.array([[1000.0, 1000.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]
