r"""Segmented text: a sentence a line, words separated by one space.

Inside a word `\`, space, tab, line feed and carriage return are written `\\`, `\s`, `\t`, `\n`, `\r`, so that
every sequence of non-empty words comes back as it was.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable

ESCAPES = {"\\": "\\\\", " ": "\\s", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


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
    if line.count(" ") == max(0, len(tokens) - 1) and not re.search(r"[\\\t\n\r]", line):
        return line
    table = str.maketrans(ESCAPES)
    return " ".join(token.translate(table) for token in tokens)


def split(line: str) -> list[str]:
    r"""The words of a line without its end; spaces at the ends or side by side make no empty words.

    Raises:
        CorpusError: A backslash is not followed by one of `\`, `s`, `t`, `n`, `r`.

    >>> split(r"iPhone\s手机 很 好")
    ['iPhone 手机', '很', '好']
    """
    tokens = [token for token in line.split(" ") if token]
    return tokens if "\\" not in line else [re.sub(r"\\(.?)", _unescaped, token) for token in tokens]


@dataclass(frozen=True, slots=True)
class Segmented:
    """The sentences of a segmented file (gzip too) as lists of words; can be iterated again and again.

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
    """The sentences of a segmented file, re-iterable; see `Segmented`."""
    return Segmented(Path(path), encoding)


def write(
    path: Path,
    sentences: Iterable[Sequence[str]],
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes a sentence a line and returns how many; the file appears whole or not at all.

    Raises:
        CorpusError: A word is empty or cannot be encoded, or the folder is not there.
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


def _unescaped(match: re.Match[str]) -> str:
    for character, escape in ESCAPES.items():
        if match[0] == escape:
            return character
    raise CorpusError(f'"{match[0]}" is no escape: a backslash in a word is written twice')
