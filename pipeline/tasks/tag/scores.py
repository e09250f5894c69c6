"""Scores of every token of texts of any length, in batches as large as decoding likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.errors import NotFinite
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tagging.constraints import Constraints
from pipeline.tagging.overlapping_windows import OverlappingWindows

Floats = NDArray[np.float32]
TEXTS, SCORES = 128, 1 << 18  # at least so many are decoded together,
MOST_SCORES = 1 << 20  # but no more scores than this, or one batch
CONTEXT = 64  # tokens on each side of a window that are read but not answered


class TokenScores(NamedTuple):
    """Scores of some texts: their places among those asked, scores (texts, steps, tags), and lengths (texts,)."""

    places: list[int]
    scores: Floats
    lengths: NDArray[Any]


@dataclass(frozen=True)
class TokenScorer:
    """Scores texts with a network, and forbids tags with -inf.

    `constraints`: what white space and the words of a dictionary forbid; `by_transitions`: whether the decoder keeps
    the tokens of a word together; if not, a dictionary word that may have several types gets the best one here.
    """

    constraints: Constraints
    by_transitions: bool

    def scores(self, network: OnnxNetwork, encoder: Encoder, texts: Sequence[Tokenised]) -> Iterator[TokenScores]:
        """The scores of all texts, each text once; a text of more than `max_tokens` tokens comes alone.

        More texts come together than the network reads at a time, since a step of decoding takes as long for few texts
        as for many. Raises NotFinite, with the place of a text, for scores that are not finite.
        """
        outputs = len(self.constraints.tagset.labels)
        whole = [index for index, text in enumerate(texts) if len(text.tokens) <= encoder.max_tokens]
        examples = encoder.examples([texts[index] for index in whole], [None] * len(whole))
        for batches in _gathered(_placed(network.answers(examples, outputs, per_token=True), whole)):
            places = [whole[position] for batch, _ in batches for position in batch.positions]
            lengths = np.concatenate([next(iter(batch.lengths.values())) for batch, _ in batches])
            scores = _side_by_side([found for _, found in batches])
            self.restrict(scores, [texts[place] for place in places])
            yield TokenScores(places, scores, lengths)
        for index in sorted(set(range(len(texts))) - set(whole)):
            try:
                scores = window_scores(network, encoder, texts[index], outputs)[None]
            except NotFinite as error:
                raise NotFinite(error.network, index) from None
            self.restrict(scores, [texts[index]])
            yield TokenScores([index], scores, np.array([scores.shape[1]]))

    def restrict(self, scores: Floats, texts: Sequence[Tokenised]) -> None:
        """Sets the scores (texts, steps, tags) of forbidden tags to -inf, in place."""
        for row, text in enumerate(texts):
            own = scores[row, : len(text.tokens)]
            may = self.constraints.allowed(text, None if self.by_transitions else own)
            if may is not None:
                scores[row, : len(text.tokens)] = np.where(may, own, -np.inf)


def window_scores(network: OnnxNetwork, encoder: Encoder, text: Tokenised, outputs: int) -> Floats:
    """Scores (tokens, tags) of a long text, for each token from the window in whose middle it is."""
    windows = OverlappingWindows(len(text.tokens), encoder.max_tokens, min(CONTEXT, encoder.max_tokens // 4))
    bounds = list(zip(windows.starts.tolist(), windows.firsts.tolist(), windows.stops.tolist(), strict=True))
    pieces = [piece(text, first, stop) for _, first, stop in bounds]
    joined = np.empty((windows.count, outputs), np.float32)
    for batch, scores in network.answers(encoder.examples(pieces, [None] * len(pieces)), outputs, per_token=True):
        for position, found in zip(batch.positions.tolist(), scores, strict=True):
            start, first, _ = bounds[position]
            stop = min(start + windows.step, windows.count)
            joined[start:stop] = found[start - first : stop - first]
    return joined


def piece(text: Tokenised, start: int, stop: int) -> Tokenised:
    """Some neighbouring tokens of a text."""
    tokens = text.tokens[start:stop]
    return Tokenised("".join(tokens), tokens)


def _placed(answers: Iterable[tuple[Batch, Floats]], places: Sequence[int]) -> Iterator[tuple[Batch, Floats]]:
    """The same answers; NotFinite gets the place of the text that an example stands for."""
    try:
        yield from answers
    except NotFinite as error:
        raise NotFinite(error.network, places[error.text]) from None


def _gathered(answers: Iterable[tuple[Batch, Floats]]) -> Iterator[list[tuple[Batch, Floats]]]:
    """Batches of like length, together until they have `TEXTS` texts and `SCORES` scores, or `MOST_SCORES`."""
    held: list[tuple[Batch, Floats]] = []
    for batch, scores in answers:
        texts, size = sum(len(found) for _, found in held), sum(found.size for _, found in held)
        if held and (size + scores.size > MOST_SCORES or (texts >= TEXTS and size >= SCORES)):
            yield held
            held = []
        held.append((batch, scores))
    if held:
        yield held


def _side_by_side(scores: Sequence[Floats]) -> Floats:
    """Scores (batch, steps, tags) of several batches as those of one, padded with 0."""
    if len(scores) == 1:
        return scores[0]
    rows, steps = sum(len(each) for each in scores), max(each.shape[1] for each in scores)
    joined, first = np.zeros((rows, steps, scores[0].shape[2]), np.float32), 0
    for each in scores:
        joined[first : first + len(each), : each.shape[1]] = each
        first += len(each)
    return joined
