"""Word vectors: words and a float32 matrix with a row for each."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embeddings import wordlist
from embeddings.errors import EmbeddingError
from embeddings.vocabulary import PADDING, Vocabulary

VALUES_FILE = "vectors.npy"
WORDS_FILE = "words.txt"


@dataclass(frozen=True)
class Coverage:
    """The share of a corpus that has vectors.

    `types`: the share of distinct words that have a vector, 0 to 1.
    `tokens`: the same, each word counted as often as it occurs.
    `missing`: words without a vector, the most frequent first.
    """

    types: float
    tokens: float
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Words and their vectors.

    `words`: unique and not empty. `values`: float32 (n_words, width), finite; kept as a read-only view. Raises
    EmbeddingError if they break these rules.

    >>> vectors = Vectors(("猫", "狗", "车"), np.array([[1, 0], [1, 1], [-1, 0]], dtype=np.float32))
    >>> vectors.width
    2
    >>> [(word, round(cosine, 2)) for word, cosine in vectors.nearest("猫", 2)]
    [('狗', 0.71), ('车', -1.0)]
    """

    words: tuple[str, ...]
    values: npt.NDArray[np.float32]
    _row: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_values(self.values, len(self.words))
        view = self.values.view()
        view.flags.writeable = False
        object.__setattr__(self, "values", view)
        object.__setattr__(self, "_row", {word: row for row, word in enumerate(self.words)})
        if "" in self._row:
            raise EmbeddingError(f"vectors belong to words, word number {self._row[''] + 1} is empty")
        if len(self._row) < len(self.words):
            word, count = Counter(self.words).most_common(1)[0]
            raise EmbeddingError(f"each word has one vector, {word!r} has {count}")

    @property
    def width(self) -> int:
        """The length of each vector."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._row

    def vector(self, word: str) -> npt.NDArray[np.float32]:
        """The vector of a word, float32 (width,); raises EmbeddingError for a word without one."""
        row: npt.NDArray[np.float32] = self.values[self._find(word)]
        return row

    def index(self, words: Sequence[str]) -> npt.NDArray[np.intp]:
        """The row of each word in `values`, (n,); -1 for words without a vector."""
        return np.fromiter((self._row.get(word, -1) for word in words), dtype=np.intp, count=len(words))

    @cached_property
    def units(self) -> npt.NDArray[np.float32]:
        """The vectors scaled to length 1, float32 (n_words, width); a vector of zeros stays one."""
        # Divided by the largest value first: the square of a large or tiny float32 is out of range.
        greatest = np.abs(self.values).max(axis=1, keepdims=True, initial=0)
        scaled = self.values / np.where(greatest > 0, greatest, 1)
        lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
        units = np.asarray(scaled / np.where(lengths > 0, lengths, 1), dtype=np.float32)
        units.flags.writeable = False
        return units

    def nearest(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The `n` other words with the highest cosine to `word`, and that cosine, highest first.

        Ties are in table order. Raises EmbeddingError for a word without a vector.
        """
        row = self._find(word)
        cosines = np.clip(self.units @ self.units[row], -1, 1)
        cosines[row] = -np.inf
        count = max(0, min(n, len(self) - 1))
        rows = np.argsort(-cosines, kind="stable")[:count]
        return [(self.words[i], float(cosines[i])) for i in rows]

    def rows(self, vocabulary: Vocabulary, seed: int) -> npt.NDArray[np.float32]:
        """The initial embedding table for `vocabulary`, float32 (len(vocabulary), width).

        Row 0, the padding, is zeros. A known word has its vector. The unknown token (row 1) and words without a vector
        are drawn from a normal distribution with the mean and standard deviation of each column here, by a generator
        seeded with `seed`. Raises EmbeddingError if there are no vectors to compute these from.
        """
        if not self.words:
            raise EmbeddingError("rows for a vocabulary need a table with at least one word, this one is empty")
        drawn = np.random.default_rng(seed).standard_normal((len(vocabulary), self.width), dtype=np.float32)
        table = drawn * self._column("std") + self._column("mean")
        found = self.index(vocabulary.tokens)
        ids = vocabulary.ids(vocabulary.tokens)
        table[ids[found >= 0]] = self.values[found[found >= 0]]
        table[PADDING] = 0
        return table

    def coverage(self, counts: Mapping[str, int], *, examples: int = 20) -> Coverage:
        """The share of the words in `counts` (word -> number of occurrences) that have a vector.

        Names at most `examples` missing words, ties in the order of `counts`. Shares of no words are 0.

        >>> vectors = Vectors(("猫",), np.ones((1, 2), dtype=np.float32))
        >>> vectors.coverage({"猫": 3, "狗": 1})
        Coverage(types=0.5, tokens=0.75, missing=('狗',))
        """
        missing = Counter({word: count for word, count in counts.items() if word not in self})
        tokens = sum(counts.values())
        return Coverage(
            types=1 - len(missing) / len(counts) if counts else 0.0,
            tokens=1 - missing.total() / tokens if tokens else 0.0,
            missing=tuple(word for word, _ in missing.most_common(examples)),
        )

    def restrict(self, words: Container[str]) -> "Vectors":
        """The vectors of those words only, in the order of this table."""
        kept = [row for row, word in enumerate(self.words) if word in words]
        return Vectors(tuple(self.words[row] for row in kept), self.values[kept])

    def save(self, folder: Path | str) -> None:
        """Writes `vectors.npy` and `words.txt` (see `embeddings.wordlist`) into `folder`, which may exist."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / VALUES_FILE, self.values, allow_pickle=False)
        wordlist.write(folder / WORDS_FILE, self.words)

    @classmethod
    def load(cls, folder: Path | str) -> "Vectors":
        """The vectors that `save` wrote; runs no code from the folder.

        Raises EmbeddingError that names the file if one is missing or broken, or if the two do not match.
        """
        folder = Path(folder)
        words = tuple(wordlist.read(folder / WORDS_FILE))
        values = _read_values(folder / VALUES_FILE)
        try:
            return cls(words, values)
        except EmbeddingError as error:
            raise EmbeddingError(f"{folder}: {VALUES_FILE} and {WORDS_FILE} don't match: {error}") from error

    def _find(self, word: str) -> int:
        row = self._row.get(word)
        if row is None:
            raise EmbeddingError(f"{word!r} has no vector among the {len(self)} words of this table")
        return row

    def _column(self, statistic: str) -> npt.NDArray[np.float32]:
        # In float64: a float32 sum over a million rows loses digits.
        columns = getattr(np, statistic)(self.values, axis=0, dtype=np.float64)
        return np.asarray(columns, dtype=np.float32)


def _check_values(values: npt.NDArray[np.float32], n_words: int) -> None:
    if values.ndim != 2 or values.dtype != np.float32 or values.shape[1] < 1:
        raise EmbeddingError(f"values must be float32 (n_words, width), got {values.dtype} {values.shape}")
    if len(values) != n_words:
        raise EmbeddingError(f"each word has one row, got {n_words} words and {len(values)} rows")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise EmbeddingError(f"values must be finite, row {int(np.argmin(finite)) + 1} isn't")


def _read_values(path: Path) -> npt.NDArray[np.float32]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except OSError as error:
        raise EmbeddingError(f"{path}: the vectors can't be read: {error.strerror}") from error
    except Exception as error:  # a broken header raises whatever NumPy's parser met
        raise EmbeddingError(f"{path}: a .npy file without Python objects was expected: {error}") from error
