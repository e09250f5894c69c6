"""Task: what a model reads from a corpus and learns from the train split; its parts answer and judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from corpora import formats
from corpora.document import Document
from corpora.table_options import TABLES
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import Labels
from pipeline.tasks.answerer import Answerer
from pipeline.tasks.head import Head
from pipeline.tasks.judge import Judge

if TYPE_CHECKING:
    from pipeline.config.corpus import CorpusSettings
    from pipeline.config.settings import Settings

Gold = TypeVar("Gold")


class Task(ABC, Generic[Gold]):
    """What a task reads; `Gold` is the type of its gold answers.

    `from_settings` makes a task that has seen no text, `fit` one that knows the train split. Its three parts are the
    `head` (what the network must give), the `answerer` (scores to predictions) and the `judge` (metrics and reports).

    `name`: as in the setting `task`; `needs`: what a row must have, in words; `formats_with_columns`: the formats of a
    corpus whose rows have columns to slice a report by; `several_labels`: whether a row of a corpus has any number of
    labels; `labels`: the names of the possible answers; `needs_labels`:
    whether a model must have any.
    """

    name: ClassVar[str]
    needs: ClassVar[str] = "both a text and a label"
    formats_with_columns: ClassVar[Sequence[str]] = tuple(TABLES)
    needs_labels: ClassVar[bool] = True
    several_labels: ClassVar[bool] = False
    labels: Labels

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The task that the settings describe; it has seen no text yet."""

    @classmethod
    def corpus_format(cls, path: str | Path, corpus: CorpusSettings) -> str:
        """The name of the format in which a corpus file is read."""
        return formats.corpus_format(Path(path), corpus.format)

    @abstractmethod
    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The texts of a corpus file; oddities are counted in `counts`."""

    @abstractmethod
    def gold(self, document: Document) -> Gold | None:
        """The gold answer of a document, or None if it has none."""

    def with_gold(self, document: Document, gold: Gold) -> Document:
        """The document with another gold answer. Raises CorpusError for one that does not fit it."""
        raise NotImplementedError(f"the texts of the task {self.name} have no gold answers")

    def format_gold(self, gold: Gold) -> str:
        """A gold answer as the text that stands in the files between stages."""
        return str(gold)

    @abstractmethod
    def parse_gold(self, text: str) -> Gold:
        """The gold answer that `format_gold` wrote."""

    @abstractmethod
    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError if nothing can be learnt from these documents."""

    @abstractmethod
    def fit(self, texts: Sequence[Tokenised], golds: Sequence[Gold]) -> Self:
        """The same task with what it learns from the train split, such as its labels."""

    def extended(self, before: Task[Gold]) -> Self:
        """The same task with the labels of an earlier model too, of which train may lack some."""
        labels = Labels.build([*before.labels.names, *self.labels.names])
        return replace(self, labels=labels)  # type: ignore[type-var]  # every task is a dataclass

    @abstractmethod
    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Gold | None]) -> list[Example]:
        """The network's inputs, and its targets where the model can give the gold answer."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes its files into a model folder; returns what `load` needs besides, as values that TOML holds."""
        return {}

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """The task that `save` wrote. Raises ValueError, OSError or KeyError for damaged files or options."""

    @property
    @abstractmethod
    def head(self) -> Head:
        """What the network must give."""

    @property
    @abstractmethod
    def answerer(self) -> Answerer[Any]:
        """What turns scores into predictions; it knows no trained network yet."""

    @property
    @abstractmethod
    def judge(self) -> Judge[Gold]:
        """What scores the answers."""

    @property
    def described(self) -> str:
        """What a model of this task is, for messages."""
        return f"a model whose task is {self.name}"
