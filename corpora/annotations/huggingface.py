"""Hugging Face data sets of tokens: `{"tokens": ["北", "京"], "ner_tags": ["B-地点", "I-地点"]}`, in JSON or Parquet.

Tags may be numbers, if their names are known: from the schema of a Parquet file, or given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import parquet
from corpora.annotations.records import list_of, object_of, records
from corpora.document import Sentence
from corpora.errors import CorpusError, excerpt, shown
from corpora.files import open_text, replace_when_done, unencodable
from corpora.labels import bare_tag

TAGS = ("ner_tags", "tags", "labels", "ner", "pos_tags", "pos", "upos")


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """The sentences of a file; re-iterable.

    Args:
        path: JSON Lines, a JSON array, or a `.parquet` file.
        tag: Key of the tags; None: the first of `TAGS` that a record has. A record without it has no tags.
        names: Of tags that are numbers, from 0 on; None: those in the schema of a Parquet file.
        encoding: One of `corpora.files.ENCODINGS`.

    Raises:
        CorpusError: While iterating: the file cannot be read, a record has no list of tokens or another number of tags,
            or tags are numbers without names; names the record.
    """

    path: Path
    tag: str | None = None
    names: Sequence[str] | None = None
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[Sentence]:
        names, is_asked = self.names, self.names is not None or self.path.suffix.lower() != ".parquet"
        for where, record in self._records():
            try:
                values = object_of(record)
                column = self.tag or next((name for name in TAGS if values.get(name) is not None), "")
                if not is_asked:
                    names, is_asked = parquet.class_names(self.path, column), True
                yield _sentence(values, column, names)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: {where}: {error}") from None

    def numbered(self) -> Iterator[tuple[list[int], Sentence]]:
        """Each sentence with the number of its record, for each token."""
        for row, sentence in enumerate(self, start=1):
            yield [row] * len(sentence.tokens), sentence

    def _records(self) -> Iterator[tuple[str, Any]]:
        if self.path.suffix.lower() != ".parquet":
            yield from records(self.path, self.encoding)
            return
        rows = parquet.records(self.path)
        columns = [str(name) for name in next(rows)]
        for row, cells in enumerate(rows, start=1):
            yield f"row {row}", dict(zip(columns, cells, strict=True))


def read(
    path: str | Path, *, tag: str | None = None, names: Sequence[str] | None = None, encoding: str = "utf-8"
) -> HuggingFace:
    """The sentences of a data set of tokens; see `HuggingFace`."""
    return HuggingFace(Path(path), tag, names, encoding)


def write(
    path: str | Path,
    records: Iterable[dict[str, object]],
    *,
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes records as JSON Lines and returns their number.

    Raises:
        CorpusError: A character cannot be encoded, or the folder does not exist.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, record in enumerate(records, start=1):
            try:
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: row {row}", error) from None
            advance(1)
    return row


def _sentence(record: dict[str, Any], column: str, names: Sequence[str] | None) -> Sentence:
    if "tokens" not in record:
        known = ", ".join(f'"{shown(name, 20)}"' for name in list(record)[:20])
        raise CorpusError(f'a list of tokens is expected at "tokens"; the keys are {known}')
    tokens = list_of(record["tokens"], '"tokens"')
    if not all(isinstance(token, str) for token in tokens):
        raise CorpusError(f'"tokens": texts are expected, {excerpt(tokens)} came')
    if record.get(column) is None:
        return Sentence(tuple(tokens))
    tags = [_tag(tag, column, names) for tag in list_of(record[column], f'"{column}"')]
    return Sentence(tuple(tokens), tuple(tags))


def _tag(tag: object, column: str, names: Sequence[str] | None) -> str:
    if isinstance(tag, str):
        return bare_tag(tag)
    if type(tag) is not int:
        raise CorpusError(f'"{column}": tags are expected, {excerpt(tag)} came')
    if names is None:
        raise CorpusError(f'"{column}": tags are numbers without names: name them, names = ["O", "B-地点", …]')
    if not 0 <= tag < len(names):
        raise CorpusError(f'"{column}": the tag {tag} has no name; {len(names)} are known, from 0 on')
    return bare_tag(names[tag])
