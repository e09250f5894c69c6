"""Sentences as annotated texts: tokens with tags, as several formats have them, as texts with words and spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

from corpora import conllu, slashed
from corpora.annotated import AnnotatedText, Word
from corpora.conllu import NONE, NOT_SEPARATED, Conllu, Parse
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.findings import Counts, note
from corpora.notation import Kind, kind_of
from corpora.slashed import Bracketed, Slashed
from corpora.tags import in_characters, scheme_of, spans, tags_of, to_words

NER = "ner"  # the key of an entity's tag in the column MISC of CoNLL-U, as Stanza writes it


@dataclass(frozen=True)
class SentenceTexts:
    """The texts of a file of tokens and tags; re-iterable. What the tags are about is told from all of them.

    Args:
        path: The file.
        source: Its sentences, with tags in our notation; re-iterable.
        kind: What the tags are about; None: told from them by `corpora.notation.kind_of`.
    """

    path: Path
    source: Iterable[Sentence]
    kind: Kind | None = None

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted({})

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts; adds to `counts` what the source changed or doubts."""
        tags = {tag for sentence in self.source for tag in sentence.tags or ()}
        kind = self.kind or kind_of(tags)
        scheme = "" if kind == "pos" else scheme_of(tags)
        counted: Callable[[Counts], Iterator[Sentence]] | None = getattr(self.source, "counted", None)
        sentences, illegal = counted(counts) if counted else iter(self.source), 0
        for row, sentence in enumerate(sentences, start=1):
            try:
                document, faults = annotated(sentence, kind, scheme)
            except CorpusError as error:
                raise CorpusError(f"{self.path}: sentence {row}: {error}") from None
            illegal += faults
            yield replace(document, row=row)
        if illegal:
            note(f"{illegal:,} neighbouring tags that break the scheme, read as spans all the same", counts)


def annotated(sentence: Sentence, kind: Kind, scheme: str) -> tuple[AnnotatedText, int]:
    """A sentence as a text without spaces, with its words, and with the spans or parts of speech of its tags.

    The number is that of neighbouring tags that break the scheme.

    >>> annotated(Sentence(("我爱", "北京"), ("O", "B-地点")), "entities", "BIO")[0].mentions()
    (('地点', '北京'),)
    """
    text = "".join(sentence.tokens)
    if sentence.tags is None or kind == "pos":
        return AnnotatedText(text, words=words_of(sentence)), 0
    if kind == "entities":
        decoded = spans(sentence.tags, scheme)
        found = in_characters(decoded.spans, sentence.tokens)
        return AnnotatedText(text, found, words=words_of(Sentence(sentence.tokens))), decoded.illegal
    words = to_words(sentence, scheme)
    return AnnotatedText(text, words=words_of(words.sentence)), words.illegal


def words_of(sentence: Sentence, gaps: Sequence[int] = ()) -> tuple[Word, ...]:
    """The tokens as words of the text that they make, with `gaps` white spaces behind each."""
    lengths = [len(token) + gap for token, gap in zip(sentence.tokens, gaps or [0] * len(sentence.tokens), strict=True)]
    starts = accumulate(lengths, initial=0)
    tags = sentence.tags or [None] * len(sentence.tokens)
    return tuple(
        Word(start, start + len(token), tag) for start, token, tag in zip(starts, sentence.tokens, tags, strict=False)
    )


def tokens_of(document: AnnotatedText) -> tuple[str, ...]:
    """The words of a text, or its characters if it has none."""
    if document.words is None:
        return tuple(document.text)
    return tuple(document.text[word.start : word.end] for word in document.words)


def parts_of_speech(document: AnnotatedText) -> tuple[str, ...] | None:
    """The parts of speech of its words, or None if not all have one."""
    tags = tuple(word.tag for word in document.words or () if word.tag is not None)
    return tags if document.words and len(tags) == len(document.words) else None


def spans_in_words(document: AnnotatedText) -> tuple[Span, ...]:
    """The spans in words; none may begin or end inside one. The text has no white space but between words."""
    starts = {word.start: place for place, word in enumerate(document.words or ())}
    ends = {word.end: place + 1 for place, word in enumerate(document.words or ())}
    if document.words is None:
        return document.spans or ()
    return tuple(Span(starts[span.start], ends[span.end], span.label) for span in document.spans or ())


