"""Head: what the network of a task must give, and the loss that trains it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example, Feed
from pipeline.encoding.encoder import Encoder
from pipeline.networks.onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from pipeline.config.network import NetworkSettings
    from pipeline.config.settings import Settings
    from pipeline.config.train import TrainSettings
    from pipeline.networks.network import Tables

Weights = Mapping[str, NDArray[np.float32]]  # by the names of `network.weights`


class Learner(NamedTuple):
    """The `keras.Model` that training changes, and what to feed it at each step besides the inputs of a batch."""

    network: Any
    feed: Feed | None = None


@dataclass(frozen=True)
class ScoredTwice:
    """Scores of the same texts by a trained network and by its frozen graph.

    `trained`, `frozen`: float32 (batch, scores), or (batch, steps, scores) with `lengths` int64 (batch,), the number of
    steps of each text. Steps after a text's end are ignored.
    """

    trained: NDArray[np.float32]
    frozen: NDArray[np.float32]
    lengths: NDArray[np.int64] | None

    @property
    def difference(self) -> float:
        """Largest absolute difference between the two."""
        return float(np.abs(self.frozen - self.trained)[self._inside].max(initial=0.0))

    @property
    def greatest(self) -> float:
        """Largest absolute score of the trained network; NaN if any score is NaN."""
        return float(np.abs(self.trained)[self._inside].max(initial=0.0))

    @property
    def _inside(self) -> Any:
        return ... if self.lengths is None else np.arange(self.trained.shape[1]) < self.lengths[:, None]


class Head(ABC):
    """The scores that a network must give, and how it is built, trained and frozen.

    `outputs`: the number of scores of a text, or of a token where `per_token`; `chained`: whether the network also
    learns scores of neighbouring tags (`layers.TransitionScores`); `bptt_steps`: the steps that training reads at a
    time while the network keeps its states (truncated backpropagation through time), 0 for a whole text, None for a
    network that keeps no states between batches; `starts_from_encoder`: whether a pretrained encoder gives the network
    its first weights, and not states to read.
    """

    per_token: bool = False
    chained: bool = False
    starts_from_encoder: bool = False
    bptt_steps: int | None = None

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs

    @abstractmethod
    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """The loss that training minimises for a `keras.Model`: one of `pipeline.training.losses`."""

    def build(self, settings: Settings, tables: Tables) -> Any:
        """An untrained network, a `keras.Model`."""
        from pipeline.networks import network

        return network.build(settings.network, tables, settings.seed)

    def learner(self, network: Any, examples: Sequence[Example]) -> Learner:
        """What training changes; it shares its weights with the network, and usually is the network itself."""
        return Learner(network)

    def graph(self, settings: NetworkSettings, weights: Weights, encoder: Encoder) -> Any:
        """The network as an `onnx.ModelProto`."""
        from pipeline.networks import graph

        return graph.model_of(self.draft(settings, weights, encoder))

    def draft(self, settings: NetworkSettings, weights: Weights, encoder: Encoder) -> Any:
        """The network as an unchecked `networks.graph.Graph`, for which the sizes of the weights don't matter."""
        from pipeline.networks import graph

        groups = {name: feature.groups for name, feature in encoder.features.items()}
        return graph.draft(
            settings,
            weights,
            encoder.reads,
            encoder.linear_parts,
            per_token=self.per_token,
            features=groups,
            encoder=encoder.pretrained.units if encoder.pretrained else (),
        )

    def drafts(self, settings: NetworkSettings, encoder: Encoder) -> list[Any]:
        """The graphs that zhpipe may write for these settings, with unknown weights."""
        from pipeline.networks.graph_check import UnknownWeights

        return [self.draft(settings, UnknownWeights(self.outputs), encoder)]

    def scores_of_both(
        self, network: Any, frozen: OnnxNetwork, encoder: Encoder, batch: Batch
    ) -> Iterator[ScoredTwice]:
        """The scores that the trained network and its graph give a batch, in one piece or several."""
        trained = np.asarray(network.predict_on_batch(batch.inputs))
        lengths = batch.inside.sum(axis=1) if self.per_token else None
        yield ScoredTwice(trained, frozen.scores(batch), lengths)
