"""Targets: the sentences of any tagged corpus as a tagger learns them, tokens with one tag each and their text.

| kind     | tokens              | tags                                                  |
| entities | characters or words | the spans of the corpus, in the scheme asked for      |
| words    | characters          | where words begin and end: bare letters of the scheme |
| joint    | characters          | the same, with the tag of the word                    |
| pos      | words               | as in the corpus                                      |

White space is part of the text, but never a token. The tags of entities and words are legal, whatever the corpus holds:
its tags are decoded by `corpora.tags`, which counts neighbours that break the scheme.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from corpora import tags
from corpora.document import Document, Sentence, Span
from corpora.errors import CorpusError, shown
from corpora.findings import Counts
from corpora.formats import TaggedCorpus

Kind = Literal["entities", "words", "joint", "pos"]


@dataclass(frozen=True, slots=True)
class Targets:
    """The sentences of a corpus as documents with the targets of a tagger; re-iterable if the source is.

    Args:
        source: The sentences of the corpus.
        kind: What the tagger learns, see above.
        unit: "char" or "word": the tokens of entities; "words" and "joint" have characters, "pos" words.
        scheme: Of the targets; one of `corpora.tags.SCHEMES`.
        found: Scheme of the tags in the corpus; None: inferred from all of them. For "words" and "joint" set it only if
            the corpus has tagged characters instead of words.
        path: Where the sentences come from, for messages.

    Raises:
        CorpusError: While iterating: a tag is of no scheme, or a sentence has no tags where some are needed.

    >>> [document] = Targets([Sentence(("我", "爱", "北京"))], "words", "char", "BMES")
    >>> document.text, document.sentence.tags
    ('我爱北京', ('S', 'S', 'B', 'E'))
    """

    source: Iterable[Sentence]
    kind: Kind
    unit: str
    scheme: str
    found: str | None = None
    path: str = "corpus"

    def __iter__(self) -> Iterator[Document]:
        return (document for document, _ in self.counted())

    def counted(self, counts: Counts | None = None) -> Iterator[tuple[Document, int]]:
        """Each document, and how many neighbouring tags in it break the scheme of the corpus.

        Adds to `counts` what the source changed or doubts, if it is a `corpora.formats.TaggedCorpus`.
        """
        found = self.found
        if self.kind == "entities" and found is None:
            found = self._scheme()
        sentences: Iterable[Sentence] = self.source
        if counts is not None and isinstance(self.source, TaggedCorpus):
            sentences = self.source.counted(counts)
        for row, sentence in enumerate(sentences, start=1):
            try:
                learnt, illegal = _LEARNT[self.kind](sentence, self.unit, self.scheme, found)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: sentence {row}: {error}") from None
            yield Document("".join(sentence.tokens), None, row, learnt), illegal

    def _scheme(self) -> str:
        known = {tag for sentence in self.source for tag in sentence.tags or ()}
        try:
            return tags.scheme_of(known)
        except CorpusError as error:
            raise CorpusError(f"{self.path}: {error}{self._first_strange()}") from None

    def _first_strange(self) -> str:
        """Where the first tag stands that is of no scheme at all."""
        letters = {letter for scheme in tags.SCHEMES.values() for letter in scheme} | {tags.OUTSIDE}
        for row, sentence in enumerate(self.source, start=1):
            for tag in sentence.tags or ():
                if tag.partition("-")[0] not in letters:
                    return f' (first in sentence {row}: "{shown(tag, 20)}")'
        return ""


def _entities(sentence: Sentence, unit: str, scheme: str, found: str | None) -> tuple[Sentence, int]:
    if sentence.tags is None:
        return _without_space(sentence), 0
    decoded = tags.spans(sentence.tags, found or scheme)
    tokens, spans = sentence.tokens, decoded.spans
    if unit == "char":
        tokens, spans = tuple("".join(tokens)), tags.in_characters(spans, tokens)
    places = list(accumulate((not token.isspace() for token in tokens), initial=0))
    kept = [
        Span(places[span.start], places[span.end], span.label)
        for span in spans
        if places[span.start] < places[span.end]
    ]
    tokens = _without_space(Sentence(tokens)).tokens
    return Sentence(tokens, tags.tags_of(kept, len(tokens), scheme)), decoded.illegal


def _words(sentence: Sentence, unit: str, scheme: str, found: str | None) -> tuple[Sentence, int]:
    learnt, illegal = _joint(sentence, unit, scheme, found)
    return Sentence(learnt.tokens, tuple(tag.partition("-")[0] for tag in learnt.tags or ())), illegal


def _joint(sentence: Sentence, unit: str, scheme: str, found: str | None) -> tuple[Sentence, int]:
    illegal = 0
    if found is not None:
        words = tags.to_words(sentence, found)
        sentence, illegal = words.sentence, words.illegal
    # A word may hold white space, which is never part of a token.
    bare = tuple("".join(word.split()) or word for word in sentence.tokens)
    return tags.to_characters(_without_space(Sentence(bare, sentence.tags)), scheme), illegal


def _pos(sentence: Sentence, unit: str, scheme: str, found: str | None) -> tuple[Sentence, int]:
    return _without_space(sentence), 0


_LEARNT = {"entities": _entities, "words": _words, "joint": _joint, "pos": _pos}


def _without_space(sentence: Sentence) -> Sentence:
    kept = [index for index, token in enumerate(sentence.tokens) if not token.isspace()]
    chosen = None if sentence.tags is None else tuple(sentence.tags[index] for index in kept)
    return Sentence(tuple(sentence.tokens[index] for index in kept), chosen)
