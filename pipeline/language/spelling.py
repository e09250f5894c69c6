"""Spelling: what a token outside the vocabulary costs, so that models of any vocabulary can be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CHARACTERS = 0x110000  # code points of Unicode


@dataclass(frozen=True)
class Spelling:
    """How an unknown token is written, character by character.

    ln p(token) = ln p(unknown) + the spelling, where only the first comes from the network (or the n-grams). `counts`:
    how often each character came in train's rare tokens; `tokens`: how many those were. A character has the
    probability (count + kinds / 1,114,112) / (all + kinds), where kinds is the number of different ones (Witten and
    Bell, 1991): one that never came gets an even share of what the others leave to all of Unicode. After each
    character a token ends with the probability tokens / characters; where a token is always one character
    (`unit` char) there is nothing to tell.

    So every text has a probability above 0, and all together have no more than 1, whatever the vocabulary. A cap on
    it can't make a perplexity better by giving up on the rare tokens.

    >>> Spelling("char", {}, 0).log_probability("龘") == -math.log(0x110000)
    True
    """

    unit: str
    counts: Mapping[str, int]
    tokens: int

    @classmethod
    def learn(cls, unit: str, tokens: Iterable[str]) -> Spelling:
        """From train's rare tokens, each as often as it came there."""
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

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, in values that JSON holds."""
        return {"tokens": self.tokens, "counts": dict(sorted(self.counts.items()))}

    @classmethod
    def from_dict(cls, unit: str, values: Mapping[str, Any]) -> Spelling:
        """The spelling that `as_dict` gave. Raises KeyError, TypeError or ValueError where it is spoilt."""
        return cls(unit, {str(key): int(count) for key, count in values["counts"].items()}, int(values["tokens"]))
