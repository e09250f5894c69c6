"""Classification: one label a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora import formats
from corpora.document import Document
from corpora.normalise import normaliser
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.errors import PipelineError
from pipeline.evaluation.baselines.linear import Keep, Sample
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Advance
from pipeline.tasks.answerer import Answerer, Calibrated
from pipeline.tasks.head import Head
from pipeline.tasks.judge import Judge
from pipeline.tasks.label_match import known_labels
from pipeline.tasks.output import Output
from pipeline.tasks.prediction import Claim, Prediction
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.config.corpus import CorpusSettings
    from pipeline.config.settings import Settings
    from pipeline.config.train import TrainSettings
    from pipeline.evaluation.fitting import Fitting
    from pipeline.evaluation.report.report import Detail, Report


RENAMED = "renamed:"  # in counts, before the old name of a label


@dataclass(frozen=True)
class Classify(Task[str]):
    """Gives each text one of the labels of the train split."""

    name: ClassVar[str] = "classify"

    labels: Labels = NO_LABELS

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """A classifier has no settings of its own."""
        return cls()

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The rows of a table, with the labels that the settings give them; counts the rows of each renamed label."""
        documents = table_rows(path, corpus, counts)
        return _renamed(documents, corpus.label_map, counts) if corpus.label_map else documents

    def gold(self, document: Document) -> str | None:
        """The label."""
        return document.label

    def with_gold(self, document: Document, gold: str) -> Document:
        """With another label."""
        return replace(document, label=gold)

    def parse_gold(self, text: str) -> str:
        """The label."""
        return text

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError if there are fewer than two labels."""
        labels = {self.gold(document) for document in train}
        if len(labels) < 2:
            found = f"only {next(iter(labels))!r}" if labels else "none"
            raise PipelineError(
                f'{corpus.train}: a classifier needs at least two labels in column "{corpus.label}", found {found}: '
                "check corpus.label, or add rows of another label"
            )

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """With the labels of the train split."""
        return replace(self, labels=Labels.build(golds))

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text; a gold label that the train split lacks gives no target."""
        known = [self.labels.id(gold) if gold is not None and gold in self.labels else None for gold in golds]
        return encoder.examples(texts, known)

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """A classifier with these labels."""
        return cls(labels)

    @property
    def head(self) -> ClassifyHead:
        """A score a label."""
        return ClassifyHead(len(self.labels))

    @property
    def answerer(self) -> ClassifyAnswerer:
        """The most probable label."""
        return ClassifyAnswerer(self.labels)

    @property
    def judge(self) -> ClassifyJudge:
        """Accuracy, F1 and their like."""
        return ClassifyJudge(self.labels)


def table_rows(
    path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int], *, label_separator: str | None = None
) -> Iterator[Document]:
    """The rows of a table as the settings read it; oddities are counted in `counts`."""
    return formats.read(
        path,
        corpus.format,
        text=corpus.text_columns,
        label=corpus.label,
        options=corpus.table_options,
        label_separator=label_separator,
        normalise=normaliser(corpus.nfkc, corpus.simplify),
    ).counted(counts)


def _renamed(
    documents: Iterable[Document], names: Mapping[str, str], counts: MutableMapping[str, int]
) -> Iterator[Document]:
    for document in documents:
        label = document.label
        if label is not None and label in names:
            counts[f"{RENAMED}{label}"] = counts.get(f"{RENAMED}{label}", 0) + 1
            document = replace(document, label=names[label])
        yield document


class ClassifyHead(Head):
    """A logit a label."""

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """Cross-entropy."""
        from pipeline.training import losses

        return losses.CrossEntropy(settings.label_smoothing)


@dataclass(frozen=True)
class ClassifyAnswerer(Answerer[Prediction]):
    """Answers with the most probable label; the probabilities are the softmax of the scores."""

    labels: Labels
    temperature: float = 1.0

    @property
    def claimed(self) -> tuple[str, str]:
        """Each label is a claim."""
        return "labelled row", "labelled rows"

    @property
    def reviewed(self) -> str:
        """Rows, each of which has one label."""
        return "rows"

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]
    ) -> Calibrated:
        """With the temperature that `calibration.calibrated_rows` fits to dev."""
        targets = [self.labels.id(gold) if gold is not None and gold in self.labels else None for gold in golds]
        about, points = calibration.calibrated_rows(self.scores(network, encoder, texts), targets)
        return Calibrated(replace(self, temperature=about.pop("temperature")), about, points)

    def save(self, folder: Path) -> dict[str, Any]:
        """The temperature."""
        return {"temperature": self.temperature}

    def load(self, folder: Path, options: Mapping[str, Any]) -> Self:
        """With the temperature."""
        return replace(self, temperature=float(options["temperature"]))

    def predict_at(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], temperatures: Sequence[float]
    ) -> list[list[Prediction]]:
        """The label of each text; it does not depend on the other texts in a batch."""
        scores = self.scores(network, encoder, texts)
        return [self.decode(scores, temperature, texts) for temperature in temperatures]

    def scores(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> NDArray[np.float32]:
        """Logits float32 (texts, labels)."""
        return text_scores(network, encoder, texts, len(self.labels))

    def decode(self, scores: NDArray[np.float32], temperature: float, texts: Sequence[Tokenised]) -> list[Prediction]:
        """Logits (texts, labels) to the label of the highest, its probability, and the whole distribution."""
        # In float64, so that rounding makes no two scores equal and changes no answer.
        probabilities = softmax(scores.astype(np.float64) / temperature)
        best = probabilities.argmax(axis=1).tolist()
        names = self.labels.names
        return [
            Prediction(names[index], row[index], tuple(row), text=text.text, labels=names)
            for index, row, text in zip(best, probabilities.tolist(), texts, strict=True)
        ]

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """The label."""
        return () if prediction.value is None else (Claim(prediction.value, prediction.score),)

    @property
    def blank(self) -> Prediction:
        """No label."""
        return Prediction(None, 0.0)

    @property
    def output(self) -> ClassifyOutput:
        """The label, its confidence and the distribution."""
        return ClassifyOutput(self.labels)


def text_scores(
    network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], outputs: int
) -> NDArray[np.float32]:
    """A network's scores float32 (texts, outputs); those of a text do not depend on the other texts in a batch."""
    scores = np.zeros((len(texts), outputs), np.float32)
    for batch, found in network.answers(encoder.examples(texts, [None] * len(texts)), outputs):
        scores[batch.positions] = found
    return scores


