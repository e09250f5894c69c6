"""A file of the user's own in place of a config: its options, and `zhpipe init`, which writes its config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.escapes import escaped
from pipeline.commands.options import LAYOUT, LAYOUT_NAMES, label_separator_option, layout
from pipeline.commands.shipped import find_config
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.config.settings import Settings
    from pipeline.config.starter import Starter

Command = Callable[..., Any]
# Options that only a FILE has.
ABOUT_FILE = ("text", "label", "label_separator", "task", "format_", "encoding", "out", "from_model", *LAYOUT_NAMES)


def file_options(function: Command) -> Command:
    """The options of a FILE: what is in it, and how it is read (`LAYOUT`)."""
    options: tuple[Callable[[Command], Command], ...] = (
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
            help="csv, tsv, jsonl, json, parquet, xlsx, lines, conll, conllu, slashed, segmented, brat, doccano, "
            "label-studio, ...  [default: by the suffix and the first lines]",
        ),
        click.option("--encoding", help="Encoding of FILE, never guessed.  [default: utf-8]"),
        *LAYOUT,
    )
    for option in reversed(options):
        function = option(function)
    return function


def out_option(function: Command) -> Command:
    """--out: the folder of the run of a FILE."""
    return click.option("--out", help="Folder of the run of FILE.  [default: RUNS/NAME, after FILE]")(function)


def from_model_option(function: Command) -> Command:
    """--from-model: the run that training goes on from."""
    return click.option(
        "--from-model",
        metavar="RUN|MODEL",
        help="Go on from this classifier or tagger: new rows and epochs, the same labels or more.",
    )(function)


def of_earlier_model(path: str) -> list[str]:
    """Overrides with which a run goes on from a model: those of its settings that the run has to share."""
    from pipeline.config.section import toml_value
    from pipeline.models.earlier_model import EarlierModel

    earlier = EarlierModel.load(path)
    values = {**earlier.settings, "train.from_model": str(earlier.folder)}
    return [f"{key}={toml_value(value)}" for key, value in values.items()]


def is_own_file(source: str, options: dict[str, Any]) -> bool:
    """Whether the argument is a FILE and no CONFIG. Raises UsageError for options of a FILE beside a CONFIG."""
    if not source.endswith(".toml") and find_config(source) == Path(source):
        return True
    given = [name for name in ABOUT_FILE if options.get(name) or (options.get(name) is False and name == "quoting")]
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
        name=name,
        **layout(options) | ({"encoding": options["encoding"]} if options["encoding"] else {}),
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
