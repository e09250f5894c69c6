"""The decoder of a tagger: from scores to tags, the spans that they mark, and the confidence in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.tagging import viterbi
from pipeline.tagging.forward_backward import ChainProbabilities, forward_backward
from pipeline.tagging.linear_chain import LinearChain, TagIds
from pipeline.tagging.overlapping_windows import OverlappingWindows
from pipeline.tagging.tagset import Tagset, TokenSpans

Floats = NDArray[np.float32]
WINDOWS_AT_ONCE = 64


class DecodedSpan(NamedTuple):
    """An entity or a word: tokens `start` to `stop` - 1, the tag id of the first, and the probability of their tags."""

    start: int
    stop: int
    tag: int
    confidence: float


@dataclass(frozen=True, slots=True)
class DecodedTags:
    """The tags of one text.

    `ids`: the tag id of each token; `log_probability`: of the whole sequence; `confidences`: the probability of each
    token's tag; `spans`: the spans that the tags mark, in order.
    """

    ids: list[int]
    log_probability: float
    confidences: list[float]
    spans: list[DecodedSpan]


@dataclass(frozen=True)
class ScoredSpans:
    """The best sequences of a batch, `paths` (batch, steps), and their spans, text by text and in order.

    `scores` (batch, steps, tags) are normalised as the decoder's chain needs them.
    """

    decoder: Decoder
    scores: NDArray[Any]
    lengths: NDArray[Any]
    paths: TagIds
    found: TokenSpans

    def confidences(self, temperature: float) -> NDArray[np.float64]:
        """The probability of each span's tags at a temperature, (spans,)."""
        probabilities = replace(self.decoder, temperature=temperature).probabilities(self.scores, self.lengths)
        return probabilities.span_probability(self.paths, self.found.rows, self.found.starts, self.found.stops)


