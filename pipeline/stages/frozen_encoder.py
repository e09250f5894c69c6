"""A frozen encoder in training: its states of every text are computed once, and the rest of the network reads these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example
from pipeline.encoding.pretrained import STATES
from pipeline.networks.encoder_states import EncoderStates, NetworkOnStates
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Progress
from pipeline.tasks.head import Learner

ENCODER = "encoder.onnx"


@dataclass(frozen=True)
class FrozenEncoder:
    """The states of the texts that a network trains on, and of those that judge it once they have been read."""

    states: EncoderStates

    @classmethod
    def of(cls, graph: Path, train: Sequence[Example], progress: Progress) -> FrozenEncoder:
        """The encoder in the graph of a network, which has read all of train. Its files are beside the graph."""
        from pipeline.networks import encoder_graph

        path = graph.with_name(ENCODER)
        encoder_graph.save_encoder(graph, path)
        states = EncoderStates(OnnxNetwork(path), path.parent)
        with progress("read with the encoder", total=len(train), unit="texts") as advance:
            states.fill(train, lambda texts: advance(texts, ""))
        path.unlink()
        return cls(states)

    def learner(self, network: Any) -> Learner:
        """The network without the encoder, fed with the states of each batch."""
        from pipeline.networks import network as networks

        def feed(batch: Batch, generator: np.random.Generator) -> dict[str, NDArray[Any]]:
            return {STATES: self.states.of(batch)}

        return Learner(networks.on_states(network), feed)

    def reader(self, graph: Path) -> NetworkOnStates:
        """What gives the scores of the network in a graph, of which only the rest is kept."""
        from pipeline.networks import encoder_graph

        encoder_graph.save_on_states(graph, graph)
        return NetworkOnStates(graph, self.states)
