"""Runner: runs the stages of a config in order, and skips those whose inputs have not changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from pipeline.config.load import dumps
from pipeline.config.settings import Settings
from pipeline.errors import PipelineError
from pipeline.evaluation.report import comparison
from pipeline.locks import held
from pipeline.progress import Progress, silent
from pipeline.stages import embed, evaluate, segment, train
from pipeline.stages.manifest import Manifest
from pipeline.stages.segment import split_seed
from pipeline.stages.stage import Stage

STAGES: dict[str, Stage] = {stage.name: stage for stage in (segment.STAGE, embed.STAGE, train.STAGE, evaluate.STAGE)}


@dataclass(frozen=True)
class Finished:
    """A stage that is done: whether it was skipped, its duration, and its summary in a line."""

    stage: str
    skipped: bool
    seconds: float
    summary: str


def run_stages(
    settings: Settings,
    *,
    runs: str | Path = "runs",
    first: str | None = None,
    last: str | None = None,
    force: bool = False,
    progress: Progress = silent,
    report: Callable[[Finished], object] = lambda finished: None,
    stages: Mapping[str, Stage] = STAGES,
) -> Path:
    """Runs stages, all by default, into runs/NAME and returns that folder.

    A stage whose inputs, settings and code version are those of its last run is skipped.

    Arguments:
        first, last: Names of the first and last stage to run.
        force: Run stages even if nothing has changed.
        report: Called after each stage.
        stages: All stages by name, in order.

    Raises PipelineError if a name is unknown, a stage before `first` has not run, or no run has made a folder that a
    stage would replace, or another process works on the run.
    """
    chosen = _chosen(list(stages), first, last)
    folder = Path(runs) / settings.name
    manifest = Manifest.open(folder)
    _check_earlier(manifest, list(stages)[: list(stages).index(chosen[0])], chosen[0])
    manifest.begin({name: stages[name].makes for name in chosen})
    with held(folder):
        manifest = Manifest.open(folder)  # another process may have written it
        with replace_when_done(folder / "config.toml") as temporary:
            temporary.write_text(dumps(settings), encoding="utf-8", newline="\n")
        for name in chosen:
            report(_run_stage(stages[name], settings, folder, manifest, force, progress))
    return folder


def run_seeds(
    settings: Settings,
    *,
    runs: str | Path = "runs",
    progress: Progress = silent,
    report: Callable[[Finished], object] = lambda finished: None,
    **options: Any,
) -> Path:
    """Runs each of `settings.seeds` into runs/NAME/NAME-SEED, compares them in runs/NAME, and returns that folder.

    All runs have the split of `settings.seed`; `options` are those of `run_stages`. Runs are compared only if all were
    evaluated. Raises PipelineError if there is only one seed, or one comes twice.
    """
    seeds, folder = settings.seeds, Path(runs) / settings.name
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise PipelineError(f"seeds = {list(seeds)}: expected two or more different ones; one alone is set as seed")
    made = [
        run_stages(_with_seed(settings, seed), runs=folder, progress=progress, report=report, **options)
        for seed in seeds
    ]
    are_evaluated = all((run / "evaluate" / "report.json").is_file() for run in made)
    if are_evaluated and options.get("last") in (None, "evaluate"):
        comparison.write(folder, [comparison.read(run) for run in made], settings.evaluate.language)
    return folder


def _with_seed(settings: Settings, seed: int) -> Settings:
    corpus = settings.corpus.model_copy(update={"split_seed": split_seed(settings)})
    return settings.model_copy(update={"name": f"{settings.name}-{seed}", "seed": seed, "seeds": (), "corpus": corpus})


def _chosen(names: list[str], first: str | None, last: str | None) -> list[str]:
    """The names from `first` to `last`."""
    for name in (first, last):
        if name is not None and name not in names:
            raise PipelineError(f"no stage {name!r}: the stages are {', '.join(names)}")
    chosen = names[names.index(first or names[0]) : names.index(last or names[-1]) + 1]
    if not chosen:
        raise PipelineError(f"stage {first} comes after stage {last}: nothing to run")
    return chosen


def _check_earlier(manifest: Manifest, earlier: list[str], first: str) -> None:
    missing = [name for name in earlier if name not in manifest.stages]
    if missing:
        raise PipelineError(
            f"{manifest.folder}: stage {first} needs stage {missing[0]}, which has not run: "
            f"run that first, or begin with --from {missing[0]}"
        )


def _run_stage(
    stage: Stage, settings: Settings, folder: Path, manifest: Manifest, force: bool, progress: Progress
) -> Finished:
    inputs = stage.inputs(settings, folder)
    if not force and manifest.is_current(stage.name, inputs):
        before = manifest.summary(stage.name)
        return Finished(stage.name, True, 0.0, "; ".join(["nothing has changed", *([before] if before else [])]))
    start = time.perf_counter()
    with manifest.running(stage.name, inputs, stage.makes) as made:
        summary = stage.perform(settings, folder, made, progress)
    manifest.note(stage.name, summary)
    return Finished(stage.name, False, time.perf_counter() - start, summary)
