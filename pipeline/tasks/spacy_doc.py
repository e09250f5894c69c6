"""spaCy: a tagger's prediction as a Doc, whose text is the text asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.tasks.prediction import Prediction


def to_spacy(prediction: Prediction, vocab: Any = None) -> Any:
    """A `spacy.tokens.Doc` of the tokens; white space between them is a token too, unless it is one space.

    Spans with a type, if fewer than the tokens or of several tokens, are the entities of the Doc, and a part of speech
    for each word is its `tag_`. `vocab`: a `spacy.vocab.Vocab`; None for a new one. Raises PipelineError if spaCy is
    not installed, or if the prediction is not a tagger's.
    """
    try:
        from spacy.tokens import Doc
        from spacy.vocab import Vocab
    except ImportError:
        raise PipelineError("to_spacy needs spaCy: pip install spacy") from None
    if not prediction.tokens or prediction.value is not None:
        raise PipelineError("to_spacy: expected the prediction of a tagger for a text that is not blank")
    words, spaces, places = _pieces(prediction)
    doc = Doc(vocab if vocab is not None else Vocab(), words=words, spaces=spaces)
    if is_entities(prediction):
        spans = [doc.char_span(span.start, span.end, label=span.type) for span in prediction.spans]
        doc.set_ents([span for span in spans if span is not None])
    else:
        for place, tag in zip(places, prediction.tags, strict=False):
            doc[place].tag_ = tag
    return doc


def is_entities(prediction: Prediction) -> bool:
    """Whether the spans are entities, and not the tokens with their parts of speech."""
    return [span.text for span in prediction.spans] != list(prediction.tokens)


def _pieces(prediction: Prediction) -> tuple[list[str], list[bool], list[int]]:
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
