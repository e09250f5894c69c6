"""The task of a tagger: sentences of an annotated corpus, and the tags and words that it learns from train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora import formats, segmented, tags
from corpora.document import Document, Sentence
from corpora.normalise import normaliser
from corpora.table_options import TableOptions
from corpora.targets import Targets
from embeddings import wordlist
from pipeline.config.tag import TagSettings
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.errors import PipelineError
from pipeline.segmentation.dictionary import UserDictionary, load_dictionary
from pipeline.tagging.tagset import Tagset
from pipeline.tasks.tag.answerer import TagAnswerer
from pipeline.tasks.tag.head import TagHead
from pipeline.tasks.tag.judge import TagJudge
from pipeline.tasks.tag.scores import piece
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.config.corpus import CorpusSettings
    from pipeline.config.settings import Settings

Tags = Sequence[str]
CHARACTERS = 0.98  # share of tokens of one character from which the tokens are taken for characters
# The options that each format of annotated text has, by the name of its reader's argument.
READER_OPTIONS: dict[str, tuple[str, ...]] = {
    "conll": ("token", "tag", "separator", "comment"),
    "conllu": ("tag",),
    "huggingface": ("tag", "names"),
    "slashed": ("separator", "brackets"),
    **dict.fromkeys(formats.OF_SPANS, ("overlaps", "offsets")),
}


@dataclass(frozen=True, eq=False)
class Tag(Task[Tags]):
    """Gives each token one of the tags of the train split.

    Arguments:
        options: kind, scheme and decoding, see `settings.TagSettings`.
        unit: "char" or "word".
        labels: the tags.
        words: the words of the train split, for scores of known and unknown words; empty for entities.
        dictionary: words that the answers obey, see `pipeline.tagging.constraints`.
    """

    name: ClassVar[str] = "tag"
    formats_with_columns: ClassVar[Sequence[str]] = ("cluener", "doccano")  # JSON lines, whose fields are columns

    options: TagSettings
    unit: str
    labels: Labels = NO_LABELS
    words: frozenset[str] = frozenset()
    dictionary: UserDictionary = field(default_factory=UserDictionary)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the section `[tag]` says, with the dictionaries of `[segment]`."""
        dictionary = load_dictionary(settings.segment, normaliser(simplify=settings.corpus.simplify))
        return cls(settings.tag, settings.segment.unit, dictionary=dictionary)

    @classmethod
    def corpus_format(cls, path: str | Path, corpus: CorpusSettings) -> str:
        """The name of a format of annotated text."""
        return formats.tagged_format(Path(path), corpus.format)

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The sentences of an annotated corpus; neighbouring tags that break its scheme are counted."""
        tagged = corpus.tagged
        source = formats.read_tagged(path, corpus.format, **_reader_options(path, corpus))
        options, normalise = self.options, normaliser(simplify=corpus.simplify)
        if options.kind == "pos":
            source = source.as_written
        targets = Targets(source, options.kind, self.unit, options.scheme, tagged.scheme, str(path))
        for document, illegal in targets.counted(counts):
            counts["illegal_tags"] += illegal
            yield _normalised(document, normalise) if corpus.simplify else document

    def gold(self, document: Document) -> Tags | None:
        """The tags."""
        return None if document.sentence is None else document.sentence.tags

    def with_gold(self, document: Document, gold: Tags) -> Document:
        """With other tags, as many as it has tokens."""
        sentence = Sentence(() if document.sentence is None else document.sentence.tokens, tuple(gold))
        return replace(document, sentence=sentence)

    def format_gold(self, gold: Tags) -> str:
        """The tags as a line of segmented text."""
        return segmented.join(gold)

    def parse_gold(self, text: str) -> Tags:
        """The tags of a line of segmented text."""
        return tuple(segmented.split(text))

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError if there are fewer than two tags, or if the unit is words and the tokens are characters.

        Such a model would be given words in labelling, which it has never seen.
        """
        found = {tag for document in train for tag in self.gold(document) or ()}
        if len(found) < 2:
            shown = f"only {next(iter(found))!r}" if found else "none"
            raise PipelineError(f"{corpus.train}: a tagger needs at least two tags, found {shown}: check corpus.format")
        if self.unit == "word" and _are_characters(train):
            raise PipelineError(
                f'{corpus.train}: its tokens are characters, but segment.unit is "word", and new texts would be cut '
                'into words: set segment.unit = "char"'
            )

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[Tags]) -> Self:
        """With the tags and words of the train split."""
        found = set(chain.from_iterable(golds))
        if self.options.kind == "entities":
            found.add("O")  # so that every text has a legal sequence
        elif self.options.kind != "pos":
            found |= self._missing(golds)
        fitted = replace(self, labels=Labels.build(found))
        return replace(fitted, words=frozenset(fitted._words(texts, golds)))

    def extended(self, before: Task[Tags]) -> Self:
        """With the tags and words of an earlier model too."""
        return replace(super().extended(before), words=self.words | getattr(before, "words", frozenset()))

    def _missing(self, golds: Sequence[Tags]) -> set[str]:
        """Tags that train may lack, but without which one-character or dictionary words could not be answered."""
        scheme = self.options.scheme
        types = Counter(tag[1:] for gold in golds for tag in gold)
        alone = {f"{letter}{type_}" for type_ in types for letter in tags.lettering(1, scheme)}
        return alone | {f"{letter}{type_}" for type_, _ in types.most_common(1) for letter in tags.lettering(3, scheme)}

    def _words(self, texts: Sequence[Tokenised], golds: Sequence[Tags]) -> Iterator[str]:
        if self.options.kind == "entities":
            return
        for text, gold in zip(texts, golds, strict=True):
            ids = np.array([self.labels.id(tag) for tag in gold], np.int32)
            found = self._tagset.spans(ids[None], np.array([len(ids)]))
            for start, stop in zip(found.starts.tolist(), found.stops.tolist(), strict=True):
                yield "".join(text.tokens[start:stop])

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Tags | None]) -> list[Example]:
        """One Example a text, or several in a row for a text of more than `max_tokens` tokens.

        A text with a tag that the train split lacks has no targets.
        """
        pieces, targets = [], []
        for text, gold in zip(texts, golds, strict=True):
            ids = self._ids(gold)
            for start in range(0, len(text.tokens), encoder.max_tokens):
                stop = start + encoder.max_tokens
                pieces.append(piece(text, start, stop))
                targets.append(None if ids is None else ids[start:stop])
        return encoder.examples(pieces, targets)

    def _ids(self, gold: Tags | None) -> NDArray[np.int32] | None:
        if gold is None or any(name not in self.labels for name in gold):
            return None
        return np.array([self.labels.id(name) for name in gold], np.int32)

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes words.txt if words are learnt."""
        if self.words:
            wordlist.write(folder / "words.txt", sorted(self.words))
        return {"tag": self.options.model_dump(), "unit": self.unit}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote."""
        words = folder / "words.txt"
        known = frozenset(wordlist.read(words)) if words.exists() else frozenset()
        return cls(TagSettings(**options["tag"]), options["unit"], labels, known)

    @property
    def head(self) -> TagHead:
        """A score a token and tag."""
        return TagHead(self.options, self._tagset)

    @property
    def answerer(self) -> TagAnswerer:
        """The best sequence of tags."""
        return TagAnswerer(self.options, self._tagset, words=self.words, dictionary=self.dictionary)

    @property
    def judge(self) -> TagJudge:
        """F1 of exact spans, and its like."""
        return TagJudge(self.options.kind, self._tagset, self.words)

    @property
    def described(self) -> str:
        """With the kind of tags."""
        return f"a tagger of {self.options.kind}"

    @cached_property
    def _tagset(self) -> Tagset:
        """The tags, and what the scheme says about them."""
        return Tagset(self.labels, None if self.options.kind == "pos" else self.options.scheme)


