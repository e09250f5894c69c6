"""Word rows: the ids that are computed once for each word and kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


class WordRows(dict[str, Ids]):
    """word -> its ids, int32 (ids_of_a_word,), computed at the first access.

    At most `capacity` words are kept, so that a stream of ever new words does not fill the memory.

    >>> rows = WordRows(lambda word: np.array([len(word)], np.int32), capacity=1)
    >>> rows["北京"], rows["鸭"], list(rows)
    (array([2], dtype=int32), array([1], dtype=int32), ['北京'])
    """

    def __init__(self, compute: Callable[[str], Ids], capacity: int = 1 << 17) -> None:
        super().__init__()
        self.compute = compute
        self.capacity = capacity

    def __missing__(self, word: str) -> Ids:
        row = self.compute(word)
        if len(self) < self.capacity:
            self[word] = row
        return row
