"""Lattice: the probabilities of a linear chain's tags, spans and sequences, by the forward-backward algorithm.

What the arguments are, and the score of a sequence, says `pipeline.tagging.linear_chain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.tagging.linear_chain import Floats, SortedBatch, TagIds, check_possible, checked, path_score

UNDERFLOW = 1e-250
ONE_THREAD = 1 << 18


def log_partition(
    scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float64]:
    """The logarithm of the sum over all sequences of exp(score), (batch,): the forward algorithm."""
    batch = SortedBatch.of(scores, lengths, start, end, np.float64)
    return batch.unsort(forward_logs(batch, transitions)[2])


def marginals(
    scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float32]:
    """The probability of each tag at each token, (batch, steps, tags): see `Lattice.marginals`.

    >>> even = np.zeros((2, 2)), np.zeros(2), np.zeros(2)
    >>> marginals(np.zeros((1, 2, 2)), np.array([1]), *even).tolist()
    [[[0.5, 0.5], [0.0, 0.0]]]
    """
    return forward_backward(scores, lengths, transitions, start, end).marginals()


def log_probability(
    paths: TagIds, scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float64]:
    """The logarithm of the probability of one sequence a text, (batch,)."""
    batch = SortedBatch.of(scores, lengths, start, end, np.float64)
    total = forward_logs(batch, transitions)[2]
    return batch.unsort(path_score(batch, transitions, batch.sort(paths)) - total)


def segment_probability(
    paths: TagIds,
    rows: NDArray[Any],
    starts: NDArray[Any],
    stops: NDArray[Any],
    scores: Floats,
    lengths: NDArray[Any],
    transitions: Floats,
    start: Floats,
    end: Floats,
) -> NDArray[np.float64]:
    """The probability of each span's tags, (spans,): see `Lattice.segment_probability`."""
    lattice = forward_backward(scores, lengths, transitions, start, end)
    return lattice.segment_probability(paths, rows, starts, stops)


