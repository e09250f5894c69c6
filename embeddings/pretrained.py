"""Pretrained tables of vectors: word2vec text and binary, GloVe text, fastText .vec, and folders of zhpipe."""

import gzip
import io
import zlib
from array import array
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import BinaryIO, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from embeddings.errors import EmbeddingError
from embeddings.progress import Advance, counted, ignore
from embeddings.vectors import Vectors

Format = Literal["word2vec", "word2vec-binary", "glove", "fasttext", "folder"]
Row = npt.NDArray[np.float32]

_LONGEST_LINE = 2**22
_LONGEST_WORD = 2**12
_GREATEST_WIDTH = 2**16


@dataclass(frozen=True)
class _Entry:
    """A word of a table: its place in the file for messages, its bytes, and the function that reads its vector."""

    place: str
    word: bytes
    row: Callable[[], Row]


@dataclass(frozen=True)
class _Table:
    """An open table: the width of its vectors, and its entries, read one at a time."""

    width: int
    entries: Iterator[_Entry]


def read(
    path: Path | str,
    *,
    format: Format | None = None,
    words: Container[str] | None = None,
    width: int | None = None,
    setting: str = "embed.vector_size",
    limit: int | None = None,
    skip_undecodable: bool = False,
    advance: Advance = ignore,
) -> Vectors:
    """The vectors of a published table.

    `path`: a file, plain or gzip (recognised by its first bytes), or a folder that `Vectors.save` wrote.
    `format`: "word2vec" and "fasttext" are text that begins with a line `number width`; "glove" is the same without
    that line; "word2vec-binary" has little-endian float32 after each word. By default a folder is "folder", a name in
    .bin (or .bin.gz) is binary, and the first line tells the other two apart.
    `words`: keep only the rows of these words. The file is streamed; memory holds what is kept.
    `width`: the width that the vectors must have; `setting`: the name of its setting, for a message.
    `limit`: read at most the first `limit` words of the table.
    `skip_undecodable`: leave out words that are not UTF-8, which some published tables have.
    `advance` is called with the number of words read.

    In text, the last `width` fields of a line are the vector; everything before is the word, which may contain spaces.
    If a word is repeated, its first vector counts. Raises EmbeddingError, with the line or word number, for another
    width than `width`, a row without all its numbers, numbers that are not finite, a word that is not UTF-8, and a
    table with fewer words than its first line says. Of rows that are not kept, the numbers are not read.
    """
    path = Path(path)
    if format is not None and format not in get_args(Format):
        raise EmbeddingError(f"format must be one of {', '.join(get_args(Format))}, got {format!r}")
    if limit is not None and limit < 1:
        raise EmbeddingError(f"limit must be at least 1, got {limit}")
    if format == "folder" or (format is None and path.is_dir()):
        return _read_folder(path, words, width, setting, limit)
    with _open(path) as stream:
        table = _table(stream, path, format or _guess(stream, path))
        _check_width(path, table.width, width, setting)
        entries = counted(islice(table.entries, limit), advance)
        return _collect(entries, table.width, words, skip_undecodable)


def _read_folder(
    path: Path, words: Container[str] | None, width: int | None, setting: str, limit: int | None
) -> Vectors:
    vectors = Vectors.load(path)
    _check_width(path, vectors.width, width, setting)
    first = Vectors(vectors.words[:limit], vectors.values[:limit])
    return first if words is None else first.restrict(words)


def _check_width(path: Path, own: int, width: int | None, setting: str) -> None:
    if width is not None and own != width:
        raise EmbeddingError(f"{path.name} has width {own}, the setting says {width}: set {setting} = {own}")


@contextmanager
def _open(path: Path) -> Iterator[io.BufferedReader]:
    """The bytes of the file, unpacked if it is gzip; raises EmbeddingError if they can't be read."""
    try:
        with path.open("rb") as file:
            packed = file.peek(2).startswith(b"\x1f\x8b")
            # GzipFile.read(1) is slow without a buffer around it.
            yield io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file))) if packed else file
    except (OSError, EOFError, zlib.error) as error:
        raise EmbeddingError(f"{path}: the table can't be read: {error}") from error


def _guess(stream: io.BufferedReader, path: Path) -> Format:
    if path.name.lower().removesuffix(".gz").endswith(".bin"):
        return "word2vec-binary"
    start = stream.peek(64).removeprefix(b"\xef\xbb\xbf")
    first_line, newline, _ = start.partition(b"\n")
    return "word2vec" if newline and _header(first_line) else "glove"


def _table(stream: io.BufferedReader, path: Path, format: Format) -> _Table:
    if format == "word2vec-binary":
        return _binary_table(stream, path)
    lines = _lines(stream, path)
    number, first = next(lines, (0, b""))
    if not first:
        raise EmbeddingError(f"{path}: a table of vectors was expected, the file is empty")
    if format == "glove":
        return _glove_table(path, number, first, lines)
    n_words, width = _expect_header(path, first)
    return _Table(width, _complete(_text_entries(path, lines, width), path, n_words))


