"""Annotated texts: a text with labelled spans, with words, or with both, as every format of annotations is read."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from corpora.document import Sentence, Span
from corpora.errors import CorpusError, shown
from corpora.overlaps import Overlaps, flat
from corpora.tags import tags_of


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """A word of a text, from `start` to before `end` in characters, and its part of speech if it has one."""

    start: int
    end: int
    tag: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise CorpusError(f"word {self.start}:{self.end}: 0 <= start < end is expected")
        if self.tag == "":
            raise CorpusError(f"word {self.start}:{self.end}: an empty tag: use None for a word without one")


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with labelled spans, which may overlap, and with words.

    Args:
        text: The text as in the source; may be empty.
        spans: In characters of the text, in order and distinct; None for a text that nobody has annotated.
        row: 1-based number of the record; 0 for a text that came from no file.
        words: In order, with nothing but white space between them; None where the source has no words.

    Raises:
        CorpusError: A span ends after the text, spans are not in order, or words leave out a part of the text.

    >>> AnnotatedText("我爱北京", (Span(2, 4, "地点"),)).mentions()
    (('地点', '北京'),)
    """

    text: str
    spans: tuple[Span, ...] | None = None
    row: int = 0
    words: tuple[Word, ...] | None = None

    def __post_init__(self) -> None:
        if beyond := next((span for span in self.spans or () if span.end > len(self.text)), None):
            raise CorpusError(after_the_text(beyond, self.text))
        if self.spans is not None and self.spans != tuple(sorted(set(self.spans))):
            raise CorpusError("distinct spans in order are expected: sort them")
        if self.words is not None:
            self._check_words(self.words)

    def _check_words(self, words: tuple[Word, ...]) -> None:
        ends = [0, *(place for word in words for place in (word.start, word.end)), len(self.text)]
        if any(start > end for start, end in pairwise(ends)):
            raise CorpusError("words in order, within the text, are expected")
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            if self.text[start:end].strip():
                raise CorpusError(f'"{shown(self.text[start:end].strip(), 20)}" belongs to no word')

    def mentions(self) -> tuple[tuple[str, str], ...]:
        """The label and the text of each span."""
        return tuple((span.label, self.text[span.start : span.end]) for span in self.spans or ())

    def flat(self, overlaps: Overlaps = "longest") -> AnnotatedText:
        """The same without overlaps: the "longest" or the "outermost" spans are kept, see `corpora.overlaps.flat`."""
        return self if self.spans is None else replace(self, spans=flat(self.spans, overlaps).spans)

    def sentence(self, scheme: str = "BMES") -> Sentence:
        """The characters, each a token, with their tags; no tags where `spans` is None.

        Raises:
            CorpusError: Two spans overlap.

        >>> AnnotatedText("爱北京", (Span(1, 3, "地点"),)).sentence("BIO").tags
        ('O', 'B-地点', 'I-地点')
        """
        tags = None if self.spans is None else tags_of(self.spans, len(self.text), scheme)
        return Sentence(tuple(self.text), tags)


class TextSource(Protocol):
    """The annotated texts of a file; re-iterable."""

    @property
    def path(self) -> Path: ...

    def counted(self, counts: MutableMapping[str, int]) -> Iterator[AnnotatedText]:
        """The texts; adds to `counts` what was changed, left out or is doubtful, see `corpora.findings`."""
        ...


def after_the_text(span: Span, text: str) -> str:
    """What is wrong with a span that ends after its text."""
    return f'the span {span.start}:{span.end} "{shown(span.label)}" ends after the text of {len(text)} characters'
