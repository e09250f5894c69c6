"""`zhpipe segment`: texts into words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline import progress
from pipeline.commands.options import engine_options, on_ray, run_options, table_options
from pipeline.commands.outcome import tell
from pipeline.commands.run import run_config


@click.command()
@click.argument("source", metavar="IN|CONFIG")
@click.argument("target", metavar="[OUT]", required=False)
@table_options
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Words, or every character.",
)
@click.option(
    "--engine",
    default="rjieba",
    show_default=True,
    metavar="rjieba|jieba|ray|RUN|MODEL",
    help="rjieba is the fast one; RUN or MODEL: a trained segmenter's folder; ray: rjieba on the machines of a Ray "
    "cluster, into a folder OUT.",
)
@click.option(
    "--mode",
    type=click.Choice(["default", "search", "full"]),
    default="default",
    show_default=True,
    help="jieba's mode.",
)
@click.option("--hmm/--no-hmm", default=True, show_default=True, help="Find words that the dictionary lacks.")
@click.option(
    "--dictionary",
    "dictionaries",
    multiple=True,
    help="User dictionary in jieba's format; its words are always one token.",
)
@click.option("--stop-words", multiple=True, help="File of words to leave out, one a line.")
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes; 0: all cores.")
@engine_options
@run_options
def segment(source: str, target: str | None, **options: Any) -> None:
    """Cut texts into words: IN to OUT, or the stage of a CONFIG.

    A plain text file (.txt) is cut line by line; in a table the column `tokens` is added, words separated by spaces.
    """
    if source.endswith(".toml") and target is None:
        return run_config(
            source,
            options["overrides"],
            runs=options["runs"],
            first="segment",
            last="segment",
            force=options["force"],
        )
    if target is None:
        raise click.UsageError("OUT is missing: zhpipe segment IN OUT, or zhpipe segment CONFIG.toml")
    if options["engine"] == "ray":
        _segment_on_ray(source, target, options)
    else:
        _segment_file(source, target, options)


def _segment_file(source: str, target: str, options: dict[str, Any]) -> None:
    from pipeline.stages import segment as stage

    count = stage.segment_file(
        source,
        target,
        _settings(options),
        text=options["text"],
        format=options["format_"],
        encoding=options["encoding"],
        force=options["force"],
        progress=progress.bar,
    )
    click.echo(f"{count} texts cut into {target}")


def _settings(options: dict[str, Any]) -> Any:
    """As the stage reads them. Raises UsageError for an engine that there isn't, or a mode that it hasn't."""
    from pipeline.config.segment import ENGINES, SegmentSettings

    engine = options["engine"]
    if engine not in ENGINES:
        if not Path(engine).is_dir():
            raise click.UsageError(
                f"--engine is {engine!r}: expected rjieba, jieba, ray, or a trained segmenter's folder"
            )
        if options["mode"] != "default":
            raise click.UsageError(f"--mode {options['mode']} is jieba's: a trained segmenter has one mode")
        engine = str(Path(engine).absolute())
    names = ("unit", "mode", "hmm", "dictionaries", "stop_words", "workers")
    return SegmentSettings(engine=engine, **{name: options[name] for name in names})


def _segment_on_ray(source: str, target: str, options: dict[str, Any]) -> None:
    from corpora.table import SUFFIXES
    from pipeline.config.segment import SegmentSettings
    from pipeline.jobs import ray
    from pipeline.jobs.job import Segmenting
    from pipeline.stages.segment import make_segmenter

    names = ("unit", "mode", "hmm", "dictionaries", "stop_words")
    segmenter = make_segmenter(SegmentSettings(**{name: options[name] for name in names}))
    job = Segmenting(segmenter, options["text"], options["format_"], options["encoding"])
    tell(ray.run(job, [source], target, suffixes={".txt", *SUFFIXES}, **on_ray(options)))
