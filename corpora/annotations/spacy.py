"""spaCy's JSON: `["我爱北京", {"entities": [[2, 4, "地点"]]}]`, as training scripts have it and we write it.

Read are also `Doc.to_json` ("ents"), Prodigy's records ("spans"), a file `{"annotations": […]}` of these, and the
training format of spaCy 2, paragraphs of sentences of tokens with tags in BILUO. Source: https://spacy.io/api/data-formats
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corpora.annotations.entities import spans_of
from corpora.annotations.records import RawSpan, items, list_of, mapping_of, object_of, text_of
from corpora.document import Span
from corpora.errors import CorpusError
from corpora.findings import Counts
from corpora.notation import LETTERS
from corpora.tags import spans as spans_of_tags

KEYS = frozenset(("ents", "spans", "entities", "raw", "sentences"))


def parts(record: Any) -> Iterator[Any]:
    """The texts of a record, each as a record of its own."""
    if isinstance(record, dict) and "paragraphs" in record:
        yield from list_of(record["paragraphs"], '"paragraphs"')
    elif isinstance(record, dict) and "annotations" in record and "text" not in record:
        yield from (one for one in list_of(record["annotations"], '"annotations"') if one is not None)
    else:
        yield record


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of one of the `parts` of a record."""
    if isinstance(record, list):
        text, more = items(record, "[text, annotations]")
        return _text(text), _named_spans(mapping_of(more, "the annotations"), ("entities",))
    record = object_of(record)
    if "raw" in record or "sentences" in record:
        return _paragraph(record)
    return text_of(record, key), _named_spans(record, ("ents", "spans", "entities"))


def making(text: str, spans: Sequence[Span] | None) -> list[object]:
    """The record of a text."""
    return [text, {} if spans is None else {"entities": [[span.start, span.end, span.label] for span in spans]}]


def _text(value: object) -> str:
    return text_of({"text": value}, "text")


def _named_spans(record: dict[str, Any], names: Sequence[str]) -> list[RawSpan] | None:
    name = next((name for name in names if name in record), None)
    return None if name is None else spans_of(record[name], name)


def _paragraph(record: dict[str, Any]) -> tuple[str, list[RawSpan] | None]:
    """A paragraph of spaCy 2: its raw text, and entities as offsets or as the tags of its tokens."""
    if "entities" in record:
        return _text(record.get("raw")), spans_of(record["entities"], "entities")
    sentences = list_of(record.get("sentences", []), '"sentences"')
    tokens = [mapping_of(token, "a token") for one in sentences for token in mapping_of(one, "a sentence")["tokens"]]
    words = [_text(token.get("orth")) for token in tokens]
    text = _text(record.get("raw", "".join(words)))
    if not any("ner" in token for token in tokens):
        return text, None
    starts, end = [], 0
    for word in words:
        starts.append(start := text.find(word, end))
        if start < 0:
            raise CorpusError(f'the token "{word}" is not in the raw text')
        end = start + len(word)
    tags = [_tag(token.get("ner", "O")) for token in tokens]
    found = spans_of_tags(tags, "BIOES").spans
    ends = [start + len(word) for start, word in zip(starts, words, strict=True)]
    return text, [RawSpan(starts[span.start], ends[span.end - 1], span.label) for span in found]


def _tag(tag: object) -> str:
    if not isinstance(tag, str):
        raise CorpusError(f"a tag is expected, {tag!r} came")
    return LETTERS.get(tag[:1], tag[:1]) + tag[1:] if tag[1:2] == "-" else "O"
