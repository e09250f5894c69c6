"""Study: trials of settings, kept in a database that several processes may share; Optuna chooses the settings."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import optuna

HEARTBEAT = 30  # seconds; a trial without a heartbeat for twice as long is started again
TRIALS_BEFORE_PRUNING = 5  # complete trials that pruning needs to compare with
EPOCHS_BEFORE_PRUNING = 1  # epochs of a trial that are never pruned
RANDOM_TRIALS = 8  # first trials, with random values; later ones search near the good ones

Overrides = dict[str, Any]  # values of settings, by dotted key
ReportMetric = Callable[[float], None]  # takes the dev metric after each epoch; raises Pruned to stop a poor trial


class Pruned(Exception):
    """Stops a trial early: its metric was worse than the median of the others, or the message says why."""


@dataclass(frozen=True)
class Trial:
    """One trial: its `number`, whether it is the config `as_configured`, its `overrides`, and its result.

    `state`: "complete", "pruned", "running" or "failed"; `value`: the best dev metric, or for a pruned trial its last;
    `epochs`: the dev metric after each epoch; `note`: why it was stopped, if not for its metric.
    """

    number: int
    state: str
    as_configured: bool
    overrides: Overrides
    value: float | None
    epochs: tuple[float, ...]
    seconds: float | None
    note: str


@dataclass(frozen=True)
class Candidate:
    """Settings to try: the overrides, and the name of a folder for this trial alone, kept when it is interrupted."""

    number: int
    overrides: Overrides
    folder: str


class Study:
    """The trials of one search, kept under a `name`.

    The first trial is the config as it is. The settings of the others come from the Tree-structured Parzen Estimator
    (Bergstra et al., NeurIPS 2011). A trial is pruned if its metric is worse than the median of the others after as
    many epochs. The same `seed` gives the same trials, interrupted or not, as long as one process works alone.

    Arguments:
        ranges: for each dotted key a `RangeSettings` or a tuple of values.
        storage: an SQLAlchemy URL, or the path of an SQLite file, which is created if it is missing.
        maximise: whether a larger metric is better.
        fingerprint: identifies all that the trials must share; kept with the study.

    Raises PipelineError if Optuna is missing, if the storage can't be opened, or if it has a study of this name with
    another fingerprint.
    """

    def __init__(
        self, name: str, storage: str, ranges: Mapping[str, Any], *, maximise: bool, seed: int, fingerprint: str
    ) -> None:
        if find_spec("optuna") is None:
            raise PipelineError("tune needs Optuna: pip install 'zhpipe[tune]'")
        self.ranges = ranges
        self.maximise = maximise
        self.seed = seed
        with _quiet():
            self._study = _open(name, storage, maximise)
        found = self._study.user_attrs.get("fingerprint", fingerprint)
        if found != fingerprint:
            raise PipelineError(
                f'{storage}: the study "{name}" was started with other settings, ranges or files, so its trials '
                "can't be compared: restore them, give the config another name, or start over with --restart"
            )
        self._study.set_user_attr("fingerprint", fingerprint)
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial({}, user_attrs={"as_configured": True})

    def trials(self) -> list[Trial]:
        """All trials in order, without those that were interrupted and started again."""
        found = map(_trial, self._study.get_trials(deepcopy=False))
        return [one for one in found if one.state in ("complete", "pruned", "running")]

    def finished(self) -> list[Trial]:
        """The trials that are complete or pruned."""
        return [one for one in self.trials() if one.state in ("complete", "pruned")]

    def is_running(self) -> bool:
        """Whether a trial is running, in this process or another; one without a heartbeat no longer counts."""
        import optuna

        with _quiet():
            optuna.storages.fail_stale_trials(self._study)
        return any(one.state == "running" for one in self.trials())

    def best(self) -> Trial | None:
        """The complete trial with the best metric, and of equal ones the first; None if no trial is complete."""
        complete = [one for one in self.trials() if one.state == "complete" and one.value is not None]
        side = 1 if self.maximise else -1
        return max(complete, key=lambda one: (side * (one.value or 0.0), -one.number), default=None)

    def importance(self) -> dict[str, float]:
        """How far each setting explains why good trials are better than poor ones, as shares that sum to 1.

        By PED-ANOVA (Watanabe et al., IJCAI 2023) over complete trials; {} if there are too few, or all score the same.
        """
        import optuna

        with _quiet():
            warnings.simplefilter("ignore", UserWarning)  # few trials: the page warns about that too
            try:
                found = optuna.importance.get_param_importances(self._study)
            except (ValueError, RuntimeError, ZeroDivisionError):
                return {}
        return {name: float(share) for name, share in found.items() if math.isfinite(share)}

    def run(self, objective: Callable[[Candidate, ReportMetric], float]) -> Trial:
        """Runs one more trial: `objective` trains a candidate, reports the metric of each epoch, and returns the best.

        Reporting a metric may raise `Pruned`, and `objective` may raise it itself, with a note. A trial that is
        interrupted, or whose process dies, is started again by a later call, in this process or another.
        """
        import optuna

        done: list[int] = []

        def attempt(trial: optuna.Trial) -> float:
            done.append(trial.number)
            trial.set_user_attr("folder", trial.user_attrs.get("folder", str(trial.number)))
            ranges = {} if trial.user_attrs.get("as_configured") else self.ranges
            overrides = {name: _suggest(trial, name, found) for name, found in ranges.items()}
            try:
                return objective(Candidate(trial.number, overrides, trial.user_attrs["folder"]), _reporter(trial))
            except Pruned as pruned:
                trial.set_user_attr("note", str(pruned))
                raise optuna.TrialPruned from None

        with _quiet():
            self._study.sampler = optuna.samplers.TPESampler(seed=self._seed(), n_startup_trials=RANDOM_TRIALS)
            try:
                self._study.optimize(attempt, n_trials=1)
            except KeyboardInterrupt:
                if done:
                    _restart(self._study, self._study.trials[done[0]])
                raise
        return _trial(self._study.trials[done[0]])

    def _seed(self) -> int | None:
        """Seed of the next trial, the same whether earlier ones were interrupted; None (random) while others run."""
        states = [one.state.name for one in self._study.get_trials(deepcopy=False)]
        if "RUNNING" in states:
            return None
        return (self.seed * 1_000_003 + sum(state in ("COMPLETE", "PRUNED") for state in states)) % 2**31


def delete(name: str, storage: str) -> None:
    """Deletes a study if it exists."""
    if find_spec("optuna") is None:
        return
    import optuna

    with _quiet():
        study = _open(name, storage, maximise=None)
        optuna.delete_study(study_name=name, storage=study._storage)


def _open(name: str, storage: str, maximise: bool | None) -> optuna.Study:
    """The study of a name, created if it is missing."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    if "://" not in storage:
        Path(storage).parent.mkdir(parents=True, exist_ok=True)
    url = storage if "://" in storage else f"sqlite:///{Path(storage).resolve().as_posix()}"
    try:
        kept = optuna.storages.RDBStorage(
            url,
            engine_kwargs={"poolclass": NullPool},  # no connection is left open when the study is done
            heartbeat_interval=HEARTBEAT,
            heartbeat_stale_trial_callback=_restart,
        )
        return optuna.create_study(
            storage=kept,
            study_name=name,
            load_if_exists=True,
            direction="minimize" if maximise is False else "maximize",
            pruner=optuna.pruners.MedianPruner(TRIALS_BEFORE_PRUNING, n_warmup_steps=EPOCHS_BEFORE_PRUNING + 1),
        )
    except (SQLAlchemyError, ImportError, RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise PipelineError(
            f"{storage}: no study can be kept here ({reason}): give --storage a file, or a URL such as "
            "postgresql://user@host/name whose driver is installed"
        ) from None


def _restart(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """Queues a trial again, with the folder that holds its work so far."""
    kept = {name: value for name, value in trial.user_attrs.items() if name in ("folder", "as_configured")}
    study.enqueue_trial(trial.params, user_attrs=kept)


def _reporter(trial: optuna.Trial) -> ReportMetric:
    epochs = 0

    def report(value: float) -> None:
        nonlocal epochs
        epochs += 1
        trial.report(value, epochs)
        if trial.should_prune():
            raise Pruned

    return report


def _suggest(trial: optuna.Trial, name: str, found: Any) -> Any:
    """A value from a range; the values of a list are stored as JSON, since some are lists themselves."""
    if isinstance(found, tuple):
        return json.loads(trial.suggest_categorical(name, [json.dumps(value) for value in found]))
    if isinstance(found.low, int) and isinstance(found.high, int):
        return trial.suggest_int(name, found.low, found.high, step=int(found.step or 1), log=found.log)
    return trial.suggest_float(name, float(found.low), float(found.high), step=found.step, log=found.log)


def _trial(found: optuna.trial.FrozenTrial) -> Trial:
    epochs = tuple(found.intermediate_values[step] for step in sorted(found.intermediate_values))
    return Trial(
        number=found.number,
        state={"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running"}.get(found.state.name, "failed"),
        as_configured=bool(found.user_attrs.get("as_configured")),
        overrides={
            name: json.loads(value) if isinstance(value, str) else value for name, value in found.params.items()
        },
        value=found.value if found.values else None,
        epochs=epochs,
        seconds=found.duration.total_seconds() if found.duration else None,
        note=str(found.user_attrs.get("note", "")),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Optuna's log and its warnings about experimental features."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
