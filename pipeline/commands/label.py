"""`zhpipe label`: labels new rows with a model."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import engine_options, precision_option, ray_arguments, reading_options, table_options
from pipeline.commands.results import print_doubts, print_expectation, print_results, summary
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.jobs.options import LabelOptions
    from pipeline.models.model import Model

# Options of the command that are fields of LabelOptions, by the same name.
SAME_NAME = (
    *("output_format", "output_encoding", "probabilities", "prefix", "excel_safe"),
    *("workers", "review_below", "words", "layout", "n_best"),
)


@click.command()
@click.argument("model", metavar="MODEL|RUN")
@click.argument("paths", metavar="IN... OUT", nargs=-1, required=True)
@table_options
@click.option("--output-format", help="Format of OUT.  [default: by its suffix]")
@click.option("--output-encoding", help="Encoding of OUT; Excel reads utf-8-sig best.  [default: that of IN]")
@click.option(
    "--probabilities",
    "--surprisal",
    "probabilities",
    is_flag=True,
    help="Add detailed columns: p:LABEL for each label; for a language model the bits of each token.",
)
@click.option(
    "--review-below",
    type=click.FloatRange(0, 1),
    help="Add needs_review, true if the confidence is below this threshold.",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1),
    help="Add needs_review, with the lowest threshold for which dev supports this precision.",
)
@click.option("--prefix", default="", help="Put this before the names of the new columns.")
@click.option(
    "--words",
    help="Column with the words of the text, for models that read words; without --text, they are the text.",
)
@click.option(
    "--layout",
    type=click.Choice(["table", "long", "conll", "conllu", "jsonl"]),
    default="table",
    show_default=True,
    help="Layout of a tagger's answers. long: one row per entity or word; conll, conllu, jsonl: files to train on.",
)
@click.option(
    "--n-best",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Add alternatives: a tagger's N most probable answers, as JSON.",
)
@click.option("--excel-safe", is_flag=True, help="Put ' before cells that a spreadsheet would run as a formula.")
@click.option(
    "--dictionary",
    "dictionaries",
    multiple=True,
    help="More words for the model: user dictionary in jieba's format, whose words, and tags that the model has, are "
    "obeyed; repeat it for several.",
)
@precision_option
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes; 0: all cores.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: work on a Ray cluster; OUT is a folder.",
)
@engine_options
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--show", type=click.IntRange(min=0), default=0, show_default=True, help="Number of labelled rows to print."
)
def label(model: str, paths: tuple[str, ...], show: int, target_precision: float | None, **options: Any) -> None:
    """Label the rows of IN with MODEL and write them to OUT.

    OUT has the same rows in the same order, with the same columns and then `label` and `confidence`. It appears when it
    is whole; after an interrupt, the same command resumes. A row without text is kept, with blank cells; a row that
    can't be read goes to OUT.rejected.csv.

    IN and OUT may be -, for standard input and output. If IN is several files, a folder, or a pattern in quotes, OUT is
    a folder.
    """
    from pipeline.jobs.inputs import are_many

    *sources, target = paths
    if not sources:
        raise click.UsageError("OUT is missing: zhpipe label MODEL IN OUT")
    if target_precision is not None and options["review_below"] is not None:
        raise click.UsageError("--review-below and --target-precision both set the threshold: pass one of them")
    if options["engine"] == "local":
        _prepare_workers(sources, options["workers"])
    chosen = _label_options(options)
    if show and chosen.layout in ("conll", "conllu"):
        raise click.UsageError(f"--show prints rows of a table, and --layout {chosen.layout} has none: leave it out")
    if options["engine"] == "ray":
        return _label_on_ray(model, sources, target, chosen, target_precision, options)
    loaded = _load(model, options)
    chosen = _with_threshold(chosen, loaded, target_precision)
    if target == "-":
        _label_to_stream(loaded, sources, chosen)
    elif are_many(sources, target):
        _label_files(loaded, sources, target, chosen, force=options["force"], restart=options["restart"])
    else:
        _label_file(loaded, sources[0], target, chosen, force=options["force"], restart=options["restart"])
        _show(target, show, chosen)


def _label_options(options: dict[str, Any]) -> LabelOptions:
    from pipeline.jobs.options import LabelOptions

    given = {**reading_options(options), **{name: options[name] for name in SAME_NAME}}
    if options["words"] is not None and _is_default("text"):
        given["text"] = ()
    return LabelOptions(**given)


def _prepare_workers(sources: Sequence[str], workers: int) -> None:
    """Lets the server of workers import its libraries while this process does the same, if a file is large."""
    from pipeline.jobs.limits import DEFAULT_LIMITS, PRELOAD

    if (workers or os.cpu_count() or 1) > 1 and any(DEFAULT_LIMITS.is_large(Path(source)) for source in sources):
        from pipeline.parallel import prepare

        prepare(PRELOAD)


def _is_default(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.DEFAULT


def _load(model: str, options: dict[str, Any]) -> Model:
    import gc

    from pipeline.models.files import NETWORKS
    from pipeline.models.model import Model, find_model

    folder, dictionary = find_model(model), options["dictionaries"]
    loaded = Model.load(folder, precision=options["precision"], threads=1, dictionary=dictionary)
    if loaded.precision == "int8" and options["precision"] is None:
        other = " (--float32: the full network)" if (folder / NETWORKS["float32"]).is_file() else ""
        metric = loaded.about.get("metric", "loss")
        score = "" if metric == "loss" else f" of {metric}"
        echo(f"network         int8, which lost no more than 0.1 point{score} on dev{other}", err=True)
    gc.freeze()  # the model stays, so the garbage collector need not look through it again and again
    return loaded


def _with_threshold(options: LabelOptions, model: Model, target_precision: float | None) -> LabelOptions:
    """The options with the threshold of a precision; prints it, and the coverage to expect, on standard error."""
    from dataclasses import replace

    from pipeline.errors import PipelineError
    from pipeline.models import thresholds

    if target_precision is None:
        return options
    folder, claims = model.network.path.parent, model.answerer.reviewed
    if model.answerer.claimed is None:
        raise PipelineError(
            f"{folder}: a language model's answers are not right or wrong: leave out --target-precision"
        )
    points = thresholds.read(folder)
    found = thresholds.threshold(folder, target_precision, claims)
    echo(
        f"needs_review below {found.threshold:.4f}: on dev {found.rows} of {points[0].rows} {claims} "
        f"({thresholds.coverage(found, points):.1%}) reached it, and {found.right / found.rows:.1%} of them were right",
        err=True,
    )
    return replace(options, review_below=found.threshold)


def _label_file(model: Model, source: str, target: str, options: LabelOptions, *, force: bool, restart: bool) -> None:
    from corpora.rejected import rejected_path
    from pipeline.jobs.label import label_to_file

    print_doubts(source, options.table, options.columns)
    result = label_to_file(model, source, target, options=options, force=force, restart=restart, progress=progress.bar)
    echo(f"{summary(result)}; {target}")
    print_expectation(result, review=options.review_below is not None)
    if result.rejected:
        echo(f"rejected rows   {rejected_path(Path(target))}{result.reason and f'; {result.reason}'}")


def _label_to_stream(model: Model, sources: Sequence[str], options: LabelOptions) -> None:
    from pipeline.jobs.label import label_stream

    if len(sources) > 1:
        raise click.UsageError("several files can't be labelled to standard output: name a folder as OUT")
    result = label_stream(model, sources[0], sys.stdout.buffer, sys.stderr.buffer, options=options)
    echo(summary(result), err=True)
    print_expectation(result, review=options.review_below is not None, err=True)


def _label_files(
    model: Model, sources: Sequence[str], target: str, options: LabelOptions, *, force: bool, restart: bool
) -> None:
    from pipeline.jobs.local import label_files

    results = label_files(model, sources, target, options=options, force=force, restart=restart, progress=progress.bar)
    print_results(results, review=options.review_below is not None)


def _label_on_ray(
    model: str,
    sources: Sequence[str],
    target: str,
    chosen: LabelOptions,
    target_precision: float | None,
    options: dict[str, Any],
) -> None:
    from pipeline.jobs import ray
    from pipeline.jobs.job import LabelJob
    from pipeline.models.model import find_model
    from pipeline.segmentation.dictionary import UserDictionary

    if "-" in (target, *sources):
        raise click.UsageError(
            "--engine ray reads files that every machine finds, and makes a folder: no - for a stream"
        )
    dictionary = UserDictionary.load(options["dictionaries"])
    job = LabelJob(find_model(model).absolute(), options["precision"], chosen, dictionary=dictionary)
    if target_precision is not None:
        job.options = _with_threshold(chosen, job.model, target_precision)
    results = ray.run(job, sources, target, output_format=chosen.suffix_format, **ray_arguments(options))
    print_results(results, review=job.options.review_below is not None)


def _show(target: str, count: int, options: LabelOptions) -> None:
    """Prints the first rows of the output in columns."""
    from itertools import islice

    from corpora import entries
    from corpora.rows import Row
    from corpora.table_options import WITH_HEADER, table_format
    from pipeline.commands.preview import preview

    if not count:
        return
    table = entries.read(
        Path(target),
        format=options.suffix_format,
        encoding=options.output_encoding or options.encoding,
        delimiter=options.delimiter,
        quoting=True,
        header=options.header or table_format(Path(target), options.suffix_format) not in WITH_HEADER,
    )
    lines = [row.cells for row in islice(table.rows, count) if isinstance(row, Row)]
    for line in preview([table.columns, *lines]):
        echo(line)
