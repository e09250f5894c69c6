"""The forward-backward algorithm: probabilities of the tags, spans and sequences of a linear chain.

`pipeline.tagging.linear_chain` defines the arguments and the score of a sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.tagging.linear_chain import (
    Floats,
    LinearChain,
    SortedBatch,
    TagIds,
    check_possible,
    checked_paths,
    path_score,
)

UNDERFLOW = 1e-250
SINGLE_THREADED = 1 << 18  # multiplications of a matrix product that BLAS does in one thread


@dataclass(frozen=True)
class ChainProbabilities:
    """The probabilities of a chain, from one forward and one backward pass (Rabiner, 1989, equations 18 to 27).

    Made by `forward_backward`. `log_partition` (batch,) is by text. The other arrays are time-major and sorted as in
    `batch`: `forward` and `backward` (longest, batch, tags) are scaled so that their product is the marginal
    probability; `scale` (longest, batch) is the logarithm of what was divided out of `forward` at each step and of
    `backward` at the step before. `in_logs`: whether forward and backward are logarithms.
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
        """The probability of each token's tag, paths int (batch, steps) -> float32 (batch, steps); 0 in the padding."""
        tags = checked_paths(self.batch, self.batch.sort(paths))[:, :, None]
        one, two = (np.take_along_axis(each, tags, axis=2)[:, :, 0] for each in (self.forward, self.backward))
        probabilities = np.minimum(np.exp(one + two) if self.in_logs else one * two, 1)
        return self.batch.texts(probabilities.astype(np.float32), 0)

    def log_probability(self, paths: TagIds) -> NDArray[np.float64]:
        """The log probability of one sequence per text, paths int (batch, steps) -> (batch,)."""
        score = path_score(self.batch, self.transitions, self.batch.sort(paths))
        return self.batch.unsort(score) - self.log_partition

    def log_prefixes(self, paths: TagIds) -> NDArray[np.float64]:
        """At each token, the score of the path so far minus the log partition so far, (batch, steps).

        At the last token of a text this is `log_probability`. The difference between two tokens does not depend on
        where the text began, once enough tokens lie before them.
        """
        tags = checked_paths(self.batch, self.batch.sort(paths))
        score = np.take_along_axis(self.batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
        score[1:] += self.transitions[tags[:-1], tags[1:]]
        inside = np.arange(len(tags))[:, None] < self.batch.lengths
        logs = np.cumsum(np.where(inside, score - self.scale, 0), axis=0)
        if self.in_logs:
            logs -= np.where(inside, log_sum(self.forward), 0)
        result: NDArray[np.float64] = self.batch.texts(np.where(inside, logs, 0), 0)
        return result

    def span_probability(
        self, paths: TagIds, rows: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The probability that tokens starts[k] to stops[k] - 1 of text rows[k] have the tags they have in `paths`.

        The tokens outside the span may have any tags: the constrained forward-backward algorithm of Culotta and
        McCallum (HLT-NAACL 2004, section 4), whose one remaining sum is computed directly. `paths` int (batch, steps),
        the others int (spans,) -> (spans,). Raises PipelineError for a span that is empty or reaches out of its text.
        """
        rows, starts, stops = (np.asarray(each, np.int64) for each in (rows, starts, stops))
        self._check_spans(rows, starts, stops)
        places, tags = self.batch.places[rows], checked_paths(self.batch, self.batch.sort(paths))
        inside = self._score_after_first(tags, places, starts, stops)
        first, last = tags[starts, places], tags[stops - 1, places]
        ends = self.forward[starts, places, first], self.backward[stops - 1, places, last]
        with np.errstate(divide="ignore"):
            one, two = ends if self.in_logs else map(np.log, ends)
        logs = one + inside + two
        shares: NDArray[np.float64] = np.exp(np.minimum(logs, 0))
        return shares

    def _score_after_first(
        self, tags: TagIds, places: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Transitions and scores of each span's tokens but the first, minus their scale, (spans,)."""
        inner = stops - starts - 1
        span = np.repeat(np.arange(len(places)), inner)
        step = np.arange(len(span)) - np.repeat(np.cumsum(inner) - inner, inner) + starts[span] + 1
        place, tag = places[span], tags[step, places[span]]
        moves = self.transitions[tags[step - 1, place], tag] + self.batch.emissions[step, place, tag]
        sums: Floats = np.bincount(span, moves - self.scale[step, place], len(places))
        return sums

    def _check_spans(self, rows: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]) -> None:
        lengths = self.batch.lengths[self.batch.places[rows]]
        wrong = np.flatnonzero((starts < 0) | (stops <= starts) | (stops > lengths))
        if len(wrong):
            k = wrong[0]
            raise PipelineError(
                f"span_probability: expected a span inside the {lengths[k]} tokens of text {rows[k]}, "
                f"received {starts[k]} to {stops[k]}"
            )


def forward_backward(scores: Floats, lengths: NDArray[Any], chain: LinearChain) -> ChainProbabilities:
    """The probabilities of a batch, in float64.

    Computed with scaled probabilities, or with logarithms where these would underflow. Long texts and large scores
    therefore do not overflow.
    """
    batch = SortedBatch.from_scores(scores, lengths, chain, np.float64)
    table = np.asarray(chain.transitions, np.float64)
    if scaled := _scaled_passes(batch, table):
        return ChainProbabilities(batch.unsort(scaled[2].sum(axis=0)), *scaled, table, batch, in_logs=False)
    forward, scale, total = forward_logs(batch, table)
    backward = _backward_logs(batch, table, forward, scale)
    return ChainProbabilities(batch.unsort(total), forward, backward, scale, table, batch, in_logs=True)


class LogProduct:
    """log(exp(x) @ exp(table)) for x (rows, tags), by a matrix product; sums that would underflow use `log_sum`."""

    def __init__(self, table: Floats) -> None:
        self.table = np.asarray(table, np.float64)
        highest = self.table.max(axis=0)
        self.shift = np.where(np.isfinite(highest), highest, 0)
        self.weights = np.exp(self.table - self.shift)

    def __call__(self, x: Floats) -> Floats:
        highest = x.max(axis=1, keepdims=True)
        highest = np.where(np.isfinite(highest), highest, 0)
        sums = matrix_product(np.exp(x - highest), self.weights)
        rows, tags = np.nonzero(~(sums > UNDERFLOW))
        with np.errstate(divide="ignore"):
            result: Floats = np.log(sums) + highest + self.shift
        if len(rows):
            result[rows, tags] = log_sum(x[rows] + self.table[:, tags].T)
        return result


def matrix_product(x: Floats, table: Floats) -> Floats:
    """x (rows, tags) @ table (tags, tags), a few rows at a time so that BLAS stays in one thread.

    The threads of BLAS wait for each other in a busy loop. With the processors busy with the network, that has made
    decoding 80 times slower.
    """
    piece = max(1, SINGLE_THREADED // table.size)
    if len(x) <= piece:
        return x @ table
    result = np.empty_like(x)
    for first in range(0, len(x), piece):
        np.matmul(x[first : first + piece], table, out=result[first : first + piece])
    return result


def log_sum(x: Floats) -> Floats:
    """log(sum(exp(x))) over the last axis; -inf where all values are -inf."""
    highest = x.max(axis=-1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):
        result: Floats = np.log(np.exp(x - highest).sum(axis=-1)) + highest[..., 0]
    return result


def forward_logs(batch: SortedBatch, transitions: Floats) -> tuple[Floats, Floats, Floats]:
    """Forward logarithms (longest, batch, tags), the highest of each step 0; scale (longest, batch); log partition.

    The log partition is (batch,), by row.
    """
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


def _backward_logs(batch: SortedBatch, transitions: Floats, forward: Floats, scale: Floats) -> Floats:
    """Backward logarithms (longest, batch, tags), scaled to give marginals with `forward`."""
    product = LogProduct(transitions.T)
    backward = np.full_like(forward, -np.inf)
    for step, count in batch.backwards():
        following = batch.following(step)
        backward[step, following:count] = -log_sum(forward[step, following:count])[:, None]
        if following:
            after = batch.emissions[step + 1, :following] + backward[step + 1, :following]
            backward[step, :following] = product(after) - scale[step + 1, :following, None]
    return backward


@np.errstate(all="ignore")  # the padding may hold anything; where a result is not finite, logarithms are used
def _scaled_passes(batch: SortedBatch, transitions: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Scaled forward and backward probabilities (longest, batch, tags) (Rabiner, 1989, section V.A), and log scale.

    The scale is (longest, batch). None if a probability underflows.
    """
    inside = np.arange(len(batch.emissions))[:, None] < batch.lengths
    best = np.where(inside, batch.emissions.max(axis=2), 0)
    highest = transitions.max()
    emitted, weights = batch.emissions - best[:, :, None], np.exp(transitions - highest)
    np.exp(emitted, out=emitted)
    forward, sums = _scaled_forward(batch, emitted, weights)
    if not sums.min() > UNDERFLOW:
        return None
    backward = _scaled_backward(batch, emitted, weights, sums)
    if not np.isfinite(backward).all():
        return None
    scale = np.log(sums) + best
    scale[1:] += np.where(inside[1:], highest, 0)
    return forward, backward, scale


def _scaled_forward(batch: SortedBatch, emitted: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Forward probabilities that sum to 1 at each step, and the sums that they were divided by, (longest, batch)."""
    forward, sums = np.zeros(emitted.shape), np.ones(emitted.shape[:2])
    for step, count in enumerate(batch.active):
        now = emitted[step, :count]
        if step:
            now = matrix_product(forward[step - 1, :count], weights) * now
        sums[step, :count] = total = now.sum(axis=1)
        np.divide(now, total[:, None], out=forward[step, :count])
    return forward, sums


def _scaled_backward(batch: SortedBatch, emitted: Floats, weights: Floats, sums: Floats) -> Floats:
    """Backward probabilities (longest, batch, tags), divided by the same sums."""
    backward = np.zeros(emitted.shape)
    backward[batch.lengths - 1, np.arange(len(batch.lengths))] = 1
    turned = np.ascontiguousarray(weights.T)
    for step in reversed(range(len(emitted) - 1)):
        count = batch.active[step + 1]
        after = emitted[step + 1, :count] * backward[step + 1, :count]
        after /= sums[step + 1, :count, None]
        backward[step, :count] = matrix_product(after, turned)
    return backward
