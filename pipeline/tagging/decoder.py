"""Sequences: a tagger's scores become tags, the stretches that they mark, and how sure each is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.tagging import linear_chain, viterbi
from pipeline.tagging.forward_backward import Lattice, forward_backward
from pipeline.tagging.tagset import Tagset, TokenSpans

Floats = NDArray[np.float32]
ROWS = 64  # windows that are decoded together
SIZE, CONTEXT = 512, 64  # tokens of a window, and how many of them on each side are read and not answered
IN_ONE = 2048  # tokens of a text that is decoded without windows


@dataclass(frozen=True)
class LinearChain:
    """Scores of a tag after a tag (tags, tags), of the first (tags,) and the last (tags,); -inf forbids."""

    transitions: Floats
    start: Floats
    end: Floats

    def __iter__(self) -> Iterator[Floats]:
        return iter((self.transitions, self.start, self.end))

    def divided(self, by: float) -> LinearChain:
        """At a temperature."""
        return LinearChain(*(table / np.float32(by) for table in self))

    def without_ends(self) -> LinearChain:
        """For a stretch from the middle of a text."""
        return LinearChain(self.transitions, np.zeros_like(self.start), np.zeros_like(self.end))


@dataclass(frozen=True, slots=True)
class DecodedTags:
    """The tags of one text.

    `ids`: of each token; `log_probability`: of all of them together; `sure`: of each token the probability of its tag;
    `stretches`: (first token, token behind, tag id of the first, probability of its tags), in order.
    """

    ids: list[int]
    log_probability: float
    sure: list[float]
    stretches: list[tuple[int, int, int, float]]


@dataclass(frozen=True)
class OverlappingWindows:
    """How a text of `count` tokens is cut into windows of `size`, which overlap by `context` on each side.

    >>> windows = OverlappingWindows(10, 6, 1)
    >>> windows.starts.tolist(), windows.firsts.tolist(), windows.stops.tolist()
    ([0, 4, 8], [0, 3, 7], [5, 9, 10])
    """

    count: int
    size: int
    context: int

    @property
    def step(self) -> int:
        """Tokens from the middle of one to that of the next."""
        return self.size - 2 * self.context

    @property
    def starts(self) -> NDArray[Any]:
        """Where the middle of each begins."""
        return np.arange(0, self.count, self.step)

    @property
    def firsts(self) -> NDArray[Any]:
        """The first token of each."""
        return np.maximum(self.starts - self.context, 0)  # type: ignore[no-any-return]

    @property
    def stops(self) -> NDArray[Any]:
        """The token behind each."""
        return np.minimum(self.starts + self.step + self.context, self.count)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ScoredSpans:
    """The best sequences of a batch, (batch, steps), and the stretches that they mark, text by text and in order.

    `scores`: as the chain takes them, normalised.
    """

    decoder: Decoder
    scores: NDArray[Any]
    lengths: NDArray[Any]
    paths: linear_chain.TagIds
    found: TokenSpans

    def sure(self, temperature: float) -> NDArray[np.float64]:
        """The probability of each stretch's tags at a temperature, (stretches,)."""
        lattice = replace(self.decoder, temperature=temperature).lattice(self.scores, self.lengths)
        return lattice.segment_probability(self.paths, self.found.rows, self.found.starts, self.found.stops)


