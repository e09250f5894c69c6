"""`zhpipe review`: people mend labels on a local page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import reading_options, table_options
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.models.model import Model
    from pipeline.review.decisions import Decisions
    from pipeline.review.queue import Item
    from pipeline.review.table_queue import ReviewTable

EXPORT = "Write what is left to decide to a file for Label Studio (.json) or doccano (.jsonl), and end."
IMPORT = "Take over the decisions in a file of Label Studio (.json) or doccano (.jsonl), and end."


@click.command()
@click.argument("model", metavar="RUN|MODEL")
@click.argument("table", metavar="[TABLE]", required=False)
@click.option(
    "--only",
    type=click.Choice(["doubtful", "error"]),
    help="Of a run: only doubtful labels, or only errors.  [default: both]",
)
@click.option(
    "--part",
    "parts",
    type=click.Choice(["train", "dev", "test"]),
    multiple=True,
    help="Of a run: a part to look at; can be repeated.  [default: all]",
)
@click.option("--below", type=click.FloatRange(0, 1), help="Of a TABLE: rows whose confidence is lower.")
@click.option(
    "--next", "next_", type=click.IntRange(min=1), metavar="N", help="Of a TABLE: the N rows that teach the model most."
)
@click.option("--label", default="label", show_default=True, help="Of a TABLE: label column, which may be missing.")
@click.option("--prefix", default="", help="Of a TABLE: what the columns of `zhpipe label --prefix` begin with.")
@click.option(
    "--corrections",
    default="corrections.csv",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of what is decided; it is continued if it exists.",
)
@click.option("--who", help="Who decides.  [default: the user's name]")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine.  [default: any that is free]"
)
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), help=EXPORT)
@click.option("--import", "import_", type=click.Path(dir_okay=False, path_type=Path), help=IMPORT)
@click.option("--force", is_flag=True, help="Replace the file of --export if it exists.")
@table_options
def review(model: str, table: str | None, **options: Any) -> None:
    """Mend labels on a page in the browser, one text at a time.

    \b
    zhpipe review runs/mail                               doubtful labels, then errors
    zhpipe review runs/mail labelled.csv --text 正文      rows that zhpipe label marked for review
    zhpipe review runs/mail inbox.csv --next 50           unlabelled rows that teach most

    Every decision is written to a file of corrections at once, and the same command goes on with the rest. A config
    applies them: corpus.corrections = ["corrections.csv"]. Only this machine can reach the page, by the address that is
    printed. Ctrl-C stops it.
    """
    from pipeline.models.model import Model, find_model

    _check_options(table, options)
    loaded, decisions = Model.load(find_model(model)), _decisions(options)
    with decisions.writing():
        if options["import_"]:
            _import(Path(model), loaded, table, options, decisions)
        else:
            items = _queue(Path(model), loaded, table, options, decisions)
            _look(f"{table or model}", items, loaded, options, decisions)
        if not options["export"]:
            _conclude(Path(model), table, decisions)


def _look(title: str, items: list[Item], model: Model, options: dict[str, Any], decisions: Decisions) -> None:
    """Shows what is left to decide on a page, or writes it for another tool."""
    import logging

    from pipeline.review.exchange import export
    from pipeline.review.server import serve
    from pipeline.review.session import Session

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    open_ = [item for item, made in zip(items, decisions.of(items), strict=True) if made is None]
    echo(f"{len(items):,} texts, {len(open_):,} to decide", err=True)
    if options["export"]:
        echo(f"{export(options['export'], model.task, open_):,} texts: {options['export']}")
    elif open_:
        session = Session(title, items, model, decisions)
        serve(session, port=options["port"], announce=lambda address: echo(f"open {address}", err=True))


def _import(run: Path, model: Model, table: str | None, options: dict[str, Any], decisions: Decisions) -> None:
    from pipeline.review import exchange, queue, table_queue

    items = table_queue.every_row(_table(table, options), model) if table else queue.every_row(run, model)
    made = exchange.import_(options["import_"], model.task, items, decisions)
    echo(
        f"{options['import_']}: {made.decided:,} decided, {made.undecided:,} undecided, {made.unknown:,} of texts that "
        f"{table or run} lacks"
    )
    if made.misfits:
        echo(f"zhpipe: warning: {made.misfits:,} records don't fit their text: {made.first}", err=True)


def _table(table: str, options: dict[str, Any]) -> ReviewTable:
    from corpora.table_options import TableOptions
    from pipeline.review.table_queue import ReviewTable

    reading = reading_options(options)
    return ReviewTable(
        Path(table),
        TableOptions(**{name: value for name, value in reading.items() if name != "text"}),
        text=reading["text"],
        label=options["label"],
        prefix=options["prefix"],
    )


def _decisions(options: dict[str, Any]) -> Decisions:
    from pipeline.review.decisions import Decisions

    return Decisions(options["corrections"], _user() if options["who"] is None else options["who"])


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return ""


def _check_options(table: str | None, options: dict[str, Any]) -> None:
    """Raises UsageError for options that belong to a run where a TABLE is named, and the other way round."""
    of_run, of_table = {"only": "--only", "parts": "--part"}, {"below": "--below", "next_": "--next"}
    for name, option in of_table.items() if table is None else of_run.items():
        if options[name] not in (None, ()):
            raise click.UsageError(f"{option} is for {'a TABLE: name one' if table is None else 'a run: leave it out'}")
    if options["export"] and options["import_"]:
        raise click.UsageError("--export and --import are two steps: leave one out")
    if options["export"] and options["export"].exists() and not options["force"]:
        raise click.UsageError(f"{options['export']}: exists already: name another file, or pass --force to replace it")
    if options["below"] is not None and options["next_"] is not None:
        raise click.UsageError("--below and --next choose different rows: leave one out")


def _queue(run: Path, model: Model, table: str | None, options: dict[str, Any], decisions: Decisions) -> list[Item]:
    from pipeline.review import forms, queue, table_queue
    from pipeline.stages.segment import PARTS

    forms.form_of(model.task)
    if table is None:
        reasons = (options["only"],) if options["only"] else queue.RUN_REASONS
        return queue.of_run(run, model, reasons=reasons, parts=options["parts"] or PARTS, progress=progress.bar)
    given = _table(table, options)
    if options["next_"] is None:
        items = table_queue.unsure(given, model, below=options["below"], progress=progress.bar)
    else:
        decided = {one.fingerprint for one in decisions.read()}
        items = table_queue.teaching_most(given, model, options["next_"], decided=decided, progress=progress.bar)
    if given.rejected:
        echo(f"zhpipe: warning: {table}: {given.rejected:,} rows that can't be read are left out", err=True)
    return items


def _conclude(run: Path, table: str | None, decisions: Decisions) -> None:
    """Prints what was decided, and how to use it."""
    counts = decisions.counts()
    echo(f"{decisions.path}: {counts['decided']:,} decided, {counts['changed']:,} of them change a label")
    if counts["decided"] and table is None:
        echo(f"apply    zhpipe run {run / 'config.toml'} --set 'corpus.corrections=[\"{decisions.path}\"]'")
