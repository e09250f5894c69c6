"""Context n-grams: the n-grams around each token, by their position, for the linear part of a tagger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding import ragged
from pipeline.encoding.ngrams import (
    BITS,
    FIRST_TOKEN,
    LONGEST,
    check_ascending,
    check_token_ids,
    frequent_keys,
    unit_weights,
)

Ids = NDArray[np.int32]
Keys = NDArray[np.int64]
EDGE, UNKNOWN = 1, 0  # in keys: a place outside the text; a token that is not in the vocabulary


@dataclass(frozen=True)
class ContextNgrams:
    """The n-grams of token ids that are frequent enough in the train split, told apart by their place around a token.

    `keys`: int64 (n_grams,), ascending, packed as in `NgramVocabulary`, with 1 for each place outside the text;
    `longest`: the highest order n, 1 to 3; `window`: how many tokens to the left and to the right are read. An n-gram
    of order n fits the window at 2 * window + 2 - n places and has an id, from 1, for each of them; 0 stands for an
    n-gram that is not in `keys`. Raises ValueError for arguments out of range and token ids of 2 ** 20 or more.

    >>> ngrams = ContextNgrams.build([np.array([2, 3], np.int32)], longest=1, window=1)
    >>> len(ngrams.keys), len(ngrams), ngrams.ids([np.array([3, 9], np.int32)])
    (3, 9, [array([[1, 6, 0],
           [3, 0, 7]], dtype=int32)])
    """

    keys: Keys
    longest: int
    window: int

    def __post_init__(self) -> None:
        if self.keys.ndim != 1 or not 1 <= self.longest <= LONGEST or self.window < 0:
            raise ValueError(
                f"expected keys (n_grams,), longest 1 to {LONGEST} and a window from 0, received {self.keys.shape}, "
                f"{self.longest} and {self.window}"
            )
        check_ascending(self.keys)

    def __len__(self) -> int:
        """The number of ids, 0 not counted."""
        return sum(count * places for count, places in zip(self._counts(), self._places(), strict=True))

    @classmethod
    def build(
        cls,
        texts: Sequence[Ids],
        *,
        longest: int,
        window: int,
        min_count: int = 1,
        max_features: int | None = None,
    ) -> ContextNgrams:
        """The n-grams that occur `min_count` times or more; at most the `max_features` most frequent."""
        flat, _ = _flat(texts, window)
        keys = np.concatenate([key[good] for key, good in _keys(flat, longest)])
        return cls(frequent_keys(keys, min_count, max_features), longest, window)

    def weights(self) -> NDArray[np.float32]:
        """float32 (ids + 1,): 1 for each id, 0 for 0; used in place of an idf."""
        return unit_weights(len(self) + 1)

    def ids(self, texts: Sequence[Ids]) -> list[Ids]:
        """The ids of the n-grams around each token, for each text int32 (n_tokens, places of all orders)."""
        flat, tokens = _flat(texts, self.window)
        columns, base = [], 1
        firsts = np.searchsorted(self.keys, [1 << BITS * order for order in range(self.longest)])
        found = zip(_keys(flat, self.longest), firsts.tolist(), self._counts(), self._places(), strict=True)
        for (keys, good), first, count, places in found:
            known = self.keys[first : first + count]
            at = np.minimum(np.searchsorted(known, keys), max(count - 1, 0))
            hit = good & (known[at] == keys) if count else np.zeros(len(keys), bool)
            for place in range(places):
                positions = tokens + place - self.window
                columns.append(np.where(hit[positions], base + at[positions], 0))
                base += count
        rows = np.stack(columns, axis=1).astype(np.int32)
        return ragged.cut(rows, map(len, texts))

    def ids_in(self, other: ContextNgrams) -> NDArray[np.intp]:
        """The id that `other`, which has all n-grams of these, has for each id, 0 included: (ids + 1,)."""
        places = [[0]]
        start, base = 0, 1
        firsts = np.cumsum([0, *other._counts()])
        for order, count in enumerate(self._counts()):
            keys = self.keys[start : start + count]
            size = other._counts()[order]
            at = np.searchsorted(other.keys[firsts[order] : firsts[order] + size], keys)
            for _ in range(self._places()[order]):
                places.append((base + at).tolist())
                base += size
            start += count
        return np.concatenate([np.array(part, np.intp) for part in places])

    def _counts(self) -> list[int]:
        """The number of n-grams of each order; the key of a longer one is always greater."""
        edges = np.searchsorted(self.keys, [1 << BITS * order for order in range(self.longest + 1)])
        return np.diff(edges).tolist()  # type: ignore[no-any-return]

    def _places(self) -> list[int]:
        """The number of places in the window for n-grams of each order."""
        return [max(0, 2 * self.window + 2 - order) for order in range(1, self.longest + 1)]


def _flat(texts: Sequence[Ids], window: int) -> tuple[Keys, NDArray[np.int64]]:
    """All ids in one array, with `window` edges around each text, and the place of each token in it."""
    if not len(texts):
        return np.full(2 * window, EDGE, np.int64), np.zeros(0, np.int64)
    edge = np.full(window, EDGE, np.int64)
    parts = [edge]
    for text in texts:
        parts += [np.where(text >= FIRST_TOKEN, text, UNKNOWN).astype(np.int64), edge]
    flat = np.concatenate(parts)
    check_token_ids(flat)
    lengths = np.array([len(text) for text in texts])
    starts = np.cumsum(np.r_[0, lengths[:-1] + window]) + window
    inner = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return flat, np.repeat(starts, lengths) + inner


def _keys(flat: Keys, longest: int) -> list[tuple[Keys, NDArray[np.bool_]]]:
    """For each order: the key of the n-gram that begins at each place, and whether all its tokens are known."""
    key, good, found = np.zeros(len(flat), np.int64), np.ones(len(flat), bool), []
    for shift in range(longest):
        following = np.r_[flat[shift:], np.zeros(min(shift, len(flat)), np.int64)]
        key, good = (key << BITS) | following, good & (following != UNKNOWN)
        found.append((key, good))
    return found
