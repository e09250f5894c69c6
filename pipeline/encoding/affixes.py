"""Affixes: the beginnings and ends of words, for the linear part of a tagger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.ngrams import FIRST_TOKEN

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Affixes:
    """The beginnings and ends of words, up to `longest` characters, that the train split has often enough.

    `vocabulary`: beginnings as `北…`, ends as `…京`. A word's ids are those of its beginnings, then of its ends, short
    ones first; 0 is one that is not there or train has too rarely.

    >>> affixes = Affixes.build([["北京", "南京"]], longest=1)
    >>> affixes.vocabulary.tokens, affixes.ids([["东京"]])
    (('…京', '北…', '南…'), [array([[0, 1]], dtype=int32)])
    """

    vocabulary: Vocabulary
    longest: int
    _rows: dict[str, Ids] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        """How many ids there are, 0 not counted."""
        return len(self.vocabulary) - FIRST_TOKEN

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]], *, longest: int, min_count: int = 1) -> Affixes:
        """Those that `min_count` words of the texts have, or more."""
        found = ([affix for word in text for affix in _affixes(word, longest) if affix] for text in texts)
        return cls(Vocabulary.build(found, min_count=min_count), longest)

    def weights(self) -> NDArray[np.float32]:
        """float32 (ids + 1,): 1 for each id, 0 for 0; in the place of an idf."""
        values = np.ones(len(self) + 1, np.float32)
        values[0] = 0
        return values

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text the ids of its words' affixes, int32 (n_words, 2 * longest)."""
        return [np.stack([self._row(word) for word in text]) for text in texts]

    def _row(self, word: str) -> Ids:
        row = self._rows.get(word)
        if row is None:
            found = self.vocabulary.ids(_affixes(word, self.longest))
            row = np.maximum(found - (FIRST_TOKEN - 1), 0).astype(np.int32)
            if len(self._rows) < 1 << 17:  # a stream of new words must not fill the memory
                self._rows[word] = row
        return row


def _affixes(word: str, longest: int) -> list[str]:
    """Beginnings and ends of 1 to `longest` characters; "" for those that the word is too short for."""
    sizes = [size if size <= len(word) else 0 for size in range(1, longest + 1)]
    beginnings = [f"{word[:size]}…" if size else "" for size in sizes]
    return beginnings + [f"…{word[-size:]}" if size else "" for size in sizes]
