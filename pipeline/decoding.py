"""Decoding of linear chains in NumPy: the best and the n best tag sequences, and the probabilities of tags and spans.

Every function reads `scores` (batch, steps, tags), right-padded, `lengths` int (batch,), `transitions` (tags, tags)
whose [i, j] scores tag j after tag i, `start` (tags,) and `end` (tags,). A sequence y of a text of n tokens scores

    start[y_0] + sum_t scores[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_(n-1)]

and has the probability exp(score) / sum over all sequences of exp(score) (Lafferty et al., ICML 2001, equation 1).
`-inf` forbids, anywhere. Padding is never looked at; in what is returned it is -1 for tags and 0 for probabilities.
Of equal choices the tag of lowest id is taken, from the last token backwards. A text that no allowed sequence fits, or
whose scores are not numbers, raises PipelineError: scores that a network computes are finite, and a scheme in which one
tag may begin, follow itself and end (O, S) has a sequence for every text, so neither happens by a user's doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError

Floats = NDArray[Any]
Tags = NDArray[np.int32]
PADDING = -1
RESCALE_EVERY = 8
BUFFER = 1 << 17
UNDERFLOW = 1e-250
ONE_THREAD = 1 << 18


def forbid(values: Floats, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Transitions (tags, tags), or start or end scores (tags,), with -inf where `allowed` is false.

    >>> forbid(np.zeros(2), np.array([True, False])).tolist()
    [0.0, -inf]
    """
    return np.where(allowed, values, -np.inf).astype(np.float32)


def greedy(scores: Floats, lengths: NDArray[Any]) -> Tags:
    """Each token's own best tag, int32 (batch, steps).

    Where transitions are forbidden, the most probable allowed sequence of independent tokens is `best_path` with
    transitions, start and end that are 0 or -inf; the probabilities of the same chain are softmax, renormalised.

    >>> greedy(np.array([[[1.0, 3.0], [2.0, 2.0], [9.0, 0.0]]]), np.array([2])).tolist()
    [[1, 0, -1]]
    """
    lengths = _lengths(scores, lengths)
    inside = np.arange(scores.shape[1]) < lengths[:, None]
    return np.where(inside, np.argmax(scores, axis=2), PADDING).astype(np.int32)


def best_path(scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats) -> Tags:
    """The sequence of highest score, int32 (batch, steps): Viterbi's algorithm (Rabiner, 1989, equations 32 to 35).

    In float32, rescaled on the way, so that long texts lose no precision.

    >>> scores = np.array([[[2.0, 0.0], [0.9, 1.0]]])
    >>> best_path(scores, np.array([2]), np.array([[0.5, 0.0], [0.0, 0.0]]), np.zeros(2), np.zeros(2)).tolist()
    [[0, 0]]
    """
    trellis = _viterbi(scores, lengths, transitions, start, end)
    return trellis.texts(trellis.follow())


def best_path_memm(scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats) -> Tags:
    """The most probable sequence of a MaxEnt Markov model, int32 (batch, steps): see `normalise_locally`."""
    local = normalise_locally(scores, lengths, transitions, start, end)
    return best_path(local, lengths, transitions, start, end)


def normalise_locally(
    scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float64]:
    """Scores float64 (batch, steps, tags) with which the chain is a MaxEnt Markov model (McCallum et al., ICML 2000).

    There, p(y_t = j | x, y_(t-1) = i) is the softmax over j of scores[t, j] + transitions[i, j]; start stands for the
    transition into the first token and end is added to the scores of the last. The normaliser of step t depends on
    nothing but the tag before it, so it is taken off that tag's score, and every function of this module then
    serves: same transitions, same start and end. The log partition is 0. Where -inf leaves a tag no successor its
    sequences are lost, and what the functions give are the probabilities of those that go on.
    """
    batch = _Batch.of(scores, lengths, start, end, np.float64)
    product = _LogProduct(np.asarray(transitions, np.float64).T)
    result = np.zeros(scores.shape, np.float64)
    for step, count in batch.backwards():
        local = np.asarray(scores[batch.order[:count], step], np.float64)
        if following := batch.following(step):
            after = product(batch.emissions[step + 1, :following])
            with np.errstate(invalid="ignore"):
                local[:following] = np.where(after == -np.inf, -np.inf, local[:following] - after)
        if step == 0:
            first = _log_sum(batch.emissions[0])
            _possible(first, batch.order)
            local -= first[:, None]
        result[batch.order[:count], step] = local
    return result


