"""CLUENER: `{"text": …, "label": {"地点": {"北京": [[0, 1]]}}}`, the last character included.

Source: CLUENER2020 (Xu et al., arXiv:2001.04351).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.annotations.records import RawSpan, items, list_of, mapping_of, object_of, text_of
from corpora.document import Span
from corpora.findings import Counts


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a record."""
    record = object_of(record)
    text = text_of(record, key)
    if "label" not in record:
        return text, None
    found: list[RawSpan] = []
    for label, mentions in mapping_of(record["label"], '"label"').items():
        for words, places in mapping_of(mentions, f'"{label}"').items():
            for place in list_of(places, f'"{words}"'):
                start, last = items(place, "[first, last]")
                found.append(RawSpan(start, last + 1 if type(last) is int else last, label, words))
    return text, found


def making(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The record of a text."""
    label: dict[str, dict[str, list[list[int]]]] = {}
    for span in spans or ():
        words = text[span.start : span.end]
        label.setdefault(span.label, {}).setdefault(words, []).append([span.start, span.end - 1])
    return {"text": text} | ({} if spans is None else {"label": label})