def _normalised(document: Document, normalise: Callable[[str], str]) -> Document:
    """A document with text and tokens normalised in a way that keeps the number of characters."""
    if document.sentence is None:
        return replace(document, text=normalise(document.text))
    text, sentence = Tokenised(document.text, document.sentence.tokens).normalised(normalise), document.sentence
    return replace(document, text=text.text, sentence=replace(sentence, tokens=tuple(text.tokens)))


def _are_characters(documents: Sequence[Document]) -> bool:
    """Whether the tokens of Chinese text are single characters: all but a few, which may be numbers or names."""
    tokens = [
        token
        for document in documents
        if document.sentence is not None
        for token in document.sentence.tokens
        if not token.isascii()
    ]
    return len(tokens) > 0 and sum(len(token) == 1 for token in tokens) >= CHARACTERS * len(tokens)


def _reader_options(path: str | Path, corpus: CorpusSettings) -> dict[str, object]:
    """The options for the reader of a format: those that the settings change."""
    name = formats.tagged_format(Path(path), corpus.format)
    if corpus.table_options != TableOptions(encoding=corpus.encoding):
        raise PipelineError(f"{path}: is read as {name}, which has no options of tables: leave them out of corpus")
    from pipeline.config.corpus import TaggedSettings

    defaults = TaggedSettings()
    chosen = {
        key: value
        for key in READER_OPTIONS.get(name, ())
        if (value := getattr(corpus.tagged, key)) != getattr(defaults, key)
    }
    if name in formats.JSON_OF_SPANS:
        chosen["text"] = corpus.text_columns[0]
    return {"encoding": corpus.encoding, **chosen}
