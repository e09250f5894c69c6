"""Identifiers: how much of a telephone number, an address or a key a token may be."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import FIRST, Vocabulary

IDENTIFYING = re.compile("[0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")  # full-width forms, too


def identifying(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """How many digits and Latin letters each token has, by its id: int64 (tokens + 2,).

    >>> identifying(Vocabulary(["电", "1", "QQ"]))
    array([0, 0, 0, 1, 2])
    """
    return np.array([*[0] * FIRST, *(len(IDENTIFYING.findall(token)) for token in vocabulary.tokens)], np.int64)
