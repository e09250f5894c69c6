"""Entities as offsets: `{"text": …, "entities": [{"start": 0, "end": 2, "label": "地点"}]}`, by these keys or others.

A span is an object with a start, an end and a label, or `[start, end, label]`; the end is the character after the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.annotations.records import RawSpan, items, list_of, object_of, text_of
from corpora.document import Span
from corpora.errors import CorpusError
from corpora.findings import Counts

LISTS = ("entities", "label", "labels", "spans", "ents", "ner", "annotations")
STARTS = ("start", "start_offset", "begin", "offset", "start_pos", "start_idx")
ENDS = ("end", "end_offset", "stop", "end_pos", "end_idx")
LABELS = ("label", "type", "entity_type", "entity_group", "category", "tag")
WORDS = ("text", "word", "words", "entity", "value", "mention")


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a record."""
    record = object_of(record)
    text = text_of(record, key)
    name = next((name for name in LISTS if name in record), None)
    return text, None if name is None else spans_of(record[name], name)


def making(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The record of a text."""
    entities = [
        {"start": span.start, "end": span.end, "label": span.label, "text": text[span.start : span.end]}
        for span in spans or ()
    ]
    return {"text": text} | ({} if spans is None else {"entities": entities})


def spans_of(value: Any, name: str) -> list[RawSpan]:
    """The spans of a list of objects or of `[start, end, label]`."""
    found: list[RawSpan] = []
    for entry in list_of(value, f'"{name}"'):
        found.extend(span_of(entry) if isinstance(entry, dict) else [RawSpan(*items(entry, "[start, end, label]"))])
    return found


def span_of(value: dict[str, Any]) -> list[RawSpan]:
    """The spans of an object with offsets and a label, or with several labels.

    Raises:
        CorpusError: The label is a number.
    """
    start, end, label, words = (_first(value, names) for names in (STARTS, ENDS, LABELS, WORDS))
    labels = list_of(value["labels"], '"labels"') if "labels" in value else [label]
    for one in labels:
        if type(one) is int:
            raise CorpusError(f"the label is the number {one}: export the labels with their names")
    return [RawSpan(start, end, one, words if isinstance(words, str) else None) for one in labels]


def _first(value: dict[str, Any], names: Sequence[str]) -> object:
    return next((value[name] for name in names if name in value), None)
