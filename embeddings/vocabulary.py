"""The vocabulary: tokens and their ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embeddings import wordlist
from embeddings.errors import EmbeddingError

PADDING = 0
UNKNOWN = 1
FIRST = 2


@dataclass(frozen=True, init=False)
class Vocabulary:
    """Unique tokens and their ids; immutable.

    Id 0 is padding and id 1 is every token that is not in the vocabulary; neither has a name. The first token has id
    2. `len` counts the two reserved ids, so it is the number of rows of an embedding table.

    `tokens`: any iterable of non-empty strings; kept as a tuple. Raises EmbeddingError for an empty or repeated token.

    >>> vocabulary = Vocabulary(["今天", "天气"])
    >>> vocabulary.ids(["今天", "下雨", "天气"])
    array([2, 1, 3], dtype=int32)
    >>> len(vocabulary), vocabulary.token(3), "下雨" in vocabulary
    (4, '天气', False)
    """

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(repr=False, compare=False)

    def __init__(self, tokens: Iterable[str]) -> None:
        object.__setattr__(self, "tokens", tuple(tokens))
        object.__setattr__(self, "_ids", {token: id for id, token in enumerate(self.tokens, start=FIRST)})
        if "" in self._ids:
            raise EmbeddingError(f"a vocabulary holds no empty token, number {self._ids[''] - FIRST + 1} is one")
        if len(self._ids) < len(self.tokens):
            twice = Counter(self.tokens).most_common(1)[0]
            raise EmbeddingError(f"a vocabulary holds each token once, {twice[0]!r} came {twice[1]} times")

    @classmethod
    def build(
        cls, sentences: Iterable[Sequence[str]], *, min_count: int = 1, max_size: int | None = None
    ) -> "Vocabulary":
        """The tokens of `sentences`, the most frequent first, ties by first appearance.

        Leaves out tokens that occur fewer than `min_count` times, and keeps at most `max_size` tokens (without the two
        reserved ids). Raises EmbeddingError if either is below 1.

        >>> Vocabulary.build([["好", "吃"], ["不", "好", "吃"]], min_count=2).tokens
        ('好', '吃')
        """
        for name, value in (("min_count", min_count), ("max_size", max_size)):
            if value is not None and value < 1:
                raise EmbeddingError(f"{name} must be at least 1, got {value}")
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(sentence)
        frequent = (token for token, count in counts.most_common(max_size) if count >= min_count)
        return cls(frequent)

    def __len__(self) -> int:
        return FIRST + len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def ids(self, tokens: Sequence[str]) -> npt.NDArray[np.int32]:
        """The id of each token, int32 (n,); 1 for tokens that are not in the vocabulary."""
        return np.fromiter(map(self._ids.get, tokens, repeat(UNKNOWN)), dtype=np.int32, count=len(tokens))

    def token(self, id: int) -> str:
        """The token with this id; raises EmbeddingError for the reserved ids and for ids out of range."""
        if not FIRST <= id < len(self):
            raise EmbeddingError(f"ids {FIRST} to {len(self) - 1} name a token, got {id}")
        return self.tokens[id - FIRST]

    def save(self, path: Path | str) -> None:
        """Writes the tokens in the order of their ids, in the format of `embeddings.wordlist`."""
        wordlist.write(Path(path), self.tokens)

    @classmethod
    def load(cls, path: Path | str) -> "Vocabulary":
        """The vocabulary that `save` wrote; raises EmbeddingError with file and line for a broken file."""
        return cls(wordlist.read(Path(path)))
