"""CoNLL-U, the format of Universal Dependencies, whole: multiword tokens, empty nodes and comments are kept.

Source: https://universaldependencies.org/format.html, version 2.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable
from corpora.labels import bare

FIELDS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
COLUMNS = {"upos": FIELDS.index("UPOS"), "xpos": FIELDS.index("XPOS")}
UPOS = frozenset(
    "ADJ ADP ADV AUX CCONJ CONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)
NONE = "_"
NOT_SEPARATED = "SpaceAfter=No"


@dataclass(frozen=True, slots=True)
class Parse:
    """A sentence as it stands in the file.

    Args:
        rows: Ten cells each, none empty, in the order of `FIELDS`: words numbered 1, 2, …; a multiword token (`1-2`)
            before its words, an empty node (`1.1`) after its word, or `0.1` before the first.
        comments: Whole lines that begin with "#".

    Raises:
        CorpusError: There is no word; a row has other than ten cells, an empty cell or a line end; an ID is out of
            place; or a comment does not begin with "#".
    """

    rows: tuple[tuple[str, ...], ...]
    comments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for index, comment in enumerate(self.comments):
            if not comment.startswith("#") or re.search(r"[\r\n]", comment):
                raise _Fault(index, f'a comment begins with "#" and is one line, {comment!r} came')
        behind = len(self.comments)
        for index, row in enumerate(self.rows, behind):
            _check_cells(index, row)
        _check_numbers(behind, [row[0] for row in self.rows])

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The rows of the words, which have a part of speech: no multiword tokens, no empty nodes."""
        return tuple(row for row in self.rows if row[0].isdecimal())

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of the text: a multiword token once, in place of its words."""
        inside = {
            str(number)
            for start, _, end in (row[0].partition("-") for row in self.rows)
            if end
            for number in range(int(start), int(end) + 1)
        }
        return tuple(row[1] for row in self.rows if row[0] not in inside and "." not in row[0])

    def sentence(self, column: str = "upos") -> Sentence:
        """The words with their "upos" or "xpos", stripped of white space; without tags if no word has one.

        Raises:
            CorpusError: Some words have a tag in this column and some have `_`.
        """
        position = _position(column)
        forms, tags = tuple(row[1] for row in self.words), tuple(bare(row[position]) for row in self.words)
        if set(tags) == {NONE}:
            return Sentence(forms)
        if "" in tags:
            raise CorpusError(f"word {tags.index('') + 1} has an empty {column.upper()}")
        if NONE in tags:
            number = tags.index(NONE)
            raise CorpusError(f'word {number + 1}, "{forms[number]}", has no {column.upper()}, but others have one')
        return Sentence(forms, tags)


@dataclass(frozen=True, slots=True)
class Conllu:
    """The sentences of a CoNLL-U file (gzip too); re-iterable.

    Args:
        path: The file.
        tag: The column of the tags, "upos" or "xpos".
        encoding: One of `corpora.files.ENCODINGS`; the format prescribes UTF-8.

    Raises:
        CorpusError: There is no such column. While iterating: the file cannot be read or breaks the format; names the
            line, or the first line of the sentence.
    """

    path: Path
    tag: str = "upos"
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        _position(self.tag)

    def __iter__(self) -> Iterator[Sentence]:
        for line, parse in self._numbered():
            try:
                yield parse.sentence(self.tag)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: sentence of line {line}: {error}") from None

    def parses(self) -> Iterator[Parse]:
        """The sentences with everything in the file; `write` reproduces it."""
        return (parse for _, parse in self._numbered())

    def _numbered(self) -> Iterator[tuple[int, Parse]]:
        start, lines = 1, list[str]()
        for number, text in enumerate(text_lines(self.path, self.encoding), start=1):
            line = text.rstrip("\r\n")
            if line.strip(" \t"):
                start = start if lines else number
                lines.append(line)
            elif lines:
                yield start, self._parse(start, lines)
                lines = []
        if lines:
            yield start, self._parse(start, lines)

    def _parse(self, start: int, lines: list[str]) -> Parse:
        count = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
        try:
            return Parse(tuple(tuple(line.split("\t")) for line in lines[count:]), tuple(lines[:count]))
        except _Fault as fault:
            raise CorpusError(f"{self.path}: line {start + fault.index}: {fault.reason}") from None


def read(path: str | Path, *, tag: str = "upos", encoding: str = "utf-8") -> Conllu:
    """The sentences of a CoNLL-U file; see `Conllu`."""
    return Conllu(Path(path), tag, encoding)


def parse_of(sentence: Sentence, column: str = "upos", comments: Iterable[str] = ()) -> Parse:
    """A sentence of words without spaces between them, in CoNLL-U; unknown fields are `_`.

    >>> parse = parse_of(Sentence(("爱", "北京"), ("VERB", "PROPN")))
    >>> parse.comments, parse.rows[1][:4], parse.sentence().tags
    (('# text = 爱北京',), ('2', '北京', '_', 'PROPN'), ('VERB', 'PROPN'))
    """
    position = _position(column)
    rows = []
    for number, form in enumerate(sentence.tokens, start=1):
        row = [str(number), form, *[NONE] * 7, NOT_SEPARATED]
        if sentence.tags is not None:
            row[position] = sentence.tags[number - 1]
        rows.append(tuple(row))
    return Parse(tuple(rows), (*comments, f"# text = {''.join(sentence.tokens)}"))


def write(
    path: str | Path,
    parses: Iterable[Parse],
    *,
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes sentences, each followed by a blank line; returns how many.

    Raises:
        CorpusError: A character cannot be encoded, or the folder does not exist.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, parse in enumerate(parses, start=1):
            lines = (*parse.comments, *map("\t".join, parse.rows))
            try:
                stream.write("\n".join(lines) + "\n\n")
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: sentence {row}", error) from None
            advance(1)
    return row


def _position(column: str) -> int:
    if column not in COLUMNS:
        raise CorpusError(f'no column "{column}" of tags; CoNLL-U has {", ".join(COLUMNS)}')
    return COLUMNS[column]


class _Fault(CorpusError):
    """What is wrong, and the index of the line in its sentence, from 0."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"line {index + 1} of the sentence: {reason}")
        self.index, self.reason = index, reason


