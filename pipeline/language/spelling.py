"""Spelling: what a token outside the vocabulary costs, so that models of any vocabulary can be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import UNKNOWN

CHARACTERS = 0x110000  # code points of Unicode


@dataclass(frozen=True)
class Spelling:
    """The probability of an unknown token, character by character.

    ln p(token) = ln p(unknown) + the spelling, where only the first comes from the network (or the n-grams). `counts`:
    the count of each character in train's rare tokens; `tokens`: the number of these tokens. A character has the
    probability (count + kinds / 1,114,112) / (all + kinds), where kinds is the number of different ones (Witten and
    Bell, 1991): an unseen character gets an even share of what the others leave to all of Unicode. After each character
    a token ends with the probability (tokens + 1) / (characters + 2); where every token is one character (`unit` char),
    there is no end to predict.

    So every text has a probability above 0, and all texts together have at most 1, whatever the vocabulary: a small
    vocabulary cannot improve the perplexity by giving up on rare tokens.

    >>> Spelling("char", {}, 0).log_probability("龘") == -math.log(0x110000)
    True
    """

    unit: str
    counts: Mapping[str, int]
    tokens: int

    @classmethod
    def learn(cls, unit: str, tokens: Iterable[str]) -> Spelling:
        """From train's rare tokens, each repeated as often as it occurs there."""
        tokens = list(tokens)
        return cls(unit, Counter(character for token in tokens for character in token), len(tokens))

    def log_probability(self, token: str) -> float:
        """The natural logarithm of the probability that an unknown token is this one."""
        seen, kinds = sum(self.counts.values()), len(self.counts)
        even = max(kinds, 1) / CHARACTERS
        whole = seen + max(kinds, 1)
        written = sum(math.log((self.counts.get(character, 0) + even) / whole) for character in token)
        if self.unit == "char":
            return written
        ends = (self.tokens + 1) / (seen + 2)
        return written + (len(token) - 1) * math.log(1 - ends) + math.log(ends)

    def added(self, logs: NDArray[np.float64], tokens: Sequence[str], ids: NDArray[np.integer]) -> tuple[float, ...]:
        """The log-probabilities of a text's tokens and end, plus the spelling of each token with the unknown id."""
        logs = logs.copy()
        for place in np.flatnonzero(ids == UNKNOWN).tolist():
            logs[place] += self.log_probability(tokens[place])
        return tuple(logs.tolist())

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, as values that JSON holds."""
        return {"tokens": self.tokens, "counts": dict(sorted(self.counts.items()))}

    @classmethod
    def from_dict(cls, unit: str, values: Mapping[str, Any]) -> Spelling:
        """The spelling that `as_dict` gave. Raises KeyError, TypeError or ValueError for damaged values."""
        counts, tokens = {str(key): int(count) for key, count in values["counts"].items()}, int(values["tokens"])
        if min(counts.values(), default=1) < 1 or not 0 <= tokens <= sum(counts.values()) < 1 << 53:
            raise ValueError("the counts of characters in spelling.json are out of range")
        return cls(unit, counts, tokens)
