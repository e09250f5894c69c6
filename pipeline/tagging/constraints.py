"""Constraints: the tags that a user's dictionary and white space leave to each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpora import tags
from pipeline.encoding.encoder import Tokenised
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tagging.tagset import Tagset

Flags = NDArray[np.bool_]
Places = list[tuple[int, int]]


@dataclass(frozen=True)
class Constraints:
    """Which tags each token of a text may have.

    `kind` is that of the section `[tag]`. An occurrence of a word of the dictionary counts if it begins and ends where
    tokens do. Then

    - its tokens are one word, for the kinds that learn words ("words", "joint"); the word has the dictionary's tag if
      the tag set has this tag for words of its length; of a word that is always split, each part is one word;
    - its tokens are one entity, for "entities", if the dictionary gives it one of the entity types;
    - its token has the dictionary's tag, for "pos".

    A word of characters never crosses white space, which no network sees, unless the dictionary holds it.

    >>> from pipeline.encoding.labels import Labels
    >>> forced = Constraints(Tagset(Labels(("B", "M", "E", "S")), "BMES"), "words", UserDictionary({"滨江步道": None}))
    >>> forced.allowed(Tokenised("去滨江步道", list("去滨江步道"))).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    """

    tagset: Tagset
    kind: str
    dictionary: UserDictionary

    def allowed(self, text: Tokenised, scores: NDArray[np.float32] | None = None) -> Flags | None:
        """bool (tokens, tags), or None if every token may have every tag.

        With `scores` (tokens, tags), a word that may have several types gets the best of them alone, so that its
        tokens agree even where no transition is forbidden.
        """
        found = self.dictionary.find(text.text)
        gaps = self.kind in ("words", "joint") and len(text.text) != sum(map(len, text.tokens))
        if not found and not gaps:
            return None
        places = text.places()
        allowed = np.ones((len(places), len(self.tagset.labels)), bool)
        if gaps:
            after_gap = [row for row, ((_, end), (start, _)) in enumerate(pairwise(places), 1) if end < start]
            allowed[after_gap] &= self._begins
        for rows, word in _on_tokens(places, found, text.text):
            self._force(allowed, rows, self.dictionary.words.get(word), None if scores is None else scores[rows])
        return allowed

    def obeyed(self, text: Tokenised) -> Places:
        """Where the words of the dictionary stand that restrict its tokens, in characters of the text, half-open."""
        places = text.places()
        found = _on_tokens(places, self.dictionary.find(text.text), text.text)
        return [
            (places[rows.start][0], places[rows.stop - 1][1])
            for rows, word in found
            if self._sequences(rows.stop - rows.start, self.dictionary.words.get(word))
        ]

    def _force(self, allowed: Flags, rows: slice, type_: str | None, scores: NDArray[np.float32] | None) -> None:
        """Restricts some tokens to be one span of a type, and the next token to begin another."""
        length = rows.stop - rows.start
        sequences = self._sequences(length, type_)
        if not sequences:
            return
        if scores is not None and len(sequences) > 1:
            sequences = [max(sequences, key=lambda sequence: scores[np.arange(length), sequence].sum())]
        allowed[rows] = False
        for sequence in sequences:
            allowed[np.arange(rows.start, rows.stop), sequence] = True
        if rows.stop < len(allowed):
            allowed[rows.stop] &= ~self.tagset.joined[[sequence[-1] for sequence in sequences]].any(axis=0)

    def _sequences(self, length: int, type_: str | None) -> list[list[int]]:
        """The sequences of tag ids that make `length` tokens one span; none if the tag set has none."""
        if self.tagset.scheme is None:
            known = type_ is not None and type_ in self.tagset.labels and length == 1
            return [[self.tagset.labels.id(str(type_))]] if known else []
        named = self._sequence(length, type_) if type_ is not None else None
        if named:
            return [named]
        if self.kind == "entities":
            return []
        return [found for each in self._types if (found := self._sequence(length, each))]

    def _sequence(self, length: int, type_: str) -> list[int] | None:
        names = [f"{letter}-{type_}" if type_ else letter for letter in tags.lettering(length, str(self.tagset.scheme))]
        labels = self.tagset.labels
        return [labels.id(name) for name in names] if all(name in labels for name in names) else None

    @cached_property
    def _types(self) -> Sequence[str]:
        return sorted(set(self.tagset.types))

    @cached_property
    def _begins(self) -> Flags:
        """The tags that never continue a span, (tags,)."""
        return np.logical_not(self.tagset.joined.any(axis=0))


def _on_tokens(places: Places, found: Places, text: str) -> list[tuple[slice, str]]:
    """The tokens of each word found, for those words that begin and end where tokens do, and the word."""
    first = {start: row for row, (start, _) in enumerate(places)}
    after = {end: row for row, (_, end) in enumerate(places, 1)}
    return [
        (slice(first[start], after[end]), text[start:end]) for start, end in found if start in first and end in after
    ]
