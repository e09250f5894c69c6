"""Tuner: searches better settings for a config, on dev alone, and runs the best once at the end."""

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
from pipeline.config.load import dump, overridden
from pipeline.config.settings import Settings
from pipeline.errors import Diverged, PipelineError, SettingsError
from pipeline.evaluation.report.translations import Locale
from pipeline.locks import locked
from pipeline.progress import Progress, silent
from pipeline.provenance import sha256, versions
from pipeline.stages import STAGES, train
from pipeline.stages.runner import Finished, run_stages
from pipeline.tuning import page
from pipeline.tuning import study as studies
from pipeline.tuning.study import After, Asked, Stopped, Study, Trial

TURN = 0.5  # seconds between two looks at what another process does
SHARED = ("segment", "embed")  # stages that trials with equal settings of them share


@dataclass(frozen=True)
class Tuned:
    """What came of it: the best trial, its config as a file, the page, and the run of the best, if there is one."""

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
) -> Tuned:
    """Tries settings in `settings.tune.ranges` until there are enough trials, and then runs the best, with its test.

    In runs/NAME/tune: study.db, unless a `storage` is given; best.toml; tune.html and tune.json, written after each
    trial. The best is run into runs/NAME-tuned, unless `final` is off. Interrupted, it goes on where it was; and of
    several processes that share a study, the first to see that no trial is running any more runs the best. `report` is
    called after each trial, `stage` after each stage of the last run. Raises PipelineError where there is nothing to
    search, Optuna is missing, or the study is another one's.
    """
    if not settings.tune.ranges:
        raise PipelineError(
            f"{settings.name}: nothing to search: give the config ranges, such as "
            '[tune.ranges] "train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}'
        )
    if settings.seeds:
        raise PipelineError("tune works with one seed: take seeds out of the config")
    folder = Path(runs) / settings.name / "tune"
    storage = storage or str(folder / "study.db")
    if restart:
        studies.forget(settings.name, storage)
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with _by_turns(folder):
        study = Study(
            settings.name,
            storage,
            settings.tune.ranges,
            maximise=settings.train.metric != "loss",
            seed=settings.seed,
            fingerprint=_fingerprint(settings),
        )
    wanted = trials or settings.tune.trials
    while len(study.finished()) < wanted:
        report(study.run(lambda asked, after: _attempt(settings, folder, asked, after, progress)))
        _write(settings, folder, study, wanted)
    _wait(study, progress)
    best = study.best()
    if best is None:
        raise PipelineError(
            f"{folder}: no trial came to its end ({study.finished()[-1].note or 'all were stopped early'}): narrow the "
            "ranges, or allow more trials"
        )
    _write(settings, folder, study, wanted)
    with _by_turns(folder):
        made = run_stages(_best(settings, best), runs=runs, progress=progress, report=stage) if final else None
    _write(settings, folder, study, wanted, made)
    shutil.rmtree(folder / "trials", ignore_errors=True)
    return Tuned(best, folder / "best.toml", folder / "tune.html", made)


@contextmanager
def _by_turns(folder: Path) -> Iterator[None]:
    """One after the other of the processes that share a folder."""
    while True:
        try:
            held = locked(folder / "trials")
            break
        except PipelineError:
            time.sleep(TURN)
    with held:
        yield


def _wait(study: Study, progress: Progress) -> None:
    """Until no other process is at a trial: it may be the best, and test is looked at once."""
    if study.is_running():
        with progress("elsewhere", total=None, unit="looks") as advance:
            while study.is_running():
                time.sleep(TURN)
                advance(1)


def _attempt(settings: Settings, folder: Path, asked: Asked, after: After, progress: Progress) -> float:
    """Trains one trial; where its settings contradict each other, or it comes to nothing, it is stopped with a note."""
    own = folder / "trials" / asked.folder
    own.mkdir(parents=True, exist_ok=True)
    try:
        changed = overridden(settings, asked.overrides)
        value = train.search(changed, _earlier(changed, folder / "stages", progress), own, progress, after)
    except (Stopped, SettingsError, Diverged) as error:
        shutil.rmtree(own, ignore_errors=True)
        raise Stopped(str(error)) from None
    shutil.rmtree(own, ignore_errors=True)
    return value


def _earlier(settings: Settings, folder: Path, progress: Progress) -> Path:
    """A run's folder with the stages before training, made once for all trials that agree in their settings.

    It is made under a name of this process's own, so that several that need it don't write into each other's.
    """
    inputs = [STAGES[name].inputs(settings, folder) for name in SHARED]
    used = [[one.settings, [str(path) for path in one.files if not path.is_relative_to(folder)]] for one in inputs]
    made = folder / hashlib.sha256(json.dumps(used).encode()).hexdigest()[:16]
    if not made.is_dir():
        own = settings.model_copy(update={"name": f"{made.name}-{os.getpid()}"})
        partial = run_stages(own, runs=folder, last=SHARED[-1], progress=progress)
        try:
            partial.rename(made)
        except OSError:  # another process was faster
            shutil.rmtree(partial, ignore_errors=True)
    return made


def _best(settings: Settings, best: Trial) -> Settings:
    return overridden(settings, {**best.overrides, "name": f"{settings.name}-tuned"})


def _fingerprint(settings: Settings) -> str:
    """Of all that trials must have in common: settings, ranges, and the content of the files."""
    kept = settings.model_dump(mode="json", exclude={"name", "evaluate", "seeds"})
    files = [kept["corpus"].pop(part) for part in ("train", "dev", "test")]
    sums = [path and sha256(Path(path)) for path in files[:2]]
    kept["tune"].pop("trials")
    kept["segment"].pop("workers")
    return hashlib.sha256(json.dumps([kept, sums], sort_keys=True).encode()).hexdigest()


def _write(settings: Settings, folder: Path, study: Study, wanted: int, run: Path | None = None) -> None:
    """best.toml, tune.json and the page, of the trials so far."""
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
        made={"versions": versions(), "config": tomllib.loads(dump(settings))},
    )
    language: Locale = settings.evaluate.language
    for name, content in (
        ("best.toml", dump(chosen)),
        ("tune.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n"),
        ("tune.html", page.render(document, language)),
    ):
        with replace_when_done(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")


def _values(settings: Settings, names: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of these dotted names."""
    found = {}
    for name in names:
        value: Any = settings
        for key in name.split("."):
            value = getattr(value, key)
        found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _test(run: Path | None) -> dict[str, Any] | None:
    """The test scores of the best, if it was run."""
    if run is None or not (run / "evaluate" / "report.json").is_file():
        return None
    scores: dict[str, Any] = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))["test"]
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}
