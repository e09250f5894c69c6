"""Overlapping windows: how a long text is split into pieces that share context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OverlappingWindows:
    """The windows of a text of `count` tokens: at most `size` tokens each, `context` of them on either side.

    The middles of the windows, what is left without context, cover the text once.

    >>> windows = OverlappingWindows(10, 6, 1)
    >>> windows.starts.tolist(), windows.firsts.tolist(), windows.stops.tolist()
    ([0, 4, 8], [0, 3, 7], [5, 9, 10])
    """

    count: int
    size: int
    context: int

    @property
    def step(self) -> int:
        """Tokens from the start of one middle to the start of the next."""
        return self.size - 2 * self.context

    @property
    def starts(self) -> NDArray[Any]:
        """The first token of each middle, (windows,)."""
        return np.arange(0, self.count, self.step)

    @property
    def firsts(self) -> NDArray[Any]:
        """The first token of each window, (windows,)."""
        return np.maximum(self.starts - self.context, 0)  # type: ignore[no-any-return]

    @property
    def stops(self) -> NDArray[Any]:
        """The token after each window, (windows,)."""
        return np.minimum(self.starts + self.step + self.context, self.count)  # type: ignore[no-any-return]
