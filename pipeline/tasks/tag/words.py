"""Words found by a tagger, for a segmenter that cuts texts with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tagging.decoder import Decoder
from pipeline.tasks.tag.scores import TokenScorer


@dataclass(frozen=True, eq=False)
class TagWordFinder:
    """Finds the words of texts; computes no confidence, which takes longer than the words themselves.

    `known`: the words of the train split.
    """

    decoder: Decoder
    scorer: TokenScorer
    known: frozenset[str]

    def words(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> list[list[tuple[int, int]]]:
        """The words of each text, in characters, half-open."""
        tagset = self.scorer.constraints.tagset
        answers: dict[int, list[tuple[int, int]]] = {}
        for places, scores, lengths in self.scorer.scores(network, encoder, texts):
            if len(places) == 1:
                paths = np.array([self.decoder.decode_long(scores[0, : lengths[0]]).ids], np.int32)
            else:
                paths = self.decoder.paths(scores, lengths)
            found = tagset.spans(paths, lengths)
            rows: list[list[tuple[int, int]]] = [[] for _ in places]
            for row, start, stop in zip(found.rows.tolist(), found.starts.tolist(), found.stops.tolist(), strict=True):
                rows[row].append((start, stop))
            for place, row in zip(places, rows, strict=True):
                at = texts[place].places()
                answers[place] = [(at[start][0], at[stop - 1][1]) for start, stop in row]
        return [answers[index] for index in range(len(texts))]

    def knows(self, word: str, /) -> bool:
        """Whether the train split has this word."""
        return word in self.known

    def with_dictionary(self, dictionary: UserDictionary) -> Self:
        """The same, but these words are obeyed too, before its own."""
        constraints = self.scorer.constraints
        obeyed = constraints.dictionary.updated(dictionary)
        return replace(self, scorer=replace(self.scorer, constraints=replace(constraints, dictionary=obeyed)))
