"""Features: what a tagger's network reads of a token beside its vector, as ids of further vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.lexicon import Lexicon
from pipeline.segmentation.segmenter import Segmenter

Ids = NDArray[np.int32]

CHARACTERS = 8  # of a word that are read: of a longer one half of them from each end
LONGEST_AFFIX = 3
REMEMBERED = 1 << 17  # words whose ids are kept at hand: a stream of new ones must not fill the memory


class Feature(Protocol):
    """Ids that each token has, in groups; a group's vectors are summed up to one.

    `groups`: how many ids each group has. Ids are below `len(feature)`; 0 stands for none.
    """

    @property
    def groups(self) -> tuple[int, ...]:
        """How many ids each group has."""

    def __len__(self) -> int:
        """How many ids there are, 0 among them."""

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text, a list of tokens, int32 (n_tokens, ids of all groups)."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the files of its own, and returns what `load` needs besides."""

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """What `save` wrote."""


@dataclass(frozen=True)
class Bigrams:
    """Each character with the one behind it; the last one of a text alone.

    >>> Bigrams(Vocabulary(["北京", "京"])).ids([["北", "京"]])[0].tolist()
    [[2], [3]]
    """

    vocabulary: Vocabulary
    groups = (1,)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 1)."""
        ids = self.vocabulary.ids(list(chain.from_iterable(map(bigrams, texts))))
        return _split(ids[:, None], texts)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the bigrams."""
        self.vocabulary.save(folder / "bigrams.txt")
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """What `save` wrote."""
        return cls(Vocabulary.load(folder / "bigrams.txt"))


@dataclass(frozen=True)
class Segmentation:
    """Where each character stands in a word of jieba's: 1 begins it, 2 goes on, 3 ends it, 4 is all of it.

    >>> Segmentation().ids([list("我爱北京")])[0].ravel().tolist()
    [4, 4, 1, 3]
    """

    groups = (1,)

    @cached_property
    def _segmenter(self) -> Segmenter:
        return Segmenter()

    def __len__(self) -> int:
        return 5

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 1)."""
        words = (word for text in texts for word in self._segmenter.split("".join(text)))
        places = list(chain.from_iterable(map(_places, words)))
        return _split(np.array(places, np.int32)[:, None], texts)

    def save(self, folder: Path) -> dict[str, Any]:
        """Nothing."""
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """What `save` wrote."""
        return cls()


@dataclass(frozen=True)
class WordCharacters:
    """The characters of each word: of one with more than 8 the first and the last 4.

    >>> WordCharacters(Vocabulary(["北", "京"])).ids([["北京"]])[0].tolist()
    [[2, 3, 0, 0, 0, 0, 0, 0]]
    """

    vocabulary: Vocabulary
    groups = (CHARACTERS,)
    _rows: dict[str, Ids] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 8)."""
        rows = [self._row(word) for text in texts for word in text]
        return _split(np.array(rows, np.int32).reshape(-1, CHARACTERS), texts)

    def _row(self, word: str) -> Ids:
        row = self._rows.get(word)
        if row is None:
            half = CHARACTERS // 2
            read = word if len(word) <= CHARACTERS else word[:half] + word[-half:]
            row = np.zeros(CHARACTERS, np.int32)
            row[: len(read)] = self.vocabulary.ids(read)
            if len(self._rows) < REMEMBERED:
                self._rows[word] = row
        return row

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the characters."""
        self.vocabulary.save(folder / "spelling.txt")
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """What `save` wrote."""
        return cls(Vocabulary.load(folder / "spelling.txt"))


@dataclass(frozen=True)
class Ends:
    """The beginnings and ends of each word, as `windows.Affixes` has them, each a group of its own."""

    affixes: Affixes

    @property
    def groups(self) -> tuple[int, ...]:
        """One for each length, of beginnings and of ends."""
        return (1,) * (2 * self.affixes.longest)

    def __len__(self) -> int:
        return len(self.affixes) + 1

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 2 * longest)."""
        return self.affixes.ids(texts)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the beginnings and ends."""
        self.affixes.vocabulary.save(folder / "ends.txt")
        return {"longest": self.affixes.longest}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """What `save` wrote."""
        return cls(Affixes(Vocabulary.load(folder / "ends.txt"), int(options["longest"])))


# By the name of their settings.
FEATURES: dict[str, type[Feature]] = {
    "bigrams": Bigrams,
    "segmentation": Segmentation,
    "lexicon": Lexicon,
    "characters": WordCharacters,
    "affixes": Ends,
}


def bigrams(tokens: Sequence[str]) -> list[str]:
    """Each token with the one behind it.

    >>> bigrams(["北", "京"])
    ['北京', '京']
    """
    return [first + second for first, second in zip_longest(tokens, tokens[1:], fillvalue="")]


def membership(groups: Sequence[int]) -> NDArray[np.float32]:
    """float32 (groups, ids of all groups): 1 where the id is of the group, else 0."""
    return np.repeat(np.eye(len(groups), dtype=np.float32), groups, axis=1)


def shares(feature: Feature, texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """float32 (ids,): how much each id weighs in its group: that of a lexicon as often as it is in train."""
    if isinstance(feature, Lexicon):
        return feature.frequencies(texts)
    values = np.ones(len(feature), np.float32)
    values[0] = 0
    return values


def _places(word: str) -> list[int]:
    return [4] if len(word) == 1 else [1, *[2] * (len(word) - 2), 3]


def _split(rows: Ids, texts: Sequence[Sequence[str]]) -> list[Ids]:
    return np.split(rows, np.cumsum([len(text) for text in texts])[:-1]) if len(texts) else []
