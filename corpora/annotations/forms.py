"""Forms: how a text with spans is one JSON record, for each tool or corpus that writes such records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.annotations import cluener, cmeee, doccano, entities, label_studio, spacy
from corpora.annotations.records import RawSpan
from corpora.document import Span
from corpora.errors import CorpusError
from corpora.findings import Counts


def _itself(record: Any) -> tuple[Any]:
    return (record,)


@dataclass(frozen=True, slots=True)
class Form:
    """How one tool writes a record.

    Args:
        reading: From a record, the key of the text and the counts of findings to the text and its spans.
        making: From a text and its spans to a record.
        is_array: Whether a file is one array rather than a record per line; both are read.
        parts: The texts of a record that holds several.
        keys: Of a record, those that are read beside the text.
    """

    reading: Callable[[Any, str, Counts], tuple[str, list[RawSpan] | None]]
    making: Callable[[str, Sequence[Span] | None], object]
    is_array: bool = False
    parts: Callable[[Any], Iterable[Any]] = _itself
    keys: frozenset[str] = frozenset(entities.LISTS)


FORMS = {
    "cluener": Form(cluener.reading, cluener.making),
    "cmeee": Form(cmeee.reading, cmeee.making, is_array=True),
    "doccano": Form(doccano.reading, doccano.making, keys=frozenset((*entities.LISTS, "relations"))),
    "entities": Form(entities.reading, entities.making),
    "label-studio": Form(label_studio.reading, label_studio.making, is_array=True, keys=label_studio.KEYS),
    "label-studio-predictions": Form(
        label_studio.reading_predictions, label_studio.making_predictions, is_array=True, keys=label_studio.KEYS
    ),
    "spacy": Form(spacy.reading, spacy.making, is_array=True, parts=spacy.parts, keys=spacy.KEYS),
}


def form_of(name: str) -> Form:
    """The form of that name; CorpusError if there is none."""
    if name not in FORMS:
        raise CorpusError(f'no form "{name}" of spans; the forms are {", ".join(FORMS)}')
    return FORMS[name]
