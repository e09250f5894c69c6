"""CoNLL columns: a token a line with its tag in a column, a blank line between sentences."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable

DOCUMENT = "-DOCSTART-"
# Wide and other spaces of Unicode may be tokens; these separate.
BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Conll:
    """The sentences of a file of columns (gzip too); can be iterated again and again.

    The first line with a token says how many columns there are, and all others must have as many. A line that begins
    with `-DOCSTART-` is no token and ends a sentence.

    Args:
        path: The file.
        token: Column of the token, from 0; negative from the last.
        tag: Column of the tag, or None for sentences without tags.
        separator: What stands between columns, once; None: a tab if the first line has one, else any run of
            spaces and tabs.
        comment: What begins a line to leave out, such as "# "; None: no line is a comment, since "#" may be a token.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded, a line has other columns, or a cell that is
            asked for is empty; names the line.
    """

    path: Path
    token: int = 0
    tag: int | None = -1
    separator: str | None = None
    comment: str | None = None
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[Sentence]:
        tokens: list[str] = []
        tags: list[str] = []
        for cells in self._rows():
            if cells:
                tokens.append(cells[0])
                tags.extend(cells[1:])
            elif tokens:
                yield Sentence(tuple(tokens), None if self.tag is None else tuple(tags))
                tokens, tags = [], []

    def _rows(self) -> Iterator[list[str]]:
        """The token, and the tag if there is one, of each line; nothing where a sentence may end."""
        separator, width = self.separator, 0
        asked = [self.token] if self.tag is None else [self.token, self.tag]
        for number, line in enumerate(text_lines(self.path, self.encoding), start=1):
            if not line.strip(BLANK) or line.startswith(DOCUMENT):
                yield []
                continue
            if self.comment and line.startswith(self.comment):
                continue
            if separator is None:
                separator = "\t" if "\t" in line.rstrip(BLANK) else ""
            cells = _cells(line, separator)
            width = width or len(cells)
            where = f"{self.path}: line {number}"
            if len(cells) != width:
                shown = repr(separator) if separator else "spaces"
                raise CorpusError(f"{where}: {width} columns apart by {shown} expected, {len(cells)} found")
            yield [_cell(cells, column, where) for column in asked]
        yield []


def read(
    path: str | Path,
    *,
    token: int = 0,
    tag: int | None = -1,
    separator: str | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> Conll:
    """The sentences of a file of columns, re-iterable; see `Conll`."""
    return Conll(Path(path), token, tag, separator, comment, encoding)


def write(
    path: str | Path,
    sentences: Iterable[Sentence],
    *,
    separator: str = "\t",
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes a token a line, with its tag if it has one, and returns how many sentences.

    What is written reads back equal with the same separator, and what would not is refused.

    Raises:
        CorpusError: A sentence is empty; a token or tag is empty, holds the separator or a line end, or makes a line
            that means something else; or it cannot be encoded.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, sentence in enumerate(sentences, start=1):
            try:
                stream.write(_lines(sentence, separator) + "\n")
            except CorpusError as error:
                raise CorpusError(f"{path}: sentence {row}: {error}") from None
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: sentence {row}", error) from None
            advance(1)
    return row


def _cells(line: str, separator: str) -> list[str]:
    return line.rstrip("\r\n").split(separator) if separator else re.split(r"[ \t]+", line.strip(BLANK))


def _cell(cells: list[str], column: int, where: str) -> str:
    if not -len(cells) <= column < len(cells):
        raise CorpusError(f"{where}: no column {column}; there are {len(cells)}, counted from 0")
    if not cells[column]:
        raise CorpusError(f"{where}: column {column} is empty")
    return cells[column]


def lines(rows: Iterable[tuple[str, ...]], separator: str = "\t") -> str:
    """The lines of tokens and their further cells, without the blank one behind.

    Raises:
        CorpusError: As `write`.

    >>> lines([("北", "B"), ("京", "E")])
    '北\\tB\\n京\\tE\\n'
    """
    if not separator:
        raise CorpusError("an empty separator parts nothing: choose a tab or a space")
    return "".join(separator.join(_checked(cells, separator)) + "\n" for cells in rows)


def _lines(sentence: Sentence, separator: str) -> str:
    if not sentence.tokens:
        raise CorpusError("has no token, which columns cannot hold: leave it out")
    return lines(zip(*filter(None, (sentence.tokens, sentence.tags)), strict=True), separator)


def _checked(cells: tuple[str, ...], separator: str) -> tuple[str, ...]:
    """The cells, if a reader told of the separator finds them again."""
    line = separator.join(cells)
    if not all(cells) or re.search(r"[\r\n]", line) or tuple(line.split(separator)) != cells:
        raise CorpusError(f"{line!r}: a token or tag is empty, or has {separator!r} or a line end in it: leave it out")
    if not line.strip(BLANK) or line.startswith(DOCUMENT):
        raise CorpusError(f"{line!r} would be read as the end of a sentence: leave the token out")
    return cells
