"""The judge of a tagger: exact spans, words or tags against the gold ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.evaluation.baselines.linear import Keep, Sample
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.progress import Advance
from pipeline.tagging.tagset import Tagset
from pipeline.tasks.judge import Judge
from pipeline.tasks.prediction import Prediction

if TYPE_CHECKING:
    from pipeline.evaluation.fitting import Fitting
    from pipeline.evaluation.report.report import Detail, Report


@dataclass(frozen=True, eq=False)
class TagJudge(Judge[Sequence[str]]):
    """Compares spans, words or tags.

    `kind_of_tags`: as in the section `[tag]`; `known`: the words of the train split.
    """

    kind: ClassVar[str] = "tag"
    headlines: ClassVar[Mapping[str, str]] = {"f1": "F1", "token_accuracy": "token accuracy"}

    kind_of_tags: str
    tagset: Tagset
    known: frozenset[str]

    def outcome(
        self,
        row: int,
        text: Tokenised,
        gold: Sequence[str],
        answer: Prediction,
        *,
        uncalibrated: Prediction | None = None,
    ) -> Outcome:
        """The tags, and the confidence of each span as it is and as it would be at the temperature 1."""
        plain = answer if uncalibrated is None else uncalibrated
        return Outcome.of_tags(
            row,
            text,
            gold,
            answer.raw_tags,
            confidence=answer.score,
            sure=_rounded(answer),
            unscaled=_rounded(plain),
        )

    def sample(self, text: Tokenised, gold: Sequence[str]) -> Sample:
        """The tokens and their tags."""
        return Sample(text.tokens, text.text, tags=gold)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """F1 of exact spans, micro and macro, and the share of tokens with the right tag."""
        found = self.score(outcomes)
        return {name: found[name] for name in ("f1", "macro_f1", "token_accuracy")}

    def nothing_learnt(self, scores: Mapping[str, float], golds: Sequence[Sequence[str]]) -> str:
        """No span found."""
        return "found nothing right" if scores["f1"] == 0 else ""

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """What `spans.tagging` gives: precision, recall and F1 of exact spans, and more."""
        from pipeline.evaluation.metrics import spans

        return spans.tagging(outcomes, self.tagset.scheme, known=self.known)

    def claimed_of(self, outcomes: Sequence[Outcome], temperature: float) -> ScoredClaims:
        """Every predicted span."""
        from pipeline.evaluation.metrics import spans
        from pipeline.evaluation.report import tagged

        return tagged.scored_claims(spans.judged(outcomes, self.tagset.scheme))

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`f1`."""
        from pipeline.evaluation.metrics import bootstrap, spans

        rows = spans.judged(outcomes, self.tagset.scheme)
        return {"f1": bootstrap.f1(rows), "interval": bootstrap.intervals(rows)["f1"]}

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
        """The baselines `crfsuite` and `jieba`."""
        from pipeline.evaluation.baselines import crfsuite, jieba_tags

        scheme, kind, types = self.tagset.scheme, self.kind_of_tags, self.tagset.types
        run = {
            "crfsuite": lambda: crfsuite.run(
                train, asked, scheme, self.known, memory=fitting.memory, advance=advance, keep=keep
            ),
            "jieba": lambda: jieba_tags.run(asked, kind, types, scheme, self.known, advance=advance, keep=keep),
        }
        return {baseline: scores for name in names for baseline, scores in run[name]().items()}

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.report.tagged.write`."""
        from pipeline.evaluation.report import tagged

        tagged.write(
            folder,
            written,
            outcomes,
            self.tagset.scheme,
            answers=detail.answers,
            columns=detail.columns,
            locale=detail.locale,
            excel_safe=detail.excel_safe,
        )


def _rounded(answer: Prediction) -> tuple[float, ...]:
    return tuple(round(span.confidence, 4) for span in answer.spans)