@dataclass(frozen=True)
class Decoder:
    """Finds the best sequences of a chain.

    `local`: whether it is a MaxEnt Markov model; `temperature`: what the scores of tags and of the chain are divided by
    before they become probabilities, of which it makes less or more sure ones, and no other sequences. Scores are
    (batch, steps, tags), right-padded, lengths (batch,); -inf switches a tag of a token off.
    """

    chain: LinearChain
    tagset: Tagset
    local: bool = False
    temperature: float = 1.0

    def paths(self, scores: Floats, lengths: NDArray[Any]) -> linear_chain.TagIds:
        """The best sequence of each text, int32 (batch, steps), and nothing else."""
        return viterbi.best_path(self._normalised(scores, lengths), lengths, *self.chain)

    def decode(self, scores: Floats, lengths: NDArray[Any]) -> list[DecodedTags]:
        """The best sequence of each text."""
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, *self.chain)
        lattice = self.lattice(scores, lengths)
        return self._tags(paths, lengths, lattice)

    def asserted(self, scores: Floats, lengths: NDArray[Any]) -> ScoredSpans:
        """The same, of which the probabilities are still to be asked."""
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, *self.chain)
        return ScoredSpans(self, scores, np.asarray(lengths), paths, self.tagset.stretches(paths, lengths))

    def n_best(self, scores: Floats, lengths: NDArray[Any], n: int) -> list[list[DecodedTags]]:
        """The n best sequences of each text, best first; fewer where there are no more."""
        scores = self._normalised(scores, lengths)
        lattice = self.lattice(scores, lengths)
        found = viterbi.n_best(scores, lengths, self.chain.transitions, self.chain.start, self.chain.end, n)
        best: list[list[DecodedTags]] = [[] for _ in lengths]
        for place in range(n):
            there = np.isfinite(found.log_probabilities[:, place])
            paths = np.where(there[:, None], found.tags[:, place], found.tags[:, 0])
            for row, tags in enumerate(self._tags(paths, lengths, lattice)):
                if there[row]:
                    best[row].append(tags)
        return best

    def decode_long(self, scores: Floats) -> DecodedTags:
        """The best sequence of one text (tokens, tags), in windows that are decoded together and joined.

        Neighbours are joined at the place nearest to their middles' edge at which a stretch begins in both, and where
        they give the token there and the one before the same tags. Behind so much context the paths of Viterbi's
        algorithm have met; where they have not, or the text is short, it is decoded in one.
        """
        windows = OverlappingWindows(len(scores), SIZE, CONTEXT)
        found = self._in_windows(scores, windows) if windows.count > IN_ONE else None
        return found or self.decode(scores[None], np.array([windows.count]))[0]

    def _in_windows(self, scores: Floats, windows: OverlappingWindows) -> DecodedTags | None:
        scores = scores.copy()
        scores[0] += self.chain.start
        scores[-1] += self.chain.end
        free = replace(self, chain=self.chain.without_ends())
        pieces = [piece for rows in _batches(scores, windows) for piece in free._pieces(*rows)]
        firsts, edges = windows.firsts.tolist(), [0]
        for index, start in enumerate(windows.starts.tolist()[1:], start=1):
            before, after = pieces[index - 1].tags.ids, pieces[index].tags.ids
            edge = self._meeting(before, firsts[index - 1], after, firsts[index], start)
            if edge is None or edge <= edges[-1]:
                return None
            edges.append(edge)
        return _joined(pieces, firsts, [*edges, windows.count])

    def _normalised(self, scores: Floats, lengths: NDArray[Any]) -> NDArray[Any]:
        return viterbi.normalise_locally(scores, lengths, *self.chain) if self.local else scores

    def lattice(self, scores: NDArray[Any], lengths: NDArray[Any]) -> Lattice:
        """All the probabilities, of scores that are normalised; -inf forbids at any temperature."""
        if self.temperature == 1.0:
            return forward_backward(scores, lengths, *self.chain)
        divided = scores / scores.dtype.type(self.temperature)
        return forward_backward(divided, lengths, *self.chain.divided(self.temperature))

    def _pieces(self, scores: Floats, lengths: NDArray[Any]) -> list[_Piece]:
        scores = self._normalised(scores, lengths)
        paths = viterbi.best_path(scores, lengths, *self.chain)
        lattice = self.lattice(scores, lengths)
        logs = lattice.log_prefixes(paths)
        return [_Piece(tags, log) for tags, log in zip(self._tags(paths, lengths, lattice), logs, strict=True)]

    def _meeting(
        self, before: list[int], first_before: int, after: list[int], first_after: int, start: int
    ) -> int | None:
        """The token, counted in the text, at which two windows are joined."""
        stop = first_before + len(before)
        one = np.array(before[first_after - first_before :])
        two = np.array(after[: stop - first_after])
        same = one == two
        meet = same[1:] & same[:-1] & ~self.tagset.joined[two[:-1], two[1:]]
        places = np.flatnonzero(meet) + first_after + 1
        return int(places[np.abs(places - start).argmin()]) if len(places) else None

    def _tags(self, paths: linear_chain.TagIds, lengths: NDArray[Any], lattice: Lattice) -> list[DecodedTags]:
        logs = lattice.log_probability(paths).tolist()
        sure = lattice.tag_probability(paths).tolist()
        found = self.tagset.stretches(paths, lengths)
        sure_of = lattice.segment_probability(paths, found.rows, found.starts, found.stops)
        columns = (found.rows, found.starts, found.stops, found.tags, sure_of)
        stretches: list[list[tuple[int, int, int, float]]] = [[] for _ in logs]
        for row, *stretch in zip(*(column.tolist() for column in columns), strict=True):
            stretches[row].append(tuple(stretch))
        rows = zip(paths.tolist(), np.asarray(lengths).tolist(), logs, sure, stretches, strict=True)
        return [DecodedTags(path[:length], log, row[:length], stretch) for path, length, log, row, stretch in rows]


@dataclass(frozen=True)
class _Piece:
    """What a window gave; `logs`: of each token the logarithm of path score over partition up to it."""

    tags: DecodedTags
    logs: NDArray[np.float64]


def _batches(scores: Floats, windows: OverlappingWindows) -> Iterator[tuple[Floats, NDArray[Any]]]:
    """The windows of a text, some at a time."""
    firsts, stops = windows.firsts, windows.stops
    for begin in range(0, len(firsts), ROWS):
        rows = slice(begin, begin + ROWS)
        lengths = stops[rows] - firsts[rows]
        places = np.minimum(firsts[rows, None] + np.arange(lengths.max()), len(scores) - 1)
        yield scores[places], lengths


def _joined(pieces: list[_Piece], firsts: list[int], edges: list[int]) -> DecodedTags:
    ids, sure, stretches, log = list[int](), list[float](), list[tuple[int, int, int, float]](), 0.0
    for piece, first, start, stop in zip(pieces, firsts, edges[:-1], edges[1:], strict=True):
        own = slice(start - first, stop - first)
        ids += piece.tags.ids[own]
        sure += piece.tags.sure[own]
        stretches += [
            (begin + first, end + first, tag, share)
            for begin, end, tag, share in piece.tags.stretches
            if start <= begin + first < stop
        ]
        log += float(piece.logs[stop - first - 1] - (piece.logs[start - first - 1] if start > first else 0.0))
    return DecodedTags(ids, log, sure, stretches)
