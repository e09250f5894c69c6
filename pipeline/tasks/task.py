"""Task: all in which tasks differ, from the corpus that they read to the columns that they write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from corpora.document import Document
from pipeline.config.corpus import CorpusSettings
from pipeline.config.network import NetworkSettings
from pipeline.config.settings import Settings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Batch, Example, Feed
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import Labels
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.calibration import Point, ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Advance

if TYPE_CHECKING:
    from pipeline.evaluation.baselines.linear import Keep, Sample
    from pipeline.evaluation.report.report import Detail, Report
    from pipeline.networks.network import Tables


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one text.

    `value`: the answer, a label name, or None for a text with nothing in it; `score`: its probability, 0 to 1;
    `distribution`: the probability of each label, in the order of the model's labels, or empty.
    """

    value: str | None
    score: float
    distribution: tuple[float, ...] = ()


class Claim(NamedTuple):
    """What an answer says that is right or wrong by itself, such as an entity: its label, how sure it is, 0 to 1."""

    label: str
    confidence: float


class Learner(NamedTuple):
    """What training changes, a `keras.Model`, and what it hands that at each step beside the inputs of a batch."""

    network: Any
    feed: Feed | None = None


@dataclass(frozen=True)
class ScoredTwice:
    """Scores of the same texts by a trained network and by its graph.

    `trained`, `frozen`: float32 (batch, scores), or (batch, steps, scores) with `lengths` int64 (batch,), the steps of
    each text; what lies behind them is never looked at.
    """

    trained: NDArray[np.float32]
    frozen: NDArray[np.float32]
    lengths: NDArray[np.int64] | None

    @property
    def difference(self) -> float:
        """The greatest between the two."""
        return float(np.abs(self.frozen - self.trained)[self._inside].max(initial=0.0))

    @property
    def greatest(self) -> float:
        """The greatest score of the trained network, without its sign; NaN where one is no number."""
        return float(np.abs(self.trained)[self._inside].max(initial=0.0))

    @property
    def _inside(self) -> Any:
        return ... if self.lengths is None else np.arange(self.trained.shape[1]) < self.lengths[:, None]