def _check_cells(index: int, row: tuple[str, ...]) -> None:
    shown = "\t".join(row)
    if len(row) != len(FIELDS):
        raise _Fault(index, f"{len(FIELDS)} cells apart by tabs are expected, {len(row)} came: {shown!r}")
    if not all(row) or re.search(r"[\r\n]", shown) or shown.count("\t") >= len(FIELDS):
        raise _Fault(index, f"a cell is empty or holds a tab or line end: {shown!r}")


def _check_numbers(start: int, numbers: list[str]) -> None:
    """Raises _Fault unless words count from 1, ranges stand before their words and empty nodes after theirs."""
    word = empty = covered = 0
    for index, number in enumerate(numbers, start):
        if not (found := re.fullmatch(r"(0|[1-9][0-9]*)(?:([-.])([1-9][0-9]*))?", number)):
            raise _Fault(index, f'"{number}" is not an ID: 7, 7-8 or 7.1 is expected')
        first, sign, second = int(found[1]), found[2], int(found[3] or 0)
        if sign == ".":
            right = first == word and second == empty + 1
        else:
            right = first == word + 1 and (sign is None or (first > covered and second >= first))
        if not right:
            raise _Fault(index, f'the ID "{number}" is out of place after word {word}')
        if sign is None:
            word, empty = first, 0
        elif sign == ".":
            empty = second
        else:
            covered = second
    if word == 0 or word < covered:
        raise _Fault(start + len(numbers) - 1, f"the sentence ends after word {word}: {covered or 'some'} expected")
