"""Forced: the words of a user's dictionary as a restriction of what a tagger may answer."""

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


@dataclass(frozen=True)
class Constraints:
    """Which tags each token of a text may have.

    `kind` as in the section `[tag]`. Where a word of the dictionary stands, and its ends are ends of tokens:

    - its tokens are one word, where words are learnt ("words", "joint"), with the dictionary's tag if the tag set has
      it for words of this length;
    - they are one entity, where the dictionary names one of the types, or, of "pos", have the dictionary's tag.

    A word of characters never goes across white space, which no network sees, unless it is forced.

    >>> from pipeline.encoding.labels import Labels
    >>> forced = Constraints(Tagset(Labels(("B", "M", "E", "S")), "BMES"), "words", UserDictionary({"滨江步道": None}))
    >>> forced.allowed(Tokenised("去滨江步道", list("去滨江步道"))).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    """

    tagset: Tagset
    kind: str
    dictionary: UserDictionary

    def allowed(self, text: Tokenised, scores: NDArray[np.float32] | None = None) -> Flags | None:
        """bool (tokens, tags), or None where every token may have every tag.

        `scores` (tokens, tags): where given, a word that may have several types gets the best one, so that no
        transition has to keep its tokens together.
        """
        found = self.dictionary.find(text.text)
        gaps = self.kind in ("words", "joint") and len(text.text) != sum(map(len, text.tokens))
        if not found and not gaps:
            return None
        places = text.places()
        may = np.ones((len(places), len(self.tagset.labels)), bool)
        if gaps:
            starts = [row for row, ((_, end), (start, _)) in enumerate(pairwise(places), 1) if end < start]
            may[starts] &= self._begins
        first, behind = (
            {start: row for row, (start, _) in enumerate(places)},
            {end: row for row, (_, end) in enumerate(places, 1)},
        )
        for start, end in found:
            if start in first and end in behind:
                rows = slice(first[start], behind[end])
                self._force(
                    may, rows, self.dictionary.words[text.text[start:end]], None if scores is None else scores[rows]
                )
        return may

    def _force(self, may: Flags, rows: slice, type_: str | None, scores: NDArray[np.float32] | None) -> None:
        length = rows.stop - rows.start
        ids = self._sequences(length, type_)
        if not ids:
            return
        if scores is not None and len(ids) > 1:
            ids = [max(ids, key=lambda sequence: scores[np.arange(length), sequence].sum())]
        may[rows] = False
        for sequence in ids:
            may[np.arange(rows.start, rows.stop), sequence] = True
        if rows.stop < len(may):
            may[rows.stop] &= ~self.tagset.joined[[sequence[-1] for sequence in ids]].any(axis=0)

    def _sequences(self, length: int, type_: str | None) -> list[list[int]]:
        """The sequences of tag ids that so many tokens may have as one stretch; none where the tag set has none."""
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
        """Which tags never go on with a stretch, (tags,)."""
        return np.logical_not(self.tagset.joined.any(axis=0))
