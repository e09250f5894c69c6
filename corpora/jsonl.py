"""JSON Lines: one object per line; the first one names the columns."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from corpora.errors import CorpusError, shown
from corpora.files import EscapedLines, open_text, replace_when_done, text_lines
from corpora.rows import BadRow, Row


def records(path: Path, encoding: str) -> Iterator[tuple[object, ...]]:
    """The keys of the first object, then the values of each in that order, None where a key is missing.

    Blank lines are skipped.

    Raises:
        CorpusError: A line is no JSON object, or has a key that the first one lacks.
    """
    row, line = 1, 0

    def place() -> str:
        return f"row {row} (line {line + 1})"

    columns: dict[str, None] = {}
    for text in text_lines(path, encoding, place):
        if text.strip():
            values = object_of(json_value(text, f"{path}: {place()}"), f"{path}: {place()}")
            if not columns:
                columns = dict.fromkeys(values)
                yield tuple(columns)
            check_keys(values, columns, f"{path}: {place()}")
            yield tuple(map(values.get, columns))
            row += 1
        line += 1


def entries(lines: EscapedLines, *, reserved: Collection[str] | None = None) -> Iterator[Row | BadRow]:
    """The keys of the first object, then the values of each in that order, good and bad, without an error for any.

    With `reserved`, an object may have keys that the first one lacks, except these; they are in `raw` alone.
    """
    columns: dict[str, None] = {}
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            values = _checked(raw, lines, columns, reserved)
        except CorpusError as error:
            yield BadRow(str(error).removeprefix(": "), raw, number)
            continue
        if not columns:
            columns = dict.fromkeys(values)
            yield Row(tuple(columns))
        yield Row(tuple(map(values.get, columns)), raw)


def _checked(
    raw: str, lines: EscapedLines, columns: Mapping[str, None], reserved: Collection[str] | None
) -> dict[str, object]:
    if fault := lines.fault(raw):
        raise CorpusError(f": {fault}")
    values = object_of(json_value(raw, ""), "")
    if columns and reserved is None:
        check_keys(values, columns, "")
    elif columns and (taken := [key for key in reserved or () if key in values and key not in columns]):
        raise CorpusError(f': has a key "{shown(taken[0])}", which the output would have twice: rename it')
    return values


@contextmanager
def writing(path: Path, columns: Sequence[str], encoding: str) -> Iterator[Callable[[Sequence[object]], object]]:
    """A function that writes one row as an object; Chinese stays readable.

    Raises:
        CorpusError: Two columns have one name.
    """
    check_columns(path, columns)

    def write(row: Sequence[object]) -> None:
        values = dict(zip(columns, row, strict=True))
        stream.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")

    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        yield write


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Raises CorpusError if two columns have one name."""
    name, count = Counter(columns).most_common(1)[0]
    if count > 1:
        raise CorpusError(f'{path}: {count} columns are named "{shown(name)}": a JSON object needs one')


def json_value(text: str, where: str) -> Any:
    """The value of a JSON text. Raises CorpusError, which begins with `where`, if it is none."""
    try:
        return json.loads(text.rstrip("\r\n"))
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise CorpusError(f"{where}: not JSON: {error.msg} at {line}character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{where}: cannot be read as JSON: {error}") from None


def object_of(values: object, where: str) -> dict[str, object]:
    """The value, if it is an object with a key."""
    if not isinstance(values, dict) or not values:
        kind = "an empty object" if values == {} else f"a {type(values).__name__}"
        raise CorpusError(f'{where}: an object like {{"text": "…"}} is expected, {kind} came')
    return values


def check_keys(values: dict[str, object], columns: Mapping[str, None], where: str) -> None:
    """Raises CorpusError if an object has a key that the first one lacks."""
    for key in values:
        if key not in columns:
            known = ", ".join(f'"{shown(name)}"' for name in islice(columns, 40))
            raise CorpusError(
                f'{where}: the key "{shown(key)}" is not in the first line, which has {known}: add it there'
            )
