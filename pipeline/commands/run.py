"""`zhpipe run`, `train` and `config`: experiments from their settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import TextColumns, run_options

if TYPE_CHECKING:
    from pipeline.stages.runner import Finished


@click.command()
@click.argument("config")
@click.option("--from", "first", metavar="STAGE", help="Begin with this stage: segment, embed, train or evaluate.")
@click.option("--until", "last", metavar="STAGE", help="End with this stage.")
@run_options
def run(config: str, first: str | None, last: str | None, overrides: TextColumns, force: bool, runs: str) -> None:
    """Run an experiment: segment, embed, train and evaluate, into RUNS/NAME.

    CONFIG is a TOML file, or the name of one that comes with zhpipe, such as sample-mail.toml. Stages whose inputs,
    settings and code have not changed are skipped; what was interrupted goes on. `zhpipe config` prints every setting.
    """
    run_config(config, overrides, runs=runs, first=first, last=last, force=force)


@click.command()
@click.argument("config")
@run_options
def train(config: str, overrides: TextColumns, force: bool, runs: str) -> None:
    """Train the network: the stage train of CONFIG, whose stages segment and embed have run."""
    run_config(config, overrides, runs=runs, first="train", last="train", force=force)


@click.command()
def config() -> None:
    """Print a config with every key, what it means, what it may be, and its default."""
    from pipeline.config.reference import reference

    click.echo(reference(), nl=False)


def run_config(config: str, overrides: TextColumns, **options: Any) -> None:
    """Runs stages of a config and prints what came out."""
    make_runs(config, overrides, **options)


def make_runs(
    config: str, overrides: TextColumns, *, runs: str, first: str | None, last: str | None, force: bool
) -> list[Path]:
    """The same, and returns the folders of the runs, one a seed where the config has several."""
    from pipeline.config.load import load
    from pipeline.stages.runner import run_seeds, run_stages

    report = print_stage
    loaded = load(find_config(config), overrides)
    if loaded.seeds:
        folder = run_seeds(loaded, runs=runs, first=first, last=last, force=force, progress=progress.bar, report=report)
        _print_comparison(folder)
        return [folder / f"{loaded.name}-{seed}" for seed in loaded.seeds]
    folder = run_stages(loaded, runs=runs, first=first, last=last, force=force, progress=progress.bar, report=report)
    if (folder / "evaluate" / "report.txt").exists() and last in (None, "evaluate"):
        click.echo(f"report   {report_path(folder / 'evaluate')}")
        click.echo(f"model    {folder / 'model'}")
    return [folder]


def print_stage(finished: Finished) -> None:
    """A line on a stage that is done."""
    took = "skipped" if finished.skipped else f"{finished.seconds:.1f} s"
    click.echo(f"{finished.stage:<9}{took:>9}  {finished.summary}")


def report_path(folder: Path) -> Path:
    """The page of a report, or its text where the task has no page."""
    return next(path for name in ("report.html", "report.txt") if (path := folder / name).exists())


def _print_comparison(folder: Path) -> None:
    import json

    from pipeline.evaluation.report import comparison

    path = folder / "comparison.json"
    if path.is_file():
        click.echo(comparison.render(json.loads(path.read_text(encoding="utf-8"))), nl=False)
        click.echo(f"page     {folder / 'comparison.html'}")


def find_config(name: str) -> Path:
    """A path as it is, or else the config of that name that comes with zhpipe."""
    shipped = Path(__file__).parents[2] / "configs"
    path = Path(name)
    for candidate in (shipped / path.name, shipped / f"{path.name}.toml"):
        if not path.is_file() and path.parent == Path() and candidate.is_file():
            return candidate
    return path