@dataclass(frozen=True)
class ClassifyOutput(Output[Prediction]):
    """Writes labels."""

    labels: Labels

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`label`, `confidence`, and with `probabilities` a column `p:LABEL` for each label."""
        return ("label", "confidence", *(f"p:{name}" for name in self.labels.names if probabilities))

    def is_number(self, column: str) -> bool:
        """The confidence and the probabilities are."""
        return column != "label"

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """Probabilities with 4 decimals."""
        if prediction.value is None:
            return ("",) * len(self.columns(probabilities))
        shown = prediction.distribution if probabilities else ()
        return (prediction.value, f"{prediction.score:.4f}", *(f"{share:.4f}" for share in shown))


@dataclass(frozen=True)
class ClassifyJudge(Judge[str]):
    """Compares labels."""

    kind: ClassVar[str] = "classify"
    headlines: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "macro_f1": "macro F1"}
    single_label: ClassVar[bool] = True

    labels: Labels

    def outcome(
        self, row: int, text: Tokenised, gold: str, answer: Prediction, *, uncalibrated: Prediction | None = None
    ) -> Outcome:
        """The two labels; the confidence at the temperature 1 follows from the distribution."""
        return Outcome(
            row=row,
            text=text.text,
            gold=gold,
            predicted=str(answer.value),
            confidence=answer.score,
            probabilities=answer.distribution,
            tokens=tuple(text.tokens),
        )

    def matched(self, golds: Sequence[str], source: str, notify: Callable[[str], object]) -> list[str]:
        """See `known_labels`."""
        return known_labels(golds, self.labels.names, source, notify)

    def sample(self, text: Tokenised, gold: str) -> Sample:
        """The text and its label."""
        return Sample(text.tokens, text.text, gold)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Accuracy, macro F1, and the mean cross-entropy in nats over the rows whose label the train split has."""
        found = self.score(outcomes)
        of_gold = [
            outcome.probabilities[self.labels.id(outcome.gold)]
            for outcome in outcomes
            if outcome.gold is not None and outcome.gold in self.labels
        ]
        loss = -np.mean(np.log(np.maximum(of_gold, 1e-12))) if of_gold else np.nan
        return {"accuracy": found["accuracy"], "macro_f1": found["macro_f1"], "loss": float(loss)}

    def nothing_learnt(self, scores: Mapping[str, float], golds: Sequence[str]) -> str:
        """No better than the label that most rows have."""
        label, rows = Counter(golds).most_common(1)[0]
        share = rows / len(golds)
        return "" if scores["accuracy"] > share or share == 1 else f"no better than always {label!r} ({share:.4f})"

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """What `scores.classification` gives."""
        from pipeline.evaluation.metrics import scores

        return scores.classification(outcomes, self.labels.names)

    def claimed_of(self, outcomes: Sequence[Outcome], temperature: float) -> ScoredClaims:
        """A label a row."""
        return ScoredClaims.from_rows(outcomes, temperature)

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`accuracy`."""
        from pipeline.evaluation.metrics import slices

        return slices.accuracy(self.labels.names)(outcomes)

    def compare(
        self,
        names: Sequence[str],
        train: Sequence[Sample],
        asked: Mapping[str, Sequence[Sample]],
        encoder: Encoder,
        fitting: Fitting,
        advance: Advance,
        keep: Keep,
    ) -> dict[str, Any]:
        """The baselines of `evaluation.baselines.linear`."""
        from pipeline.evaluation.baselines import linear

        return linear.run(names, train, asked, self.labels.names, fitting=fitting, advance=advance, keep=keep)

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.report.report.write`."""
        from pipeline.evaluation.report import report

        report.write(
            folder,
            written,
            outcomes,
            self.labels.names,
            answers=detail.answers,
            explained=detail.explained,
            doubtful=detail.doubtful,
            locale=detail.locale,
            columns=detail.columns,
            excel_safe=detail.excel_safe,
        )


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """exp(s) / sum exp(s) over the last axis, shifted by the maximum so that nothing overflows.

    >>> softmax(np.array([[1000.0, 1000.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]
