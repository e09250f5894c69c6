r"""Segmented text: one sentence per line, words separated by white space; we write one space.

Inside a word `\`, space, tab, line feed and carriage return are written `\\`, `\s`, `\t`, `\n`, `\r`, and other white
space beside further characters `\u3000`, so that every sequence of non-empty words comes back as it was. A wide or
other space of Unicode that stands alone between spaces is a word.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable

ESCAPES = {"\\": "\\\\", " ": "\\s", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TABLE = {ord(character): escape for character, escape in ESCAPES.items()}
_OTHER_SPACE = re.compile(r"[^\S ]")
# What a word cannot hold as it is: white space beside another character, and what is escaped always.
_SPECIAL = re.compile(r"[\\\t\n\r]|\S[^\S ]|[^\S ]\S")


def join(tokens: Sequence[str]) -> str:
    r"""One line without its end for a sentence; `split` gives the words back.

    Raises:
        CorpusError: A word is empty.

    >>> join(["iPhone 手机", "很", "好"])
    'iPhone\\s手机 很 好'
    """
    if not all(tokens):
        raise CorpusError(f"word {list(tokens).index('') + 1} of {len(tokens)} is empty: leave it out")
    line = " ".join(tokens)
    if line.count(" ") == max(0, len(tokens) - 1) and not _SPECIAL.search(line):
        return line
    return " ".join(map(_escaped, tokens))


def split(line: str) -> list[str]:
    r"""The words of a line without its end; white space at the ends or repeated makes no empty words.

    Raises:
        CorpusError: A backslash is not followed by one of `\`, `s`, `t`, `n`, `r`, or `u` and four hexadecimal digits.

    >>> split(r"iPhone\s手机 很 好"), split("我　爱　北京")
    (['iPhone 手机', '很', '好'], ['我', '爱', '北京'])
    """
    tokens = [token for token in line.split(" ") if token]
    if _OTHER_SPACE.search(line):
        tokens = [word for token in tokens for word in ([token] if _is_wide(token) else token.split())]
    return tokens if "\\" not in line else [re.sub(r"\\(u[0-9a-f]{4}|.?)", _unescaped, token) for token in tokens]


@dataclass(frozen=True, slots=True)
class Segmented:
    """The sentences of a segmented file (gzip too) as lists of words; re-iterable.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded, or has a bad escape; names the line.
    """

    path: Path
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[list[str]]:
        for row, line in enumerate(text_lines(self.path, self.encoding), start=1):
            try:
                yield split(line.rstrip("\r\n"))
            except CorpusError as error:
                raise CorpusError(f"{self.path}: line {row}: {error}") from None


def read(path: Path, encoding: str = "utf-8") -> Segmented:
    """The sentences of a segmented file; see `Segmented`."""
    return Segmented(Path(path), encoding)


def write(
    path: Path,
    sentences: Iterable[Sequence[str]],
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes one sentence per line and returns their number; the file appears whole or not at all.

    Raises:
        CorpusError: A word is empty or cannot be encoded, or the folder does not exist.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, tokens in enumerate(sentences, start=1):
            try:
                stream.write(join(tokens) + "\n")
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: line {row}", error) from None
            advance(1)
    return row


def _is_wide(token: str) -> bool:
    """Whether a token is white space that separates nothing: we write such a token as it is."""
    return token.isspace() and not set(token) & set(ESCAPES)


def _escaped(token: str) -> str:
    if _is_wide(token):
        return token
    escaped = token.translate(_TABLE)
    return _OTHER_SPACE.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped)


def _unescaped(match: re.Match[str]) -> str:
    if len(match[1]) == 5:
        return chr(int(match[1][1:], 16))
    for character, escape in ESCAPES.items():
        if match[0] == escape:
            return character
    raise CorpusError(f'"{match[0]}" is not an escape: write a backslash in a word twice')
