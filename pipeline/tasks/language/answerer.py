"""The answerer of a language model: the probability of each token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Example, Ids
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.language import BOUNDARY
from pipeline.language.reader import StatefulReader
from pipeline.language.spelling import Spelling
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.answerer import Answerer
from pipeline.tasks.language.likelihood import Likelihood
from pipeline.tasks.language.output import LanguageOutput


@dataclass(frozen=True)
class LanguageAnswerer(Answerer[Likelihood]):
    """Answers with the likelihood of each text.

    `unit`: "char" or "word"; `width`: of the network's states; `spelling`: how unknown tokens are written.
    """

    unit: str
    width: int
    spelling: Spelling

    def predict_at(
        self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised], temperatures: Sequence[float]
    ) -> list[list[Likelihood]]:
        """The likelihood of each text, all of it; temperatures don't matter. A text may have no tokens."""
        ids = encoder.token_ids(self.unit, texts)
        found = self.reader(network, encoder).log_probabilities(examples(self.unit, ids))
        likelihoods = [
            Likelihood(text.text, 0.0, self.spelling.added(logs, text.tokens, row), tuple(text.tokens))
            for text, row, logs in zip(texts, ids, found, strict=True)
        ]
        return [likelihoods for _ in temperatures]

    def choices(self, scores: NDArray[np.float32], lengths: NDArray[np.int64] | None) -> Ids:
        """There is nothing to choose: int32 (batch, 0)."""
        return np.empty((len(scores), 0), np.int32)

    def reader(self, network: OnnxNetwork, encoder: Encoder) -> StatefulReader:
        """What reads on token by token."""
        return StatefulReader(network, self.width, len(encoder.vocabularies[self.unit]))

    @property
    def blank(self) -> Likelihood:
        """No text, and no tokens."""
        return Likelihood(None, 0.0)

    @property
    def output(self) -> LanguageOutput:
        """Log-probability, perplexity and surprisal."""
        return LanguageOutput()


def examples(unit: str, ids: Sequence[Ids]) -> list[Example]:
    """One Example a text, never cut: the boundary and the tokens; the targets are the tokens and the boundary."""
    rows = (np.concatenate([[BOUNDARY], row, [BOUNDARY]]).astype(np.int32) for row in ids)
    return [Example({unit: row[:-1]}, target=row[1:]) for row in rows]