@dataclass(frozen=True)
class Decoder:
    """Finds the best tag sequences of a linear chain, and their probabilities.

    Arguments:
        chain: scores of a tag after a tag.
        tagset: the tags, which say where spans begin and end.
        local: whether the chain is a MaxEnt Markov model, normalised at each token.
        temperature: divides all scores before the softmax; changes how confident the answers are, never which answer
            wins.
        window, context: tokens of a window of a long text, and how many of these on either side are context only.
        longest_whole: `decode_long` decodes texts of up to this many tokens without windows.

    Methods take scores (batch, steps, tags), right-padded, and lengths (batch,). A score of -inf forbids a tag.
    """

    chain: LinearChain
    tagset: Tagset
    local: bool = False
    temperature: float = 1.0
    window: int = 512
    context: int = 64
    longest_whole: int = 2048

    def paths(self, scores: Floats, lengths: NDArray[Any]) -> TagIds:
        """The best sequence of each text, int32 (batch, steps), without probabilities."""
        return viterbi.best_path(self._normalised(scores, lengths), lengths, self.chain)

    def decode(self, scores: Floats, lengths: NDArray[Any]) -> list[DecodedTags]:
        """The best sequence of each text."""
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, self.chain)
        return self._tags(paths, lengths, self.probabilities(scores, lengths))

    def scored_spans(self, scores: Floats, lengths: NDArray[Any]) -> ScoredSpans:
        """The spans of the best sequences, whose confidences can be asked for at any temperature."""
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, self.chain)
        return ScoredSpans(self, scores, np.asarray(lengths), paths, self.tagset.spans(paths, lengths))

    def n_best(self, scores: Floats, lengths: NDArray[Any], n: int) -> list[list[DecodedTags]]:
        """The n best sequences of each text, best first; fewer where a text has fewer."""
        scores = self._normalised(scores, lengths)
        probabilities = self.probabilities(scores, lengths)
        found = viterbi.n_best(scores, lengths, self.chain, n)
        best: list[list[DecodedTags]] = [[] for _ in lengths]
        for place in range(n):
            there = np.isfinite(found.log_probabilities[:, place])
            paths = np.where(there[:, None], found.tags[:, place], found.tags[:, 0])
            for row, tags in enumerate(self._tags(paths, lengths, probabilities)):
                if there[row]:
                    best[row].append(tags)
        return best

    def decode_long(self, scores: Floats) -> DecodedTags:
        """The best sequence of one text, scores (tokens, tags): in windows if it is long and they can be joined."""
        windows = OverlappingWindows(len(scores), self.window, self.context)
        found = self.decode_in_windows(scores, windows) if windows.count > self.longest_whole else None
        return found or self.decode(scores[None], np.array([windows.count]))[0]

    def decode_in_windows(self, scores: Floats, windows: OverlappingWindows) -> DecodedTags | None:
        """The best sequence of one text, scores (tokens, tags), joined from windows that are decoded side by side.

        Two neighbours are joined where both begin a span at the same token and agree on this token's tag and on the
        one before; of such places, the one nearest to the edge between their middles is taken. After enough context
        the paths of Viterbi's algorithm have merged. None where two neighbours cannot be joined.
        """
        scores = scores.copy()
        scores[0] += self.chain.start
        scores[-1] += self.chain.end
        free = replace(self, chain=self.chain.without_ends())
        pieces = [piece for rows in _batches(scores, windows) for piece in free._pieces(*rows)]
        edges = self._edges(pieces, windows)
        return None if edges is None else _joined(pieces, windows.firsts.tolist(), [*edges, windows.count])

    def probabilities(self, scores: NDArray[Any], lengths: NDArray[Any]) -> ChainProbabilities:
        """All probabilities at the decoder's temperature, from normalised scores."""
        if self.temperature == 1.0:
            return forward_backward(scores, lengths, self.chain)
        divided = scores / scores.dtype.type(self.temperature)
        return forward_backward(divided, lengths, self.chain.at_temperature(self.temperature))

    def _normalised(self, scores: Floats, lengths: NDArray[Any]) -> NDArray[Any]:
        return viterbi.normalise_locally(scores, lengths, self.chain) if self.local else scores

    def _pieces(self, scores: Floats, lengths: NDArray[Any]) -> list[_Piece]:
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, self.chain)
        probabilities = self.probabilities(scores, lengths)
        tags, logs = self._tags(paths, lengths, probabilities), probabilities.log_prefixes(paths)
        return [_Piece(*piece) for piece in zip(tags, logs, strict=True)]

    def _edges(self, pieces: list[_Piece], windows: OverlappingWindows) -> list[int] | None:
        """The token at which each piece begins to count; None where two pieces do not agree."""
        firsts, edges = windows.firsts.tolist(), [0]
        for index, start in enumerate(windows.starts.tolist()[1:], start=1):
            before, after = pieces[index - 1].tags.ids, pieces[index].tags.ids
            edge = self._meeting(before, firsts[index - 1], after, firsts[index], start)
            if edge is None or edge <= edges[-1]:
                return None
            edges.append(edge)
        return edges

    def _meeting(
        self, before: list[int], first_before: int, after: list[int], first_after: int, start: int
    ) -> int | None:
        """The token of the text at which two windows are joined."""
        stop = first_before + len(before)
        one = np.array(before[first_after - first_before :])
        two = np.array(after[: stop - first_after])
        same = one == two
        meet = same[1:] & same[:-1] & ~self.tagset.joined[two[:-1], two[1:]]
        places = np.flatnonzero(meet) + first_after + 1
        return int(places[np.argmin(np.abs(places - start))]) if len(places) else None

    def _tags(self, paths: TagIds, lengths: NDArray[Any], probabilities: ChainProbabilities) -> list[DecodedTags]:
        logs = probabilities.log_probability(paths).tolist()
        confidences = probabilities.tag_probability(paths).tolist()
        spans = self._spans(paths, lengths, probabilities)
        rows = zip(paths.tolist(), np.asarray(lengths).tolist(), logs, confidences, spans, strict=True)
        return [DecodedTags(path[:length], log, sure[:length], found) for path, length, log, sure, found in rows]

    def _spans(
        self, paths: TagIds, lengths: NDArray[Any], probabilities: ChainProbabilities
    ) -> list[list[DecodedSpan]]:
        found = self.tagset.spans(paths, lengths)
        confidences = probabilities.span_probability(paths, found.rows, found.starts, found.stops)
        columns = (found.starts, found.stops, found.tags, confidences)
        spans: list[list[DecodedSpan]] = [[] for _ in paths]
        made = map(DecodedSpan._make, zip(*(column.tolist() for column in columns), strict=True))
        for row, span in zip(found.rows.tolist(), made, strict=True):
            spans[row].append(span)
        return spans


@dataclass(frozen=True)
class _Piece:
    """The tags of a window, and `ChainProbabilities.log_prefixes` of its tokens."""

    tags: DecodedTags
    logs: NDArray[np.float64]


def _batches(scores: Floats, windows: OverlappingWindows) -> Iterator[tuple[Floats, NDArray[Any]]]:
    """The windows of a text as batches: scores (windows, tokens, tags) and lengths (windows,)."""
    firsts, stops = windows.firsts, windows.stops
    for begin in range(0, len(firsts), WINDOWS_AT_ONCE):
        rows = slice(begin, begin + WINDOWS_AT_ONCE)
        lengths = stops[rows] - firsts[rows]
        places = np.minimum(firsts[rows, None] + np.arange(lengths.max()), len(scores) - 1)
        yield scores[places], lengths


def _joined(pieces: list[_Piece], firsts: list[int], edges: list[int]) -> DecodedTags:
    """One text from pieces that begin at the tokens `firsts`, each used from its edge to the next."""
    ids, confidences, spans, log = list[int](), list[float](), list[DecodedSpan](), 0.0
    for piece, first, start, stop in zip(pieces, firsts, edges[:-1], edges[1:], strict=True):
        own = slice(start - first, stop - first)
        ids += piece.tags.ids[own]
        confidences += piece.tags.confidences[own]
        spans += [
            DecodedSpan(begin + first, end + first, tag, confidence)
            for begin, end, tag, confidence in piece.tags.spans
            if start <= begin + first < stop
        ]
        log += float(piece.logs[stop - first - 1] - (piece.logs[start - first - 1] if start > first else 0.0))
    return DecodedTags(ids, log, confidences, spans)
