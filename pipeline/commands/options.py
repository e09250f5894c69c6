"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pipeline import progress

Command = Callable[..., Any]


def table_options(function: Command) -> Command:
    """--text, --format, --encoding, --delimiter, --quoting: how a table is read."""
    return _with(
        function,
        click.option(
            "--text",
            multiple=True,
            default=("text",),
            show_default=True,
            help="Text column; repeat it to join several.",
        ),
        click.option("--format", "format_", help="csv, tsv, jsonl, parquet or xlsx.  [default: by the suffix]"),
        click.option(
            "--encoding",
            default="utf-8",
            show_default=True,
            help="utf-8, utf-8-sig, gb18030, cp950 (Big5), big5hkscs or utf-16; never guessed.",
        ),
        click.option(
            "--delimiter",
            callback=_delimiter,
            help="Between the cells of CSV: one character, such as ';', or tab.  [default: by the format]",
        ),
        click.option(
            "--quoting/--no-quoting",
            default=None,
            help="Whether quotes around a cell of CSV enclose it.  [default: yes, but not if it holds rows]",
        ),
    )


def label_separator_option(function: Command) -> Command:
    """--label-separator: what is between the labels of a row that may have several."""
    return click.option(
        "--label-separator",
        metavar="TEXT",
        help="Text between the labels of a row that may have several, such as '|'; a list of labels is read too.",
    )(function)


def reading_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `table_options` under the names that the readers of tables use."""
    names = ("text", "encoding", "delimiter", "quoting")
    return {"format": options["format_"], **{name: options[name] for name in names}}


def _delimiter(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """The character that a user named. Raises UsageError if it can't be a delimiter."""
    delimiter = {"\\t": "\t", "tab": "\t"}.get(given, given) if given else given
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise click.UsageError(f"--delimiter is {given!r}: expected one character, such as ';', or tab")
    return delimiter


def engine_options(function: Command) -> Command:
    """--restart, --address: how a job over files is run."""
    return _with(
        function,
        click.option("--restart", is_flag=True, help="Begin anew if there is an unfinished job."),
        click.option(
            "--address",
            help="Address of a running cluster, for --engine ray.  [default: start one on this machine]",
        ),
    )


def run_options(function: Command) -> Command:
    """--set, --force, --runs: how the stages of a config are run."""
    return _with(
        function,
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a setting of CONFIG, such as train.epochs=3.",
        ),
        click.option("--force", is_flag=True, help="Run stages again even if nothing has changed."),
        click.option("--runs", default="runs", show_default=True, help="Folder of all runs; this one is RUNS/NAME."),
    )


def refuse_overrides(options: dict[str, Any]) -> None:
    """Raises UsageError if --set was passed to a command that was given files instead of a config."""
    if options["overrides"]:
        raise click.UsageError(f"--set {options['overrides'][0]} changes a CONFIG, but files were named: use options")


def vectors_options(function: Command) -> Command:
    """--vectors, --unit: which word vectors to use."""
    return _with(
        function,
        click.option(
            "--vectors",
            required=True,
            help="A run, a folder of vectors, or a table of them (word2vec, GloVe, fastText).",
        ),
        click.option(
            "--unit",
            type=click.Choice(["word", "char"]),
            default="word",
            show_default=True,
            help="Which vectors of a run.",
        ),
    )


def ray_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The options that `pipeline.jobs.ray.run` takes."""
    names = ("address", "workers", "force", "restart")
    return {"progress": progress.bar, **{name: options[name] for name in names}}


def _with(function: Command, *options: Callable[[Command], Command]) -> Command:
    """The function with options, which the help lists in this order."""
    for option in reversed(options):
        function = option(function)
    return function
