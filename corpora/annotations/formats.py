"""The formats of annotations: how each is read and written, and what it can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from corpora import conll, conllu, segmented, slashed, spans
from corpora.annotated import AnnotatedText, TextSource
from corpora.annotations import brat, huggingface
from corpora.annotations.fit import Holds
from corpora.annotations.forms import FORMS
from corpora.annotations.offsets import Offsets
from corpora.annotations.sentences import (
    ConlluTexts,
    SentenceTexts,
    SlashedTexts,
    bracketed_of,
    entity_tags,
    parse_of,
    parts_of_speech,
    tokens_of,
)
from corpora.document import Sentence
from corpora.errors import CorpusError
from corpora.formats import read_tagged
from corpora.notation import Kind
from corpora.tags import to_characters


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read; an option that its format has no use for is refused.

    Args:
        encoding: One of `corpora.files.ENCODINGS`.
        kind: What the tags of conll and huggingface are about; None: told from them.
        text: Key of the text in JSON.
        offsets: What offsets count, see `corpora.spans.AnnotatedTexts`.
        token, tag, separator, comment: As of `corpora.conll.Conll`.
        brackets: As of `corpora.slashed.Slashed`.
        names: Of the tags of huggingface, where these are numbers.
    """

    encoding: str = "utf-8"
    kind: Kind | None = None
    text: str | None = None
    offsets: Offsets | None = None
    token: int | None = None
    tag: int | str | None = None
    separator: str | None = None
    comment: str | None = None
    brackets: bool | None = None
    names: Sequence[str] | None = None

    def given(self) -> dict[str, object]:
        """The options of the format alone that were set."""
        names = ("text", "offsets", "token", "tag", "separator", "comment", "brackets", "names")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(slots=True)
