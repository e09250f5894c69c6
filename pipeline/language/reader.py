"""The reader: the frozen network of a language model, which is handed tokens and remembers what it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.frozen import Frozen
from pipeline.language.windows import Ids, cut

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

    network: Frozen
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

    def log_probabilities(self, texts: Sequence[Ids]) -> list[NDArray[np.float64]]:
        """Of each text the natural logarithm of each token's probability, and last that of its end: float64 (n + 1,).

        Every token is judged by all that stands before it in the text, however long; memory is bounded.
        """
        found: list[NDArray[np.float64]] = [np.empty(0)] * len(texts)
        longest_first = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for start in range(0, len(texts), SIDE_BY_SIDE):
            places = longest_first[start : start + SIDE_BY_SIDE]
            for place, values in zip(places, self._side_by_side([texts[place] for place in places]), strict=True):
                found[place] = values
        return found

    def _side_by_side(self, texts: Sequence[Ids]) -> list[NDArray[np.float64]]:
        """The same of a few texts, the longest first, so that those that go on are always the first rows."""
        steps = max(1, min(STEPS, NUMBERS // (self.outputs * len(texts))))
        parts: list[list[NDArray[np.float64]]] = [[] for _ in texts]
        states = self.beginning(len(texts))
        for window in cut(texts, steps):
            rows = int(np.count_nonzero(window.lengths))
            scores, states = self.read(window.ids[:rows], window.lengths[:rows], states[:rows])
            values = of_targets(scores, window.targets[:rows])
            for row in range(rows):
                parts[row].append(values[row, : window.lengths[row]])
        return [np.concatenate(part) for part in parts]


def of_targets(scores: Scores, targets: Ids) -> NDArray[np.float64]:
    """log softmax(scores)[target]: scores (..., vocabulary), targets (...) -> float64 (...)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]
    return chosen - np.log(np.exp(shifted, out=shifted).sum(axis=-1, dtype=np.float64))  # type: ignore[no-any-return]
