"""Linear chains: the scores of a tag after a tag, and a batch of texts laid out for the recursions over them.

Every function of `viterbi` and `forward_backward` takes `scores` (batch, steps, tags), right-padded, `lengths` int
(batch,), and a `LinearChain`. A sequence y of tags for a text of n tokens scores

    start[y_0] + sum_t scores[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_(n-1)]

and has the probability exp(score) / sum over all sequences of exp(score) (Lafferty et al., ICML 2001, equation 1).
A score of `-inf` forbids a tag or a transition. The padding is never read; in results it is -1 for tags and 0 for
probabilities.

A text without an allowed sequence, or with scores that are not finite, raises PipelineError. No user can cause either:
a network computes finite scores, and every tag scheme has a tag that may begin, follow itself and end (O or S).
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


@dataclass(frozen=True)
class LinearChain:
    """The parameters of a linear chain; -inf forbids.

    `transitions` (tags, tags): `[i, j]` scores tag j after tag i; `start` (tags,): of the first tag of a text;
    `end` (tags,): of its last tag.
    """

    transitions: Floats
    start: Floats
    end: Floats

    def __iter__(self) -> Iterator[Floats]:
        return iter((self.transitions, self.start, self.end))

    def at_temperature(self, temperature: float) -> LinearChain:
        """All scores divided by `temperature`."""
        return LinearChain(*(table / np.float32(temperature) for table in self))

    def without_ends(self) -> LinearChain:
        """The chain for a piece from the middle of a text: start and end score 0."""
        return LinearChain(self.transitions, np.zeros_like(self.start), np.zeros_like(self.end))


def forbid(values: Floats, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Transitions (tags, tags), or start or end scores (tags,), with -inf where `allowed` is false.

    >>> forbid(np.zeros(2), np.array([True, False])).tolist()
    [0.0, -inf]
    """
    return np.where(allowed, values, -np.inf).astype(np.float32)


@dataclass(frozen=True)
class SortedBatch:
    """A batch in time-major order, the longest row first, so that the rows still active at a step are the first ones.

    `emissions` (longest, batch, tags): scores with start and end added; `order` (batch,): the text of each row;
    `places` (batch,): the row of each text; `lengths` (batch,): of each row; `active`: the number of rows that have a
    token at each step; `steps`: the padded length of the texts.
    """

    emissions: Floats
    order: NDArray[np.intp]
    places: NDArray[np.intp]
    lengths: NDArray[np.int64]
    active: list[int]
    steps: int

    @classmethod
    def from_scores(cls, scores: Floats, lengths: NDArray[Any], chain: LinearChain, dtype: Any) -> SortedBatch:
        """The batch of `scores` (batch, steps, tags) and `lengths` (batch,), computed in `dtype`."""
        lengths = checked_lengths(scores, lengths)
        order = np.argsort(-lengths, kind="stable")
        falling = lengths[order]
        longest = int(falling[0])
        emissions = np.empty((longest, len(order), scores.shape[2]), dtype)
        emissions[:] = scores[order, :longest].swapaxes(0, 1)
        emissions[0] += np.asarray(chain.start, dtype)
        emissions[falling - 1, np.arange(len(order))] += np.asarray(chain.end, dtype)
        active = np.searchsorted(-falling, -np.arange(longest), side="left").tolist()
        return cls(emissions, order, np.argsort(order), falling, active, scores.shape[1])

    def following(self, step: int) -> int:
        """The number of rows that have a token after `step`."""
        return self.active[step + 1] if step + 1 < len(self.active) else 0

    def backwards(self) -> Iterator[tuple[int, int]]:
        """(step, number of active rows) of each step, the last one first."""
        return zip(reversed(range(len(self.active))), reversed(self.active), strict=True)

    def unsort(self, values: Floats) -> Floats:
        """One value per row -> one value per text, (batch,)."""
        return values[self.places]

    def sort(self, texts: Floats) -> Floats:
        """(batch, steps) by text -> (longest, batch) by row."""
        return np.asarray(texts)[self.order, : len(self.active)].T

    def texts(self, values: Floats, padding: int = PADDING) -> Floats:
        """(longest, batch, ...) by row -> (batch, steps, ...) by text.

        `values` are padded up to `longest` already; `padding` fills the steps after it.
        """
        result = np.full((len(self.order), self.steps, *values.shape[2:]), padding, values.dtype)
        result[:, : len(self.active)] = values.swapaxes(0, 1)[self.places]
        return result


def checked_lengths(scores: Floats, lengths: NDArray[Any]) -> NDArray[np.int64]:
    """The lengths as int64; raises PipelineError unless they fit the shape of the scores."""
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
    """Raises PipelineError unless the best score of each row, `best` (rows,), is finite."""
    wrong = np.flatnonzero(~np.isfinite(best))
    if len(wrong):
        raise PipelineError(
            "decoding: expected finite scores and an allowed sequence for each text, "
            f"text {np.min(order[wrong])} of the batch has none: let one tag begin, follow itself and end"
        )


def checked_paths(batch: SortedBatch, paths: TagIds) -> TagIds:
    """Paths (longest, batch) with 0 in the padding; raises PipelineError if a token has no tag."""
    inside = np.arange(len(paths))[:, None] < batch.lengths
    if np.any(inside & ((paths < 0) | (paths >= batch.emissions.shape[2]))):
        raise PipelineError(f"decoding: expected tags from 0 to {batch.emissions.shape[2] - 1} in every path")
    return np.where(inside, paths, 0)


def path_score(batch: SortedBatch, transitions: Floats, paths: TagIds) -> Floats:
    """The score of one path per row, paths (longest, batch) -> (batch,)."""
    tags = checked_paths(batch, paths)
    inside = np.arange(len(tags))[:, None] < batch.lengths
    score = np.take_along_axis(batch.emissions, tags[:, :, None], axis=2)[:, :, 0]
    score[1:] += np.asarray(transitions, np.float64)[tags[:-1], tags[1:]]
    result: Floats = np.where(inside, score, 0).sum(axis=0)
    return result
