"""Judge: how good the answers of a task are: its metrics, baselines and report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.progress import Advance
from pipeline.tasks.prediction import Prediction

if TYPE_CHECKING:
    from pipeline.evaluation.baselines.linear import Keep, Sample
    from pipeline.evaluation.fitting import Fitting
    from pipeline.evaluation.report.report import Detail, Report

Gold = TypeVar("Gold")


class Judge(ABC, Generic[Gold]):
    """Scores the answers of a task.

    `kind`: the kind of report it writes, one of those that `pipeline.evaluation.report` can print; `headlines`: the
    scores for a one-line summary, key -> title, first the one that models are compared by; `single_label`: whether an
    answer is one label with its probability, for which a report has intervals, keywords and suspects;
    `lengths_are_sliced`: whether a report breaks scores down by length.
    """

    kind: ClassVar[str]
    headlines: ClassVar[Mapping[str, str]]
    single_label: ClassVar[bool] = False
    lengths_are_sliced: ClassVar[bool] = True

    @abstractmethod
    def outcome(
        self, row: int, text: Tokenised, gold: Gold, answer: Prediction, *, uncalibrated: Prediction | None = None
    ) -> Outcome:
        """A scored row; `uncalibrated` is the answer with its confidences at the temperature 1, where they matter."""

    def matched(self, golds: Sequence[Gold], source: str, notify: Callable[[str], object]) -> list[Gold]:
        """The gold answers of a file in the model's own writing.

        `notify` is called with a sentence for labels that were matched or are unknown. Raises PipelineError if the
        model knows none.
        """
        return list(golds)

    @abstractmethod
    def sample(self, text: Tokenised, gold: Gold) -> Sample:
        """A labelled text as baselines read it."""

    @abstractmethod
    def measure(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """The scores of dev after each epoch, among them those of `settings.METRICS`."""

    def nothing_learnt(self, scores: Mapping[str, float], golds: Sequence[Gold]) -> str:
        """For a model that has learnt nothing, what it does no better than, in a few words; "" for any other model.

        `scores`: those of `measure` on rows with these gold answers.
        """
        return ""

    @abstractmethod
    def score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The scores of a report, JSON-ready."""

    @abstractmethod
    def slice_score(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The score by which slices of the rows are compared, and its 95 % `interval`."""

    def claimed_of(self, outcomes: Sequence[Outcome], temperature: float) -> ScoredClaims:
        """The claims of all rows that can be judged, made at a temperature. For answerers that make claims."""
        raise NotImplementedError(f"{type(self).__name__} judges no claims")

    @abstractmethod
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
        """Trains the baselines `names` on train and scores each part asked.

        `fitting`: what is remembered of earlier evaluations, and how the rest is fitted. `keep` is called with a
        baseline's name and its answers to each part, where these can be compared row by row with the model's.
        """

    @abstractmethod
    def report(self, folder: Path, written: Report, outcomes: Mapping[str, Sequence[Outcome]], detail: Detail) -> None:
        """Writes the report's files; unless `single_label`, only `detail`'s answers, columns and language are used."""

    def summary(self, scores: Mapping[str, Any]) -> str:
        """The headline scores in one line."""
        shown = [(title, scores.get(key)) for key, title in self.headlines.items()]
        return ", ".join(f"{title} {value:.4f}" for title, value in shown if value is not None)
