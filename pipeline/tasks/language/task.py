"""The task of a language model: texts as they are, and the spelling that it learns from train's rare tokens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from corpora import formats
from corpora.document import Document
from corpora.normalise import normaliser
from embeddings.vocabulary import Vocabulary
from pipeline.encoding.batch import Example
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import NO_LABELS, Labels
from pipeline.language.spelling import Spelling
from pipeline.tasks.language.answerer import LanguageAnswerer, examples
from pipeline.tasks.language.head import LanguageHead
from pipeline.tasks.language.judge import LanguageJudge
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.config.corpus import CorpusSettings
    from pipeline.config.settings import Settings


@dataclass(frozen=True, eq=False)
class Language(Task[str]):
    """Reads a text from left to right and gives each token, and the text's end, a probability.

    There is no gold answer besides the text itself: it is "".

    Arguments:
        unit: "char" or "word".
        width: of the network's states.
        bptt_steps: steps that training reads at a time, 0 for whole texts.
        tied: whether tokens are scored by the vectors that they are read with.
        sampled: tokens of the vocabulary that a step of training scores, 0 for all.
        ngram_order: of the n-gram model to compare with.
        rare: a token that comes less often in train is taken for an example of an unknown one.
        spelling: how unknown tokens are written; learnt from train.
        vocabulary: of a loaded model, by falling frequency in train; then those that a pretrained encoder knows.
    """

    name: ClassVar[str] = "language"
    needs: ClassVar[str] = "a text"
    needs_labels: ClassVar[bool] = False
    labels = NO_LABELS

    unit: str
    width: int
    bptt_steps: int = 64
    tied: bool = False
    sampled: int = 0
    ngram_order: int = 5
    rare: int = 2
    spelling: Spelling | None = None
    vocabulary: Vocabulary | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the section `[language]` says."""
        language = settings.language
        return cls(
            settings.segment.unit,
            settings.network.state_width,
            bptt_steps=language.bptt_steps,
            tied=language.tied,
            sampled=language.sampled,
            ngram_order=language.ngram_order,
            rare=max(2, settings.embed.min_count),
        )

    def read(self, path: str | Path, corpus: CorpusSettings, counts: MutableMapping[str, int]) -> Iterable[Document]:
        """The texts of a table, or the lines of a file."""
        return formats.read(
            path,
            corpus.format,
            text=corpus.text_columns,
            options=corpus.table_options,
            normalise=normaliser(corpus.nfkc, corpus.simplify),
        ).counted(counts)

    def gold(self, document: Document) -> str | None:
        """Always ""."""
        return ""

    def parse_gold(self, text: str) -> str:
        """Always ""."""
        return text

    def check(self, train: Sequence[Document], corpus: CorpusSettings) -> None:
        """A language model can learn from any text."""

    def fit(self, texts: Sequence[Tokenised], golds: Sequence[str]) -> Self:
        """With the spelling of train's rare tokens."""
        counts = Counter(token for text in texts for token in text.tokens)
        rare = [token for token, count in counts.items() for _ in range(count) if count < self.rare]
        return replace(self, spelling=Spelling.learn(self.unit, rare))

    def examples(self, encoder: Encoder, texts: Sequence[Tokenised], golds: Sequence[str | None]) -> list[Example]:
        """One Example a text, with each next token as the target."""
        return examples(self.unit, encoder.token_ids(self.unit, texts))

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes spelling.json."""
        content = json.dumps(self._spelling.as_dict(), ensure_ascii=True) + "\n"
        (folder / "spelling.json").write_text(content, encoding="utf-8", newline="\n")
        return {"unit": self.unit, "width": self.width, "ngram_order": self.ngram_order}

    @classmethod
    def load(cls, folder: Path, options: Mapping[str, Any], labels: Labels) -> Self:
        """What `save` wrote, and the vocabulary."""
        unit = str(options["unit"])
        return cls(
            unit,
            int(options["width"]),
            ngram_order=int(options["ngram_order"]),
            spelling=Spelling.from_dict(unit, json.loads((folder / "spelling.json").read_text(encoding="utf-8"))),
            vocabulary=Vocabulary.load(folder / f"vocabulary.{unit}.txt"),
        )

    @property
    def head(self) -> LanguageHead:
        """A score a token of the vocabulary."""
        return LanguageHead(self.unit, self.width, bptt_steps=self.bptt_steps, tied=self.tied, sampled=self.sampled)

    @property
    def answerer(self) -> LanguageAnswerer:
        """The probability of each token."""
        return LanguageAnswerer(self.unit, self.width, self._spelling)

    @property
    def judge(self) -> LanguageJudge:
        """Perplexity and its like."""
        return LanguageJudge(self.unit, self.ngram_order, self._spelling, self.vocabulary)

    @property
    def _spelling(self) -> Spelling:
        return self.spelling or Spelling(self.unit, {}, 0)
