"""CoNLL columns: one token per line with its tag in a column, a blank line between sentences."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from corpora.document import Sentence
from corpora.errors import CorpusError, excerpt
from corpora.files import open_text, replace_when_done, text_lines, unencodable
from corpora.labels import bare_tag

DOCUMENT = "-DOCSTART-"
# Blanks of a blank line. Other white space of Unicode may be a token.
BLANK = " \t\r\n"
# `# sent_id = 7`, `# newdoc`, `# id 4f3 domain=train`: no token "#", whose next column is a tag.
_COMMENT = re.compile(r"#\s*(?:\w[\w.:-]*\s*=|(?<=\s)(?:id|newdoc|newpar|sent_id|text|meta)\s)")
_TAGGED = re.compile(r"[ \t](O|[BIMESLUW]([-_].+)?)\s*\Z")


@dataclass(frozen=True, slots=True)
class Conll:
    """The sentences of a file of columns (gzip too); re-iterable.

    The first line with a token fixes the number of columns. A line that begins with `-DOCSTART-` is no token and ends a
    sentence. Before a sentence, a line like `# sent_id = 7`, or one that begins with `#` and has other than the columns
    of a token, is a comment. White space and invisible characters around a tag are dropped.

    Args:
        path: The file.
        token: Column of the token, from 0; negative from the last.
        tag: Column of the tag, or None for sentences without tags.
        separator: Stands once between two columns. None: a tab if the first line has one, or else any run of white
            space; a wide or other space of Unicode that stands alone between blanks is then a token.
        comment: Start of a line to leave out wherever it stands, such as "# "; None: only those before a sentence.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded, a line has another number of columns, token
            and tag are the same column, or a cell that is asked for is empty; names the line.
    """

    path: Path
    token: int = 0
    tag: int | None = -1
    separator: str | None = None
    comment: str | None = None
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[Sentence]:
        return (sentence for _, sentence in self.numbered())

    def numbered(self) -> Iterator[tuple[list[int], Sentence]]:
        """Each sentence with the numbers of its tokens' lines, from 1."""
        lines: list[int] = []
        tokens: list[str] = []
        tags: list[str] = []
        for number, cells in self._rows():
            if cells:
                lines.append(number)
                tokens.append(cells[0])
                tags.extend(cells[1:])
            elif tokens:
                yield lines, Sentence(tuple(tokens), None if self.tag is None else tuple(tags))
                lines, tokens, tags = [], [], []

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The token and the tag, if tags are asked for, of each line; an empty list where a sentence may end."""
        separator, width, is_start = self.separator or "", 0, True
        held: list[tuple[int, str]] = []  # lines before the first token that are comments, or tokens "#"
        for number, line in chain(self._lines(), [(0, "")]):
            is_end = not line.strip(BLANK) or line.startswith(DOCUMENT)
            if not is_end and is_start and line.startswith("#"):
                if _COMMENT.match(line) or (width and len(_cells(line, separator)) != width):
                    continue
                if not width:
                    held.append((number, line))
                    continue
            if not width and (first := self._first_token(held, None if is_end else (number, line))):
                separator, width = self._layout(*first)
                for place, one in held:
                    if len(cells := _cells(one, separator)) == width:
                        yield place, self._chosen(cells, f"{self.path}: line {place}")
            held, is_start = [], is_end
            yield number, [] if is_end else self._checked(_cells(line, separator), separator, width, number)

    def _first_token(self, held: list[tuple[int, str]], token: tuple[int, str] | None) -> tuple[int, str] | None:
        """The line that shows how lines of tokens look; one that begins with "#" does only if no other comes."""
        return token or next(
            (line for line in held if self.tag is None or "\t" in line[1] or _TAGGED.search(line[1])), None
        )

    def _lines(self) -> Iterator[tuple[int, str]]:
        lines = enumerate(text_lines(self.path, self.encoding), start=1)
        comment = self.comment
        return lines if not comment else ((number, line) for number, line in lines if not line.startswith(comment))

    def _layout(self, number: int, line: str) -> tuple[str, int]:
        """The separator, "" for white space, and the number of columns."""
        separator = self.separator
        if separator is None:
            separator = "\t" if "\t" in line.rstrip(BLANK) else ""
        return separator, self._checked_width(_cells(line, separator), f"{self.path}: line {number}")

    def _checked(self, cells: list[str], separator: str, width: int, number: int) -> list[str]:
        where = f"{self.path}: line {number}"
        if len(cells) != width:
            named = repr(separator) if separator else "white space"
            raise CorpusError(f"{where}: {width} columns apart by {named} expected, {len(cells)} found")
        return self._chosen(cells, where)

    def _chosen(self, cells: list[str], where: str) -> list[str]:
        token = _cell(cells, self.token, where)
        if self.tag is None:
            return [token]
        tag = bare_tag(_cell(cells, self.tag, where))
        if not tag:
            raise CorpusError(f"{where}: column {self.tag} is empty")
        return [token, tag]

    def _checked_width(self, cells: list[str], where: str) -> int:
        width = len(cells)
        token, tag = (column if column is None or column >= 0 else column + width for column in (self.token, self.tag))
        if token is not None and token == tag and 0 <= token < width:
            found = f"{width} column{'s' * (width > 1)} found, in which token and tag are the same"
            raise CorpusError(f"{where}: {found}: name the separator, or the columns of token and tag")
        return width


def read(
    path: str | Path,
    *,
    token: int = 0,
    tag: int | None = -1,
    separator: str | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> Conll:
    """The sentences of a file of columns; see `Conll`."""
    return Conll(Path(path), token, tag, separator, comment, encoding)


def write(
    path: str | Path,
    sentences: Iterable[Sentence],
    *,
    separator: str = "\t",
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes one token per line, with its tag if it has one; returns the number of sentences.

    What is written reads back equal with the same separator; what would not is refused.

    Raises:
        CorpusError: A sentence is empty; a token or tag is empty, holds the separator or a line end, has white space or
            an invisible character at the end of a tag, or makes a line that means something else; or a character cannot
            be encoded.
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


def write_iob2(path: str | Path, sentences: Iterable[Sentence], *, encoding: str = "utf-8") -> int:
    """Writes sentences as Universal NER does: number, token, tag and two columns that are empty, after the text.

    Raises:
        CorpusError: As `write`.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, sentence in enumerate(sentences, start=1):
            cells = zip(sentence.tokens, sentence.tags or (), strict=True)
            rows = ((str(number), token, tag, "-", "-") for number, (token, tag) in enumerate(cells, start=1))
            try:
                stream.write(f"# sent_id = {row}\n# text = {''.join(sentence.tokens)}\n{lines(rows)}\n")
            except CorpusError as error:
                raise CorpusError(f"{path}: sentence {row}: {error}") from None
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: sentence {row}", error) from None
    return row


