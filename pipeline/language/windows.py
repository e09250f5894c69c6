"""Windows: texts side by side, some steps at a time, so that a recurrent network can go on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

BOUNDARY = 0  # what stands before a text's first token and after its last; a vocabulary gives 0 to no token
GRID = 8  # the last window's steps are a multiple of it


@dataclass(frozen=True)
class Window:
    """The same stretch of several texts, and what follows each of its tokens.

    `ids`, `targets`: int32 (rows, steps), 0 behind a row's length; `targets[i, j]` follows `ids[i, j]`;
    `lengths`: int32 (rows,), how many steps of each row are the text's, 0 where it has ended before; `start`: steps
    that went before, 0 in the first window of these texts, where nothing has been read yet.
    """

    ids: Ids
    targets: Ids
    lengths: Ids
    start: int

    @property
    def inside(self) -> NDArray[np.float32]:
        """float32 (rows, steps): 1 for the steps of the texts, 0 for padding."""
        steps = np.arange(self.ids.shape[1], dtype=np.int32)
        return (steps < self.lengths[:, None]).astype(np.float32)


def cut(texts: Sequence[Ids], steps: int, *, coarse: bool = False) -> Iterator[Window]:
    """Windows of `steps` steps, one after the other, until the longest text has ended; 0: one window for all.

    A text of n tokens has n + 1 steps: the boundary is read first and expected last. The last window is as short as
    the texts allow, in steps of 8, or, `coarse`, in powers of 2 (for a backend that compiles each shape anew).

    >>> [(window.ids.tolist(), window.targets.tolist()) for window in cut([np.array([5, 6, 7], np.int32)], 2)]
    [([[0, 5]], [[5, 6]]), ([[6, 7]], [[7, 0]])]
    """
    lengths = np.array([len(text) + 1 for text in texts], np.int32)
    longest = int(lengths.max())
    size = steps or longest
    for start in range(0, longest, size):
        width = min(size, _rounded(longest - start, coarse))
        inputs = np.zeros((len(texts), width), np.int32)
        targets = np.zeros((len(texts), width), np.int32)
        for row, text in enumerate(texts):
            read = text[max(start - 1, 0) : start + width - 1]
            first = 0 if start else 1
            inputs[row, first : first + len(read)] = read
            expected = text[start : start + width]
            targets[row, : len(expected)] = expected
        yield Window(inputs, targets, np.clip(lengths - start, 0, width).astype(np.int32), start)


def _rounded(steps: int, coarse: bool) -> int:
    grids = -(-steps // GRID)
    return GRID * (1 << (grids - 1).bit_length() if coarse else grids)
