"""The judge of a language model: perplexity and bits, beside n-gram models."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from embeddings.vocabulary import FIRST, Vocabulary
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.evaluation.baselines.kneser_ney import KneserNey
from pipeline.evaluation.baselines.linear import Keep, Sample
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.language.spelling import Spelling
from pipeline.progress import Advance
from pipeline.tasks.judge import Judge
from pipeline.tasks.language.likelihood import LN2
from pipeline.tasks.prediction import Prediction

if TYPE_CHECKING:
    from pipeline.evaluation.fitting import Fitting
    from pipeline.evaluation.report.report import Detail, Report


@dataclass(frozen=True, eq=False)
class LanguageJudge(Judge[str]):
    """Measures how surprising texts are.

    `ngram_order`: of the Kneser-Ney model to compare with; `vocabulary`: by falling frequency in train, None before
    training; the other fields as of `Language`.
    """

    kind: ClassVar[str] = "language"
    headlines: ClassVar[Mapping[str, str]] = {
        "perplexity": "perplexity",
        "bits_per_token": "bits a token",
        "bits_per_character": "a character",
    }
    lengths_are_sliced: ClassVar[bool] = False  # the scores have groups by length themselves

    unit: str
    ngram_order: int
    spelling: Spelling
    vocabulary: Vocabulary | None = None

    def outcome(
        self, row: int, text: Tokenised, gold: str, answer: Prediction, *, uncalibrated: Prediction | None = None
    ) -> Outcome:
        """The log-probabilities of the tokens, in the place of probabilities."""
        return Outcome(
            row=row,
            text=text.text,
            gold=gold,
            predicted=str(answer.value),
            confidence=answer.score,
            probabilities=answer.distribution,
            tokens=tuple(text.tokens),
        )

    def sample(self, text: Tokenised, gold: str) -> Sample:
        """The text."""
        return Sample(text.tokens, text.text, gold)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Perplexity, bits a token and a character, and the loss: nats a token, with unknown ones spelt."""
        found = self.score(outcomes)
        return {**{name: found[name] for name in self.headlines}, "loss": found["bits_per_token"] * LN2}

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """What `perplexity.perplexity` gives."""
        from pipeline.evaluation.metrics.perplexity import perplexity

        return perplexity(outcomes, self._rank)

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`perplexity`, and `bits_per_character`, which does not depend on how texts are cut into tokens."""
        from pipeline.evaluation.metrics.perplexity import interval, over

        logs = [log for outcome in outcomes for log in outcome.probabilities]
        found = over(logs, sum(len(outcome.text) for outcome in outcomes))
        kept = {name: found[name] for name in ("tokens", "perplexity", "bits_per_character")}
        return {**kept, "interval": interval(outcomes) or [found["perplexity"]] * 2}

    def _rank(self, token: str) -> int | None:
        """1 for the most frequent token of train, None for an unknown one."""
        if self.vocabulary is None or token not in self.vocabulary:
            return None
        return int(self.vocabulary.ids([token])[0]) - FIRST + 1

    def compare(
        self,
        names: Sequence[str],
        train: Sequence[Sample],
        asked: Mapping[str, Sequence[Sample]],
        encoder: Encoder,
        fitting: Fitting,
        advance: Advance,
        keep: Keep,
    ) -> dict[str, Any]:
        """N-gram models of train, with the same vocabulary and the same spelling of unknown tokens.

        They are counted anew each time, which takes seconds.
        """
        parts = {part: [Tokenised(one.text, one.tokens) for one in samples] for part, samples in asked.items()}
        ids = encoder.token_ids(self.unit, [Tokenised(one.text, one.tokens) for one in train])
        orders, outputs = {"unigram": 1, "kneser_ney": self.ngram_order}, len(encoder.vocabularies[self.unit])
        found = {}
        for name in names:
            start = time.perf_counter()
            model = KneserNey.train(ids, order=orders[name], outputs=outputs)
            scores = {part: self._compared(model, texts, encoder) for part, texts in parts.items()}
            found[name] = {**scores, "seconds": time.perf_counter() - start, "weights": model.weights}
            advance(1)
        return found

    def _compared(self, model: KneserNey, texts: Sequence[Tokenised], encoder: Encoder) -> dict[str, Any]:
        ids = encoder.token_ids(self.unit, texts)
        found = zip(texts, ids, model.log_probabilities(ids), strict=True)
        outcomes = [
            Outcome(
                *(0, text.text, "", "", 1.0, self.spelling.added(values, text.tokens, row)), tokens=tuple(text.tokens)
            )
            for text, row, values in found
        ]
        return self.score(outcomes)

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.report.surprise.write`."""
        from pipeline.evaluation.report import surprise

        surprise.write(
            folder,
            written,
            outcomes,
            columns=detail.columns,
            locale=detail.locale,
            excel_safe=detail.excel_safe,
            generated=detail.generated,
        )
