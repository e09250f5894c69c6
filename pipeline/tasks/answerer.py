"""Answerer: turns the scores of a task's network into predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.calibration import Point
from pipeline.language.reader import StatefulReader
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tasks.head import Weights
from pipeline.tasks.output import Answer, Output
from pipeline.tasks.prediction import Claim


class Calibrated(NamedTuple):
    """An answerer whose confidences fit dev, what model.toml says about them, and precision against coverage on dev."""

    answerer: Any
    about: dict[str, Any]
    points: Sequence[Point]


class WordFinder(Protocol):
    """What a segmenter needs of a model that finds words."""

    def words(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]
    ) -> list[list[tuple[int, int]]]: ...
    def knows(self, word: str, /) -> bool: ...
    def with_dictionary(self, dictionary: UserDictionary) -> Self: ...


class Answerer(ABC, Generic[Answer]):
    """Answers texts with a frozen network.

    A task makes one that has seen no network; `with_weights` gives one with what training learnt for it, `calibrated`
    one with a temperature that fits dev, `load` one as a model folder describes it.

    `temperature`: divides the scores before the softmax; changes how confident the answers are, never which answer
    wins. `obeys`: whether a dictionary changes the answers themselves. `claimed`: what one and several of its claims
    are called, None for answers that are not right or wrong; `reviewed`: what the thresholds of a model folder count;
    `has_alternatives`: whether `n_best` gives several answers to a text; `word_finder`: for a segmenter, where the
    answers are words; `output`: how predictions are written.
    """

    temperature: float = 1.0
    has_alternatives: bool = False
    obeys: bool = False

    @property
    def claimed(self) -> tuple[str, str] | None:
        """What one and several of its claims are called."""
        return None

    @property
    def reviewed(self) -> str:
        """What the thresholds of a model folder count, in the plural."""
        return self.claimed[1] if self.claimed else ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a report says of it, besides what it says of the network."""
        return {}

    @property
    def word_finder(self) -> WordFinder | None:
        """What finds words for a segmenter; None where the answers are not words."""
        return None

    def obeying(self, dictionary: UserDictionary) -> Self:
        """The same with answers that obey the words of a dictionary, if they can."""
        return self

    def obeyed(self, text: Tokenised) -> list[tuple[int, int]]:
        """The parts of a text, in characters, half-open, whose answers obey the dictionary: by default none."""
        return []

    def with_weights(self, weights: Weights) -> Self:
        """The same with what it needs of a trained network's weights: by default nothing."""
        return self

    def calibrated(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Any]
    ) -> Calibrated:
        """The same with the temperature that fits the gold answers of these texts, those of dev, best."""
        raise NotImplementedError(f"{type(self).__name__} makes no claims")

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes its files into a model folder; returns what `load` needs besides, as values that TOML holds."""
        return {}

    def load(self, folder: Path, options: dict[str, Any]) -> Self:
        """The same as `save` left it. Raises ValueError, OSError or KeyError for damaged files or options."""
        return self

    def predict(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[Answer]:
        """One Prediction a text, in order; no text may be blank."""
        return self.predict_at(network, encoder, texts, (self.temperature,))[0]

    @abstractmethod
    def predict_at(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], temperatures: Sequence[float]
    ) -> list[list[Answer]]:
        """For each temperature what `predict` would give, with one pass of the network for all."""

    def n_best(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], n: int) -> list[list[Answer]]:
        """The n most probable answers to each text, best first. Raises PipelineError unless `has_alternatives`."""
        raise PipelineError("only taggers answer with several sequences: ask a classifier for its distribution")

    def choices(self, scores: NDArray[np.float32], lengths: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """The answer ids for scores as in `ScoredTwice`, a row a text; by default the highest score, (batch, 1)."""
        best: NDArray[np.int32] = np.argmax(scores, axis=-1, keepdims=True).astype(np.int32)
        return best

    def reader(self, network: OnnxNetwork, encoder: Encoder) -> StatefulReader | None:
        """What reads on token by token; None where the network cannot generate text."""
        return None

    def claims(self, prediction: Answer) -> Sequence[Claim]:
        """The parts of an answer that are right or wrong by themselves."""
        return ()

    def labels_of(self, prediction: Answer) -> Sequence[str]:
        """The labels whose shares are compared with those of dev; by default those of the claims."""
        return [claim.label for claim in self.claims(prediction)]

    @property
    @abstractmethod
    def blank(self) -> Answer:
        """The prediction for a text of white space."""

    @property
    @abstractmethod
    def output(self) -> Output[Answer]:
        """How its predictions are written."""
