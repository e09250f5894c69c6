"""Text files: named encodings, gzip and zstd by suffix, errors that say where, and output that appears whole."""

import codecs
import gzip
import os
import re
import secrets
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import IO, Literal, TextIO, cast

from corpora import packed
from corpora.errors import CorpusError

# From the name Python gives an encoding to the one used here. GB18030 contains GBK and GB2312, and files that
# claim to be one of these often hold more.
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}
CHUNK = 1 << 20
STREAM = Path("-")  # standard input
# In characters; a longer line is given in pieces.
LONGEST_LINE = 1 << 24
_ESCAPES = "corpora.escape"
_ESCAPED = re.compile("[\udc00-\udcff]+")


def codec(encoding: str) -> str:
    """The encoding to use for a name a user gave.

    Raises:
        CorpusError: The name is not, by any of its aliases, one of `ENCODINGS`.

    >>> codec("UTF8"), codec("GBK")
    ('utf-8', 'gb18030')
    """
    try:
        return ENCODINGS[codecs.lookup(encoding).name]
    except (LookupError, ValueError):
        close = get_close_matches(encoding.lower(), ENCODINGS, 1, 0.5)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise CorpusError(f'no encoding "{encoding}"; the encodings are {", ".join(ENCODINGS)}{hint}') from None


