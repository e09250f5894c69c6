"""The task of a multi-label classifier: the rows of a table with any number of labels each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from corpora.document import Document
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.errors import PipelineError
from pipeline.tasks.classify import RENAMED, table_rows
from pipeline.tasks.multilabel.answerer import MultilabelAnswerer
from pipeline.tasks.multilabel.head import MultilabelHead
from pipeline.tasks.multilabel.judge import MultilabelJudge
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.config.corpus import CorpusSettings
    from pipeline.config.settings import Settings

Names = tuple[str, ...]


@dataclass(frozen=True)
class Multilabel(Task[Names]):
    """Gives each text any number of the labels of the train split.

    Arguments:
        separator: between the labels of a text in files; no label has it inside.
        labels: their names.
        never_empty: whether every text of train has a label, so that every answer has one too.
    """

    name: ClassVar[str] = "multilabel"
    needs: ClassVar[str] = "a text"
    several_labels: ClassVar[bool] = True

    separator: str
    labels: Labels = NO_LABELS
    never_empty: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """With the separator of the corpus."""
        return cls(settings.corpus.label_separator or "|")

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The rows of a table; counts empty sets, and the rows of each renamed label.

        Raises PipelineError for a label that has the model's separator inside.
        """
        documents = table_rows(path, corpus, counts, label_separator=corpus.label_separator or self.separator)
        for document in documents:
            labels = tuple(sorted(set(_renamed(document.labels or (), corpus.label_map, counts))))
            for label in labels:
                if self.separator in label:
                    raise PipelineError(
                        f'{path}: row {document.row}: the label "{label}" has "{self.separator}" inside, which joins '
                        "labels: set another corpus.label_separator, or rename it with corpus.label_map"
                    )
            yield replace(document, labels=labels)

    def gold(self, document: Document) -> Names | None:
        """The labels, sorted."""
        return document.labels

    def with_gold(self, document: Document, gold: Names) -> Document:
        """With other labels."""
        return replace(document, labels=gold)

    def format_gold(self, gold: Names) -> str:
        """The labels joined by the separator."""
        return self.separator.join(gold)

    def parse_gold(self, text: str) -> Names:
        """The labels that `format_gold` joined."""
        return tuple(text.split(self.separator)) if text else ()

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """Raises PipelineError if there is no label, or if every row has the same ones."""
        sets = {self.gold(document) or () for document in train}
        if len(sets) < 2:
            found = f'"{self.format_gold(next(iter(sets)))}" in every row' if any(sets) else "none"
            raise PipelineError(
                f'{corpus.train}: rows with different labels are needed in column "{corpus.label}", found {found}: '
                "check corpus.label and corpus.label_separator, or add rows"
            )

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[Names]) -> Self:
        """With the labels of the train split."""
        return replace(self, labels=Labels.build(chain.from_iterable(golds)), never_empty=all(golds))

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[Names | None]) -> list[Example]:
        """One Example a text, whose target has a 1 for each label; labels that the train split lacks are left out."""
        return encoder.examples(texts, [None if gold is None else self._target(gold) for gold in golds])

    def _target(self, gold: Names) -> NDArray[np.int32]:
        target = np.zeros(len(self.labels), np.int32)
        target[[self.labels.id(name) for name in gold if name in self.labels]] = 1
        return target

    def save(self, folder: Path) -> dict[str, Any]:
        """The separator, and whether an answer may be empty."""
        return {"label_separator": self.separator, "never_empty": self.never_empty}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote."""
        return cls(options["label_separator"], labels, options["never_empty"])

    @property
    def head(self) -> MultilabelHead:
        """A score a label."""
        return MultilabelHead(len(self.labels))

    @property
    def answerer(self) -> MultilabelAnswerer:
        """The labels that reach their thresholds."""
        return MultilabelAnswerer(self.labels, self.separator, self.never_empty)

    @property
    def judge(self) -> MultilabelJudge:
        """F1 over labels, and its like."""
        return MultilabelJudge(self.labels, self.separator, self.never_empty)


def _renamed(labels: Iterable[str], names: Mapping[str, str], counts: MutableMapping[str, int]) -> Iterator[str]:
    for label in labels:
        if label in names:
            counts[f"{RENAMED}{label}"] = counts.get(f"{RENAMED}{label}", 0) + 1
        yield names.get(label, label)
