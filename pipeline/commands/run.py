"""`zhpipe run`, `train` and `config`: run experiments as their configs say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import run_options
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.stages.runner import Finished


@click.command()
@click.argument("config")
@click.option("--from", "first", metavar="STAGE", help="First stage to run: segment, embed, train or evaluate.")
@click.option("--until", "last", metavar="STAGE", help="Last stage to run.")
@run_options
def run(config: str, first: str | None, last: str | None, **options: Any) -> None:
    """Run an experiment: segment, embed, train and evaluate.

    CONFIG is a TOML file, or the name of one that comes with zhpipe, such as sample-mail.toml. Results go to RUNS/NAME.
    Stages whose inputs, settings and code have not changed are skipped; interrupted ones are resumed. `zhpipe config`
    prints every setting.
    """
    run_stages(config, options, first=first, last=last)


@click.command()
@click.argument("config")
@run_options
def train(config: str, **options: Any) -> None:
    """Train a network: run the stage train of CONFIG.

    The stages segment and embed must have run.
    """
    run_stages(config, options, first="train", last="train")


@click.command()
def config() -> None:
    """Print a config with every setting, explained.

    Each key has its meaning, its allowed values and its default.
    """
    from pipeline.config.reference import reference

    echo(reference(), nl=False)


def run_stages(config: str, options: dict[str, Any], *, first: str | None, last: str | None) -> list[Path]:
    """Runs stages of a config, printing a line for each; returns the folders of the runs, one per seed.

    `options`: those of `run_options`.
    """
    from pipeline.config.load import load_explained
    from pipeline.stages import runner

    loaded, chosen = load_explained(find_config(config), options["overrides"])
    if chosen:
        echo(f"defaults           {chosen.sentence}")
    run_all = runner.run_seeds if loaded.seeds else runner.run_stages
    folder = run_all(
        loaded,
        runs=options["runs"],
        first=first,
        last=last,
        force=options["force"],
        progress=progress.bar,
        report=print_stage,
    )
    if loaded.seeds:
        _print_comparison(folder)
        return [folder / f"{loaded.name}-{seed}" for seed in loaded.seeds]
    if (folder / "evaluate" / "report.txt").exists() and last in (None, "evaluate"):
        echo(f"report   {report_path(folder / 'evaluate')}")
        echo(f"model    {folder / 'model'}")
    return [folder]


def print_stage(finished: Finished) -> None:
    """Prints a line about a stage that is done."""
    took = "skipped" if finished.skipped else f"{finished.seconds:.1f} s"
    echo(f"{finished.stage:<9}{took:>9}  {finished.summary}")


def report_path(folder: Path) -> Path:
    """The page of a report, or its text if the task has no page."""
    return next(path for name in ("report.html", "report.txt") if (path := folder / name).exists())


def find_config(name: str) -> Path:
    """The path itself if it is a file, or else the config of that name that comes with zhpipe."""
    shipped = Path(__file__).parents[2] / "configs"
    path = Path(name)
    for candidate in (shipped / path.name, shipped / f"{path.name}.toml"):
        if not path.is_file() and path.parent == Path() and candidate.is_file():
            return candidate
    return path


def _print_comparison(folder: Path) -> None:
    import json

    from pipeline.evaluation.report import comparison

    path = folder / "comparison.json"
    if path.is_file():
        echo(comparison.render(json.loads(path.read_text(encoding="utf-8"))), nl=False)
        echo(f"page     {folder / 'comparison.html'}")
