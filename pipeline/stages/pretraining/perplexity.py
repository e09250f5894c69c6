"""Perplexity of a direction of an encoder on texts that training did not see, by the graph of its weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.network import NetworkSettings
from pipeline.encoding.batch import Example
from pipeline.encoding.stored_texts import StoredTexts
from pipeline.errors import Diverged, NotFinite
from pipeline.language.reader import StatefulReader
from pipeline.language.spelling import Spelling
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.language.answerer import examples

UNIT = "char"
NO_NUMBERS = "the scores are no longer numbers: lower train.learning_rate or set train.clip_norm"
TEXTS = 4096  # texts that are scored before their sum is kept


class Examples(Sequence[Example]):
    """Stored texts as a language model reads them."""

    def __init__(self, texts: StoredTexts) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, place: int) -> Example:  # type: ignore[override]  # no slices
        return examples(UNIT, [self.texts[place]])[0]


def perplexity(nats: float) -> float:
    """e to the power of the mean; infinite above 1e307."""
    return math.exp(nats) if nats < 709 else math.inf


class HeldOut:
    """Texts that judge a direction.

    Unknown characters are spelt out and ends are counted, as those of any language model are.
    """

    def __init__(self, texts: StoredTexts, spelling: Spelling) -> None:
        self.texts = texts
        self.outputs = len(texts.vocabulary)
        self._spelt = math.fsum(map(spelling.log_probability, texts.unknown()))

    def nats(self, network: NetworkSettings, weights: Mapping[str, NDArray[np.float32]], path: Path) -> float:
        """The mean of -ln p over characters and ends; `path`: where the graph may lie meanwhile.

        Raises Diverged if the scores are no numbers.
        """
        from pipeline.networks import graph, language_graph

        graph.save(language_graph.build(network, weights), path)
        reader = StatefulReader(OnnxNetwork(path), network.state_width, self.outputs)
        try:
            logs = math.fsum(float(found.sum()) for part in self._parts() for found in reader.log_probabilities(part))
        except NotFinite:
            raise Diverged(NO_NUMBERS) from None
        finally:
            path.unlink()
        return -(logs + self._spelt) / (self.texts.characters + len(self.texts))

    def _parts(self) -> Iterator[list[Example]]:
        """The texts, some at a time."""
        for start in range(0, len(self.texts), TEXTS):
            places = range(start, min(start + TEXTS, len(self.texts)))
            yield examples(UNIT, [self.texts[place] for place in places])