def entity_tags(document: AnnotatedText, scheme: str) -> tuple[str, ...] | None:
    """A tag of its entities for each token; None for a text that nobody has annotated."""
    if document.spans is None:
        return None
    return tags_of(spans_in_words(document), len(tokens_of(document)), scheme)


@dataclass(frozen=True)
class ConlluTexts:
    """The texts of a CoNLL-U file: words with their parts of speech, and entities from `ner=` in MISC; re-iterable.

    Two words without `SpaceAfter=No` have a space between them. Trees, lemmas and features are left out. `tag`: "upos"
    or "xpos"; None: xpos if no word of the file has a upos.
    """

    path: Path
    tag: str | None = None
    encoding: str = "utf-8"

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted({})

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts."""
        source = Conllu(self.path, self.tag or "upos", self.encoding)
        if self.tag is None and all(sentence.tags is None for sentence in source):
            source = Conllu(self.path, "xpos", self.encoding)
        scheme = scheme_of(tag for parse in source.parses() for tag in _ner(parse) or ())
        for row, (parse, sentence) in enumerate(zip(source.parses(), source, strict=True), start=1):
            gaps = [int(NOT_SEPARATED not in word[-1].split("|")) for word in parse.words]
            gaps[-1] = 0
            text = "".join(token + " " * gap for token, gap in zip(sentence.tokens, gaps, strict=True))
            words, ner = words_of(sentence, gaps), _ner(parse)
            found = None if ner is None else spans(ner, scheme).spans
            placed = found and tuple(Span(words[one.start].start, words[one.end - 1].end, one.label) for one in found)
            yield AnnotatedText(text, placed if found else found, row, words)


def parse_of(document: AnnotatedText, row: int, column: str = "upos") -> Parse:
    """A text whose words are apart by one space at most, in CoNLL-U; `column`: "upos" or "xpos"."""
    tokens, tags, ner = tokens_of(document), parts_of_speech(document), entity_tags(document, "BIOES")
    places = document.words or words_of(Sentence(tokens))
    gaps = [other.start > word.end for word, other in pairwise(places)] + [True]
    rows = []
    for place, token in enumerate(tokens):
        misc = [*([f"{NER}={ner[place]}"] if ner else []), *([] if gaps[place] else [NOT_SEPARATED])]
        row_ = [str(place + 1), token, *[NONE] * 7, "|".join(misc) or NONE]
        if tags is not None:
            row_[conllu.COLUMNS[column]] = tags[place]
        rows.append(tuple(row_))
    return Parse(tuple(rows), (f"# sent_id = {row}", f"# text = {document.text}"))


def _ner(parse: Parse) -> tuple[str, ...] | None:
    """The tags of entities in MISC; None if no word has one."""
    found = [dict(part.partition("=")[::2] for part in word[-1].split("|")) for word in parse.words]
    if not any(NER in misc for misc in found):
        return None
    return tuple(misc.get(NER, "O") for misc in found)


@dataclass(frozen=True)
class SlashedTexts:
    """The texts of 词/词性 lines: words with parts of speech, and brackets as spans; re-iterable."""

    path: Path
    source: Slashed

    def __iter__(self) -> Iterator[AnnotatedText]:
        return self.counted({})

    def counted(self, counts: Counts) -> Iterator[AnnotatedText]:
        """The texts; those without brackets have no spans."""
        for row, bracketed in enumerate(self.source.bracketed(), start=1):
            sentence = bracketed.sentence
            found = tuple(sorted(set(in_characters(bracketed.brackets, sentence.tokens))))
            yield AnnotatedText("".join(sentence.tokens), found or None, row, words_of(sentence))


def bracketed_of(document: AnnotatedText) -> Bracketed:
    """A text, all of whose words have a part of speech, with its spans as brackets.

    Raises:
        CorpusError: 词/词性 cannot hold a word, a tag or a label.
    """
    made = Bracketed(Sentence(tokens_of(document), parts_of_speech(document)), spans_in_words(document))
    slashed.join(made)
    return made
