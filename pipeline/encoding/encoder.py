"""The encoder: from the words and characters of a text to the ids that a network reads, in training and labelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from pipeline.encoding import ragged
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.batch import Example
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.features import Feature
from pipeline.encoding.ngrams import NgramVocabulary
from pipeline.encoding.pretrained import STREAM, Pretrained

Ids = NDArray[np.int32]
UNKNOWN = np.array([1], np.int32)


@dataclass(frozen=True)
class Tokenised:
    """A text and its tokens, without white space and stop words.

    `original`: the text before it was normalised, if that changed it.
    """

    text: str
    tokens: Sequence[str]
    original: str = ""

    @property
    def shown(self) -> str:
        """The text in which `places` are to be shown: the original, if it has as many characters."""
        return self.original if len(self.original) == len(self.text) else self.text

    def normalised(self, normalise: Callable[[str], str]) -> Tokenised:
        """Text and tokens after a normalisation that keeps the number of characters."""
        text, original = normalise(self.text), self.text
        tokens = [text[start:end] for start, end in self.places()]
        return Tokenised(text, tokens, original if original != text else "")

    def tokens_of(self, unit: str, segmenter_unit: str) -> Sequence[str]:
        """The tokens of a unit: the segmenter's if this is its unit, else the characters that are not white space."""
        if unit == segmenter_unit:
            return self.tokens
        return list("".join(self.text.split()))

    def places(self) -> list[tuple[int, int]]:
        """The (start, end) of each token in the text, in characters, half-open.

        >>> Tokenised("北京 烤鸭", ["北京", "烤鸭"]).places()
        [(0, 2), (3, 5)]
        """
        places, end = [], 0
        for token in self.tokens:
            start = self.text.index(token, end)
            end = start + len(token)
            places.append((start, end))
        return places


@dataclass(frozen=True)
class Encoder:
    """Makes examples of texts; everything in it comes from the train split.

    Arguments:
        reads: the units of the recurrent part, in the network's order.
        vocabularies: for each unit that the recurrent or the linear part reads.
        ngrams: for each unit whose n-grams the linear part weighs: those of a text, or those around each token.
        max_tokens: longer texts are cut there.
        segmenter_unit: the unit of the tokens in a `Tokenised`.
        affixes: of words, if the linear part weighs them.
        features: what a tagger reads of each token beside its vector, by name.
        pretrained: the encoder that reads the characters too, if there is one.

    The streams of an Example are named `word`, `char` and `encoder`; its bags are named `gram_word`, `gram_char`,
    `gram_affix` and `feature_NAME`.
    """

    reads: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    ngrams: Mapping[str, NgramVocabulary | ContextNgrams]
    max_tokens: int
    segmenter_unit: str
    affixes: Affixes | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    pretrained: Pretrained | None = None

    @property
    def linear_parts(self) -> tuple[str, ...]:
        """The names of the linear parts, in the network's order."""
        return (*self.ngrams, *(("affix",) if self.affixes else ()))

    def token_ids(self, unit: str, texts: Sequence[Tokenised]) -> list[Ids]:
        """The ids of each text in a unit, not cut: int32 (n_tokens,)."""
        return _ids(self.vocabularies[unit], [text.tokens_of(unit, self.segmenter_unit) for text in texts])

    def examples(self, texts: Sequence[Tokenised], targets: Sequence[int | Ids | None]) -> list[Example]:
        """One Example per text, in order. A text without tokens is read as one unknown token."""
        ids = {unit: self.token_ids(unit, texts) for unit in self.vocabularies}
        read = {unit: ids[unit] for unit in self.reads}
        if self.pretrained:
            characters = [text.tokens_of("char", self.segmenter_unit) for text in texts]
            read[STREAM] = _ids(self.pretrained.vocabulary, characters)
        streams = _by_text({name: [self._cut(row) for row in rows] for name, rows in read.items()}, len(texts))
        bags = _by_text(self._bags(ids, [text.tokens for text in texts]), len(texts))
        longest = [max(map(len, rows)) for rows in zip(*(ids[unit] for unit in self.reads), strict=True)]
        return [
            Example(streams[index], bags[index], targets[index], longest[index] > self.max_tokens)
            for index in range(len(texts))
        ]

    def _bags(self, ids: Mapping[str, list[Ids]], tokens: Sequence[Sequence[str]]) -> dict[str, list[Ids]]:
        """The bags by name, an array per text; `ids` of the texts by unit."""
        bags = {f"gram_{unit}": ngrams.ids(ids[unit]) for unit, ngrams in self.ngrams.items()}
        if self.affixes:
            bags["gram_affix"] = self.affixes.ids(tokens)
        for name, feature in self.features.items():
            bags[f"feature_{name}"] = feature.ids(tokens)
        return bags

    def _cut(self, ids: Ids) -> Ids:
        return ids[: self.max_tokens] if len(ids) else UNKNOWN


def _ids(vocabulary: Vocabulary, texts: Sequence[Sequence[str]]) -> list[Ids]:
    """The ids of the tokens of each text."""
    # One array for all texts: making an array takes longer than looking up the tokens of a text.
    return ragged.cut(vocabulary.ids(list(chain.from_iterable(texts))), map(len, texts))


def _by_text(rows: Mapping[str, Sequence[Ids]], count: int) -> list[dict[str, Ids]]:
    """From name -> an array per text, to a dict by name for each of `count` texts."""
    if not rows:
        return [{}] * count
    return [dict(zip(rows, of_text, strict=True)) for of_text in zip(*rows.values(), strict=True)]
