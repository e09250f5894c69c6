"""CMeEE: `{"text": …, "entities": [{"start_idx": 0, "end_idx": 1, "type": "地点", "entity": "北京"}]}`, in one array.

The last character is included, unless the words of the entity show that it is not. Source: CBLUE (Zhang et al.,
arXiv:2106.08087).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.annotations.records import RawSpan, list_of, mapping_of, object_of, text_of
from corpora.document import Span
from corpora.findings import Counts


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a record."""
    record = object_of(record)
    text = text_of(record, key)
    if "entities" not in record:
        return text, None
    found: list[RawSpan] = []
    for each in list_of(record["entities"], '"entities"'):
        entity = mapping_of(each, "an entity")
        start, last, words = entity.get("start_idx"), entity.get("end_idx"), entity.get("entity")
        end = last
        if type(start) is int and type(last) is int and text[start:last] != words:
            end = last + 1
        found.append(RawSpan(start, end, entity.get("type"), words))
    return text, found


def making(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The record of a text."""
    entities = [
        {
            "start_idx": span.start,
            "end_idx": span.end - 1,
            "type": span.label,
            "entity": text[span.start : span.end],
        }
        for span in spans or ()
    ]
    return {"text": text} | ({} if spans is None else {"entities": entities})
