"""JSON records of texts with labelled character spans: CLUENER, doccano and Label Studio, in and out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.document import Span
from corpora.errors import CorpusError
from corpora.files import text_lines


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A span as a record has it: offsets and label still to be checked, and the words inside where they are given."""

    start: object
    end: object
    label: object
    words: object = None


Reading = Callable[[dict[str, Any], str], tuple[str, list[RawSpan] | None]]
Making = Callable[[str, tuple[Span, ...] | None], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Form:
    """How one tool writes a record: `reading` takes a record and the key of the text, `making` a text and its spans."""

    reading: Reading
    making: Making


def form_of(name: str) -> Form:
    """The form of that name; CorpusError if there is none."""
    if name not in FORMS:
        raise CorpusError(f'no form "{name}" of spans; the forms are {", ".join(FORMS)}')
    return FORMS[name]


def records(path: Path, encoding: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The place and the content of each record: JSON Lines, or one array, which is held in memory."""
    lines = text_lines(path, encoding)
    row = 0
    for number, line in enumerate(lines, start=1):
        if row == 0 and line.lstrip().startswith("["):
            yield from _array(path, "\n" * (number - 1) + line + "".join(lines))
            return
        if line.strip():
            row += 1
            where = f"row {row} (line {number})"
            yield where, _object(_json(line, f"{path}: {where}"), f"{path}: {where}")


def _array(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, record in enumerate(_json(text, str(path)), start=1):
        yield f"row {row}", _object(record, f"{path}: row {row}")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise CorpusError(f"{where}: not JSON: {error.msg} at {line}character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{where}: cannot be read as JSON: {error}") from None


def _object(record: object, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise CorpusError(f'{where}: an object like {{"text": "…"}} is expected, a {type(record).__name__} came')
    return record


def _text(record: dict[str, Any], key: str) -> str:
    text = record.get(key)
    if not isinstance(text, str):
        known = ", ".join(f'"{name}"' for name in record)
        raise CorpusError(f'a text is expected at "{key}", {text!r} came; the keys are {known}')
    return text


def _of_kind(value: object, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        expected = "an object" if kind is dict else "a list"
        raise CorpusError(f"{what}: {expected} is expected, {json.dumps(value, ensure_ascii=False)} came")
    return value


def _from_cluener(record: dict[str, Any], key: str) -> tuple[str, list[RawSpan] | None]:
    text = _text(record, key)
    if "label" not in record:
        return text, None
    found: list[RawSpan] = []
    for label, mentions in _of_kind(record["label"], dict, '"label"').items():
        for words, places in _of_kind(mentions, dict, f'"{label}"').items():
            for place in _of_kind(places, list, f'"{words}"'):
                start, last = _items(place, 2)
                found.append(RawSpan(start, last + 1 if type(last) is int else last, label, words))
    return text, found


def _from_doccano(record: dict[str, Any], key: str) -> tuple[str, list[RawSpan] | None]:
    text = _text(record, key)
    name = next((name for name in ("label", "labels", "entities") if name in record), None)
    if name is None:
        return text, None
    found: list[RawSpan] = []
    for entry in _of_kind(record[name], list, f'"{name}"'):
        found.extend(_valued(entry) if isinstance(entry, dict) else [RawSpan(*_items(entry, 3))])
    return text, found


def _from_label_studio(record: dict[str, Any], key: str) -> tuple[str, list[RawSpan] | None]:
    text = _text(_of_kind(record.get("data"), dict, '"data"'), key)
    annotations = _of_kind(record.get("annotations", []), list, '"annotations"')
    valid = [one for one in annotations if not _of_kind(one, dict, "an annotation").get("was_cancelled")]
    valid = [one for one in valid if one.get("ground_truth")] or valid
    if not valid:
        return text, None
    if len(valid) > 1:
        raise CorpusError(f"{len(valid)} annotations, and one is expected: mark one as ground truth")
    found: list[RawSpan] = []
    for result in _of_kind(valid[0].get("result"), list, '"result"'):
        value = _of_kind(result, dict, "a result").get("value")
        if isinstance(value, dict) and "labels" in value:
            found.extend(_valued(value))
    return text, found


def _valued(value: dict[str, Any]) -> list[RawSpan]:
    """The spans of an object with offsets and a label, or several labels."""
    start, end = value.get("start_offset", value.get("start")), value.get("end_offset", value.get("end"))
    labels = _of_kind(value["labels"], list, '"labels"') if "labels" in value else [value.get("label")]
    return [RawSpan(start, end, label, value.get("text")) for label in labels]


def _items(place: object, count: int) -> Any:
    if not isinstance(place, list) or len(place) != count:
        expected = "[first, last]" if count == 2 else "[start, end, label]"
        raise CorpusError(f"{expected} is expected, {json.dumps(place, ensure_ascii=False)} came")
    return place


def _to_cluener(text: str, spans: tuple[Span, ...] | None) -> dict[str, object]:
    label: dict[str, dict[str, list[list[int]]]] = {}
    for span in spans or ():
        words = text[span.start : span.end]
        label.setdefault(span.label, {}).setdefault(words, []).append([span.start, span.end - 1])
    return {"text": text} | ({} if spans is None else {"label": label})


def _to_doccano(text: str, spans: tuple[Span, ...] | None) -> dict[str, object]:
    label = [[span.start, span.end, span.label] for span in spans or ()]
    return {"text": text} | ({} if spans is None else {"label": label})


def _to_label_studio(text: str, spans: tuple[Span, ...] | None) -> dict[str, object]:
    result = [
        {
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
        for span in spans or ()
    ]
    return {"data": {"text": text}, "annotations": [] if spans is None else [{"result": result}]}


FORMS = {
    "cluener": Form(_from_cluener, _to_cluener),
    "doccano": Form(_from_doccano, _to_doccano),
    "label-studio": Form(_from_label_studio, _to_label_studio),
}
