"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress

if TYPE_CHECKING:
    from corpora.annotations.formats import ReadOptions

Command = Callable[..., Any]


def table_options(function: Command) -> Command:
    """--text and the options of `reading_options_of`: how a table is read."""
    text = click.option(
        "--text", multiple=True, default=("text",), show_default=True, help="Text column; repeat it to join several."
    )
    encoding = click.option(
        "--encoding",
        default="utf-8",
        show_default=True,
        help="utf-8, utf-8-sig, gb18030, cp950 (Big5), big5hkscs or utf-16; never guessed.",
    )
    format_ = click.option(
        "--format", "format_", help="csv, tsv, jsonl, json, parquet or xlsx.  [default: by the suffix]"
    )
    return _with(function, text, format_, encoding, *LAYOUT)


# How the cells, the header and the bad rows of a table are read, by the names of `corpora.table_options.TableOptions`.
LAYOUT: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--delimiter",
        callback=lambda _, __, given: _delimiter(given),
        help="Between the cells of CSV: one character, such as ';', or tab.  [default: by the format]",
    ),
    click.option(
        "--quoting/--no-quoting",
        default=None,
        help="Whether quotes around a cell of CSV enclose it.  [default: yes, but not if it holds rows]",
    ),
    click.option("--sheet", help="Sheet of XLSX, by name or number.  [default: the first that is not hidden]"),
    click.option("--no-header", is_flag=True, help="The first row is data; columns are named 1, 2, ..."),
    click.option(
        "--header-row",
        type=click.IntRange(min=1),
        help="Row that names the columns, counted from 1; rows above it are left out.",
    ),
    click.option(
        "--skip-rows", type=click.IntRange(min=0), default=0, help="Rows at the top to leave out, the header aside."
    ),
    click.option(
        "--bad-rows",
        type=click.Choice(["stop", "set-aside"]),
        help="Stop at a row that can't be read, or set it aside with the reason.  [default: stop; label: set-aside]",
    ),
)
_NAMES = ("delimiter", "quoting", "sheet", "header_row", "skip_rows")
LAYOUT_NAMES = (*_NAMES, "no_header", "bad_rows")  # of the options, as click passes them


def annotation_options(function: Command) -> Command:
    """--encoding, --text, --offsets, --kind, --token, --tag and so on: how annotations are read."""
    return _with(
        function,
        click.option("--encoding", default="utf-8", show_default=True, help="Encoding of IN; never guessed."),
        click.option("--text", help="Key of the text in JSON.  [default: text]"),
        click.option(
            "--offsets",
            type=click.Choice(["characters", "utf-16"]),
            help="What offsets count.  [default: characters, or what the words of the entities show]",
        ),
        click.option(
            "--kind",
            type=click.Choice(["entities", "words", "joint", "pos"]),
            help="What the tags of conll and huggingface are about.  [default: told from them]",
        ),
        click.option("--token", type=int, help="conll: column of the token, from 0.  [default: 0]"),
        click.option("--tag", help="Column of the tag: conll a number, conllu upos or xpos, huggingface a key."),
        click.option("--separator", help="conll: between columns; slashed: between word and tag."),
        click.option(
            "--brackets/--no-brackets", default=None, help="slashed: read [ and ] around words.  [default: yes]"
        ),
        click.option("--comment", help="conll: lines that begin so are skipped."),
        click.option("--names", help="huggingface: names of tags that are numbers, from 0 on: O,B-地点,I-地点."),
    )


_ANNOTATION_NAMES = ("encoding", "kind", "text", "offsets", "token", "separator", "comment", "brackets")


def annotation_reading(options: dict[str, Any]) -> ReadOptions:
    """The options of `annotation_options` as the readers of annotations take them."""
    from corpora.annotations.formats import ReadOptions

    tag = options["tag"]
    return ReadOptions(
        **{name: options[name] for name in _ANNOTATION_NAMES},
        tag=int(tag) if tag and tag.lstrip("-").isdecimal() else tag,
        names=options["names"].split(",") if options["names"] else None,
    )


def label_separator_option(function: Command) -> Command:
    """--label-separator: what is between the labels of a row that may have several."""
    return click.option(
        "--label-separator",
        metavar="TEXT",
        help="Text between the labels of a row that may have several, such as '|'; a list of labels is read too.",
    )(function)


def precision_option(function: Command) -> Command:
    """--int8, --float32: which network answers; None for the one that the model names."""
    return click.option(
        "--int8/--float32",
        "precision",
        default=None,
        callback=lambda _, __, given: given if given is None else "int8" if given else "float32",
        help="The smaller, faster network (LSTM only), or the full one.  [default: int8 where it loses at most 0.1 "
        "point on dev]",
    )(function)


def reading_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `table_options` under the names that the readers of tables use."""
    return {"text": options["text"], "format": options["format_"], "encoding": options["encoding"], **layout(options)}


def layout(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `LAYOUT` under the names of `TableOptions`; bad rows only if they were named."""
    named = {"bad_rows": options["bad_rows"]} if options["bad_rows"] else {}
    return {**{name: options[name] for name in _NAMES}, "header": not options["no_header"], **named}


def _delimiter(given: str | None) -> str | None:
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