class Content:
    """What the texts of a file have, which decides how CoNLL and CoNLL-U write them."""

    texts: int = 0
    has_spans: bool = False
    has_words: bool = False
    tags: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)

    def add(self, document: AnnotatedText) -> None:
        """Counts one text."""
        self.texts += 1
        self.has_spans |= document.spans is not None
        self.has_words |= document.words is not None
        self.labels.update(span.label for span in document.spans or ())
        self.tags.update(word.tag for word in document.words or () if word.tag)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a file is written: its encoding, the scheme of its tags, and what the texts have."""

    encoding: str = "utf-8"
    scheme: str = "BIO"
    content: Content = field(default_factory=Content)


Read = Callable[[Path, ReadOptions], TextSource]
Write = Callable[[Path, Iterable[AnnotatedText], WriteOptions], int]


@dataclass(frozen=True, slots=True)
class AnnotationFormat:
    """A format: `read` and `write`, and what it `holds` of texts with such a content."""

    read: Read
    write: Write
    holds: Callable[[Content], Holds]


def _options(path: Path, options: ReadOptions, *known: str) -> dict[str, object]:
    """The options for a reader that knows those named. Raises CorpusError for another."""
    given = options.given()
    for name in given:
        if name not in known:
            raise CorpusError(f"{path}: its format has no option {name}: leave it out")
    return {"encoding": options.encoding, **given}


def _read_form(path: Path, options: ReadOptions, *, form: str) -> TextSource:
    return spans.AnnotatedTexts(path, form, **_options(path, options, "text", "offsets"))  # type: ignore[arg-type]


def _write_form(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions, *, form: str) -> int:
    return spans.write(path, documents, form, encoding=options.encoding)


def _read_brat(path: Path, options: ReadOptions) -> TextSource:
    return brat.BratTexts(path, **_options(path, options, "offsets"))  # type: ignore[arg-type]


def _write_brat(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    return brat.write(path, documents, encoding=options.encoding)


TAG_OPTIONS = {
    "conll": ("token", "tag", "separator", "comment"),
    "iob2": (),
    "huggingface": ("tag", "names"),
}


def _read_tagged(path: Path, options: ReadOptions, *, name: str) -> TextSource:
    corpus = read_tagged(path, name, **_options(path, options, *TAG_OPTIONS[name]))
    return SentenceTexts(path, (corpus.as_written if options.kind == "pos" else corpus).source, options.kind)


def _read_segmented(path: Path, options: ReadOptions) -> TextSource:
    return SentenceTexts(path, read_tagged(path, "segmented", **_options(path, options)), "words")


def _read_slashed(path: Path, options: ReadOptions) -> TextSource:
    known = _options(path, options, "separator", "brackets")
    return SlashedTexts(path, slashed.Slashed(path, **known))  # type: ignore[arg-type]


def _read_conllu(path: Path, options: ReadOptions) -> TextSource:
    return ConlluTexts(path, **_options(path, options, "tag"))  # type: ignore[arg-type]


def _conll_holds(content: Content) -> Holds:
    """One column of tags: entities if any text is annotated, else parts of speech, else where words begin and end."""
    holds = Holds("flat", "yes", not_annotated="no", white_space="none", blank=False, no_label=r"\s")
    if content.has_spans:
        return replace(holds, check=partial(_tagged, scheme="BIO"))
    if content.tags:
        return replace(holds, spans="none", words="must", parts_of_speech="all", check=_tagged_words)
    return replace(holds, spans="none", words="must", check=_tagged_characters)


def _huggingface_holds(content: Content) -> Holds:
    """Tags of entities if any text is annotated, else parts of speech if any word has one."""
    return _TOKENS if content.has_spans else replace(_TOKENS, spans="none", words="must", parts_of_speech="yes")


def _tagged(document: AnnotatedText, scheme: str) -> Sentence:
    sentence = Sentence(tokens_of(document), entity_tags(document, scheme))
    conll.check(sentence)
    return sentence


def _tagged_words(document: AnnotatedText) -> Sentence:
    sentence = Sentence(tokens_of(document), parts_of_speech(document))
    conll.check(sentence)
    return sentence


def _tagged_characters(document: AnnotatedText) -> Sentence:
    sentence = to_characters(Sentence(tokens_of(document)), "BMES")
    conll.check(sentence)
    return sentence


def _write_conll(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    making: Callable[[AnnotatedText], Sentence] = partial(_tagged, scheme=options.scheme)
    if not options.content.has_spans:
        making = _tagged_words if options.content.tags else _tagged_characters
    return conll.write(path, map(making, documents), encoding=options.encoding)


def _write_iob2(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    return conll.write_iob2(path, (_tagged(document, "BIO") for document in documents), encoding=options.encoding)


def _write_huggingface(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    def records() -> Iterator[dict[str, object]]:
        for document in documents:
            ner = entity_tags(document, options.scheme)
            tags = {"ner_tags": ner, "pos_tags": None if options.content.has_spans else parts_of_speech(document)}
            yield {"tokens": tokens_of(document), **{name: found for name, found in tags.items() if found is not None}}

    return huggingface.write(path, records(), encoding=options.encoding)


def _write_segmented(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    return segmented.write(path, map(tokens_of, documents), options.encoding)


def _write_slashed(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    return slashed.write(path, map(bracketed_of, documents), encoding=options.encoding)


def _write_conllu(path: Path, documents: Iterable[AnnotatedText], options: WriteOptions) -> int:
    column = "upos" if options.content.tags <= conllu.UPOS else "xpos"
    parses = (parse_of(document, row, column) for row, document in enumerate(documents, start=1))
    return conllu.write(path, parses, encoding=options.encoding)


_TOKENS = Holds("flat", "yes", white_space="none", blank=False)
_IOB2 = replace(_TOKENS, not_annotated="no", no_label=r"\s", check=partial(_tagged, scheme="BIO"))
_CONLLU = replace(_TOKENS, parts_of_speech="yes", white_space="one", no_label=r"[\s|]", check=partial(parse_of, row=1))
_SEGMENTED = replace(_TOKENS, spans="none", words="must")
_SLASHED = replace(
    _TOKENS,
    spans="nested",
    words="must",
    parts_of_speech="all",
    not_annotated="empty",
    no_label=r"[\s/\[\]]",
    check=bracketed_of,
)
_BRAT = Holds("any", not_annotated="no", line_ends=False, blank=False, no_label=r"\s")


def _always(holds: Holds) -> Callable[[Content], Holds]:
    return lambda content: holds


FORMATS = {
    "conll": AnnotationFormat(partial(_read_tagged, name="conll"), _write_conll, _conll_holds),
    "conllu": AnnotationFormat(_read_conllu, _write_conllu, _always(_CONLLU)),
    "iob2": AnnotationFormat(partial(_read_tagged, name="iob2"), _write_iob2, _always(_IOB2)),
    "huggingface": AnnotationFormat(partial(_read_tagged, name="huggingface"), _write_huggingface, _huggingface_holds),
    "slashed": AnnotationFormat(_read_slashed, _write_slashed, _always(_SLASHED)),
    "segmented": AnnotationFormat(_read_segmented, _write_segmented, _always(_SEGMENTED)),
    "brat": AnnotationFormat(_read_brat, _write_brat, _always(_BRAT)),
    **{
        form: AnnotationFormat(
            partial(_read_form, form=form),
            partial(_write_form, form=form),
            _always(Holds("flat" if form == "spacy" else "any")),
        )
        for form in FORMS
    },
}


def output_files(path: Path, name: str) -> list[Path]:
    """The files that writing to a path makes or replaces: for brat the text and its annotations."""
    return [path.with_suffix(brat.TEXT), path.with_suffix(brat.ANNOTATIONS)] if name == "brat" else [path]


def format_of(name: str) -> AnnotationFormat:
    """The format of that name; CorpusError if there is none."""
    if name not in FORMATS:
        raise CorpusError(f'no format "{name}" of annotations; the formats are {", ".join(FORMATS)}')
    return FORMATS[name]
