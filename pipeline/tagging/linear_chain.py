"""Chains: what is computed of linear chains, in which order, and what is checked before.

Every function of `decoding` and `lattice` reads `scores` (batch, steps, tags), right-padded, `lengths` int (batch,),
`transitions` (tags, tags) whose [i, j] scores tag j after tag i, `start` (tags,) and `end` (tags,). A sequence y of a
text of n tokens scores

    start[y_0] + sum_t scores[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_(n-1)]

and has the probability exp(score) / sum over all sequences of exp(score) (Lafferty et al., ICML 2001, equation 1).
`-inf` forbids, anywhere. Padding is never looked at; in what is returned it is -1 for tags and 0 for probabilities.
A text that no allowed sequence fits, or
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
TagIds = NDArray[np.int32]
PADDING = -1


def forbid(values: Floats, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Transitions (tags, tags), or start or end scores (tags,), with -inf where `allowed` is false.

    >>> forbid(np.zeros(2), np.array([True, False])).tolist()
    [0.0, -inf]
    """
    return np.where(allowed, values, -np.inf).astype(np.float32)


@dataclass(frozen=True)
class SortedBatch:
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
    def of(cls, scores: Floats, lengths: NDArray[Any], start: Floats, end: Floats, dtype: Any) -> SortedBatch:
        lengths = checked_lengths(scores, lengths)
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


def checked_lengths(scores: Floats, lengths: NDArray[Any]) -> NDArray[np.int64]:
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


def check_possible(best: Floats, order: NDArray[np.intp]) -> None:
    """Raise unless the best score of each row is a number."""
    wrong = np.flatnonzero(~np.isfinite(best))
    if len(wrong):
        raise PipelineError(
            f"decoding: expected finite scores and an allowed sequence for each text, text {order[wrong].min()} of the "
            "batch has none: let one tag begin, follow itself and end"
        )


def checked(batch: SortedBatch, tags: TagIds) -> TagIds:
    """Paths (longest, batch), padding made 0; PipelineError where a token has no tag."""
    inside = np.arange(len(tags))[:, None] < batch.lengths
    if np.any(inside & ((tags < 0) | (tags >= batch.emissions.shape[2]))):
        raise PipelineError(f"decoding: expected tags from 0 to {batch.emissions.shape[2] - 1} in every path")
    return np.where(inside, tags, 0)


def path_score(batch: SortedBatch, transitions: Floats, paths: TagIds) -> Floats:
    """The score of one path (longest, batch) a row, (batch,)."""
    tags = checked(batch, paths)
    inside = np.arange(len(tags))[:, None] < batch.lengths
    score = np.take_along_axis(batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
    score[1:] += np.asarray(transitions, np.float64)[tags[:-1], tags[1:]]
    result: Floats = np.where(inside, score, 0).sum(axis=0)
    return result