def check(sentence: Sentence) -> None:
    """Raises CorpusError for a sentence that would not be read back as it is."""
    _lines(sentence, "\t")


def _cells(line: str, separator: str) -> list[str]:
    if separator:
        return line.rstrip("\r\n").split(separator)
    pieces = re.split(r"[ \t]+", line.strip(BLANK))
    return [cell for piece in pieces for cell in ([piece] if piece.isspace() else piece.split())]


def _cell(cells: list[str], column: int, where: str) -> str:
    if not -len(cells) <= column < len(cells):
        raise CorpusError(f"{where}: no column {column}; there are {len(cells)}, counted from 0")
    if not cells[column]:
        raise CorpusError(f"{where}: column {column} is empty")
    return cells[column]


def lines(rows: Iterable[tuple[str, ...]], separator: str = "\t") -> str:
    """The lines of tokens and their further cells, without the blank line at the end.

    Raises:
        CorpusError: As `write`.

    >>> lines([("北", "B"), ("京", "E")])
    '北\\tB\\n京\\tE\\n'
    """
    if not separator:
        raise CorpusError("an empty separator separates nothing: choose a tab or a space")
    return "".join(separator.join(_checked(cells, separator)) + "\n" for cells in rows)


def _lines(sentence: Sentence, separator: str) -> str:
    if not sentence.tokens:
        raise CorpusError("has no token, which columns cannot hold: leave it out")
    for tag in sentence.tags or ():
        if tag != bare_tag(tag):
            raise CorpusError(f"the tag {tag!r} has white space or an invisible character at an end: strip it")
    text = lines(zip(*filter(None, (sentence.tokens, sentence.tags)), strict=True), separator)
    if _COMMENT.match(text):
        raise CorpusError(f"{excerpt(sentence.tokens[0])} would be read as the beginning of a comment")
    return text


def _checked(cells: tuple[str, ...], separator: str) -> tuple[str, ...]:
    """The cells, if a reader with this separator finds them again."""
    line = separator.join(cells)
    if not all(cells) or re.search(r"[\r\n]", line) or tuple(line.split(separator)) != cells:
        raise CorpusError(
            f"{excerpt(line)}: a token or tag is empty, or holds {separator!r} or a line end: leave it out"
        )
    if not line.strip(BLANK) or line.startswith(DOCUMENT):
        raise CorpusError(f"{excerpt(line)} would be read as the end of a sentence: leave the token out")
    return cells
