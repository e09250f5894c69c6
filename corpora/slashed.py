"""词/词性 text: a sentence a line, words behind which a slash and their tag stand, and `[...]nt` around several.

The format of the People's Daily corpus (Yu Shiwen et al., PFR, 2001): `[香港/ns 特别/a 行政区/n]ns 的/u`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A sentence of tagged words and the brackets around some of them.

    Args:
        sentence: Words with tags.
        brackets: Labelled spans in words, in order; one may lie in another, but none crosses another.

    Raises:
        CorpusError: There are no tags, or a bracket crosses another or ends behind the last word.
    """

    sentence: Sentence
    brackets: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.sentence.tags is None:
            raise CorpusError("each word needs a tag, and the sentence has none")
        around: list[Span] = []
        for span in sorted(self.brackets, key=lambda span: (span.start, -span.end)):
            if span.end > len(self.sentence.tokens):
                raise CorpusError(f"{_named(span)} ends behind the last of {len(self.sentence.tokens)} words")
            while around and around[-1].end <= span.start:
                around.pop()
            if around and around[-1].end < span.end:
                raise CorpusError(f"{_named(around[-1])} and {_named(span)} cross")
            around.append(span)


@dataclass(frozen=True, slots=True)
class Slashed:
    """The sentences of 词/词性 text (gzip too); can be iterated again and again.

    A line is a sentence, and an empty line one without words. Only spaces and tabs separate words.

    Args:
        path: The file.
        separator: What stands between word and tag; the last one counts, so that a word may hold it.
        brackets: Whether `[` at the start of a longer word and `]` behind a tag are brackets. If not, they are
            part of word and tag.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded, a word has no tag, or a bracket no
            partner; names the line.
    """

    path: Path
    separator: str = "/"
    brackets: bool = True
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[Sentence]:
        return (bracketed.sentence for bracketed in self.bracketed())

    def bracketed(self) -> Iterator[Bracketed]:
        """The sentences with their brackets."""
        for row, line in enumerate(text_lines(self.path, self.encoding), start=1):
            try:
                yield split(line, self.separator, self.brackets)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: line {row}: {error}") from None


def read(path: str | Path, *, separator: str = "/", brackets: bool = True, encoding: str = "utf-8") -> Slashed:
    """The sentences of 词/词性 text, re-iterable; see `Slashed`."""
    return Slashed(Path(path), separator, brackets, encoding)


def split(line: str, separator: str = "/", brackets: bool = True) -> Bracketed:
    """The words, tags and brackets of a line; see `Slashed`.

    >>> split("[香港/ns 特别/a 行政区/n]ns 1/2/m").brackets
    (Span(start=0, end=3, label='ns'),)
    >>> split("我/代词 爱/动词 吃/动词 1/2/数词").sentence.tokens
    ('我', '爱', '吃', '1/2')
    """
    words: list[str] = []
    tags: list[str] = []
    opened: list[int] = []
    spans: list[Span] = []
    for piece in filter(None, re.split(r"[ \t]", line.rstrip("\r\n"))):
        word, tag, closed = _parts(piece, separator, brackets)
        while brackets and len(word) > 1 and word.startswith("["):
            opened.append(len(words))
            word = word[1:]
        words.append(word)
        tags.append(tag)
        for label in closed:
            if not opened:
                raise CorpusError(f'"{piece}" closes a bracket that was not opened: set brackets = false?')
            spans.append(Span(opened.pop(), len(words), label))
    if opened:
        opener = words[opened[-1]]
        raise CorpusError(f'the bracket before "{opener}" is not closed: set brackets = false if it is of the word')
    return Bracketed(Sentence(tuple(words), tuple(tags)), tuple(sorted(spans)))


def join(sentence: Sentence | Bracketed, separator: str = "/") -> str:
    """One line without its end; `split` gives the sentence back, with `brackets=False` if it has none to begin with.

    Raises:
        CorpusError: There are no tags, or a word or tag cannot stand in such a line.

    >>> join(Sentence(("我", "爱", "北京"), ("代词", "动词", "名词")))
    '我/代词 爱/动词 北京/名词'
    """
    whole = Bracketed(sentence) if isinstance(sentence, Sentence) else sentence
    pairs = zip(whole.sentence.tokens, whole.sentence.tags or (), strict=True)
    pieces = [_piece(word, tag, separator) for word, tag in pairs]
    closing: defaultdict[int, list[Span]] = defaultdict(list)
    for span in whole.brackets:
        pieces[span.start] = "[" + pieces[span.start]
        closing[span.end - 1].append(span)
    for last, spans in closing.items():
        pieces[last] += "".join(f"]{span.label}" for span in sorted(spans, key=lambda span: -span.start))
    line = " ".join(pieces)
    again = Bracketed(whole.sentence, tuple(sorted(whole.brackets)))
    if isinstance(sentence, Bracketed) and split(line, separator) != again:
        raise CorpusError(f'"{line}" would be read as other words or brackets: write the sentence without brackets')
    return line


def write(
    path: str | Path,
    sentences: Iterable[Sentence | Bracketed],
    *,
    separator: str = "/",
    encoding: str = "utf-8",
    advance: Callable[[int], object] = lambda finished: None,
) -> int:
    """Writes a sentence a line and returns how many; the file appears whole or not at all.

    Sentences are to be read with `brackets=False`, since a word may begin with one.

    Raises:
        CorpusError: A sentence cannot be written, see `join`, or encoded, or the folder is not there.
    """
    path, row = Path(path), 0
    with replace_when_done(path) as temporary, open_text(temporary, encoding, "w") as stream:
        for row, sentence in enumerate(sentences, start=1):
            try:
                stream.write(join(sentence, separator) + "\n")
            except CorpusError as error:
                raise CorpusError(f"{path}: line {row}: {error}") from None
            except UnicodeEncodeError as error:
                raise unencodable(f"{path}: line {row}", error) from None
            advance(1)
    return row


def _parts(piece: str, separator: str, brackets: bool) -> tuple[str, str, list[str]]:
    """Word, tag, and the labels of the brackets that close behind it."""
    if not separator:
        raise CorpusError('an empty separator parts nothing: choose "/"')
    word, found, tag = piece.rpartition(separator)
    tag, *closed = tag.split("]") if brackets else [tag]
    if not (word and found and tag):
        raise CorpusError(f'"{piece}" is no word with its tag: "词{separator}词性" is expected')
    return word, tag, closed


def _piece(word: str, tag: str, separator: str) -> str:
    piece = f"{word}{separator}{tag}"
    white = re.search(r"[ \t\r\n]", piece)
    if not separator or not tag or white or piece.rpartition(separator) != (word, separator, tag):
        raise CorpusError(f'{piece!r} cannot be written: a tag without "{separator}", and no white space, is expected')
    return piece


def _named(span: Span) -> str:
    return f'the bracket {span.start}:{span.end} "{span.label}"'
