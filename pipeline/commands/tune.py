"""`zhpipe tune`: better settings for a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline import progress
from pipeline.commands.options import TextColumns
from pipeline.commands.run import find_config, print_stage

if TYPE_CHECKING:
    from pipeline.tuning.study import Trial


@click.command()
@click.argument("config")
@click.option("--trials", type=click.IntRange(min=1), help="In all; left out: tune.trials of the config.")
@click.option(
    "--storage",
    help="A file, or the URL of a database, that several processes or machines share; left out: study.db in the run.",
)
@click.option("--no-test", is_flag=True, help="Leave the best config as a file, without running it.")
@click.option("--restart", is_flag=True, help="Forget the trials that there are.")
@click.option("--runs", default="runs", show_default=True, help="Folder of the runs.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting.")
def tune(
    config: str,
    trials: int | None,
    storage: str | None,
    no_test: bool,
    restart: bool,
    runs: str,
    overrides: TextColumns,
) -> None:
    """Search the ranges in [tune.ranges] of CONFIG for better settings, on dev alone (needs zhpipe[tune]).

    The trials, a page and the best config go to RUNS/NAME/tune; the best is then run into RUNS/NAME-tuned, which
    looks at test once. After an interrupt, the same command goes on; further processes that run it help.
    """
    from pipeline.config.load import load
    from pipeline.tuning import tuner

    loaded = load(find_config(config), overrides)
    found = tuner.tune(
        loaded,
        runs=runs,
        storage=storage,
        trials=trials,
        final=not no_test,
        restart=restart,
        progress=progress.bar,
        report=lambda trial: click.echo(_line(trial, loaded.train.metric)),
        stage=print_stage,
    )
    click.echo(f"best     trial {found.best.number}, dev {loaded.train.metric} {found.best.value:.4f}: {found.config}")
    click.echo(f"page     {found.page}")
    if found.run:
        click.echo(f"run      {found.run}")


def _line(trial: Trial, metric: str) -> str:
    what = " ".join(f"{name}={_short(value)}" for name, value in trial.overrides.items()) or "as configured"
    value = "" if trial.value is None else f" {metric} {trial.value:.4f}"
    seconds = f"{trial.seconds or 0:.1f} s"
    state = "" if trial.state == "complete" else f" {trial.state} after epoch {len(trial.epochs)}"
    return f"trial {trial.number:<3}{seconds:>9} {value}{state}  {what}{f'  ({trial.note})' if trial.note else ''}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
