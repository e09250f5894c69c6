"""Word lists: UTF-8 text, one escaped word per line."""

import re
from collections.abc import Iterable, Sequence
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
    lines = _lines(path)
    try:
        text = b"\n".join(lines).decode("utf-8")
        words = [unescape(line) for line in text.split("\n")] if lines else []
    except (UnicodeDecodeError, EmbeddingError):
        return _checked(path, lines)
    return words if "" not in words and len(set(words)) == len(words) else _checked(path, lines)


def _lines(path: Path) -> list[bytes]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise EmbeddingError(f"{path}: the word list can't be read: {error.strerror}") from error
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def _checked(path: Path, lines: Sequence[bytes]) -> list[str]:
    """The words, one by one. Raises EmbeddingError for the first line that is broken or has a word again."""
    words: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        word = _word(line, f"{path}, line {number}")
        if word in words:
            raise EmbeddingError(f"{path}, line {number}: {word!r} stands in line {words[word]} already")
        words[word] = number
    return list(words)


def _word(line: bytes, place: str) -> str:
    if not line:
        raise EmbeddingError(f"{place}: a word was expected, the line is empty")
    try:
        return unescape(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise EmbeddingError(f"{place}: UTF-8 was expected, byte {error.start + 1} is {line!r}") from error
    except EmbeddingError as error:
        raise EmbeddingError(f"{place}: {error}") from error
