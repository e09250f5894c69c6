"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pipeline import progress

Command = Callable[..., Any]


def table_options(function: Command) -> Command:
    """--text, --format, --encoding: how a table is read."""
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
            help="utf-8, utf-8-sig, gb18030, big5 or utf-16; never guessed.",
        ),
    )


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
            help="Override a setting, such as train.epochs=3.",
        ),
        click.option("--force", is_flag=True, help="Run stages again even if nothing has changed."),
        click.option("--runs", default="runs", show_default=True, help="Folder of all runs; this one is RUNS/NAME."),
    )


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
