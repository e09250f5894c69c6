"""Features: what a tagger reads of a token beside its vector, as ids of further vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding import ragged
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.lexicon import Lexicon
from pipeline.encoding.ngrams import unit_weights
from pipeline.encoding.word_rows import WordRows
from pipeline.segmentation.segmenter import Segmenter

Ids = NDArray[np.int32]

CHARACTERS = 8  # read of a word; of a longer one half of them from each end
LONGEST_AFFIX = 3


class Feature(Protocol):
    """The ids that each token has, in groups; the network sums the vectors of a group.

    Ids are below `len(feature)`; 0 stands for none.
    """

    @property
    def groups(self) -> tuple[int, ...]:
        """The number of ids in each group."""

    def __len__(self) -> int:
        """The number of ids, 0 counted."""

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text, a list of tokens, int32 (n_tokens, ids of all groups)."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the feature's files and returns the options that `load` needs besides."""

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The feature that `save` wrote."""


@dataclass(frozen=True)
class Bigrams:
    """Each character joined with the next one; the last character of a text stays alone.

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
        return ragged.cut(ids[:, None], map(len, texts))

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes bigrams.txt."""
        self.vocabulary.save(folder / "bigrams.txt")
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The feature that `save` wrote."""
        return cls(Vocabulary.load(folder / "bigrams.txt"))


@dataclass(frozen=True)
class Segmentation:
    """The place of each character in a word cut by jieba: 1 begins it, 2 is inside, 3 ends it, 4 is all of it.

    >>> Segmentation().ids([list("我爱北京")])[0].ravel().tolist()
    [4, 4, 1, 3]
    """

    groups = (1,)

    @cached_property
    def _segmenter(self) -> Segmenter:
        return Segmenter(keep_whole=False)  # as every model of this feature was trained

    def __len__(self) -> int:
        return 5

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 1)."""
        words = (word for text in texts for word in self._segmenter.split("".join(text)))
        places = list(chain.from_iterable(map(_places, words)))
        return ragged.cut(np.array(places, np.int32)[:, None], map(len, texts))

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes nothing."""
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The feature, which has no files."""
        return cls()


@dataclass(frozen=True)
class WordCharacters:
    """The characters of each word; of a word with more than 8, the first and the last 4.

    >>> WordCharacters(Vocabulary(["北", "京"])).ids([["北京"]])[0].tolist()
    [[2, 3, 0, 0, 0, 0, 0, 0]]
    """

    vocabulary: Vocabulary
    groups = (CHARACTERS,)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 8)."""
        known = self._rows
        rows = [known[word] for text in texts for word in text]
        return ragged.cut(np.array(rows, np.int32).reshape(-1, CHARACTERS), map(len, texts))

    @cached_property
    def _rows(self) -> WordRows:
        return WordRows(self._row)

    def _row(self, word: str) -> Ids:
        half = CHARACTERS // 2
        read = word if len(word) <= CHARACTERS else word[:half] + word[-half:]
        row = np.zeros(CHARACTERS, np.int32)
        row[: len(read)] = self.vocabulary.ids(read)
        return row

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes spelling.txt, the characters."""
        self.vocabulary.save(folder / "spelling.txt")
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The feature that `save` wrote."""
        return cls(Vocabulary.load(folder / "spelling.txt"))


@dataclass(frozen=True)
class WordAffixes:
    """The prefixes and suffixes of each word, see `Affixes`; each is a group of its own."""

    affixes: Affixes

    @property
    def groups(self) -> tuple[int, ...]:
        """One id for each length of a prefix, then of a suffix."""
        return (1,) * (2 * self.affixes.longest)

    def __len__(self) -> int:
        return len(self.affixes) + 1

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text int32 (n_tokens, 2 * longest)."""
        return self.affixes.ids(texts)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes ends.txt, the affixes."""
        self.affixes.vocabulary.save(folder / "ends.txt")
        return {"longest": self.affixes.longest}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The feature that `save` wrote."""
        return cls(Affixes(Vocabulary.load(folder / "ends.txt"), int(options["longest"])))


# By the names that the settings have for them.
FEATURES: dict[str, type[Feature]] = {
    "bigrams": Bigrams,
    "segmentation": Segmentation,
    "lexicon": Lexicon,
    "characters": WordCharacters,
    "affixes": WordAffixes,
}


def bigrams(tokens: Sequence[str]) -> list[str]:
    """Each token joined with the next one.

    >>> bigrams(["北", "京"])
    ['北京', '京']
    """
    return [first + second for first, second in zip_longest(tokens, tokens[1:], fillvalue="")]


def membership(groups: Sequence[int]) -> NDArray[np.float32]:
    """float32 (groups, ids of all groups): 1 where an id belongs to a group, else 0; `groups` holds their sizes."""
    return np.repeat(np.eye(len(groups), dtype=np.float32), groups, axis=1)


def shares(feature: Feature, texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """float32 (ids,): the weight of each id in the sum of its group: for a lexicon its frequency in train, else 1."""
    return feature.frequencies(texts) if isinstance(feature, Lexicon) else unit_weights(len(feature))


def _places(word: str) -> list[int]:
    return [4] if len(word) == 1 else [1, *[2] * (len(word) - 2), 3]
