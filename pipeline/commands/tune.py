"""`zhpipe tune`: searches better settings for a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline import progress
from pipeline.commands.run import print_stage
from pipeline.commands.shipped import find_config
from pipeline.commands.terminal import echo
from pipeline.extras import check_training

if TYPE_CHECKING:
    from pipeline.tuning.study import Trial


@click.command()
@click.argument("config")
@click.option(
    "--trials", type=click.IntRange(min=1), help="Number of trials in all.  [default: tune.trials of the config]"
)
@click.option(
    "--storage",
    help="File, or URL of a database, that several processes or machines share.  [default: study.db in the run]",
)
@click.option("--no-test", is_flag=True, help="Write the best config, but don't run it.")
@click.option("--restart", is_flag=True, help="Discard earlier trials.")
@click.option("--runs", default="runs", show_default=True, help="Folder of all runs; this one is RUNS/NAME.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting, such as train.epochs=3."
)
def tune(
    config: str,
    trials: int | None,
    storage: str | None,
    no_test: bool,
    restart: bool,
    runs: str,
    overrides: tuple[str, ...],
) -> None:
    """Search for better settings in the ranges of CONFIG.

    The ranges are in [tune.ranges]; trials are compared on dev alone. Trials, a page and the best config go to
    RUNS/NAME/tune; the best config is then run into RUNS/NAME-tuned, which looks at test once. After an interrupt, the
    same command resumes; if several processes run it, they share the work. Needs zhpipe[tune].
    """
    from pipeline.config.load import load_explained
    from pipeline.tuning import tuner

    check_training()
    loaded, chosen = load_explained(find_config(config), overrides)
    if chosen:
        echo(f"defaults           {chosen.sentence}")
    found = tuner.tune(
        loaded,
        runs=runs,
        storage=storage,
        trials=trials,
        final=not no_test,
        restart=restart,
        progress=progress.bar,
        report=lambda trial: echo(_line(trial, loaded.train.metric)),
        stage=print_stage,
    )
    echo(f"best     trial {found.best.number}, dev {loaded.train.metric} {found.best.value:.4f}: {found.config}")
    echo(f"page     {found.page}")
    if found.run:
        echo(f"run      {found.run}")


def _line(trial: Trial, metric: str) -> str:
    """A trial in a line: number, seconds, score, how it ended, settings."""
    what = " ".join(f"{name}={_short(value)}" for name, value in trial.overrides.items()) or "as configured"
    value = "" if trial.value is None else f" {metric} {trial.value:.4f}"
    seconds = f"{trial.seconds or 0:.1f} s"
    state = "" if trial.state == "complete" else f" {trial.state} after epoch {len(trial.epochs)}"
    return f"trial {trial.number:<3}{seconds:>9} {value}{state}  {what}{f'  ({trial.note})' if trial.note else ''}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
