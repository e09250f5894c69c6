"""Affixes: the beginnings and ends of words, for the linear part of a tagger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.ngrams import FIRST_TOKEN, unit_weights
from pipeline.encoding.word_rows import WordRows

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Affixes:
    """The prefixes and suffixes of up to `longest` characters that are frequent enough in the train split.

    `vocabulary` holds prefixes as `北…` and suffixes as `…京`. The ids of a word are those of its prefixes, then those
    of its suffixes, each from short to long; 0 stands for an affix that is unknown or longer than the word.

    >>> affixes = Affixes.build([["北京", "南京"]], longest=1)
    >>> affixes.vocabulary.tokens, affixes.ids([["东京"]])
    (('…京', '北…', '南…'), [array([[0, 1]], dtype=int32)])
    """

    vocabulary: Vocabulary
    longest: int

    def __len__(self) -> int:
        """The number of ids, 0 not counted."""
        return len(self.vocabulary) - FIRST_TOKEN

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]], *, longest: int, min_count: int = 1) -> Affixes:
        """The affixes that at least `min_count` words of the texts have."""
        found = ([affix for word in text for affix in _affixes(word, longest) if affix] for text in texts)
        return cls(Vocabulary.build(found, min_count=min_count), longest)

    def weights(self) -> NDArray[np.float32]:
        """float32 (ids + 1,): 1 for each id, 0 for 0; used in place of an idf."""
        return unit_weights(len(self) + 1)

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """The ids of the affixes of each word, for each text int32 (n_words, 2 * longest)."""
        rows = self._rows
        return [np.stack([rows[word] for word in text]) for text in texts]

    @cached_property
    def _rows(self) -> WordRows:
        return WordRows(self._row)

    def _row(self, word: str) -> Ids:
        found = self.vocabulary.ids(_affixes(word, self.longest))
        return np.maximum(found - (FIRST_TOKEN - 1), 0).astype(np.int32)


def _affixes(word: str, longest: int) -> list[str]:
    """The prefixes and suffixes of 1 to `longest` characters; "" where the word is shorter."""
    sizes = [size if size <= len(word) else 0 for size in range(1, longest + 1)]
    prefixes = [f"{word[:size]}…" if size else "" for size in sizes]
    return prefixes + [f"…{word[-size:]}" if size else "" for size in sizes]
