"""A file of the user's own in place of a config: its options, and `zhpipe init`, which writes its config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.escapes import escaped
from pipeline.commands.options import label_separator_option
from pipeline.commands.shipped import find_config
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.config.settings import Settings
    from pipeline.config.starter import Starter

Command = Callable[..., Any]
ABOUT_FILE = ("text", "label", "label_separator", "task", "format_", "encoding", "out")  # options that only a FILE has


def file_options(function: Command) -> Command:
    """--text, --label, --label-separator, --task, --format, --encoding: what a FILE is."""
    for option in reversed(
        (
            click.option("--text", multiple=True, help="Text column of FILE; repeat it to join several."),
            click.option("--label", help="Label column of FILE."),
            label_separator_option,
            click.option(
                "--task",
                type=click.Choice(["classify", "multilabel", "tag", "language"]),
                help="What is learnt.  [default: by the format of FILE]",
            ),
            click.option(
                "--format",
                "format_",
                help="csv, tsv, jsonl, parquet, xlsx, lines, conll, conllu, slashed, segmented, cluener, doccano or "
                "label-studio.  [default: by the suffix and the first lines]",
            ),
            click.option("--encoding", help="Encoding of FILE, never guessed.  [default: utf-8]"),
        )
    ):
        function = option(function)
    return function


def out_option(function: Command) -> Command:
    """--out: the folder of the run of a FILE."""
    return click.option("--out", help="Folder of the run of FILE.  [default: RUNS/NAME, after FILE]")(function)


def is_own_file(source: str, options: dict[str, Any]) -> bool:
    """Whether the argument is a FILE and no CONFIG. Raises UsageError for options of a FILE beside a CONFIG."""
    if not source.endswith(".toml") and find_config(source) == Path(source):
        return True
    given = [name for name in ABOUT_FILE if options[name]]
    if given:
        option = given[0].rstrip("_").replace("_", "-")
        raise click.UsageError(f"--{option} is for a FILE; {source} is a config: change it with --set, or edit it")
    return False


def made_of_file(file: str, options: dict[str, Any], *, named_by_out: bool = False) -> Starter:
    """The config of a FILE, by the options of `file_options`. Raises UsageError if there is no file."""
    from pipeline.config.starter import starter

    if not Path(file).is_file():
        what = "is a folder: name a file in it" if Path(file).is_dir() else "no such file, and no config of that name"
        raise click.UsageError(f"{file}: {what}")
    name = Path(options["out"]).name if named_by_out and options["out"] else None
    return starter(
        file,
        text=options["text"],
        label=options["label"],
        label_separator=options["label_separator"],
        task=options["task"],
        format=options["format_"],
        encoding=options["encoding"] or "utf-8",
        name=name,
    )


def check_run(folder: Path, settings: Settings, force: bool) -> None:
    """Raises PipelineError if the folder is the run of another file."""
    from pipeline.config.load import load
    from pipeline.errors import PipelineError

    config = folder / "config.toml"
    if force or not config.is_file():
        return
    before = load(config).corpus.train
    if before != settings.corpus.train:
        raise PipelineError(
            f"{folder}: is the run of {before}: name another folder with --out, or pass --force to replace it"
        )


@click.command()
@click.argument("file", metavar="FILE")
@file_options
@click.option("--out", help="Config to write.  [default: NAME.toml, after FILE]")
@click.option("--force", is_flag=True, help="Replace the config if it exists.")
def init(file: str, out: str | None, force: bool, **options: Any) -> None:
    """Write a commented config for a FILE of your own, and stop.

    Edit it, then `zhpipe run` it. Columns and the task are guessed only where FILE leaves one choice.
    """
    from corpora.files import replace_when_done
    from pipeline.config.load import loads
    from pipeline.config.starter import run_name
    from pipeline.errors import PipelineError

    target = Path(out or f"{run_name(Path(file))}.toml")
    if target.exists() and not force:
        raise PipelineError(f"{target}: exists already: name another with --out, or pass --force to replace it")
    source = file if target.absolute().parent == Path.cwd() else str(Path(file).absolute())
    made = made_of_file(source, {**options, "out": None})
    loads(made.toml, source=str(target))
    with replace_when_done(target) as temporary:
        temporary.write_text(made.toml, encoding="utf-8", newline="\n")
    for guess in made.guesses:
        echo(f"guessed  {escaped(guess)}")
    echo(f"config   {target}; edit it, then: zhpipe run {target}")
