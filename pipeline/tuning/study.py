"""Study: trials of settings, in a database that several processes share, chosen by Optuna."""

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

HEARTBEAT = 30  # seconds; a trial that is not heard of for twice as long is begun again
BEFORE_PRUNING = 5  # trials that have to be complete before one is stopped early, and epochs of it that have to be
EPOCHS_BEFORE_PRUNING = 1
RANDOM = 8  # trials of random values, before those that were good are searched around

Overrides = dict[str, Any]  # dotted names of settings and their values
After = Callable[[float], None]  # is handed the dev metric after each epoch, and stops a trial that looks poor


class Stopped(Exception):
    """A trial was stopped early, because its dev metric was below the median of others after as many epochs."""


@dataclass(frozen=True)
class Trial:
    """One trial: its `number`, whether it is the config `as_configured`, its `overrides`, and how it went.

    `state`: "complete", "pruned", "running" or "failed"; `value`: the best dev metric, of a pruned one so
    far; `epochs`: the dev metric after each; `note`: why it was stopped, if not for its metric.
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
class Asked:
    """What is to be tried: the overrides, and the name of a folder that is its own and may hold its beginning."""

    number: int
    overrides: Overrides
    folder: str


class Study:
    """Trials of `ranges` under a `name`: dotted names of settings, each with a `RangeSettings` or a tuple of values.

    The first trial is the config as it stands. Others come from the Tree-structured Parzen Estimator (Bergstra et al.,
    NeurIPS 2011); one whose metric is below the median of the others after as many epochs is stopped. With the same
    `seed` the same trials come, interrupted or not, as long as one process works alone.

    Arguments:
        storage: an SQLAlchemy URL, or the path of an SQLite file, which is made if need be.
        maximise: whether a greater metric is better.
        fingerprint: what all trials must have in common; kept with the study.

    Raises PipelineError where Optuna is missing, the storage can't be opened, or holds a study of this name with
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
                f'{storage}: the study "{name}" was begun with other settings, ranges or files, so its trials can\'t '
                "be compared: put them back, give the config another name, or begin anew with --restart"
            )
        self._study.set_user_attr("fingerprint", fingerprint)
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial({}, user_attrs={"as_configured": True})

    def trials(self) -> list[Trial]:
        """All trials that were begun, in order; those that were interrupted and begun again are left out."""
        found = map(_trial, self._study.get_trials(deepcopy=False))
        return [one for one in found if one.state in ("complete", "pruned", "running")]

    def finished(self) -> list[Trial]:
        """Those that are complete or pruned."""
        return [one for one in self.trials() if one.state in ("complete", "pruned")]

    def is_running(self) -> bool:
        """Whether a trial is still at work, here or elsewhere; one that is not heard of any more is not."""
        import optuna

        with _quiet():
            optuna.storages.fail_stale_trials(self._study)
        return any(one.state == "running" for one in self.trials())

    def best(self) -> Trial | None:
        """The complete trial with the best metric, the earliest of equal ones."""
        complete = [one for one in self.trials() if one.state == "complete" and one.value is not None]
        side = 1 if self.maximise else -1
        return max(complete, key=lambda one: (side * (one.value or 0.0), -one.number), default=None)

    def importance(self) -> dict[str, float]:
        """How much of what tells good trials from poor ones each setting explains; the shares sum to 1.

        PED-ANOVA (Watanabe et al., IJCAI 2023), over complete trials; {} while there are too few, or all score alike.
        """
        import optuna

        with _quiet():
            warnings.simplefilter("ignore", UserWarning)  # of few trials, which the page warns of too
            try:
                found = optuna.importance.get_param_importances(self._study)
            except (ValueError, RuntimeError, ZeroDivisionError):
                return {}
        return {name: float(share) for name, share in found.items() if math.isfinite(share)}

    def run(self, objective: Callable[[Asked, After], float]) -> Trial:
        """One more trial: `objective` trains what is asked, says the metric after each epoch, and returns the best.

        It is stopped by an exception, `Stopped`, that comes out of saying the metric, and may raise `Stopped` itself
        with a note. A trial that is interrupted, or whose process dies, is begun again by a later call, here or
        elsewhere.
        """
        import optuna

        done: list[int] = []

        def attempt(trial: optuna.Trial) -> float:
            done.append(trial.number)
            trial.set_user_attr("folder", trial.user_attrs.get("folder", str(trial.number)))
            ranges = {} if trial.user_attrs.get("as_configured") else self.ranges
            overrides = {name: _suggest(trial, name, found) for name, found in ranges.items()}
            try:
                return objective(Asked(trial.number, overrides, trial.user_attrs["folder"]), _after(trial))
            except Stopped as stopped:
                trial.set_user_attr("note", str(stopped))
                raise optuna.TrialPruned from None

        with _quiet():
            self._study.sampler = optuna.samplers.TPESampler(seed=self._seed(), n_startup_trials=RANDOM)
            try:
                self._study.optimize(attempt, n_trials=1)
            except KeyboardInterrupt:
                if done:
                    _again(self._study, self._study.trials[done[0]])
                raise
        return _trial(self._study.trials[done[0]])

    def _seed(self) -> int | None:
        """Of the next trial: the same whether the ones before were interrupted or not; chance where others work too."""
        states = [one.state.name for one in self._study.get_trials(deepcopy=False)]
        if "RUNNING" in states:
            return None
        return (self.seed * 1_000_003 + sum(state in ("COMPLETE", "PRUNED") for state in states)) % 2**31


def forget(name: str, storage: str) -> None:
    """Deletes a study, if there is one."""
    if find_spec("optuna") is None:
        return
    import optuna

    with _quiet():
        study = _open(name, storage, maximise=None)
        optuna.delete_study(study_name=name, storage=study._storage)


def _open(name: str, storage: str, maximise: bool | None) -> optuna.Study:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    if "://" not in storage:
        Path(storage).parent.mkdir(parents=True, exist_ok=True)
    url = storage if "://" in storage else f"sqlite:///{Path(storage).resolve().as_posix()}"
    try:
        kept = optuna.storages.RDBStorage(url, heartbeat_interval=HEARTBEAT, heartbeat_stale_trial_callback=_again)
        return optuna.create_study(
            storage=kept,
            study_name=name,
            load_if_exists=True,
            direction="minimize" if maximise is False else "maximize",
            pruner=optuna.pruners.MedianPruner(BEFORE_PRUNING, n_warmup_steps=EPOCHS_BEFORE_PRUNING + 1),
        )
    except (SQLAlchemyError, ImportError, RuntimeError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise PipelineError(
            f"{storage}: no study can be kept here ({said}): give --storage a file, or a URL such as "
            "postgresql://user@host/name whose driver is installed"
        ) from None


def _again(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """A trial to be begun again, with the folder that holds what it has done."""
    kept = {name: value for name, value in trial.user_attrs.items() if name in ("folder", "as_configured")}
    study.enqueue_trial(trial.params, user_attrs=kept)


def _after(trial: optuna.Trial) -> After:
    epochs = 0

    def after(value: float) -> None:
        nonlocal epochs
        epochs += 1
        trial.report(value, epochs)
        if trial.should_prune():
            raise Stopped

    return after


def _suggest(trial: optuna.Trial, name: str, found: Any) -> Any:
    """A value within a range; choices are kept as JSON, since some are lists."""
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
    """Without Optuna's own lines, and its warnings of what may change."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
