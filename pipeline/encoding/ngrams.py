"""Grams: the n-grams of a text that the wide part weighs, as sets of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Keys = NDArray[np.int64]

LONGEST = 3
BITS = 20  # of one token id in a key; three ids fill 60 of its 63 bits
FIRST_TOKEN = 2  # below it are padding and the unknown token


@dataclass(frozen=True)
class NgramVocabulary:
    """The n-grams of token ids that the train split has often enough.

    `keys`: int64 (n_grams,), ascending; an n-gram's ids packed into one number, 20 bits each, the last id lowest.
    A gram's id is its place in `keys` plus 1; 0 is padding. N-grams with an unknown token don't count.
    Raises ValueError where a token id is 2 ** 20 or more.

    >>> grams = NgramVocabulary.build([np.array([2, 3], np.int32), np.array([3, 2, 3], np.int32)], longest=2, min_count=2)
    >>> len(grams), grams.ids([np.array([2, 3, 3], np.int32)])
    (3, [array([1, 2, 3], dtype=int32)])
    """

    keys: Keys
    longest: int

    def __post_init__(self) -> None:
        if self.keys.ndim != 1 or not 1 <= self.longest <= LONGEST:
            raise ValueError(
                f"expected keys (n_grams,) and longest 1 to {LONGEST}, received {self.keys.shape} and {self.longest}"
            )

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def build(
        cls, texts: Sequence[Ids], *, longest: int, min_count: int = 1, max_features: int | None = None
    ) -> NgramVocabulary:
        """The n-grams up to `longest` in `min_count` texts or more; of these the `max_features` in most texts."""
        keys, _ = _pairs(texts, longest)
        unique, counts = np.unique(keys, return_counts=True)
        kept = np.flatnonzero(counts >= min_count)
        if max_features is not None and len(kept) > max_features:
            kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:max_features]])
        return cls(unique[kept], longest)

    def idf(self, texts: Sequence[Ids]) -> NDArray[np.float32]:
        """float32 (n_grams + 1,): ln((1 + texts) / (1 + texts with it)) + 1, as scikit-learn smooths it; [0] is 0."""
        found = np.bincount(np.concatenate([np.zeros(0, np.int32), *self.ids(texts)]), minlength=len(self) + 1)
        weights = np.log((1 + len(texts)) / (1 + found)) + 1
        weights[0] = 0
        return weights.astype(np.float32)

    def ids(self, texts: Sequence[Ids]) -> list[Ids]:
        """For each text the ids of its different known n-grams, ascending: int32 (n_grams_of_text,)."""
        keys, rows = _pairs(texts, self.longest)
        if not len(self.keys):
            keys, rows = keys[:0], rows[:0]
        places = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        known = self.keys[places] == keys if len(keys) else np.zeros(0, bool)
        ids = (places[known] + 1).astype(np.int32)
        return np.split(ids, np.cumsum(np.bincount(rows[known], minlength=len(texts)))[:-1]) if len(texts) else []


def _pairs(texts: Sequence[Ids], longest: int) -> tuple[Keys, NDArray[np.int64]]:
    """The different (key, text) pairs of all n-grams, by text and then by key: two int64 arrays (n_pairs,)."""
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    flat = np.concatenate(texts).astype(np.int64) if len(texts) else np.zeros(0, np.int64)
    if flat.size and flat.max() >= 1 << BITS:
        raise ValueError(f"token ids must be under {1 << BITS}, received {flat.max()}")
    rows = np.repeat(np.arange(len(texts)), lengths)
    keys, owners = [], []
    key, good = np.zeros(len(flat), np.int64), np.ones(len(flat), bool)
    for order in range(longest):
        end = len(flat) - order
        if end <= 0:
            break
        good = good[:end] & (flat[order:] >= FIRST_TOKEN) & (rows[:end] == rows[order:])
        key = (key[:end] << BITS) | flat[order:]
        keys.append(key[good])
        owners.append(rows[:end][good])
    if not keys:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    all_keys, all_rows = np.concatenate(keys), np.concatenate(owners)
    order_ = np.lexsort((all_keys, all_rows))
    all_keys, all_rows = all_keys[order_], all_rows[order_]
    first = np.ones(len(all_keys), bool)
    first[1:] = (all_keys[1:] != all_keys[:-1]) | (all_rows[1:] != all_rows[:-1])
    return all_keys[first], all_rows[first]