class Task(ABC):
    """What a task reads, learns and answers.

    The settings make one, `fit` one that knows the train split, `with_weights` one that has all that a network learnt for it;
    `save` and `load` keep that in the model's folder. Gold answers go from stage to stage as text (`gold`), which only
    the task itself reads.

    `labels`: the names of what can be answered; `per_token`: whether every token gets scores, and not the text as a
    whole; `window`: how many steps training reads at a time, the network keeping its states, 0 for all of a text, None
    where it keeps none; `chained`: whether the network holds scores of neighbouring answers (`layers.TransitionScores`);
    `single_label`: whether the answer is one label a text, each with its probability; `claimed`: the name of one and of
    several of its claims, whose confidence can be calibrated, and rows reviewed by it, None where it makes none;
    `temperature`: what scores are divided by for that; `headlines`: the scores to tell in one line, key to title, the
    one to compare by first; `needs`: what a row has to have, in words.
    """

    per_token: ClassVar[bool] = False
    single_label: ClassVar[bool] = False
    claimed: tuple[str, str] | None = None
    temperature: float = 1.0
    needs: ClassVar[str] = "both a text and a label"
    window: int | None = None
    headlines: ClassVar[Mapping[str, str]]
    labels: Labels

    @property
    def chained(self) -> bool:
        """None."""
        return False

    # What comes out of a corpus.

    @classmethod
    @abstractmethod
    def of(cls, settings: Settings) -> Self:
        """The task that the settings describe, which has seen no text yet."""

    @abstractmethod
    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The texts of a file; what is doubtful about them is counted."""

    @abstractmethod
    def gold(self, document: Document) -> str | None:
        """The gold answer as text, or None where there is none."""

    @abstractmethod
    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError where nothing can be learnt from these."""

    # What is learnt.

    @abstractmethod
    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """The same task, knowing the train split."""

    @abstractmethod
    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """What the network reads and, where there is a gold answer that it can give, what it should answer."""

    def head(self) -> int:
        """The number of scores that the network gives a text or token: one a label."""
        return len(self.labels)

    @abstractmethod
    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """What training makes small, one of `pipeline.training.losses`, for a `keras.Model`."""

    def build(self, settings: Settings, tables: Tables) -> Any:
        """The network, a `keras.Model`, untrained."""
        from pipeline.networks import network

        return network.build(settings.network, tables, settings.seed)

    def learner(self, network: Any, examples: Sequence[Example]) -> Learner:
        """What training changes, whose weights are those of the network: the network itself."""
        return Learner(network)

    def graph(self, settings: NetworkSettings, weights: Mapping[str, NDArray[np.float32]], encoder: Encoder) -> Any:
        """The network as an `onnx.ModelProto`, by its weights as `network.weights` names them."""
        from pipeline.networks import graph

        groups = {name: feature.groups for name, feature in encoder.features.items()}
        return graph.build(
            settings, weights, encoder.reads, encoder.linear_parts, per_token=self.per_token, features=groups
        )

    def scores_of_both(
        self, network: Any, frozen: OnnxNetwork, encoder: Encoder, batch: Batch
    ) -> Iterator[ScoredTwice]:
        """What the trained network and its graph give a batch."""
        trained = np.asarray(network.predict_on_batch(batch.inputs))
        lengths = batch.inside.sum(axis=1) if self.per_token else None
        yield ScoredTwice(trained, frozen.scores(batch), lengths)

    def answers(self, scores: NDArray[np.float32], lengths: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """The answers that scores as those of `ScoredTwice` stand for, a row a text: ids, the same for the same answer.

        Here the label of the highest score, int32 (batch, 1).
        """
        best: NDArray[np.int32] = np.argmax(scores, axis=-1, keepdims=True).astype(np.int32)
        return best

    def with_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> Self:
        """The same task with what it needs of a network's weights, as `network.weights` names them: nothing."""
        return self

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]
    ) -> tuple[Self, dict[str, Any], Sequence[Point]]:
        """The same task with confidence that these texts, of dev, bear out, what it says of that, and precision against
        coverage. For tasks whose answers make claims.
        """
        raise NotImplementedError(f"{type(self).__name__} makes no claims")

    # The model's folder.

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the files of its own, and returns what `load` needs besides, in values that TOML holds: nothing."""
        return {}

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote and, as `options`, returned. Raises ValueError, OSError or KeyError where it is spoilt."""

    # What is answered.

    @abstractmethod
    def predict(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Prediction]:
        """One Prediction a text, in order; every text has a token."""

    def n_best(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], n: int
    ) -> list[list[Prediction]]:
        """The n most probable answers to each text, best first: PipelineError where a text has one."""
        raise PipelineError("only taggers answer with several sequences: ask a classifier for its distribution")

    def claims(self, prediction: Prediction) -> Sequence[Claim]:
        """What an answer says that is right or wrong by itself: nothing."""
        return ()

    def nothing(self) -> Prediction:
        """What is said of a text with nothing in it."""
        return Prediction(None, 0.0)

    @abstractmethod
    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """The dev scores of an epoch, those of `settings.METRICS` among them."""

    @abstractmethod
    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The scores of a report, JSON-ready."""

    def claimed_of(self, outcomes: Sequence[Outcome]) -> ScoredClaims:
        """What is claimed of rows that can be judged. For tasks whose answers make claims."""
        raise NotImplementedError(f"{type(self).__name__} makes no claims")

    @abstractmethod
    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The score by which parts of the rows are compared, and its 95 % `interval`."""

    def compare(
        self,
        names: Sequence[str],
        train: Sequence[Sample],
        asked: Mapping[str, Sequence[Sample]],
        encoder: Encoder,
        advance: Advance,
        keep: Keep,
    ) -> dict[str, Any]:
        """The scores of baselines that are trained on train, on every part that is asked for.

        `keep` is called with a baseline's name and what it answered to each part, if that can be set beside what the
        model answers.
        """
        from pipeline.evaluation.baselines import linear

        return linear.run(names, train, asked, self.labels.names, advance=advance, keep=keep)

    @abstractmethod
    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """Writes the report's files; of `detail` there are answers, columns and language unless `single_label`."""

    def said(self, scores: Mapping[str, Any]) -> str:
        """The scores in a line."""
        shown = [(title, scores.get(key)) for key, title in self.headlines.items()]
        return ", ".join(f"{title} {value:.4f}" for title, value in shown if value is not None)

    @abstractmethod
    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """The names of the columns that `label` adds; with `probabilities` the finer ones too."""

    @abstractmethod
    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """A prediction in those columns."""
