"""Text files: named encodings, gzip, zstd and zip by suffix, errors that say where, and output that appears whole."""

import codecs
import gzip
import os
import re
import secrets
import stat
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from functools import cached_property, partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Literal, TextIO, cast

from corpora import contents, decoding, packed
from corpora.errors import CorpusError
from corpora.textlines import LineCutter

# Python's name of an encoding -> the one that reads it here. GB18030 contains GBK and GB2312, and cp950 contains Big5;
# files that claim to be in the smaller one often hold more.
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "cp950",
    "cp950": "cp950",
    "big5hkscs": "big5hkscs",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}
CHUNK = 1 << 20  # bytes read at a time
STREAM = Path("-")  # standard input
LONGEST_LINE = 1 << 24  # characters of a line of a table whose bad rows are set aside
_ESCAPES = "corpora.escape"
_ESCAPED = re.compile("[\udc00-\udcff]+")


def codec(encoding: str) -> str:
    """Python's codec for an encoding that a user named.

    Raises:
        CorpusError: The name, or its alias, is not in `ENCODINGS`.

    >>> codec("UTF8"), codec("GBK"), codec("Big5")
    ('utf-8', 'gb18030', 'cp950')
    """
    try:
        return ENCODINGS[codecs.lookup(encoding).name]
    except (LookupError, ValueError):
        close = get_close_matches(encoding.lower(), ENCODINGS, 1, 0.5)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise CorpusError(f'no encoding "{encoding}"; the encodings are {", ".join(ENCODINGS)}{hint}') from None


