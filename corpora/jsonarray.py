"""A JSON array of objects as a table; the first object names the columns. A file of JSON Lines is read, too."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from corpora import jsonl
from corpora.errors import CorpusError, excerpt
from corpora.files import EscapedLines, open_text, replace_when_done, text_lines
from corpora.jsonl import check_columns, check_keys, json_value, object_of
from corpora.rows import BadRow, Row


def records(path: Path, encoding: str) -> Iterator[tuple[object, ...]]:
    """The keys of the first object, then the values of each in that order, None where a key is missing.

    Raises:
        CorpusError: The file is no array of objects, or an object has a key that the first one lacks.
    """
    for row, entry in enumerate(entries(path, encoding)):
        if isinstance(entry, BadRow):
            raise CorpusError(f"{path}: row {row}: {entry.reason}")
        yield entry.cells


def entries(path: Path, encoding: str) -> Iterator[Row | BadRow]:
    """The same, good and bad; a row is bad if it is no object, or has a key that the first one lacks.

    Raises:
        CorpusError: The file is no JSON array.
    """
    if _is_lines(path, encoding):
        yield from jsonl.entries(EscapedLines(path, encoding))
        return
    columns: dict[str, None] = {}
    for row, value in enumerate(_values(path, encoding), start=1):
        try:
            found = object_of(value, "")
            if columns:
                check_keys(found, columns, "")
        except CorpusError as error:
            reason = str(error).removeprefix(": ")
            if not columns:
                raise CorpusError(f"{path}: row {row}: {reason}") from None
            yield BadRow(reason, json.dumps(value, ensure_ascii=True))
            continue
        if not columns:
            columns = dict.fromkeys(found)
            yield Row(tuple(columns))
        yield Row(tuple(map(found.get, columns)))


@contextmanager
def writing(path: Path, columns: Sequence[str], encoding: str) -> Iterator[Callable[[Sequence[object]], object]]:
    """A function that writes one row as an object of the array, on a line of its own.

    Raises:
        CorpusError: Two columns have one name.
    """
    check_columns(path, columns)
    between = "[\n"

    def write(row: Sequence[object]) -> None:
        nonlocal between
        values = dict(zip(columns, row, strict=True))
        stream.write(between + json.dumps(values, ensure_ascii=False, default=str))
        between = ",\n"

    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        yield write
        stream.write("\n]\n" if between == ",\n" else "[]\n")


def _values(path: Path, encoding: str) -> list[Any]:
    """The items of the array."""
    text = "".join(text_lines(path, encoding))
    found = json_value(text, str(path)) if text.strip() else []
    if not isinstance(found, list):
        raise CorpusError(
            f"{path}: one array of objects is expected, {excerpt(found)} came: write the rows as "
            '[{"text": "…"}, …] (pandas: to_json(orient="records"))'
        )
    return found


def _is_lines(path: Path, encoding: str) -> bool:
    """Whether the first line that is not blank is an object, and more lines follow."""
    filled = list(islice((line for line in text_lines(path, encoding) if line.strip()), 2))
    if len(filled) < 2 or not filled[0].lstrip().startswith("{"):
        return False
    try:
        json_value(filled[0], "")
    except CorpusError:
        return False
    return True
