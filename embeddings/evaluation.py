"""Intrinsic evaluation of word vectors: word similarity and analogies, and the files with their questions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from embeddings.errors import EmbeddingError
from embeddings.progress import Advance, ignore
from embeddings.vectors import Vectors

CELLS = 2**24  # of a matrix of float32 scores: 64 MB


class Pair(NamedTuple):
    """Two words and how similar people find them, on any scale."""

    first: str
    second: str
    score: float


class Question(NamedTuple):
    """`a` is to `b` as `c` is to `answer`."""

    a: str
    b: str
    c: str
    answer: str


@dataclass(frozen=True)
class Similarity:
    """How well the cosines of pairs agree with people.

    `spearman`, `pearson`: correlations, -1 to 1; NaN for fewer than two pairs, or if all cosines or all scores are
    equal. `used`: pairs whose words both have a vector. `skipped`: the other pairs.
    """

    spearman: float
    pearson: float
    used: int
    skipped: int


@dataclass(frozen=True)
class Analogy:
    """The number of questions answered correctly; `skipped` questions have a word without a vector."""

    correct: int
    used: int
    skipped: int

    @property
    def accuracy(self) -> float:
        """The share of used questions answered correctly, 0 to 1; NaN if none was used."""
        return self.correct / self.used if self.used else math.nan


def similarity(vectors: Vectors, pairs: Sequence[Pair]) -> Similarity:
    """The correlation of the cosines of `pairs` with their scores, over the pairs that have vectors.

    >>> values = np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)
    >>> pairs = [Pair("猫", "狗", 8.5), Pair("狗", "车", 2), Pair("猫", "车", 1), Pair("猫", "云", 1)]
    >>> result = similarity(Vectors(("猫", "狗", "车"), values), pairs)
    >>> round(result.spearman, 6), result.used, result.skipped
    (1.0, 3, 1)
    """
    used = [pair for pair in pairs if pair.first in vectors and pair.second in vectors]
    first = vectors.units[vectors.index([pair.first for pair in used])].astype(np.float64)
    second = vectors.units[vectors.index([pair.second for pair in used])].astype(np.float64)
    # Rounded, so that cosines that differ only by float32's error (a word with itself) share a rank.
    cosines = (first * second).sum(axis=1).round(6)
    scores = np.array([pair.score for pair in used], dtype=np.float64)
    return Similarity(
        spearman=pearson(ranks(cosines), ranks(scores)),
        pearson=pearson(cosines, scores),
        used=len(used),
        skipped=len(pairs) - len(used),
    )


def analogies(
    vectors: Vectors,
    questions: Mapping[str, Sequence[Question]],
    *,
    advance: Advance = ignore,
    cells: int = CELLS,
) -> dict[str, Analogy]:
    """For each section, how many questions 3CosAdd answers correctly (Mikolov et al. 2013, arXiv:1301.3781).

    The answer to a question is the word whose unit vector is nearest to b - a + c, without the three words
    themselves. Questions with a word that has no vector are skipped. `advance` is called with the number of questions
    done; `cells` limits the scores in memory at a time.
    """
    return {section: _section(vectors, asked, advance, cells) for section, asked in questions.items()}


def read_pairs(path: Path | str) -> list[Pair]:
    """The pairs of a file: two words and a score per line, separated by tabs, or else by white space.

    Further columns (the scores of single people) are ignored. A first line whose third field is not a number is a
    heading. Raises EmbeddingError with file and line for any other line that is not a pair, and for a file without
    pairs.
    """
    pairs = []
    for number, line in _lines(Path(path)):
        pair = _pair(line.split("\t") if "\t" in line else line.split())
        if pair is not None:
            pairs.append(pair)
        elif number > 1:
            raise EmbeddingError(f"{path}, line {number}: two words and a score were expected, got {line!r}")
    if not pairs:
        raise EmbeddingError(f"{path}: lines of two words and a score were expected, there is none")
    return pairs


def read_questions(path: Path | str) -> dict[str, list[Question]]:
    """The questions of a file, four words per line, by section; a line `: name` begins a section.

    Raises EmbeddingError with file and line for a line that is neither or comes before the first section, and for a
    file without questions.
    """
    sections: dict[str, list[Question]] = {}
    asked: list[Question] | None = None
    for number, line in _lines(Path(path)):
        words = line.split()
        if words[0].startswith(":"):
            asked = sections.setdefault(line.lstrip(":").strip(), [])
        elif asked is None:
            raise EmbeddingError(f"{path}, line {number}: a section (: name) was expected first, got {line!r}")
        elif len(words) == 4:
            asked.append(Question(*words))
        else:
            raise EmbeddingError(f"{path}, line {number}: four words or a section were expected, got {line!r}")
    if not any(sections.values()):
        raise EmbeddingError(f"{path}: lines of four words were expected, there is none")
    return sections


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, and their numbers."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EmbeddingError(f"{path}: the questions can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise EmbeddingError(f"{path}, line {number}: UTF-8 was expected: {error.reason}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.strip()


def _pair(fields: list[str]) -> Pair | None:
    try:
        first, second, score = fields[0].strip(), fields[1].strip(), float(fields[2])
    except (IndexError, ValueError):
        return None
    return Pair(first, second, score) if first and second and math.isfinite(score) else None


def ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rank of each value, from 1; equal values share their mean rank."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    mean: npt.NDArray[np.float64] = (last - (sizes - 1) / 2)[group]
    return mean


def pearson(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Pearson's correlation, -1 to 1; NaN for fewer than two values, or if all values of a side are equal."""
    if len(x) < 2:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    scale = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.clip(x @ y / scale, -1, 1)) if scale > 0 else math.nan


def _section(vectors: Vectors, asked: Sequence[Question], advance: Advance, cells: int) -> Analogy:
    words = vectors.index([word for question in asked for word in question]).reshape(-1, 4)
    rows = words[(words >= 0).all(axis=1)]
    advance(len(asked) - len(rows))
    correct = 0
    chunk = max(1, cells // max(1, len(vectors)))
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        correct += int((_answers(vectors.units, part[:, :3]) == part[:, 3]).sum())
        advance(len(part))
    return Analogy(correct=correct, used=len(rows), skipped=len(asked) - len(rows))


def _answers(units: npt.NDArray[np.float32], asked: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The row of the answer to each question, (n_questions,); `asked`: the rows of a, b and c, (n_questions, 3)."""
    a, b, c = asked.T
    scores = (units[b] - units[a] + units[c]) @ units.T
    np.put_along_axis(scores, asked, -np.inf, axis=1)
    return np.asarray(scores.argmax(axis=1), dtype=np.intp)
