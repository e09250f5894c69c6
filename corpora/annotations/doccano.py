"""doccano: `{"text": …, "label": [[0, 2, "地点"]]}`; with relations, "entities" that are objects with offsets.

Old exports have "labels" or "annotations" in place of "label".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.annotations.entities import spans_of
from corpora.annotations.records import RawSpan, object_of, text_of
from corpora.document import Span
from corpora.findings import Counts, count


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a record."""
    record = object_of(record)
    text = text_of(record, key)
    relations = record.get("relations")
    count("relations", counts, len(relations) if isinstance(relations, list) else 0)
    name = next((name for name in ("label", "labels", "entities", "annotations") if name in record), None)
    return text, None if name is None else spans_of(record[name], name)


def making(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The record of a text."""
    label = [[span.start, span.end, span.label] for span in spans or ()]
    return {"text": text} | ({} if spans is None else {"label": label})
