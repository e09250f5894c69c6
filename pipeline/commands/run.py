"""`zhpipe run`, `train` and `config`: run experiments as their configs say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.escapes import escaped
from pipeline.commands.options import run_options
from pipeline.commands.own_file import (
    check_run,
    file_options,
    from_model_option,
    is_own_file,
    made_of_file,
    of_earlier_model,
    out_option,
)
from pipeline.commands.shipped import find_config
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.config.load import Loaded
    from pipeline.stages.runner import Finished


@click.command()
@click.argument("config", metavar="CONFIG|FILE")
@click.option("--from", "first", metavar="STAGE", help="First stage to run: segment, embed, train or evaluate.")
@click.option("--until", "last", metavar="STAGE", help="Last stage to run.")
@file_options
@out_option
@from_model_option
@run_options
def run(config: str, first: str | None, last: str | None, **options: Any) -> None:
    """Run an experiment: segment, embed, train and evaluate.

    CONFIG is a TOML file, or the name of one that comes with zhpipe, such as sample-mail.toml. Results go to RUNS/NAME.
    Stages whose inputs, settings and code have not changed are skipped; interrupted ones are resumed. `zhpipe config`
    prints every setting.

    FILE, a table or a tagged corpus of your own, is run without a config, as by `zhpipe train FILE`.
    """
    if is_own_file(config, options):
        run_file(config, options, first=first, last=last)
    else:
        run_stages(config, options, first=first, last=last)


@click.command()
@click.argument("config", metavar="FILE|CONFIG")
@file_options
@out_option
@from_model_option
@run_options
def train(config: str, **options: Any) -> None:
    """Train on a FILE of your own without a config, or run the stage train of a CONFIG.

    \b
    zhpipe train reviews.csv --text 内容 --label 评价     all stages: train, evaluate, report; into runs/reviews
    zhpipe train configs/mail.toml                      the stage train alone; segment and embed must have run

    FILE is a table (CSV, TSV, JSONL, Parquet, XLSX), a tagged corpus, or plain lines for a language model. Columns and
    the task are guessed only where FILE leaves one choice, and the guess is printed. The config that was used is
    written to RUNS/NAME/config.toml; `zhpipe init FILE` writes one to edit. An argument that ends in .toml is a CONFIG.
    """
    if is_own_file(config, options):
        run_file(config, options, first=None, last=None)
    else:
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

    return run_settings(load_explained(find_config(config), options["overrides"]), options, first=first, last=last)


def run_file(file: str, options: dict[str, Any], *, first: str | None, last: str | None) -> list[Path]:
    """`run_stages` of a file without a config; prints what was guessed, and where the config is."""
    from pipeline.config.load import loads

    made = made_of_file(file, options, named_by_out=True)
    shared = of_earlier_model(options["from_model"]) if options["from_model"] else []
    loaded = loads(made.toml, [*shared, *options["overrides"]], source=file)
    runs = Path(options["out"]).parent if options["out"] else Path(options["runs"])
    check_run(runs / loaded.settings.name, loaded.settings, options["force"])
    for guess in made.guesses:
        echo(f"guessed  {escaped(guess)}")
    folders = run_settings(loaded, {**options, "runs": str(runs)}, first=first, last=last)
    echo(f"config   {folders[0] / 'config.toml'}")
    return folders


def run_settings(found: Loaded, options: dict[str, Any], *, first: str | None, last: str | None) -> list[Path]:
    """`run_stages` of settings; prints which of them the size of the corpus has set."""
    from pipeline.stages import runner

    loaded, chosen = found
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


def _print_comparison(folder: Path) -> None:
    import json

    from pipeline.evaluation.report import comparison

    path = folder / "comparison.json"
    if path.is_file():
        echo(comparison.render(json.loads(path.read_text(encoding="utf-8"))), nl=False)
        echo(f"page     {folder / 'comparison.html'}")
