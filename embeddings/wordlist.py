"""Word lists: UTF-8 text, one escaped word per line."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from embeddings.errors import EmbeddingError

_NAMED = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_PLAIN = {escaped: char for char, escaped in _NAMED.items()}
_TO_ESCAPE = re.compile("[\\\\\n\r\t\ufeff\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:[\\nrt]|u[0-9a-f]{4})")
_BROKEN_ESCAPE = re.compile(r"\\(?![\\nrt]|u[0-9a-f]{4})")


def escape(word: str) -> str:
    r"""The word as one line of valid UTF-8.

    Backslash, line feed, carriage return and tab become `\\`, `\n`, `\r` and `\t`. A byte order mark and lone
    surrogates become `\u` and four hexadecimal digits. Everything else stays as it is.

    >>> print(escape("一\t二"))
    一\t二
    """
    return _TO_ESCAPE.sub(lambda found: _NAMED.get(found[0], f"\\u{ord(found[0]):04x}"), word)


def unescape(line: str) -> str:
    r"""The word that `escape` wrote as `line`; raises EmbeddingError for a backslash that begins no known escape.

    >>> unescape(r"一\t二")
    '一\t二'
    """
    if "\\" not in line:
        return line
    if _BROKEN_ESCAPE.search(_ESCAPE.sub("", line)):
        raise EmbeddingError(f"a backslash begins no known escape in {line!r}: write \\\\ for a backslash")
    return _ESCAPE.sub(lambda found: _PLAIN.get(found[0]) or chr(int(found[0][2:], 16)), line)


def write(path: Path, words: Iterable[str]) -> None:
    """Writes one escaped word per line to `path`; lines end with a line feed on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{escape(word)}\n" for word in words)


def read(path: Path) -> list[str]:
    """The words of a list that `write` made, in order.

    Only line feeds end lines, so U+2028, U+0085 and the like may be part of a word. A byte order mark and CRLF, which
    editors add, are dropped. Raises EmbeddingError with file and line if the file can't be read, is not UTF-8, or has
    an empty line, a broken escape or a repeated word.
    """
    words: dict[str, int] = {}
    for number, word in enumerate(_words(path), start=1):
        if word in words:
            raise EmbeddingError(f"{path}, line {number}: {word!r} stands in line {words[word]} already")
        words[word] = number
    return list(words)


def _words(path: Path) -> Iterator[str]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise EmbeddingError(f"{path}: the word list can't be read: {error.strerror}") from error
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        yield _word(line.removesuffix(b"\r"), f"{path}, line {number}")


def _word(line: bytes, place: str) -> str:
    if not line:
        raise EmbeddingError(f"{place}: a word was expected, the line is empty")
    try:
        return unescape(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise EmbeddingError(f"{place}: UTF-8 was expected, byte {error.start + 1} is {line!r}") from error
    except EmbeddingError as error:
        raise EmbeddingError(f"{place}: {error}") from error
