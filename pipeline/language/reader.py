"""Reader: the frozen network of a language model, read step by step from any state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example, Ids, bptt_batches, in_order_of_length
from pipeline.errors import NotFinite
from pipeline.networks.onnx_network import OnnxNetwork, check_finite, check_shape

States = NDArray[np.float32]
Scores = NDArray[np.float32]

NUMBERS = 1 << 22  # scores in memory at a time


@dataclass(frozen=True)
class StatefulReader:
    """A language model that reads on from any state; several threads may use one.

    `network`: a graph of `language_graph.build`; `width`: of its states; `outputs`: scores a step, the length of the
    vocabulary; `texts_at_once`, `steps_at_once`: what `log_probabilities` reads at a time, fewer steps where there
    would be too many scores for memory.
    """

    network: OnnxNetwork
    width: int
    outputs: int
    texts_at_once: int = 64
    steps_at_once: int = 256

    def initial_states(self, rows: int) -> States:
        """The states before a text: zeros (rows, width)."""
        return np.zeros((rows, self.width), np.float32)

    def read(self, ids: Ids, lengths: Ids, states: States) -> tuple[Scores, States]:
        """ids int32 (rows, steps), lengths int32 (rows,) from 1, states (rows, width) to scores and the next states.

        Scores float32 (rows, steps, vocabulary) are those of the token after each step; after a row's length they have
        no meaning. Raises NotFinite, with the place of a row, if any other score is not finite.
        """
        scores, states = self.read_unchecked(ids, lengths, states)
        inside = np.arange(scores.shape[1]) < lengths[:, None]
        check_finite(self.network.path, scores, inside, np.arange(len(scores)))
        return scores, states

    def read_unchecked(self, ids: Ids, lengths: Ids, states: States) -> tuple[Scores, States]:
        """`read`, whatever the scores are."""
        fed = {"ids": ids, "lengths": lengths, "states": states}
        scores, next_states = self.network.run(["scores", "next_states"], fed)
        check_shape(self.network.path, scores, (*ids.shape, self.outputs))
        check_shape(self.network.path, next_states, states.shape)
        return scores, next_states

    def step(self, ids: Ids, states: States) -> tuple[Scores, States]:
        """One token a row: ids int32 (rows,), states (rows, width) to scores (rows, vocabulary) and the next states."""
        scores, states = self.read(ids[:, None], np.ones(len(ids), np.int32), states)
        return scores[:, 0], states

    def log_probabilities(self, examples: Sequence[Example]) -> list[NDArray[np.float64]]:
        """The natural logarithm of each target's probability, given all tokens before it: float64 (steps,) a text.

        The result does not depend on the other texts; texts of any length are read in bounded memory. Raises
        ValueError for examples without targets, and NotFinite, with the place of an example, for scores that are not
        finite.
        """
        found: list[NDArray[np.float64]] = [np.empty(0)] * len(examples)
        for batch in in_order_of_length(examples, self.texts_at_once):
            try:
                logs = self._of_batch(batch)
            except NotFinite as error:
                raise NotFinite(error.network, int(batch.positions[error.text])) from None
            for position, values in zip(batch.positions.tolist(), logs, strict=True):
                found[position] = values
        return found

    def _of_batch(self, batch: Batch) -> list[NDArray[np.float64]]:
        """The same for a batch, window by window; a row that has ended is read no further."""
        rows = len(batch.positions)
        steps = max(1, min(self.steps_at_once, NUMBERS // (self.outputs * rows)))
        parts: list[list[NDArray[np.float64]]] = [[] for _ in range(rows)]
        states = self.initial_states(rows)
        for window in bptt_batches(batch, steps):
            [ids], [lengths] = window.ids.values(), window.lengths.values()
            if window.targets is None:
                raise ValueError("examples without targets have no probabilities")
            going = np.flatnonzero(lengths)
            try:
                scores, states[going] = self.read(ids[going], lengths[going], states[going])
            except NotFinite as error:
                raise NotFinite(error.network, int(going[error.text])) from None
            logs = of_targets(scores, window.targets[going])
            for row, values in zip(going.tolist(), logs, strict=True):
                parts[row].append(values[: lengths[row]])
        return [np.concatenate(part) for part in parts]


def of_targets(scores: Scores, targets: Ids) -> NDArray[np.float64]:
    """log softmax(scores)[target]: scores (..., vocabulary), targets (...) to float64 (...)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]
    sums = np.exp(shifted, out=shifted).sum(axis=-1, dtype=np.float64)
    logs: NDArray[np.float64] = chosen.astype(np.float64) - np.log(sums)
    return logs
