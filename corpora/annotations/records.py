"""Records: the JSON values of a file, one per line or in one array, and spans as a record has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.errors import CorpusError, excerpt, shown
from corpora.files import text_lines
from corpora.jsonl import json_value


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A span as a record has it: offsets and label still to be checked, and the words inside where they are given."""

    start: object
    end: object
    label: object
    words: object = None


def records(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    """The place and the value of each record: JSON Lines, one array, or one object; the last two are held in memory."""
    lines = enumerate(text_lines(path, encoding), start=1)
    row = 0
    for number, line in lines:
        if not line.strip():
            continue
        where = f"row {row + 1} (line {number})"
        if row == 0 and (values := _whole(path, number, line, lines)) is not None:
            yield from ((f"row {place}", value) for place, value in enumerate(values, start=1))
            return
        row += 1
        yield where, json_value(line, f"{path}: {where}")


def object_of(record: Any) -> dict[str, Any]:
    """The record, if it is an object."""
    if not isinstance(record, dict):
        raise CorpusError(f'an object like {{"text": "…"}} is expected, a {type(record).__name__} came')
    return record


def text_of(record: dict[str, Any], key: str) -> str:
    """The text of a record."""
    text = record.get(key)
    if not isinstance(text, str):
        known = ", ".join(f'"{shown(name, 20)}"' for name in list(record)[:20])
        raise CorpusError(f'a text is expected at "{key}", {excerpt(text)} came; the keys are {known}')
    return text


def list_of(value: Any, what: str) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise CorpusError(f"{what}: a list is expected, {_shown(value)} came")
    return value


def mapping_of(value: Any, what: str) -> dict[str, Any]:
    """The value, if it is an object."""
    if not isinstance(value, dict):
        raise CorpusError(f"{what}: an object is expected, {_shown(value)} came")
    return value


def items(value: Any, expected: str) -> list[Any]:
    """The items of a list that has as many as `expected` names, `[start, end, label]`."""
    if not isinstance(value, list) or len(value) != expected.count(",") + 1:
        raise CorpusError(f"{expected} is expected, {_shown(value)} came")
    return value


def _whole(path: Path, number: int, line: str, rest: Iterator[tuple[int, str]]) -> list[Any] | None:
    """The records of a file that is one JSON value; None for a file of lines."""
    is_array = line.lstrip().startswith("[")
    if not is_array and _is_json(line):
        return None
    following = [text for _, text in rest]
    if is_array and _is_json(line) and any(map(str.strip, following)):
        lines = [line, *following]  # a record in each line that is itself an array
        return [json_value(text, f"{path}: line {place}") for place, text in enumerate(lines, number) if text.strip()]
    text = "\n" * (number - 1) + "".join([line, *following])
    if not is_array and not _is_json(text):
        json_value(line, f"{path}: row 1 (line {number})")  # the mistake is shown in its line
    value = json_value(text, str(path))
    is_record = not isinstance(value, list) or isinstance(next(iter(value), None), str)  # spaCy: ["text", {…}]
    return [value] if is_record else value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _shown(value: Any) -> str:
    return shown(json.dumps(value, ensure_ascii=False))
