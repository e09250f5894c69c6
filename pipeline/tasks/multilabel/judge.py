"""The judge of a multi-label classifier: F1 over labels, beside one linear model a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.labels import Labels
from pipeline.evaluation.baselines.linear import Keep, Sample
from pipeline.evaluation.metrics import label_thresholds, multilabel
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.multilabel import LabelTable, indicators
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.progress import Advance
from pipeline.tasks.judge import Judge
from pipeline.tasks.label_match import known_labels
from pipeline.tasks.prediction import Prediction

if TYPE_CHECKING:
    from pipeline.evaluation.fitting import Fitting
    from pipeline.evaluation.report.report import Detail, Report

Names = tuple[str, ...]


@dataclass(frozen=True)
class MultilabelJudge(Judge[Names]):
    """Compares sets of labels; the fields are those of `MultilabelAnswerer`."""

    kind: ClassVar[str] = "multilabel"
    headlines: ClassVar[Mapping[str, str]] = {
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "subset_accuracy": "all labels right",
    }

    labels: Labels
    separator: str
    never_empty: bool

    def outcome(
        self, row: int, text: Tokenised, gold: Names, answer: Prediction, *, uncalibrated: Prediction | None = None
    ) -> Outcome:
        """The two sets."""
        return Outcome.of_labels(
            row,
            text,
            gold,
            answer.chosen,
            answer.score,
            probabilities=answer.distribution,
            unscaled=() if uncalibrated is None else (uncalibrated.score,),
        )

    def matched(self, golds: Sequence[Names], source: str, notify: Callable[[str], object]) -> list[Names]:
        """The gold sets in the model's own writing, see `known_labels`."""
        names = list(chain.from_iterable(golds))
        if not names:
            return list(golds)
        left = iter(known_labels(names, self.labels.names, source, notify))
        return [tuple(sorted({next(left) for _ in gold})) for gold in golds]

    def sample(self, text: Tokenised, gold: Names) -> Sample:
        """The text and its labels."""
        return Sample(text.tokens, text.text, labels=gold)

    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Micro and macro F1 and subset accuracy at the thresholds that suit these rows best, and the loss.

        The model's own thresholds will be chosen on these rows, those of dev, when training is over.
        """
        golds, names = [one.gold_labels or () for one in outcomes], self.labels.names
        probabilities = LabelTable.of_outcomes(outcomes, names).probabilities
        if probabilities is None:
            return dict.fromkeys(("micro_f1", "macro_f1", "subset_accuracy", "loss"), float("nan"))
        gold = indicators(golds, names)
        thresholds = label_thresholds.choose(gold, probabilities)
        given = label_thresholds.decide(probabilities, thresholds, self.never_empty)
        said = [tuple(name for name, flag in zip(names, row, strict=True) if flag) for row in given.tolist()]
        found = multilabel.scores(LabelTable.of(golds, said, names))
        kept = {key: found[key] for key in self.headlines}
        return {**kept, "loss": multilabel.binary_cross_entropy(gold, probabilities)}

    def nothing_learnt(self, scores: Mapping[str, float], golds: Sequence[Names]) -> str:
        """No better than the labels that most rows have."""
        usual, _ = Counter(golds).most_common(1)[0]
        table = LabelTable.of(golds, [usual] * len(golds), self.labels.names)
        share = multilabel.micro_f1(table.gold, table.said)
        if scores["micro_f1"] > share or share == 1:
            return ""
        return f'no better than always "{self.separator.join(usual)}" ({share:.4f})'

    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """What `multilabel.scores` gives."""
        return multilabel.scores(LabelTable.of_outcomes(outcomes, self.labels.names))

    def claimed_of(self, outcomes: Sequence[Outcome], temperature: float) -> ScoredClaims:
        """A set of labels a row."""
        return multilabel.scored_claims(outcomes)

    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """`micro_f1`."""
        table = LabelTable.of_outcomes(outcomes, self.labels.names)
        low_high = multilabel.intervals(table)["micro_f1"]
        return {"micro_f1": multilabel.micro_f1(table.gold, table.said), "interval": low_high}

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
        """The baselines of `evaluation.baselines.one_vs_rest`."""
        from pipeline.evaluation.baselines import one_vs_rest

        return one_vs_rest.run(
            names,
            train,
            asked,
            self.labels.names,
            never_empty=self.never_empty,
            fitting=fitting,
            advance=advance,
            keep=keep,
        )

    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """The files of `evaluation.report.multilabel.write`."""
        from pipeline.evaluation.report import multilabel as report

        report.write(
            folder,
            written,
            outcomes,
            self.labels.names,
            answers=detail.answers,
            columns=detail.columns,
            locale=detail.locale,
            excel_safe=detail.excel_safe,
        )
