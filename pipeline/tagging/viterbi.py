"""Viterbi's algorithm: the best and the n best tag sequences of linear chains, in NumPy.

`pipeline.tagging.linear_chain` defines the arguments and the score of a sequence. Ties go to the tag of the lowest id,
decided from the last token backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.tagging.forward_backward import LogProduct, forward_logs, log_sum
from pipeline.tagging.linear_chain import (
    PADDING,
    Floats,
    LinearChain,
    SortedBatch,
    TagIds,
    check_possible,
    path_score,
)

RESCALE_EVERY = 8  # steps
BUFFER = 1 << 17  # sums that fit the processor's cache


def best_path(scores: Floats, lengths: NDArray[Any], chain: LinearChain) -> TagIds:
    """The sequence of the highest score, int32 (batch, steps), by Viterbi's algorithm (Rabiner, 1989, eq. 32 to 35).

    Computed in float32 and rescaled on the way, so that long texts lose no precision.

    >>> scores, even = np.array([[[2.0, 0.0], [0.9, 1.0]]]), np.zeros(2)
    >>> best_path(scores, np.array([2]), LinearChain(np.array([[0.5, 0.0], [0.0, 0.0]]), even, even)).tolist()
    [[0, 0]]
    """
    trellis = _forward_pass(scores, lengths, chain)
    return trellis.texts(trellis.follow())


def normalise_locally(scores: Floats, lengths: NDArray[Any], chain: LinearChain) -> NDArray[np.float64]:
    """Scores float64 (batch, steps, tags) that make the chain a MaxEnt Markov model (McCallum et al., ICML 2000).

    In that model p(y_t = j | x, y_(t-1) = i) is the softmax over j of scores[t, j] + transitions[i, j]; start stands
    for the transition into the first token, and end is added to the scores of the last. The normaliser of step t
    depends on the previous tag only, so it is subtracted from the score of that tag. Viterbi and forward-backward then
    apply unchanged, with the same chain, and the log partition is 0. A tag whose successors are all forbidden loses
    its sequences, and the probabilities are those among the remaining sequences.
    """
    batch = SortedBatch.from_scores(scores, lengths, chain, np.float64)
    product = LogProduct(np.asarray(chain.transitions, np.float64).T)
    result = np.zeros(scores.shape, np.float64)
    for step, count in batch.backwards():
        local = np.asarray(scores[batch.order[:count], step], np.float64)
        if following := batch.following(step):
            after = product(batch.emissions[step + 1, :following])
            with np.errstate(invalid="ignore"):
                local[:following] = np.where(after == -np.inf, -np.inf, local[:following] - after)
        if step == 0:
            first = log_sum(batch.emissions[0])
            check_possible(first, batch.order)
            local -= first[:, None]
        result[batch.order[:count], step] = local
    return result


@dataclass(frozen=True)
class NBest:
    """The best sequences of each text, best first.

    `tags` int32 (batch, n, steps); `log_probabilities` float64 (batch, n). Where a text has fewer than n allowed
    sequences, the rest is padding with the log probability -inf.
    """

    tags: TagIds
    log_probabilities: NDArray[np.float64]


def n_best(scores: Floats, lengths: NDArray[Any], chain: LinearChain, n: int) -> NBest:
    """The n sequences of the highest score, exactly; the first is `best_path`.

    After Viterbi's forward pass, one sum gives the best sequence that agrees with a given one after token t and differs
    at t. The next best sequence overall is the best of these over all sequences found so far (Lawler, 1972, for
    shortest paths), so each further sequence costs one walk back.
    """
    if n < 1:
        raise PipelineError(f"n_best: expected to be asked for at least 1 sequence, received {n}")
    trellis = _forward_pass(scores, lengths, chain)
    found = trellis.deviate(n)
    batch = SortedBatch.from_scores(scores, lengths, chain, np.float64)
    total = forward_logs(batch, chain.transitions)[2]
    present = found[:, 0] != PADDING
    logs = [
        np.where(there, path_score(batch, chain.transitions, np.maximum(path, 0)) - total, -np.inf)
        for path, there in zip(found, present, strict=True)
    ]
    tags = np.stack([trellis.texts(path) for path in found], axis=1)
    return NBest(tags, np.stack([batch.unsort(log) for log in logs], axis=1))


class _MaxPlus:
    """x (tags, rows) -> max over i of x[i] + transitions[i, j], (tags, rows).

    Tags with few allowed predecessors (the inner tags of every scheme) look these up one by one. All other tags form
    one dense block with the tags that may precede any of them, computed in pieces that fit the cache.
    """

    def __init__(self, transitions: NDArray[np.float32], rows: int) -> None:
        allowed = transitions > -np.inf
        self.dense_to, self.few_to = _split(allowed)
        self.dense_from = np.flatnonzero(allowed[:, self.dense_to].any(axis=1))
        self.dense = transitions[np.ix_(self.dense_from, self.dense_to)][:, :, None]
        most = int(np.max(allowed[:, self.few_to].sum(axis=0), initial=0))
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
    """The columns of the dense block and those with few predecessors, split so that the fewest sums are needed."""
    counts = allowed.sum(axis=0)

    def work(most: int) -> int:
        dense = counts > most
        looked_up = most * int((~dense).sum())
        return 3 * looked_up + int(allowed[:, dense].any(axis=1).sum()) * int(dense.sum())

    best = min([-1, *np.unique(counts).tolist()], key=work)
    return np.flatnonzero(counts > best), np.flatnonzero(counts <= best)


@dataclass(frozen=True)
class _Trellis(SortedBatch):
    """The result of Viterbi's forward pass.

    `best` float32 (longest, tags, batch): the best score of a sequence that ends in a tag, minus a constant for each
    step and row; `before` (tags, tags): `[j, i]` scores tag j after tag i.
    """

    best: NDArray[np.float32]
    before: NDArray[np.float32]

    def follow(self, fixed: TagIds | None = None) -> TagIds:
        """The best path of each row, int32 (longest, batch), through those tags of `fixed` that are not padding."""
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

    def losses(self, tags: TagIds, limits: NDArray[np.int64]) -> NDArray[np.float64]:
        """The score lost by another tag at one step and the best tags before it, (batch, longest, tags).

        inf for steps from `limits` (batch,) on.
        """
        sums = self.best.transpose(2, 0, 1).astype(np.float64)
        sums[:, :-1] += np.where((tags[1:].T == PADDING)[:, :, None], 0, self.before[tags[1:].T])
        rows, steps = np.indices(sums.shape[:2])
        with np.errstate(invalid="ignore"):
            losses = np.where(sums == -np.inf, np.inf, sums[rows, steps, tags.T][:, :, None] - sums)
        losses[rows, steps, tags.T] = np.inf
        losses[steps >= limits[:, None]] = np.inf
        return losses

    def deviate(self, n: int) -> TagIds:
        """The n best paths of each row, int32 (n, longest, batch); padding where a row has fewer."""
        longest, rows = len(self.active), np.arange(len(self.order))
        found = np.full((n, longest, len(rows)), PADDING, np.int32)
        found[0] = self.follow()
        candidates = np.full((len(rows), n, longest, self.best.shape[1]), np.inf)
        candidates[:, 0] = self.losses(found[0], self.lengths)
        for k in range(1, n):
            flat = candidates[:, :k].reshape(len(rows), -1).argmin(axis=1)
            parent, step, tag = np.unravel_index(flat, (k, *candidates.shape[2:]))
            loss = candidates[rows, parent, step, tag]
            candidates[rows, parent, step, tag] = np.inf
            fixed = np.where(np.arange(longest)[:, None] > step, found[parent, :, rows].T, PADDING)
            fixed[step, rows] = tag
            path = self.follow(fixed)
            more = np.isfinite(loss)
            found[k] = np.where(more, path, PADDING)
            candidates[more, k] = loss[more, None, None] + self.losses(path, step)[more]
        return found


def _forward_pass(scores: Floats, lengths: NDArray[Any], chain: LinearChain) -> _Trellis:
    """Viterbi's forward pass. Every few steps the best score is subtracted: only differences matter."""
    batch = SortedBatch.from_scores(scores, lengths, chain, np.float32)
    table = np.asarray(chain.transitions, np.float32)
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
            check_possible(highest, batch.order)
            now -= highest
    check_possible(best[batch.lengths - 1, :, np.arange(rows)].max(axis=1), batch.order)
    return _Trellis(**vars(batch), best=best, before=np.ascontiguousarray(table.T))
