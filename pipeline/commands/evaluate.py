"""`zhpipe evaluate`, `report` and `compare`: measure models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import label_separator_option, reading_options, run_options, table_options
from pipeline.commands.run import report_path, run_stages
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.evaluation.report.gate import Bar
    from pipeline.evaluation.report.translations import Locale


@click.command()
@click.argument("model", metavar="MODEL|RUN|CONFIG")
@click.option("--corpus", help="Labelled file to score MODEL on.")
@click.option("--label", default="label", show_default=True, help="Label column.")
@label_separator_option
@click.option("--out", help="Folder of the report.  [default: NAME-evaluation, after the corpus]")
@click.option(
    "--fail-under", multiple=True, metavar="SCORE=NUMBER", help="Exit with 1 if a score is lower; can be repeated."
)
@click.option(
    "--fail-over", multiple=True, metavar="SCORE=NUMBER", help="Exit with 1 if a score is higher: perplexity=30."
)
@click.option(
    "--output-encoding",
    type=click.Choice(["utf-8", "utf-8-sig"]),
    default="utf-8",
    show_default=True,
    help="Encoding of the report's tables; Excel reads utf-8-sig best.",
)
@table_options
@run_options
def evaluate(
    model: str,
    corpus: str | None,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    **options: Any,
) -> None:
    """Score a model on a file, or run a CONFIG's stage evaluate.

    The headline scores are printed; the whole report, a page and a text, is written to --out. A SCORE is a key of
    report.json: accuracy, per_label.LABEL.recall, dev.macro_f1.
    """
    from pipeline.evaluation.report import gate

    bars = [*map(gate.read, fail_under), *(gate.read(text, over=True) for text in fail_over)]
    if model.endswith(".toml") and corpus is None:
        made = run_stages(model, options, first="evaluate", last="evaluate")
        return _check([run / "evaluate" for run in made], bars)
    if corpus is None:
        raise click.UsageError("--corpus is missing: the labelled file to score on")
    folder = _evaluate_file(model, corpus, options)
    echo(f"report   {report_path(folder)}")
    _check([folder], bars)


def _evaluate_file(model: str, corpus: str, options: dict[str, Any]) -> Path:
    """Writes the report of a model on a corpus and returns its folder."""
    from pipeline.stages.evaluate import evaluate_file

    folder = Path(options["out"] or f"{Path(corpus).name.split('.')[0]}-evaluation")
    evaluate_file(
        model,
        corpus,
        folder,
        label=options["label"],
        label_separator=options["label_separator"],
        **reading_options(options),
        output_encoding=options["output_encoding"],
        overrides=options["overrides"],
        progress=progress.bar,
        notify=lambda note: echo(f"zhpipe: warning: {note}", err=True),
        summarise=lambda summary: echo(f"evaluate {summary}"),
    )
    return folder


def _check(folders: Sequence[Path], bars: Sequence[Bar]) -> None:
    """Raises PoorScore if the report in a folder misses a bar."""
    import json

    from pipeline.evaluation.report import gate

    for path in (folder / "report.json" for folder in folders if bars):
        gate.check(json.loads(path.read_text(encoding="utf-8")), bars, str(path))


@click.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the report."
)
def report(run: str, language: Locale) -> None:
    """Write a report's page, text and Markdown again.

    Nothing is computed: the scores are those in report.json. RUN is the folder of a run or of a report.
    """
    from pipeline.evaluation.report.reprint import reprint
    from pipeline.stages.manifest import Manifest

    written = reprint(run, language)
    Manifest.open(Path(run)).renew("evaluate", written)
    echo(f"report   {report_path(written[0].parent)}")


@click.command()
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--out", help="Folder for a page, JSON and the rows on which runs differ.")
@click.option(
    "--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the page."
)
def compare(runs: tuple[str, ...], out: str | None, language: Locale) -> None:
    """Compare evaluated runs: scores, significance, speed and size.

    Scores have confidence intervals. RUN is the folder of a run or of a report; all must be tested on the same rows.
    """
    from pipeline.evaluation.report import comparison

    systems = [comparison.read(run) for run in runs]
    found = comparison.write(out, systems, language) if out else comparison.compare(systems)
    echo(comparison.render(found), nl=False)
    if out:
        echo(f"page     {Path(out) / 'comparison.html'}")
