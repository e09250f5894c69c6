"""`zhpipe label`: new rows with a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import TextColumns, engine_options, on_ray, table_options
from pipeline.commands.outcome import accounting, expectation, tell

if TYPE_CHECKING:
    from pipeline.models.model import Model


@click.command()
@click.argument("model", metavar="MODEL|RUN")
@click.argument("paths", metavar="IN... OUT", nargs=-1, required=True)
@table_options
@click.option("--delimiter", help="Of CSV, one character, such as ';'; kept in OUT.")
@click.option("--no-header", is_flag=True, help="The first row is no header: columns are named 1, 2, ...")
@click.option("--output-format", help="Of OUT; left out: by its suffix.")
@click.option("--output-encoding", help="Of OUT; left out: as IN. utf-8-sig is what Excel reads best.")
@click.option(
    "--probabilities",
    "--surprisal",
    "probabilities",
    is_flag=True,
    help="Add the finer columns: p:LABEL of each label; of a language model the bits of each token.",
)
@click.option(
    "--review-below",
    type=click.FloatRange(0, 1),
    help="Add needs_review: true where the confidence is below this.",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1),
    help="The same, with the threshold at which dev supports this precision.",
)
@click.option("--prefix", default="", help="Put this before the names of the new columns.")
@click.option(
    "--words", help="Column of the text's words; without --text they are the text. Of models that read words."
)
@click.option(
    "--layout",
    type=click.Choice(["table", "long", "conll", "conllu", "jsonl"]),
    default="table",
    show_default=True,
    help="Of taggers. long: a row an entity or word, with the number of its row; the others: files that corpora read.",
)
@click.option(
    "--n-best",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of taggers: the column alternatives has so many answers, JSON.",
)
@click.option("--excel-safe", is_flag=True, help="Guard cells that a spreadsheet would run as a formula with a '.")
@click.option("--strict", is_flag=True, help="Stop at a row that can't be read, instead of setting it aside.")
@click.option("--int8", is_flag=True, help="Use the smaller, faster network (LSTM only).")
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes; 0: all cores.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: on the machines of a Ray cluster, into a folder OUT.",
)
@engine_options
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--show",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Print this many of the first labelled rows.",
)
def label(model: str, paths: TextColumns, show: int, target_precision: float | None, **options: Any) -> None:
    """Label the rows of IN with MODEL and write them to OUT.

    OUT has the same rows in the same order with the same columns, and `label` and `confidence` behind them. It
    appears only when it is whole; after an interrupt, the same command goes on. A row without text keeps its place,
    with blank cells; a row that can't be read goes to OUT.rejected.csv.

    IN and OUT may be -, for standard input and output. Of several files, a folder or a pattern in quotes as IN, OUT is
    a folder.
    """
    import gc

    from pipeline import load
    from pipeline.jobs.local import is_many
    from pipeline.jobs.table_job import Options

    *sources, target = paths
    if not sources:
        raise click.UsageError("OUT is missing: zhpipe label MODEL IN OUT")
    loaded: Model | None = None
    if target_precision is not None:
        if options["review_below"] is not None:
            raise click.UsageError("--review-below and --target-precision both set the threshold: pass one of them")
        loaded = load(model, int8=options["int8"])
        options["review_below"] = _threshold(loaded, target_precision)
    if options["words"] is not None and _is_default("text"):
        options["text"] = ()
    chosen = Options(
        format=options["format_"],
        header=not options["no_header"],
        delimiter=_delimiter(options["delimiter"]),
        **{
            name: options[name]
            for name in (
                *("text", "encoding", "output_format", "output_encoding"),
                *("probabilities", "prefix", "excel_safe", "strict", "workers", "review_below"),
                *("words", "layout", "n_best"),
            )
        },
    )
    if options["engine"] == "ray":
        return _label_on_ray(model, sources, target, chosen, options)
    loaded = loaded or load(model, int8=options["int8"])
    gc.freeze()  # what stays for good need not be looked through again and again
    if target == "-":
        _label_to_stream(loaded, sources, chosen)
    elif is_many(sources, target):
        _label_files(loaded, sources, target, chosen, force=options["force"], restart=options["restart"])
    else:
        _label_file(loaded, sources[0], target, chosen, force=options["force"], restart=options["restart"])
        if show and chosen.layout in ("conll", "conllu"):
            raise click.UsageError(
                f"--show prints rows of a table, and --layout {chosen.layout} has none: leave it out"
            )
        if show:
            _show(target, show, chosen)


def _is_default(option: str) -> bool:
    """Whether an option was left out."""
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.DEFAULT


def _threshold(model: Model, target: float) -> float:
    """The threshold of a precision; tells it and the coverage to expect on standard error."""
    from pipeline.errors import PipelineError
    from pipeline.models import thresholds

    folder, claims = model.network.path.parent, model.answerer.reviewed
    if model.answerer.claimed is None:
        raise PipelineError(
            f"{folder}: a language model's answers are not right or wrong: leave out --target-precision"
        )
    points = thresholds.read(folder)
    found = thresholds.threshold(folder, target, claims)
    click.echo(
        f"needs_review below {found.threshold:.4f}: on dev {found.rows} of {points[0].rows} {claims} "
        f"({thresholds.coverage(found, points):.1%}) reached it, and {found.right / found.rows:.1%} of them were right",
        err=True,
    )
    return found.threshold


def _delimiter(given: str | None) -> str | None:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(given, given) if given else given
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise click.UsageError(f"--delimiter is {given!r}: expected one character, such as ';', or tab")
    return delimiter


def _label_file(model: Any, source: str, target: str, options: Any, *, force: bool, restart: bool) -> None:
    from pipeline.jobs.label import label_file, rejected_path

    labelled = label_file(
        model, source, target, force=force, restart=restart, progress=progress.bar, **options.as_arguments()
    )
    click.echo(f"{accounting(labelled)}; {target}")
    expectation(labelled, review=options.review_below is not None)
    if labelled.rejected:
        click.echo(f"rejected rows   {rejected_path(Path(target))}{labelled.reason and f'; {labelled.reason}'}")


def _label_to_stream(model: Any, sources: Sequence[str], options: Any) -> None:
    from pipeline.jobs.label import label_stream

    if len(sources) > 1:
        raise click.UsageError("several files can't be labelled to standard output: name a folder as OUT")
    labelled = label_stream(model, sources[0], sys.stdout.buffer, sys.stderr.buffer, options=options)
    click.echo(accounting(labelled), err=True)
    expectation(labelled, review=options.review_below is not None, err=True)


def _label_files(model: Any, sources: Sequence[str], target: str, options: Any, *, force: bool, restart: bool) -> None:
    from pipeline.jobs.local import label_files

    outcomes = label_files(model, sources, target, options=options, force=force, restart=restart, progress=progress.bar)
    tell(outcomes, review=options.review_below is not None)


def _label_on_ray(model: str, sources: Sequence[str], target: str, chosen: Any, options: dict[str, Any]) -> None:
    from pipeline.jobs import ray
    from pipeline.jobs.job import Labelling
    from pipeline.models.model import find_model

    if "-" in (target, *sources):
        raise click.UsageError(
            "--engine ray reads files that every machine finds, and makes a folder: no - for a stream"
        )
    job = Labelling(find_model(Path(model)).absolute(), "int8" if options["int8"] else "float32", chosen)
    outcomes = ray.run(job, sources, target, output_format=chosen.ending, **on_ray(options))
    tell(outcomes, review=chosen.review_below is not None)


def _show(target: str, count: int, options: Any) -> None:
    from itertools import islice

    from corpora import entries
    from corpora.card import columns_wide
    from corpora.rows import Row

    table = entries.read(
        Path(target),
        format=options.ending,
        encoding=options.output_encoding or options.encoding,
        delimiter=options.delimiter,
        header=options.header,
    )
    lines = [row.cells for row in islice(table.rows, count) if isinstance(row, Row)]
    rows = [[str(cell or "").replace("\n", " ")[:40] for cell in row] for row in (table.columns, *lines)]
    widths = [max(columns_wide(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(
                cell + " " * (width - columns_wide(cell)) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
        )
