"""spaCy: a tagger's prediction as a Doc, whose text is the text asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pipeline.errors import PipelineError
from pipeline.tasks.notebook import Span


class Tagged(Protocol):
    """What is read of a `Prediction`."""

    @property
    def value(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def tokens(self) -> Sequence[str]: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def spans(self) -> Sequence[Span]: ...


def to_spacy(prediction: Tagged, vocab: Any = None) -> Any:
    """A `spacy.tokens.Doc` of the tokens; white space between them is a token too, unless it is one space.

    Spans with a type, if fewer than the tokens or of several tokens, are the entities of the Doc, and a part of speech
    for each word is its `tag_`. `vocab`: a `spacy.vocab.Vocab`; None for one of no language. Raises PipelineError if
    spaCy is not installed, or if the prediction is not a tagger's.
    """
    try:
        import spacy  # type: ignore[import-not-found, unused-ignore]
        from spacy.tokens import Doc  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise PipelineError("to_spacy needs spaCy: pip install spacy") from None
    if not prediction.tokens or prediction.value is not None:
        raise PipelineError("to_spacy: expected the prediction of a tagger for a text that is not blank")
    words, spaces, places = _pieces(prediction)
    doc = Doc(vocab if vocab is not None else spacy.blank("xx").vocab, words=words, spaces=spaces)
    if is_entities(prediction):
        spans = [doc.char_span(span.start, span.end, label=span.type) for span in prediction.spans]
        doc.set_ents([span for span in spans if span is not None])
    else:
        for place, tag in zip(places, prediction.tags, strict=False):
            doc[place].tag_ = tag
    return doc


def is_entities(prediction: Tagged) -> bool:
    """Whether the spans are entities, and not the tokens with their parts of speech."""
    return [span.text for span in prediction.spans] != list(prediction.tokens)


def _pieces(prediction: Tagged) -> tuple[list[str], list[bool], list[int]]:
    """The words of a Doc, whether a space follows each, and which of them are the tokens."""
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []
    end = 0
    for token in (*prediction.tokens, None):
        start = len(prediction.text) if token is None else prediction.text.index(token, end)
        gap = prediction.text[end:start]
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if token is not None:
            places.append(len(words))
            words.append(token)
            spaces.append(False)
            end = start + len(token)
    return words, spaces, places
