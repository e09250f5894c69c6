"""N-grams: the n-grams of a text as ids, for the linear part of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding import ragged

Ids = NDArray[np.int32]
Keys = NDArray[np.int64]

LONGEST = 3
BITS = 20  # of one token id in a key; three ids fill 60 of its 63 bits
TOKEN = (1 << BITS) - 1  # masks the last id of a key
ID_BITS = 32  # of an n-gram's id, where it is packed below the number of its text
IDENTIFIER = 2  # digits and letters from which on an n-gram may be a piece of an identifier
FIRST_TOKEN = 2  # the ids below are padding and the unknown token


@dataclass(frozen=True)
class NgramVocabulary:
    """The n-grams of token ids that are frequent enough in the train split.

    `keys`: int64 (n_grams,), ascending; the ids of an n-gram packed into one number, 20 bits each, the last id lowest.
    `longest`: the highest order n, 1 to 3. The id of an n-gram is its place in `keys` plus 1; 0 is padding. N-grams
    with an unknown token are left out. With `counts`, an n-gram that a text has c times is counted round(1 + ln c)
    times, and else once. Raises ValueError for a token id of 2 ** 20 or more.

    >>> texts = [np.array([2, 3], np.int32), np.array([3, 2, 3], np.int32)]
    >>> ngrams = NgramVocabulary.build(texts, longest=2, min_count=2)
    >>> len(ngrams), ngrams.ids([np.array([2, 3, 3], np.int32)])
    (3, [array([1, 2, 3], dtype=int32)])
    """

    keys: Keys
    longest: int
    counts: bool = False

    def __post_init__(self) -> None:
        if self.keys.ndim != 1 or not 1 <= self.longest <= LONGEST:
            raise ValueError(
                f"expected keys (n_grams,) and longest 1 to {LONGEST}, received {self.keys.shape} and {self.longest}"
            )
        check_ascending(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def build(
        cls,
        texts: Sequence[Ids],
        *,
        longest: int,
        min_count: int = 1,
        max_features: int | None = None,
        counts: bool = False,
        identifying: NDArray[np.int64] | None = None,
        min_count_identifiers: int = 1,
    ) -> NgramVocabulary:
        """The n-grams up to `longest` that at least `min_count` texts have; at most the `max_features` commonest.

        `identifying`: how many digits and letters each token has, by its id (`pipeline.encoding.identifiers`). At least
        `min_count_identifiers` texts must have an n-gram with two or more.
        """
        keys = _distinct(*_all_ngrams(texts, longest))
        if identifying is not None:
            keys = _without_rare_identifiers(keys, identifying, min_count_identifiers)
        return cls(frequent_keys(keys, min_count, max_features), longest, counts)

    def idf(self, texts: Sequence[Ids]) -> NDArray[np.float32]:
        """float32 (n_grams + 1,): ln((1 + texts) / (1 + texts with it)) + 1, as scikit-learn smooths it; [0] is 0."""
        distinct = replace(self, counts=False)
        found = np.bincount(np.concatenate([np.zeros(0, np.int32), *distinct.ids(texts)]), minlength=len(self) + 1)
        weights = np.log((1 + len(texts)) / (1 + found)) + 1
        weights[0] = 0
        return weights.astype(np.float32)

    def ids(self, texts: Sequence[Ids]) -> list[Ids]:
        """The ids of the known n-grams of each text, ascending, each as often as it counts: int32 (ids_of_text,)."""
        ids, rows = self._known(*_all_ngrams(texts, self.longest))
        pairs, counts = np.unique(rows << ID_BITS | ids, return_counts=True)
        if self.counts:
            pairs = np.repeat(pairs, np.round(1 + np.log(counts)).astype(np.int64))
        lengths = np.bincount(pairs >> ID_BITS, minlength=len(texts))
        return ragged.cut((pairs & ((1 << ID_BITS) - 1)).astype(np.int32), lengths.tolist())

    def _known(self, keys: Keys, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of the n-grams that the vocabulary has, in no order, and the texts that they are from."""
        order = np.argsort(keys)  # binary search is faster for ascending keys: each begins where the last one ended
        keys = keys[order]
        places = np.searchsorted(self.keys, keys)
        known = places < len(self.keys)
        known[known] = self.keys[places[known]] == keys[known]
        return places[known] + 1, rows[order[known]]


def frequent_keys(keys: Keys, min_count: int, max_features: int | None) -> Keys:
    """The distinct keys that occur `min_count` times or more, ascending; at most the `max_features` commonest."""
    unique, counts = np.unique(keys, return_counts=True)
    kept = np.flatnonzero(counts >= min_count)
    if max_features is not None and len(kept) > max_features:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:max_features]])
    return unique[kept]


def _without_rare_identifiers(keys: Keys, identifying: NDArray[np.int64], min_count: int) -> Keys:
    """Keys without those that have two or more digits and letters and occur fewer than `min_count` times."""
    unique, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    held = np.sum([identifying[unique >> BITS * order & TOKEN] for order in range(LONGEST)], axis=0)
    rare: NDArray[np.bool_] = (held >= IDENTIFIER) & (counts < min_count)
    return keys[~rare[places]]


def check_ascending(keys: Keys) -> None:
    """Raises ValueError unless each key is greater than the one before it, as binary search needs."""
    if not np.all(keys[1:] > keys[:-1]):
        raise ValueError("the keys of n-grams are not in ascending order")


def unit_weights(size: int) -> NDArray[np.float32]:
    """float32 (size,): 1 for each id, 0 for id 0, the padding."""
    weights = np.ones(size, np.float32)
    weights[0] = 0
    return weights


def check_token_ids(ids: Keys) -> None:
    """Raises ValueError for a token id that does not fit the bits it has in a key."""
    largest = int(np.max(ids, initial=0))
    if largest >= 1 << BITS:
        raise ValueError(f"token ids must be under {1 << BITS}, received {largest}")


def _distinct(keys: Keys, rows: NDArray[np.int64]) -> Keys:
    """The keys, each as often as there are texts with it; `rows`: the text of each."""
    order = np.lexsort((keys, rows))
    keys, rows = keys[order], rows[order]
    first = np.ones(len(keys), bool)
    first[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    return keys[first]


def _all_ngrams(texts: Sequence[Ids], longest: int) -> tuple[Keys, NDArray[np.int64]]:
    """The key of every n-gram of known tokens, as often as it occurs, and its text: two int64 arrays (n_grams,)."""
    flat = np.concatenate(texts).astype(np.int64) if len(texts) else np.zeros(0, np.int64)
    check_token_ids(flat)
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    keys, owners = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    key, good = np.zeros(len(flat), np.int64), np.ones(len(flat), bool)
    for shift in range(min(longest, len(flat))):
        end = len(flat) - shift
        good = good[:end] & (flat[shift:] >= FIRST_TOKEN) & (rows[:end] == rows[shift:])
        key = (key[:end] << BITS) | flat[shift:]
        keys.append(key[good])
        owners.append(rows[:end][good])
    return np.concatenate(keys), np.concatenate(owners)
