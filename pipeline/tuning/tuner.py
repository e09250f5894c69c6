"""Tuner: searches for better settings of a config, on dev alone, and runs the best config once at the end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from pipeline.config.load import dumps, override
from pipeline.config.settings import Settings
from pipeline.errors import Diverged, PipelineError, SettingsError
from pipeline.evaluation.report.translations import Locale
from pipeline.locks import locked
from pipeline.progress import Progress, silent
from pipeline.provenance import sha256, versions
from pipeline.stages import train
from pipeline.stages.runner import STAGES, Finished, run_stages
from pipeline.tuning import page
from pipeline.tuning import study as studies
from pipeline.tuning.study import Candidate, Pruned, ReportMetric, Study, Trial
from pipeline.workplace import BEGUN, begin, is_begun

POLL_INTERVAL = 0.5  # seconds between two checks on other processes
SHARED = ("segment", "embed")  # stages that trials share if their settings for them are equal


@dataclass(frozen=True)
class TuningResult:
    """The best trial, its config as a file, the page, and the run of the best config; None if it was not run."""

    best: Trial
    config: Path
    page: Path
    run: Path | None


def tune(
    settings: Settings,
    *,
    runs: str | Path = "runs",
    storage: str | None = None,
    trials: int | None = None,
    final: bool = True,
    restart: bool = False,
    progress: Progress = silent,
    report: Callable[[Trial], object] = lambda trial: None,
    stage: Callable[[Finished], object] = lambda finished: None,
) -> TuningResult:
    """Runs trials in the ranges of `settings.tune` until there are enough, then runs the best config, test included.

    runs/NAME/tune gets study.db, unless a `storage` is given, and after each trial best.toml, tune.html and tune.json.
    The best config is run into runs/NAME-tuned, unless `final` is off. After an interrupt the search continues where it
    was. Several processes may share a study: the first one that sees no trial running any more runs the best config.
    `report` is called after each trial, `stage` after each stage of the final run. Raises PipelineError if there is
    nothing to search, Optuna is missing, no trial completes, or the study or the folder belongs to something else.
    """
    _check(settings)
    folder = Path(runs) / settings.name / "tune"
    study = _open(settings, folder, storage or str(folder / "study.db"), restart)
    wanted = trials or settings.tune.trials
    while len(study.finished()) < wanted:
        report(study.run(lambda candidate, metric: _attempt(settings, folder, candidate, metric, progress)))
        _write(settings, folder, study, wanted)
    _wait(study, progress)
    best = study.best()
    if best is None:
        raise PipelineError(
            f"{folder}: no trial was completed ({study.finished()[-1].note or 'all were stopped early'}): narrow the "
            "ranges, or allow more trials"
        )
    _write(settings, folder, study, wanted)
    with _by_turns(folder):
        run = run_stages(_best(settings, best), runs=runs, progress=progress, report=stage) if final else None
    _write(settings, folder, study, wanted, run)
    shutil.rmtree(folder / "trials", ignore_errors=True)
    return TuningResult(best, folder / "best.toml", folder / "tune.html", run)


def _check(settings: Settings) -> None:
    """Raises PipelineError for settings that can't be tuned."""
    if not settings.tune.ranges:
        raise PipelineError(
            f"{settings.name}: nothing to search: give the config ranges, such as "
            '[tune.ranges] "train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}'
        )
    if settings.seeds:
        raise PipelineError("tune works with one seed: take seeds out of the config")


def _open(settings: Settings, folder: Path, storage: str, restart: bool) -> Study:
    """The study of the settings, new or continued; with `restart` all earlier trials are deleted first."""
    record = {"tune": settings.name}
    was_begun = is_begun(folder, BEGUN, lambda found: bool(found == record))
    if restart:
        studies.delete(settings.name, storage)
        if was_begun:
            shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    begin(folder, record)
    with _by_turns(folder):
        return Study(
            settings.name,
            storage,
            settings.tune.ranges,
            maximise=settings.train.metric != "loss",
            seed=settings.seed,
            fingerprint=_fingerprint(settings),
        )