def log_partition(
    scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float64]:
    """The logarithm of the sum over all sequences of exp(score), (batch,): the forward algorithm."""
    batch = _Batch.of(scores, lengths, start, end, np.float64)
    return batch.unsort(_forward(batch, transitions)[2])


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
    paths: Tags, scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats
) -> NDArray[np.float64]:
    """The logarithm of the probability of one sequence a text, (batch,)."""
    batch = _Batch.of(scores, lengths, start, end, np.float64)
    total = _forward(batch, transitions)[2]
    return batch.unsort(_path_score(batch, transitions, batch.sort(paths)) - total)


def segment_probability(
    paths: Tags,
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
class NBest:
    """The best sequences of each text, best first.

    `tags` int32 (batch, n, steps); `log_probabilities` float64 (batch, n). Where a text has fewer than n sequences
    that aren't forbidden, the rest is padding with the log probability -inf.
    """

    tags: Tags
    log_probabilities: NDArray[np.float64]


def n_best(scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats, n: int) -> NBest:
    """The n sequences of highest score, exactly, the first of them `best_path`.

    Once Viterbi's forward pass is done, the best sequence that shares a given one's tags after token t and has another
    at t is known from one sum. The next best of all is the best of these over all sequences found so far (Lawler, 1972,
    for shortest paths), so that each costs one walk back.
    """
    if n < 1:
        raise PipelineError(f"n_best: expected at least 1 sequence to be asked for, received {n}")
    trellis = _viterbi(scores, lengths, transitions, start, end)
    found = trellis.deviate(n)
    batch = _Batch.of(scores, lengths, start, end, np.float64)
    total = _forward(batch, transitions)[2]
    present = found[:, 0] != PADDING
    logs = [
        np.where(there, _path_score(batch, transitions, np.maximum(path, 0)) - total, -np.inf)
        for path, there in zip(found, present, strict=True)
    ]
    tags = np.stack([trellis.texts(path) for path in found], axis=1)
    return NBest(tags, np.stack([batch.unsort(log) for log in logs], axis=1))


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
    batch: _Batch
    in_logs: bool

    def marginals(self) -> NDArray[np.float32]:
        """The probability of each tag at each token, float32 (batch, steps, tags); 0 in the padding."""
        probabilities = np.exp(self.forward + self.backward) if self.in_logs else self.forward * self.backward
        return self.batch.texts(probabilities.astype(np.float32), 0)

    def tag_probability(self, paths: Tags) -> NDArray[np.float32]:
        """The probability of each token's tag, int (batch, steps) -> float32 (batch, steps); 0 in the padding."""
        tags = _checked(self.batch, self.batch.sort(paths))[:, :, None]
        one, two = (np.take_along_axis(each, tags, axis=2)[:, :, 0] for each in (self.forward, self.backward))
        probabilities = np.minimum(np.exp(one + two) if self.in_logs else one * two, 1)
        return self.batch.texts(probabilities.astype(np.float32), 0)

    def log_probability(self, paths: Tags) -> NDArray[np.float64]:
        """The logarithm of the probability of one sequence a text, int (batch, steps) -> (batch,)."""
        score = _path_score(self.batch, self.transitions, self.batch.sort(paths))
        return self.batch.unsort(score) - self.log_partition

    def log_prefixes(self, paths: Tags) -> NDArray[np.float64]:
        """Of each token the score of its path up to it, less the logarithm of the partition up to it, (batch, steps).

        What the last token of a text has is `log_probability`. Differences between two tokens are, behind enough
        tokens, the same wherever the text began.
        """
        tags = _checked(self.batch, self.batch.sort(paths))
        score = np.take_along_axis(self.batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
        score[1:] += self.transitions[tags[:-1], tags[1:]]
        inside = np.arange(len(tags))[:, None] < self.batch.lengths
        logs = np.cumsum(np.where(inside, score - self.scale, 0), axis=0)
        if self.in_logs:
            logs -= np.where(inside, _log_sum(self.forward), 0)
        result: NDArray[np.float64] = self.batch.texts(np.where(inside, logs, 0), 0)
        return result

    def segment_probability(
        self, paths: Tags, rows: NDArray[Any], starts: NDArray[Any], stops: NDArray[Any]
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
        tags = _checked(self.batch, self.batch.sort(paths))
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
    batch = _Batch.of(scores, lengths, start, end, np.float64)
    table = np.asarray(transitions, np.float64)
    if scaled := _scaled(batch, table):
        return Lattice(batch.unsort(scaled[2].sum(axis=0)), *scaled, table, batch, in_logs=False)
    forward, scale, total = _forward(batch, table)
    product = _LogProduct(table.T)
    backward = np.full_like(forward, -np.inf)
    for step, count in batch.backwards():
        following = batch.following(step)
        backward[step, following:count] = -_log_sum(forward[step, following:count])[:, None]
        if following:
            after = batch.emissions[step + 1, :following] + backward[step + 1, :following]
            backward[step, :following] = product(after) - scale[step + 1, :following, None]
    return Lattice(batch.unsort(total), forward, backward, scale, table, batch, in_logs=True)


@dataclass(frozen=True)
class _Batch:
    """A batch, time-major, its rows by falling length, so that those still going on are always the first.

    `emissions` (longest, batch, tags), start and end scores added; `order`: the text of each row; `places`: the row of
    each text; `lengths`: of each row; `active`: how many rows go on at each step; `steps`: as many as the texts were
    padded to.
    """

    emissions: Floats
    order: NDArray[np.intp]
    places: NDArray[np.intp]
    lengths: NDArray[np.int64]
    active: list[int]
    steps: int

    @classmethod
    def of(cls, scores: Floats, lengths: NDArray[Any], start: Floats, end: Floats, dtype: Any) -> _Batch:
        lengths = _lengths(scores, lengths)
        order = np.argsort(-lengths, kind="stable")
        falling = lengths[order]
        longest = int(falling[0])
        emissions = np.empty((longest, len(order), scores.shape[2]), dtype)
        emissions[:] = scores[order, :longest].swapaxes(0, 1)
        emissions[0] += np.asarray(start, dtype)
        emissions[falling - 1, np.arange(len(order))] += np.asarray(end, dtype)
        active = np.searchsorted(-falling, -np.arange(longest), side="left").tolist()
        return cls(emissions, order, np.argsort(order), falling, active, scores.shape[1])

    def following(self, step: int) -> int:
        """How many rows go on after a step."""
        return self.active[step + 1] if step + 1 < len(self.active) else 0

    def backwards(self) -> Iterator[tuple[int, int]]:
        """(step, rows that go on), the last step first."""
        return zip(reversed(range(len(self.active))), reversed(self.active), strict=True)

    def unsort(self, values: Floats) -> Floats:
        """One value a row -> one value a text."""
        return values[self.places]

    def sort(self, texts: Floats) -> Floats:
        """(batch, steps) -> (longest, batch), rows by falling length."""
        return np.asarray(texts)[self.order, : len(self.active)].T

    def texts(self, values: Floats, padding: int = PADDING) -> Floats:
        """(longest, batch, ...) -> (batch, steps, ...), rows as they came; `values` hold their own padding."""
        result = np.full((len(self.order), self.steps, *values.shape[2:]), padding, values.dtype)
        result[:, : len(self.active)] = values.swapaxes(0, 1)[self.places]
        return result


def _lengths(scores: Floats, lengths: NDArray[Any]) -> NDArray[np.int64]:
    """The lengths, checked against the scores' shape."""
    lengths = np.asarray(lengths, np.int64)
    if scores.ndim != 3 or lengths.shape != scores.shape[:1] or not scores.size:
        raise PipelineError(
            f"decoding: expected scores (batch, steps, tags) and lengths (batch,), none of them empty, "
            f"received shapes {scores.shape} and {lengths.shape}"
        )
    if lengths.min() < 1 or lengths.max() > scores.shape[1]:
        raise PipelineError(
            f"decoding: expected lengths from 1 to {scores.shape[1]}, received {lengths.min()} to {lengths.max()}: "
            "leave empty texts out of the batch"
        )
    return lengths


def _possible(best: Floats, order: NDArray[np.intp]) -> None:
    """Raise unless the best score of each row is a number."""
    wrong = np.flatnonzero(~np.isfinite(best))
    if len(wrong):
        raise PipelineError(
            f"decoding: expected finite scores and an allowed sequence for each text, text {order[wrong].min()} of the "
            "batch has none: let one tag begin, follow itself and end"
        )


class _MaxPlus:
    """x (tags, rows) -> max over i of x[i] + transitions[i, j] (tags, rows).

    Tags that few others may precede (the inner ones of every scheme) are looked up one by one, the rest is one dense
    block of the tags that may precede any of them; the pieces are small enough for the cache.
    """

    def __init__(self, transitions: NDArray[np.float32], rows: int) -> None:
        allowed = transitions > -np.inf
        self.dense_to, self.few_to = _split(allowed)
        self.dense_from = np.flatnonzero(allowed[:, self.dense_to].any(axis=1))
        self.dense = transitions[np.ix_(self.dense_from, self.dense_to)][:, :, None]
        most = int(allowed[:, self.few_to].sum(axis=0).max(initial=0))
        self.few_from = np.argsort(~allowed[:, self.few_to], axis=0, kind="stable")[:most]
        self.few = transitions[self.few_from, self.few_to][:, :, None]
        self.piece = max(1, BUFFER // max(1, len(self.dense_to) * rows))
        self.buffer = np.empty((min(self.piece, len(self.dense_from)) * len(self.dense_to) * rows,), np.float32)

    def __call__(self, x: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        if len(self.few_to):
            out[self.few_to] = (x[self.few_from] + self.few).max(axis=0, initial=-np.inf)
        if not len(self.dense_to):
            return
        x = x if len(self.dense_from) == len(x) else x[self.dense_from]
        if len(self.dense_to) == len(out):
            self._block(x, out)
        else:
            best = np.empty((len(self.dense_to), x.shape[1]), np.float32)
            self._block(x, best)
            out[self.dense_to] = best

    def _block(self, x: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        for first in range(0, len(self.dense), self.piece):
            table = self.dense[first : first + self.piece]
            shape = (len(table), *out.shape)
            sums = self.buffer[: shape[0] * shape[1] * shape[2]].reshape(shape)
            np.add(x[first : first + self.piece, None], table, out=sums)
            if first:
                np.maximum(out, sums.max(axis=0), out=out)
            else:
                sums.max(axis=0, out=out)


def _split(allowed: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns to work through as a dense block, and those with few predecessors, by the least work in sums."""
    counts = allowed.sum(axis=0)

    def work(most: int) -> int:
        dense = counts > most
        looked_up = most * int((~dense).sum())
        return 3 * looked_up + int(allowed[:, dense].any(axis=1).sum()) * int(dense.sum())

    best = min([-1, *np.unique(counts).tolist()], key=work)
    return np.flatnonzero(counts > best), np.flatnonzero(counts <= best)


@dataclass(frozen=True)
class _Trellis(_Batch):
    """Viterbi's forward pass: `best` float32 (longest, tags, batch), the best score that ends in a tag, less a constant
    for each step and row; `before` (tags, tags): [j, i] scores tag j after tag i."""

    best: NDArray[np.float32]
    before: NDArray[np.float32]

    def follow(self, fixed: Tags | None = None) -> Tags:
        """The best path of each row, int32 (longest, batch), through the tags of `fixed` that aren't padding."""
        tags = np.full((len(self.active), len(self.order)), PADDING, np.int32)
        later = np.empty(0, np.intp)
        for step, count in self.backwards():
            sums = self.best[step, :, :count].T.copy()
            sums[: len(later)] += self.before[later]
            later = sums.argmax(axis=1)
            if fixed is not None:
                later = np.where(fixed[step, :count] == PADDING, later, fixed[step, :count])
            tags[step, :count] = later
        return tags

    def losses(self, tags: Tags, limits: NDArray[np.int64]) -> NDArray[np.float64]:
        """What another tag at one step, and the best before it, costs: (batch, longest, tags); inf from `limits` on."""
        sums = self.best.transpose(2, 0, 1).astype(np.float64)
        sums[:, :-1] += np.where((tags[1:].T == PADDING)[:, :, None], 0, self.before[tags[1:].T])
        rows, steps = np.indices(sums.shape[:2])
        with np.errstate(invalid="ignore"):
            losses = np.where(sums == -np.inf, np.inf, sums[rows, steps, tags.T][:, :, None] - sums)
        losses[rows, steps, tags.T] = np.inf
        losses[steps >= limits[:, None]] = np.inf
        return losses

    def deviate(self, n: int) -> Tags:
        """The n best paths of each row, int32 (n, longest, batch); padding where there are no more."""
        longest, rows = len(self.active), np.arange(len(self.order))
        found = np.full((n, longest, len(rows)), PADDING, np.int32)
        found[0] = self.follow()
        shape = (n, longest, self.best.shape[1])
        pool = np.full((len(rows), *shape), np.inf)
        pool[:, 0] = self.losses(found[0], self.lengths)
        for k in range(1, n):
            flat = pool[:, :k].reshape(len(rows), -1).argmin(axis=1)
            parent, step, tag = np.unravel_index(flat, (k, *shape[1:]))
            loss = pool[rows, parent, step, tag]
            pool[rows, parent, step, tag] = np.inf
            fixed = np.where(np.arange(longest)[:, None] > step, found[parent, :, rows].T, PADDING)
            fixed[step, rows] = tag
            path = self.follow(fixed)
            more = np.isfinite(loss)
            found[k] = np.where(more, path, PADDING)
            pool[more, k] = loss[more, None, None] + self.losses(path, step)[more]
        return found


def _viterbi(scores: Floats, lengths: NDArray[Any], transitions: Floats, start: Floats, end: Floats) -> _Trellis:
    """Viterbi's forward pass. Scores are made relative to the best every few steps: only differences matter."""
    batch = _Batch.of(scores, lengths, start, end, np.float32)
    table = np.asarray(transitions, np.float32)
    longest, rows, tags = batch.emissions.shape
    product = _MaxPlus(table, rows)
    best = np.full((longest, tags, rows), -np.inf, np.float32)
    best[0] = batch.emissions[0].T
    for step in range(1, longest):
        count = batch.active[step]
        now = best[step, :, :count]
        product(best[step - 1, :, :count], now)
        now += batch.emissions[step, :count].T
        if step % RESCALE_EVERY == 0:
            highest = now.max(axis=0)
            _possible(highest, batch.order)
            now -= highest
    _possible(best[batch.lengths - 1, :, np.arange(rows)].max(axis=1), batch.order)
    return _Trellis(**vars(batch), best=best, before=np.ascontiguousarray(table.T))


class _LogProduct:
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
            result[rows, tags] = _log_sum(x[rows] + self.table[:, tags].T)
        return result


def _log_sum(x: Floats) -> Floats:
    """log(sum(exp(x))) over the last axis; -inf where all is -inf."""
    highest = x.max(axis=-1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):
        result: Floats = np.log(np.exp(x - highest).sum(axis=-1)) + highest[..., 0]
    return result


def _forward(batch: _Batch, transitions: Floats) -> tuple[Floats, Floats, Floats]:
    """Forward logarithms (longest, batch, tags), their highest 0; scale (longest, batch); log partition (batch,)."""
    product = _LogProduct(transitions)
    forward = np.full(batch.emissions.shape, -np.inf)
    scale = np.zeros(forward.shape[:2])
    for step, count in enumerate(batch.active):
        now = batch.emissions[step, :count]
        if step:
            now = now + product(forward[step - 1, :count])
        highest = now.max(axis=1)
        _possible(highest, batch.order)
        scale[step, :count] = highest
        forward[step, :count] = now - highest[:, None]
    last = forward[batch.lengths - 1, np.arange(len(batch.order))]
    return forward, scale, scale.sum(axis=0) + _log_sum(last)


@np.errstate(all="ignore")  # of the padding, which may hold anything, and of what is then left to logarithms
def _scaled(batch: _Batch, transitions: Floats) -> tuple[Floats, Floats, Floats] | None:
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
    """x (rows, tags) @ table, a few rows at a time, as `_LogProduct` says."""
    piece = max(1, ONE_THREAD // table.size)
    if len(x) <= piece:
        return x @ table
    result = np.empty_like(x)
    for first in range(0, len(x), piece):
        np.matmul(x[first : first + piece], table, out=result[first : first + piece])
    return result


def _checked(batch: _Batch, tags: Tags) -> Tags:
    """Paths (longest, batch), padding made 0; PipelineError where a token has no tag."""
    inside = np.arange(len(tags))[:, None] < batch.lengths
    if np.any(inside & ((tags < 0) | (tags >= batch.emissions.shape[2]))):
        raise PipelineError(f"decoding: expected tags from 0 to {batch.emissions.shape[2] - 1} in every path")
    return np.where(inside, tags, 0)


def _path_score(batch: _Batch, transitions: Floats, paths: Tags) -> Floats:
    """The score of one path (longest, batch) a row, (batch,)."""
    tags = _checked(batch, paths)
    inside = np.arange(len(tags))[:, None] < batch.lengths
    score = np.take_along_axis(batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
    score[1:] += np.asarray(transitions, np.float64)[tags[:-1], tags[1:]]
    result: Floats = np.where(inside, score, 0).sum(axis=0)
    return result