@dataclass(frozen=True)
class Lattice:
    """All a chain's probabilities, from one pass forward and one back (Rabiner, 1989, equations 18 to 27).

    Made by `forward_backward`. `log_partition` (batch,). The other fields are time-major, rows by falling length:
    `forward` and `backward` (steps, batch, tags), scaled so that their product is the marginal, and the logarithm of
    the `scale` (steps, batch) taken off forward at each step and off backward at the step before. `in_logs`: whether
    forward and backward are logarithms.
    """

    log_partition: NDArray[np.float64]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]
    scale: NDArray[np.float64]
    transitions: NDArray[np.float64]
    batch: SortedBatch
    in_logs: bool

    def marginals(self) -> NDArray[np.float32]:
        """The probability of each tag at each token, float32 (batch, steps, tags); 0 in the padding."""
        probabilities = np.exp(self.forward + self.backward) if self.in_logs else self.forward * self.backward
        return self.batch.texts(probabilities.astype(np.float32), 0)

    def tag_probability(self, paths: TagIds) -> NDArray[np.float32]:
        """The probability of each token's tag, int (batch, steps) -> float32 (batch, steps); 0 in the padding."""
        tags = checked(self.batch, self.batch.sort(paths))[:, :, None]
        one, two = (np.take_along_axis(each, tags, axis=2)[:, :, 0] for each in (self.forward, self.backward))
        probabilities = np.minimum(np.exp(one + two) if self.in_logs else one * two, 1)
        return self.batch.texts(probabilities.astype(np.float32), 0)

    def log_probability(self, paths: TagIds) -> NDArray[np.float64]:
        """The logarithm of the probability of one sequence a text, int (batch, steps) -> (batch,)."""
        score = path_score(self.batch, self.transitions, self.batch.sort(paths))
        return self.batch.unsort(score) - self.log_partition

    def log_prefixes(self, paths: TagIds) -> NDArray[np.float64]:
        """Of each token the score of its path up to it, less the logarithm of the partition up to it, (batch, steps).

        What the last token of a text has is `log_probability`. Differences between two tokens are, behind enough
        tokens, the same wherever the text began.
        """
        tags = checked(self.batch, self.batch.sort(paths))
        score = np.take_along_axis(self.batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
        score[1:] += self.transitions[tags[:-1], tags[1:]]
        inside = np.arange(len(tags))[:, None] < self.batch.lengths
        logs = np.cumsum(np.where(inside, score - self.scale, 0), axis=0)
        if self.in_logs:
            logs -= np.where(inside, log_sum(self.forward), 0)
        result: NDArray[np.float64] = self.batch.texts(np.where(inside, logs, 0), 0)
        return result

    def segment_probability(
        self, paths: TagIds, rows: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The probability that tokens starts[k] to stops[k] - 1 of text rows[k] have the tags they have in `paths`.

        All that lies outside the span is free: the constrained forward-backward of Culotta and McCallum (HLT-NAACL
        2004, section 4), with the one sum that the constraint leaves done directly. Paths int (batch, steps), the
        others int (spans,) -> (spans,). A span is not empty and lies in its text, else PipelineError.
        """
        rows, starts, stops = (np.asarray(each, np.int64) for each in (rows, starts, stops))
        places = self.batch.places[rows]
        wrong = np.flatnonzero((starts < 0) | (stops <= starts) | (stops > self.batch.lengths[places]))
        if len(wrong):
            k = wrong[0]
            raise PipelineError(
                f"segment_probability: expected a span inside the {self.batch.lengths[places[k]]} tokens of "
                f"text {rows[k]}, received {starts[k]} to {stops[k]}"
            )
        tags = checked(self.batch, self.batch.sort(paths))
        inner = stops - starts - 1
        span = np.repeat(np.arange(len(rows)), inner)
        step = np.arange(len(span)) - np.repeat(np.cumsum(inner) - inner, inner) + starts[span] + 1
        place, tag = places[span], tags[step, places[span]]
        moves = self.transitions[tags[step - 1, place], tag] + self.batch.emissions[step, place, tag]
        inside = np.bincount(span, moves - self.scale[step, place], len(rows))
        first, last = tags[starts, places], tags[stops - 1, places]
        ends = self.forward[starts, places, first], self.backward[stops - 1, places, last]
        with np.errstate(divide="ignore"):
            one, two = ends if self.in_logs else map(np.log, ends)
        logs = one + inside + two
        return np.exp(np.minimum(logs, 0))


def forward_backward(scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats) -> Lattice:
    """The lattice of a batch, in float64, and in logarithms where probabilities would get too small for that.

    So neither long texts nor great scores overflow.
    """
    batch = SortedBatch.of(scores, lengths, start, end, np.float64)
    table = np.asarray(transitions, np.float64)
    if scaled := _scaled(batch, table):
        return Lattice(batch.unsort(scaled[2].sum(axis=0)), *scaled, table, batch, in_logs=False)
    forward, scale, total = forward_logs(batch, table)
    product = LogProduct(table.T)
    backward = np.full_like(forward, -np.inf)
    for step, count in batch.backwards():
        following = batch.following(step)
        backward[step, following:count] = -log_sum(forward[step, following:count])[:, None]
        if following:
            after = batch.emissions[step + 1, :following] + backward[step + 1, :following]
            backward[step, :following] = product(after) - scale[step + 1, :following, None]
    return Lattice(batch.unsort(total), forward, backward, scale, table, batch, in_logs=True)


class LogProduct:
    """log(exp(x) @ exp(table)) for x (rows, tags), by a matrix product; sums that would underflow are done apart.

    A few rows at a time, so that BLAS stays in one thread: its threads wait for each other in a loop, and where the
    processors are busy with the network that has cost 80 times the work.
    """

    def __init__(self, table: Floats) -> None:
        self.table = np.asarray(table, np.float64)
        highest = self.table.max(axis=0)
        self.shift = np.where(np.isfinite(highest), highest, 0)
        self.weights = np.exp(self.table - self.shift)
        self.piece = max(1, ONE_THREAD // self.table.size)

    def __call__(self, x: Floats) -> Floats:
        highest = x.max(axis=1, keepdims=True)
        highest = np.where(np.isfinite(highest), highest, 0)
        sums = np.exp(x - highest)
        for first in range(0, len(x), self.piece):
            sums[first : first + self.piece] = sums[first : first + self.piece] @ self.weights
        rows, tags = np.nonzero(~(sums > UNDERFLOW))
        with np.errstate(divide="ignore"):
            result: Floats = np.log(sums) + highest + self.shift
        if len(rows):
            result[rows, tags] = log_sum(x[rows] + self.table[:, tags].T)
        return result


def log_sum(x: Floats) -> Floats:
    """log(sum(exp(x))) over the last axis; -inf where all is -inf."""
    highest = x.max(axis=-1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):
        result: Floats = np.log(np.exp(x - highest).sum(axis=-1)) + highest[..., 0]
    return result


def forward_logs(batch: SortedBatch, transitions: Floats) -> tuple[Floats, Floats, Floats]:
    """Forward logarithms (longest, batch, tags), their highest 0; scale (longest, batch); log partition (batch,)."""
    product = LogProduct(transitions)
    forward = np.full(batch.emissions.shape, -np.inf)
    scale = np.zeros(forward.shape[:2])
    for step, count in enumerate(batch.active):
        now = batch.emissions[step, :count]
        if step:
            now = now + product(forward[step - 1, :count])
        highest = now.max(axis=1)
        check_possible(highest, batch.order)
        scale[step, :count] = highest
        forward[step, :count] = now - highest[:, None]
    last = forward[batch.lengths - 1, np.arange(len(batch.order))]
    return forward, scale, scale.sum(axis=0) + log_sum(last)


@np.errstate(all="ignore")  # of the padding, which may hold anything, and of what is then left to logarithms
def _scaled(batch: SortedBatch, transitions: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Forward and backward probabilities (longest, batch, tags), scaled at each step (Rabiner, 1989, section V.A).

    And the logarithms of the scale (longest, batch); None where something is too small to be told from 0.
    """
    longest, rows, tags = batch.emissions.shape
    inside = np.arange(longest)[:, None] < batch.lengths
    best = np.where(inside, batch.emissions.max(axis=2), 0)
    highest = transitions.max()
    emitted, weights = batch.emissions - best[:, :, None], np.exp(transitions - highest)
    np.exp(emitted, out=emitted)
    sums = np.ones((longest, rows))
    forward, backward = np.zeros((longest, rows, tags)), np.zeros((longest, rows, tags))
    backward[batch.lengths - 1, np.arange(rows)] = 1
    for step, count in enumerate(batch.active):
        now = emitted[step, :count]
        if step:
            now = _times(forward[step - 1, :count], weights) * now
        sums[step, :count] = total = now.sum(axis=1)
        np.divide(now, total[:, None], out=forward[step, :count])
    if not sums.min() > UNDERFLOW:
        return None
    turned = np.ascontiguousarray(weights.T)
    for step in reversed(range(longest - 1)):
        count = batch.active[step + 1]
        after = emitted[step + 1, :count] * backward[step + 1, :count]
        after /= sums[step + 1, :count, None]
        backward[step, :count] = _times(after, turned)
    if not np.isfinite(backward).all():
        return None
    scale = np.log(sums) + best
    scale[1:] += np.where(inside[1:], highest, 0)
    return forward, backward, scale


def _times(x: Floats, table: Floats) -> Floats:
    """x (rows, tags) @ table, a few rows at a time, as `LogProduct` says."""
    piece = max(1, ONE_THREAD // table.size)
    if len(x) <= piece:
        return x @ table
    result = np.empty_like(x)
    for first in range(0, len(x), piece):
        np.matmul(x[first : first + piece], table, out=result[first : first + piece])
    return result
