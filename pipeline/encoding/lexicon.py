"""The lexicon feature: the words of a dictionary that begin, continue or end at each character of a text, or are it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding import ragged

Ids = NDArray[np.int32]
Places = NDArray[np.int64]

LONGEST = 8  # characters of a word that is looked for
MOST = 4  # words kept that begin, continue, or end at a character: the longest ones
BITS = 21  # of a code point
FILE = "lexicon.txt"


@dataclass(frozen=True)
class LexiconMatches:
    """Every word found, int arrays (matches,): its first character, its length in characters, its id.

    `starts` counts the characters of all texts together.
    """

    starts: Places
    sizes: Places
    words: Ids


@dataclass(frozen=True)
class Lexicon:
    """The words of a dictionary at every character (Ma et al., ACL 2020, section 3.2).

    `vocabulary` holds the words; those of more than 8 characters are never found. A character has 13 ids: of up to 4
    words that begin at it, 4 that continue through it and 4 that end at it, each the longest first, and of the word
    that it is by itself. 0 fills up.

    >>> lexicon = Lexicon(Vocabulary(["北京", "北京烤鸭", "鸭"]))
    >>> lexicon.ids([["北", "京", "烤", "鸭"]])[0].tolist()[0]
    [3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    """

    vocabulary: Vocabulary
    groups = (MOST, MOST, MOST, 1)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def ids(self, texts: Sequence[Sequence[str]]) -> list[Ids]:
        """For each text, a list of characters, int32 (n_characters, 13)."""
        lengths = [len(text) for text in texts]
        found = self._matches(texts, lengths)
        rows = np.zeros((sum(lengths), sum(self.groups)), np.int32)
        longer, inner = found.sizes > 1, np.maximum(found.sizes - 2, 0)
        firsts = np.repeat(np.cumsum(inner) - inner, inner)
        middle = np.repeat(found.starts + 1, inner) + np.arange(inner.sum()) - firsts
        _fill(rows[:, :MOST], found.starts[longer], found.sizes[longer], found.words[longer])
        _fill(rows[:, MOST : 2 * MOST], middle, np.repeat(found.sizes, inner), np.repeat(found.words, inner))
        ends = found.starts + found.sizes - 1
        _fill(rows[:, 2 * MOST : 3 * MOST], ends[longer], found.sizes[longer], found.words[longer])
        rows[found.starts[~longer], -1] = found.words[~longer]
        return ragged.cut(rows, lengths)

    def frequencies(self, texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """float32 (ids,): how often each word occurs in the texts, plus 1; 0 for padding and unknown.

        Adding 1 gives a weight to words that train lacks. (Ma et al. count in more text than is annotated.)
        """
        found = self._matches(texts, [len(text) for text in texts])
        counts = np.bincount(found.words, minlength=len(self)).astype(np.float32) + 1
        counts[:2] = 0
        return counts

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes lexicon.txt, the words."""
        self.vocabulary.save(folder / FILE)
        return {}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any]) -> Self:
        """The lexicon that `save` wrote."""
        return cls(Vocabulary.load(folder / FILE))

    def _matches(self, texts: Sequence[Sequence[str]], lengths: Sequence[int]) -> LexiconMatches:
        """Walks the trie from every character at once, one level at a time."""
        points = _code_points("".join(chain.from_iterable(texts)))
        ends = np.repeat(np.cumsum(lengths, dtype=np.int64), lengths)
        edges, words = self._trie
        at, node = np.arange(len(points)), np.zeros(len(points), np.int64)
        found: list[tuple[Places, Places, Ids]] = [(at[:0], at[:0], words[:0])]
        for size in range(1, LONGEST + 1 if len(edges) else 1):
            inside = at + size <= ends[at]
            at, node = at[inside], node[inside]
            keys = node << BITS | points[at + size - 1]
            place = np.minimum(np.searchsorted(edges, keys), len(edges) - 1)
            hit = edges[place] == keys
            at, node = at[hit], place[hit] + 1
            whole = words[node] > 0
            found.append((at[whole], np.full(whole.sum(), size), words[node[whole]]))
        return LexiconMatches(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    @cached_property
    def _trie(self) -> tuple[Places, Ids]:
        """The edges of a trie of all words, ascending, and the word of each node, or 0.

        An edge is a node's number and a code point; edge number n leads to node n + 1. Nodes are numbered level by
        level, so the edges of each level are sorted already.
        """
        tokens = [token for token in self.vocabulary.tokens if len(token) <= LONGEST]
        ids, sizes = self.vocabulary.ids(tokens), np.array([len(token) for token in tokens], np.int64)
        points = _code_points("".join(token.ljust(LONGEST, "\0") for token in tokens)).reshape(-1, LONGEST)
        node, count = np.zeros(len(tokens), np.int64), 0
        edges, ends = [np.zeros(0, np.int64)], [np.zeros(1, np.int32)]
        for level in range(LONGEST):
            longer = sizes > level
            ids, sizes, points, node = ids[longer], sizes[longer], points[longer], node[longer]
            new, places = np.unique(node << BITS | points[:, level], return_inverse=True)
            words = np.zeros(len(new), np.int32)
            words[places[sizes == level + 1]] = ids[sizes == level + 1]
            edges.append(new)
            ends.append(words)
            node, count = places + count + 1, count + len(new)
        return np.concatenate(edges), np.concatenate(ends)


def _code_points(text: str) -> Places:
    """The code point of each character, int64 (characters,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)


def _fill(rows: Ids, places: Places, sizes: Places, words: Ids) -> None:
    """Writes to each place's row its words, the longest first, as many as fit."""
    order = np.lexsort((-sizes, places))
    places, words = places[order], words[order]
    rank = np.arange(len(places)) - np.searchsorted(places, places)
    kept = rank < rows.shape[1]
    rows[places[kept], rank[kept]] = words[kept]
