"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pipeline import progress

TextColumns = tuple[str, ...]


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--encoding",
            default="utf-8",
            show_default=True,
            help="utf-8, utf-8-sig, gb18030, big5 or utf-16; never guessed.",
        ),
        click.option("--format", "format_", help="csv, tsv, jsonl, parquet or xlsx; left out: by the file's suffix."),
        click.option(
            "--text",
            multiple=True,
            default=("text",),
            show_default=True,
            help="Column of the text; give it again to join several.",
        ),
    ):
        function = option(function)
    return function


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--address", help="With --engine ray: of a running cluster; left out: one is started here."),
        click.option("--restart", is_flag=True, help="Begin anew where an unfinished job stands."),
    ):
        function = option(function)
    return function


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--runs",
            default="runs",
            show_default=True,
            help="Folder of the runs; this one goes to RUNS/NAME.",
        ),
        click.option("--force", is_flag=True, help="Run stages again though nothing has changed."),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a setting, such as train.epochs=3.",
        ),
    ):
        function = option(function)
    return function


def vectors_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--unit",
            type=click.Choice(["word", "char"]),
            default="word",
            show_default=True,
            help="Which vectors of a run.",
        ),
        click.option(
            "--vectors",
            required=True,
            help="A run's folder, a folder of vectors, or a table (word2vec, GloVe, fastText).",
        ),
    ):
        function = option(function)
    return function


def on_ray(options: dict[str, Any]) -> dict[str, Any]:
    names = ("address", "workers", "force", "restart")
    return {"progress": progress.bar, **{name: options[name] for name in names}}
