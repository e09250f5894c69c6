"""`zhpipe evaluate` and `compare`: how good models are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import TextColumns, run_options, table_options
from pipeline.commands.run import make_runs, report_path

if TYPE_CHECKING:
    from pipeline.evaluation.report.gate import Bar
    from pipeline.evaluation.report.translations import Locale


@click.command()
@click.argument("model", metavar="MODEL|RUN|CONFIG")
@click.option("--corpus", help="A labelled file to score the model on.")
@click.option("--label", default="label", show_default=True, help="Column of the label.")
@click.option("--out", help="Folder of the report; left out: evaluation beside the corpus, named after it.")
@click.option("--fail-under", multiple=True, metavar="SCORE=NUMBER", help="Exit with 1 where a score is lower.")
@click.option("--fail-over", multiple=True, metavar="SCORE=NUMBER", help="The same where it is higher: perplexity=30.")
@table_options
@run_options
def evaluate(
    model: str,
    corpus: str | None,
    label: str,
    out: str | None,
    fail_under: TextColumns,
    fail_over: TextColumns,
    **options: Any,
) -> None:
    """Score a model on any labelled file, or run the stage evaluate of a CONFIG.

    A SCORE is one of report.json: accuracy, per_label.LABEL.recall, dev.macro_f1.
    """
    from pipeline.evaluation.report import gate

    bars = [*map(gate.read, fail_under), *(gate.read(text, over=True) for text in fail_over)]
    if model.endswith(".toml") and corpus is None:
        made = make_runs(
            model,
            options["overrides"],
            runs=options["runs"],
            first="evaluate",
            last="evaluate",
            force=options["force"],
        )
        return _check([run / "evaluate" for run in made], bars)
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
    _check([folder], bars)


def _check(folders: Sequence[Path], bars: Sequence[Bar]) -> None:
    """Of every report."""
    import json

    from pipeline.evaluation.report import gate

    for path in (folder / "report.json" for folder in folders if bars):
        gate.check(json.loads(path.read_text(encoding="utf-8")), bars, str(path))


@click.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of page, text and Markdown."
)
def report(run: str, language: Locale) -> None:
    """Write the page, text and Markdown of a report anew, without computing anything.

    RUN is a run's folder, or that of a report.
    """
    from pipeline.evaluation.report.reprint import reprint
    from pipeline.stages.manifest import Manifest

    written = reprint(run, language)
    Manifest.open(Path(run)).renew("evaluate", written)
    click.echo(f"report   {report_path(written[0].parent)}")


@click.command()
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--out", help="Folder for a page, JSON and the rows that differ.")
def compare(runs: TextColumns, out: str | None) -> None:
    """Set evaluated runs side by side: scores, intervals, significance, speed and size.

    A RUN is a run's folder, or that of a report; all have to be tested on the same rows.
    """
    from pipeline.evaluation.report import comparison

    systems = [comparison.read(run) for run in runs]
    found = comparison.write(out, systems) if out else comparison.compare(systems)
    click.echo(comparison.render(found), nl=False)
    if out:
        click.echo(f"page     {Path(out) / 'comparison.html'}")
