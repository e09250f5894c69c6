"""Prediction: what a model answers about one text; one type for every task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class PredictedSpan:
    """An entity or a word in a text.

    `start`, `end`: its characters, half-open, so that `text` is `whole[start:end]` of the text asked about; `type`: its
    label, "" for a word without one; `confidence`: the probability, 0 to 1, that the tags of exactly these tokens are
    right, whatever the tags of the others are.
    """

    text: str
    type: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one text. Fields that a task does not use are empty.

    `value`: the label that a classifier gives (joined ones, if it gives several), or the text that a language model
    scored; None for a tagger and for a blank text. `score`: the probability of the whole answer, 0 to 1.
    `distribution`: the probability of each label, in the order of the model's labels.

    Of taggers: `tokens`, `tags` and `confidences` (the probability of each tag, 0 to 1) have one entry for each
    character or word that is tagged; where words are searched for, for each word that was found, and `tags` are then
    the parts of speech, or empty. `spans`: the entities, or the words with their parts of speech as types. `raw_tags`:
    the tag of every token that the network reads, in the letters of the scheme.

    `text`: the text, as the model read it, for taggers and classifiers; `labels`: a classifier's labels, one for each
    probability of `distribution`. Neither counts when predictions are compared.
    """

    value: str | None
    score: float
    distribution: tuple[float, ...] = ()
    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    confidences: tuple[float, ...] = ()
    spans: tuple[PredictedSpan, ...] = ()
    raw_tags: tuple[str, ...] = ()
    text: str = field(default="", compare=False, repr=False)
    labels: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The labels that a classifier gives: one, or of a multi-label classifier any number."""
        return () if self.value is None or not self.labels else (self.value,)

    @property
    def is_blank(self) -> bool:
        """Whether the text was nothing but white space, so that there is no answer."""
        return self.value is None and not self.tokens

    def to_spacy(self, vocab: Any = None) -> Any:
        """A tagger's answer as a `spacy.tokens.Doc`; see `spacy_doc.to_spacy`."""
        from pipeline.tasks import spacy_doc

        return spacy_doc.to_spacy(self, vocab)

    def _repr_html_(self) -> str:
        from pipeline.tasks import notebook

        return notebook.html(self)


class Predictions(list[Prediction]):
    """A list of predictions that a notebook draws."""

    def _repr_html_(self) -> str:
        from pipeline.tasks import notebook

        return notebook.html_list(self)


class Claim(NamedTuple):
    """A part of an answer that is right or wrong by itself, such as an entity: its label and confidence, 0 to 1."""

    label: str
    confidence: float