def _header(line: bytes) -> tuple[int, int] | None:
    """The number of words and the width, or None if the line is not two whole numbers."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _expect_header(path: Path, line: bytes) -> tuple[int, int]:
    header = _header(line)
    if header is None:
        raise EmbeddingError(
            f"{path}, line 1: number of words and width were expected, got {_shown(line)}: "
            'a table without that line is format = "glove"'
        )
    if not 1 <= header[1] <= _GREATEST_WIDTH:
        raise EmbeddingError(f"{path}, line 1: the width must be 1 to {_GREATEST_WIDTH}, got {header[1]}")
    return header


def _glove_table(path: Path, number: int, first: bytes, lines: Iterator[tuple[int, bytes]]) -> _Table:
    fields = first.split(b" ")
    width = sum(1 for _ in takewhile(_is_number, reversed(fields[1:])))
    if not width:
        raise EmbeddingError(f"{path}, line {number}: a word and numbers were expected, got {_shown(first)}")

    def every_line() -> Iterator[tuple[int, bytes]]:
        yield number, first
        yield from lines

    return _Table(width, _text_entries(path, every_line(), width))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _lines(stream: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, without white space at their end, and their numbers; only line feeds end lines."""
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), start=1):
        if len(line) == _LONGEST_LINE:
            raise EmbeddingError(
                f"{path}, line {number}: a line of text was expected, it has over {_LONGEST_LINE} bytes: "
                'a binary table is format = "word2vec-binary"'
            )
        if line := (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).rstrip(b" \t\r\n"):
            yield number, line


def _text_entries(path: Path, lines: Iterator[tuple[int, bytes]], width: int) -> Iterator[_Entry]:
    for number, line in lines:
        place = f"{path}, line {number}"
        word, *fields = line.rsplit(b" ", width)
        if len(fields) < width:
            got = f"{len(fields) + 1} fields in {_shown(line)}"
            raise EmbeddingError(f"{place}: a word and {width} numbers between spaces were expected, got {got}")
        yield _Entry(place, word, partial(_numbers, fields, place))


def _numbers(fields: list[bytes], place: str) -> Row:
    try:
        return np.array(array("f", map(float, fields)), dtype=np.float32)
    except ValueError as error:
        bad = next(field for field in fields if not _is_number(field))
        raise EmbeddingError(f"{place}: {len(fields)} numbers were expected, got {_shown(bad)}") from error


def _binary_table(stream: io.BufferedReader, path: Path) -> _Table:
    n_words, width = _expect_header(path, stream.readline(64))

    def entries() -> Iterator[_Entry]:
        for number in range(1, n_words + 1):
            if (entry := _binary_entry(stream, f"{path}, word {number}", 4 * width)) is None:
                return
            yield entry

    return _Table(width, _complete(entries(), path, n_words))


def _binary_entry(stream: io.BufferedReader, place: str, size: int) -> _Entry | None:
    """The next word and its `size` bytes; None at the end of the file."""
    word = bytearray()
    while (byte := stream.read(1)) not in (b" ", b""):
        word += byte
        if len(word) > _LONGEST_WORD:
            raise EmbeddingError(f"{place}: a word was expected, got over {_LONGEST_WORD} bytes without a space")
    data = stream.read(size)
    if len(data) < size:
        return None
    return _Entry(place, bytes(word.lstrip(b"\n")), partial(_floats, data))


def _floats(data: bytes) -> Row:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def _complete(entries: Iterator[_Entry], path: Path, n_words: int) -> Iterator[_Entry]:
    """The entries; raises EmbeddingError at their end if there were fewer than `n_words`."""
    found = 0
    for found, entry in enumerate(entries, start=1):  # noqa: B007
        yield entry
    if found < n_words:
        raise EmbeddingError(f"{path}: {n_words} words were expected by the first line, the file ends after {found}")


def _collect(entries: Iterator[_Entry], width: int, words: Container[str] | None, skip_undecodable: bool) -> Vectors:
    """The vectors of those entries whose words are wanted."""
    kept: dict[str, None] = {}
    values = array("f")
    for entry in entries:
        word = _decoded(entry, skip_undecodable)
        if word is None or word in kept or (words is not None and word not in words):
            continue
        row = entry.row()
        if not np.isfinite(row).all():
            raise EmbeddingError(f"{entry.place}: finite numbers were expected, {word!r} has {row.tolist()}")
        values.frombytes(row.tobytes())
        kept[word] = None
    return Vectors(tuple(kept), np.frombuffer(values, dtype=np.float32).reshape(len(kept), width))


def _decoded(entry: _Entry, skip_undecodable: bool) -> str | None:
    if not entry.word:
        raise EmbeddingError(f"{entry.place}: a word was expected before the numbers, there is none")
    try:
        return entry.word.decode("utf-8")
    except UnicodeDecodeError as error:
        if skip_undecodable:
            return None
        raise EmbeddingError(
            f"{entry.place}: a word in UTF-8 was expected, got {_shown(entry.word)}: "
            "pass skip_undecodable=True to leave such words out"
        ) from error


def _shown(data: bytes) -> str:
    """The start of the bytes, for a message."""
    text = data[:60].decode("utf-8", errors="backslashreplace")
    return repr(text) + ("..." if len(data) > 60 else "")