@contextmanager
def replace_when_done(path: Path) -> Iterator[Path]:
    """A private sibling of `path` to write to; it takes the place of `path` when the block ends well.

    The sibling keeps the suffixes of `path`, is flushed to the disk before the one rename, and is removed if
    the block fails or is interrupted, so that nobody ever sees half a file. The block must make the file.

    Raises:
        CorpusError: The folder of `path` is not there, or `path` is itself a folder.
    """
    if not path.parent.is_dir():
        raise CorpusError(f'{path}: there is no folder "{path.parent}": make it first')
    if path.is_dir():
        raise CorpusError(f"{path}: is a folder; the name of a file is expected")
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name[-40:]}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what goes wrong while a file is opened and read into a CorpusError that names it."""
    try:
        yield
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: is a folder; a file is expected") from None
    except (gzip.BadGzipFile, zlib.error):
        raise CorpusError(f"{path}: damaged, or not gzip as its suffix says") from None
    except EOFError:
        raise CorpusError(f"{path}: the gzip file is cut short: copy it again") from None
    except OSError as error:
        if path.suffix.lower() == ".zst" and error.errno is None:
            raise CorpusError(f"{path}: damaged, cut short, or not zstd as its suffix says") from None
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error


@contextmanager
def open_bytes(path: Path, mode: Literal["r", "w"]) -> Iterator[IO[bytes]]:
    """The bytes of a file, through gzip or zstd if its name ends in `.gz` or `.zst`; `-` is standard input.

    Equal content makes equal packed files.
    """
    if path == STREAM and mode == "r":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        stream = cast(IO[bytes], stack.enter_context(path.open(f"{mode}b")))
        if suffix := packed.packing(path):
            stream = stack.enter_context(packed.opened(stream, suffix, mode))
        yield stream


@contextmanager
def open_text(path: Path, encoding: str, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    """A text file in a named encoding, gzip by suffix, its line ends left as they are.

    A byte order mark at the start of UTF-8 is dropped when reading, and written for `utf-8-sig` alone.

    Raises:
        CorpusError: The encoding is unknown.
    """
    name = codec(encoding)
    name = "utf-8-sig" if mode == "r" and name == "utf-8" else name
    with open_bytes(path, mode) as stream, TextIOWrapper(stream, name, newline="") as text:
        yield text


def text_lines(path: Path, encoding: str, place: Callable[[], str] | None = None) -> Iterator[str]:
    r"""The lines of a text file with their ends, which may be `\n`, `\r\n` or `\r`; no byte order mark.

    All lines before an undecodable byte are given before the error is raised, so that `place()`, asked only
    then, can say what was being read; without it the error has the number of the line.

    Raises:
        CorpusError: The file cannot be read, is damaged, or has bytes that are not in this encoding.
    """
    rest, given, start = "", 0, True
    try:
        for text in _decoded(path, encoding):
            if start and text:
                text, start = text.removeprefix("\ufeff"), False
            lines = StringIO(rest + text, newline="").readlines()
            # The last line may go on in the next chunk, and its "\r" may be half of "\r\n".
            rest = lines.pop() if lines else ""
            given += len(lines)
            yield from lines
    except _Undecodable as bad:
        if rest.endswith(("\r", "\n")):
            given += 1
            yield rest
        where = place() if place else f"line {given + 1}"
        raise CorpusError(f"{path}: {where}: {bad}") from None
    if rest:
        yield rest


class EscapedLines:
    """The lines of a text file, read once, to the end whatever bytes come.

    A byte that is not in the encoding stands as the lone surrogate U+DC00 + byte, which no encoding can give, and which
    `unescaped` turns back. A line of more than 16 M characters comes in pieces.

    Raises:
        CorpusError: The file cannot be read or unpacked.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.encoding = codec(encoding)
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        rest, start = "", True
        for text in self._decoded():
            if start and text:
                text, start = text.removeprefix("\ufeff"), False
            lines = StringIO(rest + text, newline="").readlines()
            # The last line may go on in the next chunk, and its "\r" may be half of "\r\n".
            rest = lines.pop() if lines and len(lines[-1]) < LONGEST_LINE else ""
            yield from lines
        if rest:
            yield rest

    def fault(self, text: str) -> str | None:
        """What is wrong with the bytes of a line, or None."""
        found = _ESCAPED.search(text) if self.damaged else None
        if found is None:
            return None
        shown = " ".join(f"{ord(character) - 0xDC00:02x}" for character in found[0][:4])
        other = "gb18030" if self.encoding.startswith("utf-8") else "utf-8"
        return f"the bytes {shown} are not {self.encoding}: name the encoding, try --encoding {other}"

    def _decoded(self) -> Iterator[str]:
        codecs.register_error(_ESCAPES, _escape)
        decoder = codecs.getincrementaldecoder(self.encoding)()
        with readable(self.path), open_bytes(self.path, "r") as stream:
            chunk = b"begin"
            while chunk:
                chunk = stream.read(CHUNK)
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
    r"""The bytes of a text in which escapes of `EscapedLines` stand: what was read comes out as it was.

    >>> unescaped("好\udcff", "utf-8")
    b'\xe5\xa5\xbd\xff'
    """
    codecs.register_error(_ESCAPES, _escape)
    return text.encode(encoding, _ESCAPES)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """The error handler of both directions; an escaped byte of UTF-16 has to take its fellow with it."""
    if isinstance(error, UnicodeDecodeError):
        end = error.end if error.encoding.startswith("utf-16") else error.start + 1
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : end]), end
    if isinstance(error, UnicodeEncodeError) and 0xDC00 <= (code := ord(error.object[error.start])) <= 0xDCFF:
        return bytes([code - 0xDC00]), error.start + 1
    raise error


def unencodable(where: str, error: UnicodeEncodeError) -> CorpusError:
    """The error for a character that an output file cannot hold; `where` names file and row."""
    code = ord(error.object[error.start])
    if 0xD800 <= code < 0xE000:
        return CorpusError(f"{where}: U+{code:04X} is half a character and cannot be written: mend the text")
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
    """Byte offset, the bytes there, and the encoding they are not in."""

    def __init__(self, offset: int, found: bytes, encoding: str) -> None:
        marked = offset == 0 and found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        other = "utf-16" if marked else "gb18030" if encoding.startswith("utf-8") else "utf-8"
        shown = found.hex(" ")
        super().__init__(f"byte {offset} ({shown}) is not {encoding}: name the encoding, try --encoding {other}")


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    """Chunks of text; what comes before an undecodable byte is given before `_Undecodable` is raised."""
    name = codec(encoding)
    decoder = codecs.getincrementaldecoder(name)()
    read = 0
    with readable(path), open_bytes(path, "r") as stream:
        while True:
            chunk = stream.read(CHUNK)
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
