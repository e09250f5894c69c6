"""Label Studio: `{"data": {"text": …}, "annotations": [{"result": [{"value": …}]}]}`, or its smaller export, JSON-MIN.

What a model suggests is in "predictions" in the same way; these are a format of their own. Of several annotations one
must be the ground truth. In JSON-MIN the spans are in a list that is called as the tool's config calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.annotations.entities import span_of
from corpora.annotations.records import RawSpan, list_of, mapping_of, object_of, text_of
from corpora.document import Span
from corpora.errors import CorpusError
from corpora.findings import Counts, count

MODEL = "zhpipe"
KEYS = frozenset(("data", "annotations", "predictions", "completions", "label"))


def reading(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a task that people have annotated."""
    record = object_of(record)
    if "data" not in record and ((small := _small(record)) is not None or {"annotation_id", "annotator"} & set(record)):
        return text_of(record, key), small
    text = text_of(mapping_of(record.get("data"), '"data"'), key)
    annotations = list_of(record.get("annotations", record.get("completions", [])), '"annotations"')
    valid = [one for one in annotations if not mapping_of(one, "an annotation").get("was_cancelled")]
    valid = [one for one in valid if one.get("ground_truth")] or valid
    if len(valid) > 1:
        raise CorpusError(f"{len(valid)} annotations, and one is expected: mark one as ground truth")
    return text, _spans(valid[0], counts) if valid else None


def reading_predictions(record: Any, key: str, counts: Counts) -> tuple[str, list[RawSpan] | None]:
    """The text and the spans of a task that a model has answered."""
    record = object_of(record)
    text = text_of(mapping_of(record.get("data"), '"data"'), key)
    predictions = list_of(record.get("predictions", []), '"predictions"')
    if len(predictions) > 1:
        raise CorpusError(f"{len(predictions)} predictions, and one is expected: leave those of one model")
    return text, _spans(mapping_of(predictions[0], "a prediction"), counts) if predictions else None


def making(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The task of a text that people have annotated."""
    return {"data": {"text": text}, "annotations": [] if spans is None else [{"result": _result(text, spans)}]}


def making_predictions(text: str, spans: Sequence[Span] | None) -> dict[str, object]:
    """The task of a text whose spans people are to correct."""
    found = [] if spans is None else [{"model_version": MODEL, "result": _result(text, spans)}]
    return {"data": {"text": text}, "predictions": found}


def _spans(annotation: dict[str, Any], counts: Counts) -> list[RawSpan]:
    found: list[RawSpan] = []
    for each in list_of(annotation.get("result"), '"result"'):
        result = mapping_of(each, "a result")
        value = result.get("value")
        if isinstance(value, dict) and "labels" in value:
            found.extend(span_of(value))
        else:
            count("relations", counts, int(result.get("type") == "relation"))
    return found


def _small(record: dict[str, Any]) -> list[RawSpan] | None:
    """The spans of JSON-MIN: of the list whose objects have offsets and labels."""
    lists = [value for value in record.values() if isinstance(value, list) and all(map(_is_span, value))]
    chosen = next(iter(sorted(lists, key=len, reverse=True)), None)
    return None if chosen is None else [span for value in chosen for span in span_of(value)]


def _is_span(value: object) -> bool:
    return isinstance(value, dict) and {"start", "end", "labels"} <= set(value)


def _result(text: str, spans: Sequence[Span]) -> list[dict[str, object]]:
    return [
        {
            "id": f"{place}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": span.start,
                "end": span.end,
                "text": text[span.start : span.end],
                "labels": [span.label],
            },
        }
        for place, span in enumerate(spans, start=1)
    ]
