"""The head of a language model: a network that keeps its states, and scores for each token of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.encoding.batch import Batch, Example, bptt_batches
from pipeline.encoding.encoder import Encoder
from pipeline.language.reader import StatefulReader
from pipeline.language.sampling import PoissonSampling
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.head import Head, Learner, ScoredTwice, Weights

if TYPE_CHECKING:
    from pipeline.config.network import NetworkSettings
    from pipeline.config.settings import Settings
    from pipeline.config.train import TrainSettings
    from pipeline.networks.network import Tables


class LanguageHead(Head):
    """A score a step and token of the vocabulary; the network itself knows how many these are."""

    per_token = True
    starts_from_encoder = True

    def __init__(self, unit: str, width: int, *, bptt_steps: int, tied: bool, sampled: int) -> None:
        super().__init__(0)
        self.unit = unit
        self.width = width
        self.bptt_steps = bptt_steps
        self.tied = tied
        self.sampled = sampled

    def build(self, settings: Settings, tables: Tables) -> Any:
        """A network that keeps its states from batch to batch."""
        from pipeline.networks import language_network
        from pipeline.networks import network as networks

        table = tables.embeddings[self.unit]
        rows, seed = settings.train.batch_size, settings.seed
        network = language_network.build(settings.network, table, rows, seed, unit=self.unit, tied=self.tied)
        networks.assign(network, tables.pretrained)
        return network

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """The negative logarithm of a token's probability, among all tokens or among a sample."""
        from pipeline.training import losses

        return losses.sampled_next_token() if self.sampled else losses.next_token()

    def learner(self, network: Any, examples: Sequence[Example]) -> Learner:
        """The network; where tokens are sampled, the same with fewer scores, fed with targets and a sample."""
        if not self.sampled:
            return Learner(network)
        from pipeline.networks.language_network import with_sampled_scores

        counts = np.zeros(network.output_shape[-1], np.int64)
        for example in examples:  # which may be on the disk
            counts += np.bincount(np.asarray(example.target), minlength=len(counts))
        sampling = PoissonSampling.from_counts(counts, self.sampled)

        def feed(batch: Batch, generator: np.random.Generator) -> dict[str, Any]:
            return {"targets": batch.targets, "sample": sampling.draw(generator)}

        return Learner(with_sampled_scores(network, sampling.logs), feed)

    def draft(self, settings: NetworkSettings, weights: Weights, encoder: Encoder) -> Any:
        """A graph that takes its states as an input and gives the next ones."""
        from pipeline.networks import language_graph

        return language_graph.draft(settings, weights)

    def drafts(self, settings: NetworkSettings, encoder: Encoder) -> list[Any]:
        """Scores of their own, or tied to the embeddings, with or without a projection to their width."""
        from pipeline.networks.graph_check import UnknownWeights

        outputs = len(encoder.vocabularies[self.unit])
        absent = [("projection/kernel",), ("projection/kernel", "scores/kernel"), ("scores/kernel",)]
        return [self.draft(settings, UnknownWeights(outputs, names), encoder) for names in absent]

    def scores_of_both(
        self, network: Any, frozen: OnnxNetwork, encoder: Encoder, batch: Batch
    ) -> Iterator[ScoredTwice]:
        """The scores `bptt_steps` at a time, each network with its own states."""
        from pipeline.networks.network import reset_states

        reset_states(network)
        reader = StatefulReader(frozen, self.width, len(encoder.vocabularies[self.unit]))
        states = reader.initial_states(len(batch.positions))
        for window in bptt_batches(batch, self.bptt_steps or 0, network.inputs[0].shape[0]):
            [lengths] = window.lengths.values()
            going = np.flatnonzero(lengths)
            trained = np.asarray(network.predict_on_batch(window.inputs))[going]
            scores, states[going] = reader.read_unchecked(window.ids[self.unit][going], lengths[going], states[going])
            yield ScoredTwice(trained, scores, lengths[going].astype(np.int64))
