"""Ragged: one array for the tokens of many texts, cut into an array per text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Any

from numpy.typing import NDArray


def cut(rows: NDArray[Any], lengths: Iterable[int]) -> list[NDArray[Any]]:
    """Views of `rows` (sum of lengths, ...), one (length, ...) for each length; much faster than `np.split`.

    >>> import numpy as np
    >>> [part.tolist() for part in cut(np.arange(4), [3, 0, 1])]
    [[0, 1, 2], [], [3]]
    """
    return [rows[start:end] for start, end in pairwise(accumulate(lengths, initial=0))]
