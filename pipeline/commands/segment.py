"""`zhpipe segment`: cuts texts into words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import (
    engine_options,
    ray_arguments,
    reading_options,
    refuse_overrides,
    run_options,
    table_options,
)
from pipeline.commands.results import print_doubts, print_results
from pipeline.commands.run import run_stages
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.config.segment import SegmentSettings

OF_JIEBA = {"weighted_dictionaries": "weighted-dictionary", "main_dictionary": "main-dictionary"}
# Options of the command that are settings, by the same name.
SETTINGS = ("unit", "mode", "hmm", "dictionaries", *OF_JIEBA, "keep_whole", "stop_words")


@click.command()
@click.argument("source", metavar="IN|CONFIG")
@click.argument("target", metavar="[OUT]", required=False)
@table_options
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Cut into words, or into characters.",
)
@click.option(
    "--engine",
    default="rjieba",
    show_default=True,
    metavar="rjieba|jieba|zh-words-pos|ray|RUN|MODEL",
    help="rjieba is faster than jieba; zh-words-pos is a ready-made model; RUN or MODEL: the folder of a trained "
    "segmenter; ray: rjieba on a Ray cluster, OUT is a folder.",
)
@click.option(
    "--mode",
    type=click.Choice(["default", "search", "full"]),
    default="default",
    show_default=True,
    help="Mode of jieba.",
)
@click.option("--hmm/--no-hmm", default=True, show_default=True, help="Find words that are not in the dictionary.")
@click.option(
    "--dictionary",
    "dictionaries",
    multiple=True,
    help="User dictionary in jieba's format, whose words are never cut; repeat it for several.",
)
@click.option(
    "--weighted-dictionary",
    "weighted_dictionaries",
    multiple=True,
    help="User dictionary in jieba's format, whose words jieba weighs by their frequency; repeat it for several.",
)
@click.option("--main-dictionary", help="Dictionary in place of jieba's own, such as dict.txt.big.")
@click.option(
    "--keep-whole/--no-keep-whole",
    default=True,
    show_default=True,
    help="Keep letters and digits together, and URLs, e-mail addresses, @names, #topics#, times and emoji whole.",
)
@click.option("--stop-words", multiple=True, help="File of words to leave out, one per line; repeat it for several.")
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes; 0: all cores.")
@click.option("--output-encoding", help="Encoding of OUT.  [default: that of IN]")
@engine_options
@run_options
def segment(source: str, target: str | None, **options: Any) -> None:
    """Cut IN into words, or run a CONFIG's stage segment.

    A plain text file (.txt) is cut line by line. A table gets a column `tokens`, words separated by spaces.
    --force also replaces OUT if it exists.
    """
    if source.endswith(".toml") and target is None:
        run_stages(source, options, first="segment", last="segment")
    elif target is None:
        raise click.UsageError("OUT is missing: zhpipe segment IN OUT, or zhpipe segment CONFIG.toml")
    else:
        refuse_overrides(options)
        segment_files = _segment_on_ray if options["engine"] == "ray" else _segment_file
        segment_files(source, target, options)


def _segment_file(source: str, target: str, options: dict[str, Any]) -> None:
    from corpora.rejected import rejected_path
    from corpora.table_options import TableOptions
    from pipeline.stages import segment as stage

    notes: list[str] = []
    reading = reading_options(options)
    columns = reading.pop("text")
    print_doubts(source, TableOptions(**reading), columns)
    count = stage.segment_file(
        source,
        target,
        _settings(options),
        text=columns,
        **reading,
        force=options["force"],
        output_encoding=options["output_encoding"],
        progress=progress.bar,
        notes=notes,
    )
    echo(f"{count} texts cut into {target}")
    if rejected_path(Path(target)).exists():
        echo(f"rows that can't be read: {rejected_path(Path(target))}")
    for note in notes:
        echo(note)


def _settings(options: dict[str, Any]) -> SegmentSettings:
    """The options as settings. Raises UsageError for an unknown engine, or a mode that it doesn't have."""
    from pipeline.config.segment import ENGINES, READY, SegmentSettings

    engine = options["engine"]
    if engine not in ENGINES:
        if engine not in READY and not Path(engine).is_dir():
            raise click.UsageError(
                f"--engine is {engine!r}: expected rjieba, jieba, {', '.join(READY)}, ray, or a trained "
                "segmenter's folder"
            )
        if options["mode"] != "default":
            raise click.UsageError(f"--mode {options['mode']} is jieba's: a trained segmenter has one mode")
        for name in ("weighted_dictionaries", "main_dictionary"):
            if options[name]:
                raise click.UsageError(f"--{OF_JIEBA[name]} is for jieba: a trained segmenter weighs no words")
        engine = engine if engine in READY else str(Path(engine).absolute())
    return SegmentSettings(engine=engine, workers=options["workers"], **{name: options[name] for name in SETTINGS})


def _segment_on_ray(source: str, target: str, options: dict[str, Any]) -> None:
    from corpora.table_options import SUFFIXES, TableOptions
    from pipeline.config.segment import SegmentSettings
    from pipeline.jobs import ray
    from pipeline.jobs.job import SegmentJob
    from pipeline.stages.run_segmenter import make_segmenter

    segmenter = make_segmenter(SegmentSettings(**{name: options[name] for name in SETTINGS}))
    reading = reading_options(options)
    if reading.get("bad_rows") == "set-aside":
        raise click.UsageError("--bad-rows set-aside is not for --engine ray: leave it out")
    job = SegmentJob(segmenter, reading.pop("text"), TableOptions(**reading))
    print_results(ray.run(job, [source], target, suffixes={".txt", *SUFFIXES}, **ray_arguments(options)))
