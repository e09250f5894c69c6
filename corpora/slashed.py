"""词/词性 text: one sentence per line, each word followed by a slash and its tag, and `[...]nt` around several words.

The format of the People's Daily corpus (Yu Shiwen et al., PFR, 2001): `[香港/ns 特别/a 行政区/n]ns 的/u`. The edition
of 2014 writes a slash before the label of a bracket too: `[北京/ns 大学/n]/nt 的/u`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.files import open_text, replace_when_done, text_lines, unencodable
from corpora.labels import bare


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A sentence of tagged words and the brackets around some of them.

    Args:
        sentence: Words with tags.
        brackets: Labelled spans in words, in order; one may contain another, but none crosses another.

    Raises:
        CorpusError: There are no tags, or a bracket crosses another or ends after the last word.
    """

    sentence: Sentence
    brackets: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.sentence.tags is None:
            raise CorpusError("each word needs a tag, and the sentence has none")
        around: list[Span] = []
        for span in sorted(self.brackets, key=lambda span: (span.start, -span.end)):
            if span.end > len(self.sentence.tokens):
                raise CorpusError(f"{_named(span)} ends after the last of {len(self.sentence.tokens)} words")
            while around and around[-1].end <= span.start:
                around.pop()
            if around and around[-1].end < span.end:
                raise CorpusError(f"{_named(around[-1])} and {_named(span)} cross")
            around.append(span)


@dataclass(frozen=True, slots=True)
class Slashed:
    """The sentences of 词/词性 text (gzip too); re-iterable.

    A line is a sentence, and an empty line one without words. White space of any kind separates words; only a wide or
    other space of Unicode that has a tag of its own (`　/w`) is a word. Invisible characters around a tag are dropped.

    Args:
        path: The file.
        separator: Between word and tag; the last one counts, so that a word may hold it.
        brackets: Whether `[` at the start of a longer word and `]` after a tag are brackets. If not, they are part of
            word and tag.
        encoding: One of `corpora.files.ENCODINGS`; never guessed.

    Raises:
        CorpusError: While iterating: the file cannot be read or decoded, a word has no tag, or a bracket no partner;
            names the line.
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
    """The sentences of 词/词性 text; see `Slashed`."""
    return Slashed(Path(path), separator, brackets, encoding)


def split(line: str, separator: str = "/", brackets: bool = True) -> Bracketed:
    """The words, tags and brackets of a line; see `Slashed`.

    >>> split("[香港/ns 特别/a 行政区/n]ns 1/2/m").brackets
    (Span(start=0, end=3, label='ns'),)
    >>> split("[北京/ns 大学/n]/nt 的/u").brackets
    (Span(start=0, end=2, label='nt'),)
    >>> split("我/代词 爱/动词 吃/动词 1/2/数词").sentence.tokens
    ('我', '爱', '吃', '1/2')
    """
    words: list[str] = []
    tags: list[str] = []
    opened: list[int] = []
    spans: list[Span] = []
    if not separator:
        raise CorpusError('an empty separator separates nothing: choose "/"')
    for piece in _pieces(line, separator):
        inside = bool(opened) or piece.startswith("[")
        word, tag, closed = _parts(piece, separator, brackets, inside)
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
        raise CorpusError(
            f'the bracket before "{opener}" is not closed: set brackets = false if it belongs to the word'
        )
    return Bracketed(Sentence(tuple(words), tuple(tags)), tuple(sorted(spans)))


def join(sentence: Sentence | Bracketed, separator: str = "/") -> str:
    """One line without its end; `split` gives the sentence back, with `brackets=False` for one without brackets.

    Raises:
        CorpusError: There are no tags, or such a line cannot hold a word or tag.

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
    """Writes one sentence per line and returns their number; the file appears whole or not at all.

    Read sentences back with `brackets=False`, since a word may begin with a bracket.

    Raises:
        CorpusError: A sentence cannot be written (see `join`) or encoded, or the folder does not exist.
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


def _pieces(line: str, separator: str) -> Iterator[str]:
    """The words with their tags, as they stand."""
    for piece in filter(None, re.split(r"[ \t\r\n]", line)):
        space, found, tag = piece.partition(separator)
        if found and space.isspace() and tag and not re.search(r"\s", tag):
            yield piece
        else:
            yield from piece.split()


def _parts(piece: str, separator: str, brackets: bool, inside: bool) -> tuple[str, str, list[str]]:
    """Word, tag, and the labels of the brackets that close after it; `inside`: whether one is open."""
    word, found, tag = piece.rpartition(separator)
    tag, *closed = tag.split("]") if brackets else [tag]
    while brackets and inside and tag[:1].isalpha() and (tagged := _before_bracket(word, separator)):
        word, inner = tagged
        inner, *labels = inner.split("]")
        closed = [*labels, tag, *closed]
        tag = inner
    tag, closed = bare(tag), [bare(label) for label in closed]
    if not (word and found and tag):
        raise CorpusError(f'"{piece}" is not a word with its tag: "词{separator}词性" is expected')
    return word, tag, closed


def _before_bracket(word: str, separator: str) -> tuple[str, str] | None:
    """Of `大学/n]`, which came before `/nt`, word and tag; None if no bracket closes here."""
    inner, found, tag = word.removesuffix("]").rpartition(separator)
    return (inner, tag) if word.endswith("]") and inner and found and tag else None


def _piece(word: str, tag: str, separator: str) -> str:
    piece = f"{word}{separator}{tag}"
    white = re.search(r"[ \t\r\n]", piece) or (re.search(r"\s", piece) and not word.isspace())
    if not separator or not tag or tag != bare(tag) or white or piece.rpartition(separator) != (word, separator, tag):
        raise CorpusError(f'{piece!r} cannot be written: a tag without "{separator}", and no white space, is expected')
    return piece


def _named(span: Span) -> str:
    return f'the bracket {span.start}:{span.end} "{span.label}"'
