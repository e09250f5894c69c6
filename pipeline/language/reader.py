"""The reader: the frozen network of a language model, which is handed tokens and remembers what it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example, Ids, bptt_batches, in_order_of_length
from pipeline.networks.onnx_network import OnnxNetwork

States = NDArray[np.float32]
Scores = NDArray[np.float32]

SIDE_BY_SIDE = 64  # texts read at a time
STEPS = 256  # of each at a time,
NUMBERS = 1 << 22  # or fewer, so that so many scores are in memory


@dataclass(frozen=True)
class Reader:
    """Reads on from any state; several threads may use one.

    `network`: a graph of `language.graph.build`; `width`: of its states; `outputs`: scores a step, the vocabulary's
    length.
    """

    network: OnnxNetwork
    width: int
    outputs: int

    def beginning(self, rows: int) -> States:
        """The states before a text: zeros (rows, width)."""
        return np.zeros((rows, self.width), np.float32)

    def read(self, ids: Ids, lengths: Ids, states: States) -> tuple[Scores, States]:
        """ids int32 (rows, steps), lengths int32 (rows,) from 1, states (rows, width) -> scores, and states behind.

        Scores float32 (rows, steps, vocabulary) are of the token behind each step; those behind a row's length mean
        nothing.
        """
        fed = {"ids": ids, "lengths": lengths, "states": states}
        scores, states = self.network.run(["scores", "next_states"], fed)
        return scores, states

    def follow(self, ids: Ids, states: States) -> tuple[Scores, States]:
        """One step a row: ids int32 (rows,), states (rows, width) -> scores (rows, vocabulary), and states behind."""
        scores, states = self.read(ids[:, None], np.ones(len(ids), np.int32), states)
        return scores[:, 0], states

    def log_probabilities(self, examples: Sequence[Example]) -> list[NDArray[np.float64]]:
        """The natural logarithm of the probability of each target, given all before it in its text: float64 (steps,).

        However long a text is, and whatever stands beside it; memory is bounded.
        """
        found: list[NDArray[np.float64]] = [np.empty(0)] * len(examples)
        for batch in in_order_of_length(examples, SIDE_BY_SIDE):
            for position, values in zip(batch.positions.tolist(), self._of_batch(batch), strict=True):
                found[position] = values
        return found

    def _of_batch(self, batch: Batch) -> list[NDArray[np.float64]]:
        """The same of a batch, window after window; a row that has ended is read no further."""
        rows = len(batch.positions)
        steps = max(1, min(STEPS, NUMBERS // (self.outputs * rows)))
        parts: list[list[NDArray[np.float64]]] = [[] for _ in range(rows)]
        states = self.beginning(rows)
        for window in bptt_batches(batch, steps):
            [ids], [lengths] = window.ids.values(), window.lengths.values()
            assert window.targets is not None, "examples without targets have no probabilities"
            going = np.flatnonzero(lengths)
            scores, states[going] = self.read(ids[going], lengths[going], states[going])
            logs = of_targets(scores, window.targets[going])
            for row, values in zip(going.tolist(), logs, strict=True):
                parts[row].append(values[: lengths[row]])
        return [np.concatenate(part) for part in parts]


def of_targets(scores: Scores, targets: Ids) -> NDArray[np.float64]:
    """log softmax(scores)[target]: scores (..., vocabulary), targets (...) -> float64 (...)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]
    return chosen - np.log(np.exp(shifted, out=shifted).sum(axis=-1, dtype=np.float64))  # type: ignore[no-any-return]