@contextmanager
def replace_when_done(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path` to write to, which replaces `path` when the block succeeds.

    The sibling keeps the suffixes of `path`; only its owner can read it. It is flushed to the disk before the rename,
    gets the `permissions` of `path`, and is removed if the block fails or is interrupted, so that nobody ever sees half
    a file.

    Raises:
        CorpusError: The folder of `path` does not exist, or `path` is itself a folder.
    """
    if not path.parent.is_dir():
        raise CorpusError(f'{path}: there is no folder "{path.parent}": make it first')
    if path.is_dir():
        raise CorpusError(f"{path}: is a folder; the name of a file is expected")
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name[-40:]}")
    try:
        temporary.touch(0o600, exist_ok=False)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(permissions(path))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def permissions(path: Path) -> int:
    """The permissions of a file that replaces `path`: those of the file there, else what the umask leaves."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mask = os.umask(0o077)  # the umask can only be read by setting it
        os.umask(mask)
        return 0o666 & ~mask


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns errors of opening and reading a file into a CorpusError that names it."""
    try:
        yield
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: is a folder; a file is expected") from None
    except (gzip.BadGzipFile, zlib.error):
        raise CorpusError(f"{path}: damaged, or not gzip as its suffix says") from None
    except zipfile.BadZipFile:
        raise CorpusError(f"{path}: damaged, cut short, or not zip as its suffix says") from None
    except EOFError:
        raise CorpusError(f"{path}: the gzip file is cut short: copy it again") from None
    except OSError as error:
        if path.suffix.lower() == ".zst" and error.errno is None:
            raise CorpusError(f"{path}: damaged, cut short, or not zstd as its suffix says") from None
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error


@contextmanager
def open_bytes(path: Path, mode: Literal["r", "w"]) -> Iterator[IO[bytes]]:
    """The bytes of a text file, unpacked if its name ends in `.gz`, `.zst` or `.zip`; `-` is standard input.

    Equal content makes equal packed files.

    Raises:
        CorpusError: The file to read is a pipe or device, or its first bytes are those of a format that is no text.
    """
    if path == STREAM and mode == "r":
        yield sys.stdin.buffer
        return
    if mode == "r":
        contents.check_regular(path)
        if not packed.packing(path) and path.is_file():
            contents.check_text(path)
    else:
        packed.check_writable(path)
    with ExitStack() as stack:
        stream = cast(IO[bytes], stack.enter_context(path.open(f"{mode}b")))
        if suffix := packed.packing(path):
            try:
                stream = stack.enter_context(packed.opened(stream, suffix, mode))
            except CorpusError as error:
                raise CorpusError(f"{path}: {error}") from None
        yield stream


def written_as(path: Path, encoding: str) -> str:
    """The encoding in which to write what was read from a file, so that a byte order mark that came in goes out.

    Only UTF-8, and UTF-16 without a name for its order of bytes, are written with one.
    """
    name = codec(encoding)
    if name != "utf-8" or (
        path != STREAM and path.is_file() and not packed.packing(path) and contents.recognised(path)
    ):
        return name  # the second is no text, and has no encoding of its own
    if path == STREAM:
        peek = getattr(sys.stdin.buffer, "peek", None)
        start = peek(3)[:3] if peek else b""
    else:
        with readable(path), open_bytes(path, "r") as stream:
            start = stream.read(3)
    return "utf-8-sig" if start == codecs.BOM_UTF8 else name


@contextmanager
def open_text(path: Path, encoding: str, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    """A text file in a named encoding, packed by suffix; line ends are left alone.

    Reading drops a byte order mark at the start of UTF-8; writing makes one for `utf-8-sig` alone.

    Raises:
        CorpusError: The encoding is unknown.
    """
    name = codec(encoding)
    name = "utf-8-sig" if mode == "r" and name == "utf-8" else name
    with open_bytes(path, mode) as stream, TextIOWrapper(stream, name, newline="") as text:
        yield text


def text_lines(
    path: Path, encoding: str, place: Callable[[], str] | None = None, *, chunk: int = CHUNK
) -> Iterator[str]:
    r"""The lines of a text file with their ends, which may be `\n`, `\r\n` or `\r`; no byte order mark.

    Args:
        path: The file.
        encoding: One of `ENCODINGS`.
        place: Says where the reader is, for the error about a byte that cannot be decoded. All lines before that
            byte are yielded first. None: the error has the number of the line.
        chunk: Bytes to read at a time.

    Raises:
        CorpusError: The file cannot be read, is damaged, or has bytes that are not in this encoding.
    """
    cutter, given, start = LineCutter(), 0, True
    try:
        for text in _decoded(path, encoding, chunk):
            if start and text:
                text, start = text.lstrip("\ufeff"), False
            lines = cutter.feed(text)
            given += len(lines)
            yield from lines
    except _Undecodable as bad:
        if (rest := cutter.rest()).endswith(("\r", "\n")):
            given += 1
            yield rest
        where = place() if place else f"line {given + 1}"
        raise CorpusError(f"{path}: {where}: {bad}{_way_out(path, bad.encoding)}") from None
    if rest := cutter.rest():
        yield rest


class EscapedLines:
    """The lines of a text file, read once and to the end, whatever bytes it holds.

    A byte that is not in the encoding becomes the lone surrogate U+DC00 + byte, which no encoding produces; `unescaped`
    turns it back. A line that is too long is yielded as one line, which `fault` reports; of a line that is longer
    still, the rest is dropped.

    Args:
        path: The file.
        encoding: One of `ENCODINGS`.
        longest: Characters of the longest line that is no fault; four times as many are kept.
        chunk: Bytes to read at a time.

    Raises:
        CorpusError: The file cannot be read or unpacked.
    """

    def __init__(self, path: Path, encoding: str, *, longest: int = LONGEST_LINE, chunk: int = CHUNK) -> None:
        self.path = path
        self.encoding = codec(encoding)
        self.damaged = False
        self.longest = longest
        self.chunk = chunk

    def __iter__(self) -> Iterator[str]:
        cutter, start = LineCutter(4 * self.longest), True
        for text in self._decoded():
            if start and text:
                text, start = text.lstrip("\ufeff"), False
            yield from cutter.feed(text)
        if rest := cutter.rest():
            yield rest

    def fault(self, text: str) -> str | None:
        """What is wrong with the length or the bytes of a row, or None."""
        if len(text) > self.longest:
            cut = ", cut here" if len(text.rstrip("\r\n")) > 4 * self.longest else ""
            return f"a row of more than {self.longest:,} characters{cut}"
        found = _ESCAPED.search(text) if self.damaged else None
        if found is None:
            return None
        shown = " ".join(f"{ord(character) - 0xDC00:02x}" for character in found[0][:4])
        return f"the bytes {shown} are not {self.encoding}{self._advice}"

    @cached_property
    def _advice(self) -> str:
        return _way_out(self.path, self.encoding)

    def _decoded(self) -> Iterator[str]:
        codecs.register_error(_ESCAPES, _escape)
        decoder = codecs.getincrementaldecoder(self.encoding)()
        with readable(self.path), open_bytes(self.path, "r") as stream:
            chunk = b"begin"
            while chunk:
                chunk = stream.read(self.chunk)
                yield self._decode(decoder, chunk)

    def _decode(self, decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
        state = decoder.getstate()
        with _marked(self.path):
            try:
                return decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                self.damaged = True
            decoder.setstate(state)
            decoder.errors = _ESCAPES
            text = decoder.decode(chunk, final=not chunk)
            decoder.errors = "strict"
            return text


def unescaped(text: str, encoding: str) -> bytes:
    r"""The bytes of a text with the escapes of `EscapedLines`: the same bytes that were read.

    >>> unescaped("好\udcff", "utf-8")
    b'\xe5\xa5\xbd\xff'
    """
    codecs.register_error(_ESCAPES, _escape)
    return text.encode(encoding, _ESCAPES)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler for both directions; in UTF-16 the two bytes of a unit are escaped together."""
    if isinstance(error, UnicodeDecodeError):
        end = error.end if error.encoding.startswith("utf-16") else error.start + 1
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : end]), end
    if isinstance(error, UnicodeEncodeError) and 0xDC00 <= (code := ord(error.object[error.start])) <= 0xDCFF:
        return bytes([code - 0xDC00]), error.start + 1
    raise error


def unencodable(where: str, error: UnicodeEncodeError) -> CorpusError:
    """The error for a character that the encoding of an output file lacks; `where` names file and row."""
    code = ord(error.object[error.start])
    if 0xD800 <= code < 0xE000:
        return CorpusError(f"{where}: U+{code:04X} is half a character and cannot be written: repair the text")
    character = chr(code)
    return CorpusError(f'{where}: "{character}" (U+{code:04X}) is not in {error.encoding}: write it as utf-8')


@contextmanager
def _marked(path: Path) -> Iterator[None]:
    """Turns what Python raises for UTF-16 without a byte order mark, a bare UnicodeError, into a CorpusError."""
    try:
        yield
    except UnicodeDecodeError:
        raise
    except UnicodeError:
        raise CorpusError(f"{path}: no byte order mark: try --encoding utf-16-le or utf-16-be") from None


class _Undecodable(Exception):
    """Bytes at an offset that are not in the encoding."""

    def __init__(self, offset: int, found: bytes, encoding: str) -> None:
        super().__init__(f"byte {offset} ({found.hex(' ')}) is not {encoding}")
        self.encoding = encoding


def _way_out(path: Path, encoding: str) -> str:
    """What to do about bytes that are not in this encoding; of standard input, which is read once, an estimate."""
    if path == STREAM:
        return decoding.way_out("gb18030" if encoding.startswith("utf-8") else "utf-8")
    with readable(path):
        return decoding.way_out(decoding.suggested(partial(open_bytes, path, "r"), encoding))


def _decoded(path: Path, encoding: str, size: int) -> Iterator[str]:
    """Chunks of text; the text before an undecodable byte is yielded before `_Undecodable` is raised."""
    name = codec(encoding)
    decoder = codecs.getincrementaldecoder(name)()
    read = 0
    with readable(path), open_bytes(path, "r") as stream:
        while True:
            chunk = stream.read(size)
            read += len(chunk)
            state = decoder.getstate()
            try:
                with _marked(path):
                    text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # What failed always ends where the chunk ends, but may begin before it or behind a BOM.
                left = len(error.object) - error.start
                decoder.setstate(state)
                with _marked(path):
                    text = decoder.decode(chunk[: max(0, len(chunk) - left)])
                yield text
                raise _Undecodable(read - left, error.object[error.start :][:4], name) from None
            yield text
            if not chunk:
                return
