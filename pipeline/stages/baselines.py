"""What a run's network is compared with: baselines and suspects, fitted or remembered from an earlier evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.settings import Settings
from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.fitting import Fitting
from pipeline.evaluation.memory import FOLDER, Memory
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.models.model import Model
from pipeline.progress import Progress
from pipeline.stages import error_analysis
from pipeline.stages.segment import SegmentedRow, process_count

Rows = Mapping[str, list[SegmentedRow]]


@dataclass(frozen=True)
class ScoredSplit:
    """A scored part: its rows, their outcomes, and the places of leaked rows, whose text training or dev has too."""

    rows: list[SegmentedRow]
    outcomes: list[Outcome]
    leaked: frozenset[int]

    def without_leaked(self, values: Sequence[Any]) -> list[Any]:
        """The values of the rows that did not leak."""
        return [value for index, value in enumerate(values) if index not in self.leaked]


Splits = Mapping[str, ScoredSplit]


def fitting(settings: Settings, run: Path, made: Path, texts: int, notify: Callable[[str], object]) -> Fitting:
    """How models are fitted: remembered, if asked for, from this run and from the others beside it.

    `made`: the folder that the stage writes into; `texts`: how many there are, since few are not worth other processes.
    """
    workers = process_count(settings.segment.workers, texts)
    if not settings.evaluate.remember:
        return Fitting(workers=workers)
    beside = sorted(path for path in run.parent.glob(f"*/evaluate/{FOLDER}") if path.parents[1] != run)
    kept = made / FOLDER
    return Fitting(Memory(kept, (kept, run / "evaluate" / FOLDER, *beside), notify), workers)


def compared(
    settings: Settings,
    model: Model,
    train_rows: list[SegmentedRow],
    parts: Splits,
    fitting: Fitting,
    progress: Progress,
) -> tuple[dict[str, Any], dict[str, Mapping[str, Sequence[Any]]]]:
    """The baselines' scores, and by name their answers to each part, if these can be compared with the model's."""
    names = [
        name
        for name in settings.evaluate.baselines
        if not (name.startswith("tfidf_words") and settings.segment.unit == "char")
    ]
    asked = {name: error_analysis.samples(model, part.rows) for name, part in parts.items() if part.rows}
    clean = {
        f"{name}_without_leaked": part.without_leaked(asked[name])
        for name, part in parts.items()
        if part.rows and part.leaked
    }
    answers: dict[str, Mapping[str, Sequence[Any]]] = {}
    train_samples = error_analysis.samples(model, train_rows)
    compare = model.task.judge.compare
    with progress("baselines", total=len(names), unit="baselines") as advance:
        found = compare(names, train_samples, {**asked, **clean}, model.encoder, fitting, advance, answers.__setitem__)
    return found, answers


def suspicious(
    settings: Settings, model: Model, rows: Rows, fitting: Fitting, progress: Progress
) -> list[suspects.Suspect] | None:
    """The suspicious labels of all parts; None if they are not asked for."""
    if not settings.evaluate.suspects:
        return None
    with progress("suspects", total=suspects.FOLDS, unit="folds") as advance:
        return suspects.find(suspects.by_part(rows), model.labels.names, fitting=fitting, advance=advance)


def told(compared: Mapping[str, Any]) -> list[str]:
    """A sentence if baselines are remembered."""
    found = [name for name, scores in compared.items() if scores.get("remembered")]
    return [f"remembered from an earlier evaluation of the same split: {', '.join(found)}"] if found else []