@contextmanager
def _by_turns(folder: Path) -> Iterator[None]:
    """Waits until no other process holds the folder, and then holds it."""
    while True:
        try:
            held = locked(folder / "trials")
            break
        except PipelineError:
            time.sleep(POLL_INTERVAL)
    with held:
        yield


def _wait(study: Study, progress: Progress) -> None:
    """Waits for the trials of other processes: one may be the best, and test is looked at only once."""
    if study.is_running():
        with progress("elsewhere", total=None, unit="checks") as advance:
            while study.is_running():
                time.sleep(POLL_INTERVAL)
                advance(1)


def _attempt(settings: Settings, folder: Path, candidate: Candidate, report: ReportMetric, progress: Progress) -> float:
    """Trains one trial and returns its metric. Raises Pruned with a note if its settings disagree or it diverges."""
    own = folder / "trials" / candidate.folder
    own.mkdir(parents=True, exist_ok=True)
    try:
        changed = override(settings, candidate.overrides)
        value = train.search(changed, _earlier(changed, folder / "stages", progress), own, progress, report)
    except (Pruned, SettingsError, Diverged) as error:
        shutil.rmtree(own, ignore_errors=True)
        raise Pruned(str(error)) from None
    shutil.rmtree(own, ignore_errors=True)
    return value


def _earlier(settings: Settings, folder: Path, progress: Progress) -> Path:
    """A run's folder with the stages before training, made once for all trials with equal settings for them.

    Each process makes it under a name of its own, so that two processes never write into the same folder.
    """
    inputs = [STAGES[name].inputs(settings, folder) for name in SHARED]
    used = [[one.settings, [str(path) for path in one.files if not path.is_relative_to(folder)]] for one in inputs]
    made = folder / hashlib.sha256(json.dumps(used).encode()).hexdigest()[:16]
    if not made.is_dir():
        own = settings.model_copy(update={"name": f"{made.name}-{os.getpid()}"})
        partial = run_stages(own, runs=folder, last=SHARED[-1], progress=progress)
        try:
            partial.rename(made)
        except OSError:  # another process has made it
            shutil.rmtree(partial, ignore_errors=True)
    return made


def _best(settings: Settings, best: Trial) -> Settings:
    return override(settings, {**best.overrides, "name": f"{settings.name}-tuned"})


def _fingerprint(settings: Settings) -> str:
    """SHA-256 of all that trials must share: settings, ranges, and the content of the files."""
    kept = settings.model_dump(mode="json", exclude={"name", "evaluate", "seeds"})
    files = [kept["corpus"].pop(part) for part in ("train", "dev", "test")]
    sums = [path and sha256(Path(path)) for path in files[:2]]
    kept["tune"].pop("trials")
    kept["segment"].pop("workers")
    return hashlib.sha256(json.dumps([kept, sums], sort_keys=True).encode()).hexdigest()


def _write(settings: Settings, folder: Path, study: Study, wanted: int, run: Path | None = None) -> None:
    """Writes best.toml, tune.json and the page from the trials so far."""
    best = study.best()
    if best is None:
        return
    chosen = _best(settings, best)
    document = page.document(
        settings.name,
        settings.train.metric,
        study.trials(),
        best,
        study.importance(),
        wanted=wanted,
        configured=_values(settings, settings.tune.ranges),
        chosen=_values(chosen, settings.tune.ranges),
        test=_test(run),
        made={"versions": versions(), "config": tomllib.loads(dumps(settings))},
    )
    language: Locale = settings.evaluate.language
    for name, content in (
        ("best.toml", dumps(chosen)),
        ("tune.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n"),
        ("tune.html", page.render(document, language)),
    ):
        with replace_when_done(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")


def _values(settings: Settings, names: Mapping[str, Any]) -> dict[str, Any]:
    """The values of settings, by dotted key."""
    found = {}
    for name in names:
        value: Any = settings
        for key in name.split("."):
            value = getattr(value, key)
        found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _test(run: Path | None) -> dict[str, Any] | None:
    """The test scores of a run; None if there is no run."""
    if run is None or not (run / "evaluate" / "report.json").is_file():
        return None
    scores: dict[str, Any] = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))["test"]
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}
