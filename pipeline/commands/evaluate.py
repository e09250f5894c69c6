"""`zhpipe evaluate` and `compare`: how good models are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline import progress
from pipeline.commands.options import TextColumns, run_options, table_options
from pipeline.commands.run import report_path, run_config


@click.command()
@click.argument("model", metavar="MODEL|RUN|CONFIG")
@click.option("--corpus", help="A labelled file to score the model on.")
@click.option("--label", default="label", show_default=True, help="Column of the label.")
@click.option("--out", help="Folder of the report; left out: evaluation beside the corpus, named after it.")
@table_options
@run_options
def evaluate(model: str, corpus: str | None, label: str, out: str | None, **options: Any) -> None:
    """Score a model on any labelled file, or run the stage evaluate of a CONFIG."""
    if model.endswith(".toml") and corpus is None:
        return run_config(
            model,
            options["overrides"],
            runs=options["runs"],
            first="evaluate",
            last="evaluate",
            force=options["force"],
        )
    if corpus is None:
        raise click.UsageError("--corpus is missing: the labelled file to score on")
    from pipeline.stages.evaluate import evaluate_file

    folder = Path(out) if out else Path(f"{Path(corpus).name.split('.')[0]}-evaluation")
    evaluate_file(
        model,
        corpus,
        folder,
        text=options["text"],
        label=label,
        format=options["format_"],
        encoding=options["encoding"],
        progress=progress.bar,
    )
    click.echo((folder / "report.txt").read_text(encoding="utf-8"), nl=False)
    click.echo(f"report   {report_path(folder)}")


@click.command()
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--out", help="Folder for a page, JSON and the rows that differ.")
def compare(runs: TextColumns, out: str | None) -> None:
    """Set evaluated runs side by side: scores, intervals, significance, speed and size.

    A RUN is a run's folder, or that of a report; all have to be tested on the same rows.
    """
    from pipeline.evaluation import comparison

    systems = [comparison.read(run) for run in runs]
    found = comparison.write(out, systems) if out else comparison.compare(systems)
    click.echo(comparison.render(found), nl=False)
    if out:
        click.echo(f"page     {Path(out) / 'comparison.html'}")
