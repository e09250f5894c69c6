"""The command `zhpipe`: options, text and exit codes; the only file that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline import __version__, progress
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.language.model import LanguageModel

TextColumns = tuple[str, ...]
INPUT_ERRORS = (CorpusError, EmbeddingError, PipelineError, UnicodeError)
SUCCESS, BAD_INPUT, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave: 0 when all went well, 2 for bad input, 130 when interrupted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault(
        "TF_ENABLE_ONEDNN_OPTS", "0"
    )  # with it, results depend on the processor, and it is slower on short rows
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        command.main(arguments, prog_name="zhpipe", standalone_mode=False)
    except click.Abort:
        return _complain("interrupted; the same command goes on from the last finished step", INTERRUPTED)
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on from the last finished step", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCESS
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", BAD_INPUT)
    except INPUT_ERRORS as error:
        return _complain(str(error), BAD_INPUT)
    return SUCCESS


def _complain(message: str, code: int) -> int:
    click.echo(f"zhpipe: {message}", err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="zhpipe")
def command() -> None:
    """Chinese text in tables: train a recurrent network on labelled rows, judge it, and label new rows with it.

    \b
    zhpipe inspect mails.csv --text 正文 --label 类别      what is in a file
    zhpipe run configs/sample-mail.toml                   train and report, into runs/sample-mail
    zhpipe label runs/sample-mail inbox.csv out.csv --text 正文
    """


def _table_options(function: Callable[..., Any]) -> Callable[..., Any]:
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


def _engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--address", help="With --engine ray: of a running cluster; left out: one is started here."),
        click.option("--restart", is_flag=True, help="Begin anew where an unfinished job stands."),
    ):
        function = option(function)
    return function


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
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


@command.command()
@click.argument("config")
@click.option("--from", "first", metavar="STAGE", help="Begin with this stage: segment, embed, train or evaluate.")
@click.option("--until", "last", metavar="STAGE", help="End with this stage.")
@_run_options
def run(config: str, first: str | None, last: str | None, overrides: TextColumns, force: bool, runs: str) -> None:
    """Run an experiment: segment, embed, train and evaluate, into RUNS/NAME.

    CONFIG is a TOML file, or the name of one that comes with zhpipe, such as sample-mail.toml. Stages whose inputs,
    settings
    and code have not changed are skipped; what was interrupted goes on. `zhpipe config` prints every setting.
    """
    _run(config, overrides, runs=runs, first=first, last=last, force=force)


def _run(config: str, overrides: TextColumns, *, runs: str, first: str | None, last: str | None, force: bool) -> None:
    from pipeline import settings
    from pipeline.runner import Finished, run_seeds, run_stages

    def report(finished: Finished) -> None:
        took = "skipped" if finished.skipped else f"{finished.seconds:.1f} s"
        click.echo(f"{finished.stage:<9}{took:>9}  {finished.summary}")

    loaded = settings.load(_find_config(config), overrides)
    if loaded.seeds:
        folder = run_seeds(loaded, runs=runs, first=first, last=last, force=force, progress=progress.bar, report=report)
        return _print_comparison(folder)
    folder = run_stages(loaded, runs=runs, first=first, last=last, force=force, progress=progress.bar, report=report)
    if (folder / "evaluate" / "report.txt").exists() and last in (None, "evaluate"):
        click.echo(f"report   {_report(folder / 'evaluate')}")
        click.echo(f"model    {folder / 'model'}")


def _report(folder: Path) -> Path:
    """The page of a report, or its text where the task has no page."""
    return next(path for name in ("report.html", "report.txt") if (path := folder / name).exists())


def _print_comparison(folder: Path) -> None:
    import json

    from pipeline.evaluation import comparison

    path = folder / "comparison.json"
    if path.is_file():
        click.echo(comparison.render(json.loads(path.read_text(encoding="utf-8"))), nl=False)
        click.echo(f"page     {folder / 'comparison.html'}")


def _find_config(name: str) -> Path:
    """A path as it is, or else the config of that name that comes with zhpipe."""
    shipped = Path(__file__).parent.parent / "configs"
    path = Path(name)
    for candidate in (shipped / path.name, shipped / f"{path.name}.toml"):
        if not path.is_file() and path.parent == Path() and candidate.is_file():
            return candidate
    return path


@command.command()
@click.argument("source", metavar="IN|CONFIG")
@click.argument("target", metavar="[OUT]", required=False)
@_table_options
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Words, or every character.",
)
@click.option(
    "--engine",
    type=click.Choice(["rjieba", "jieba", "ray"]),
    default="rjieba",
    show_default=True,
    help="rjieba is the fast one; ray: rjieba on the machines of a Ray cluster, into a folder OUT.",
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
@_engine_options
@_run_options
def segment(source: str, target: str | None, **options: Any) -> None:
    """Cut texts into words: IN to OUT, or the stage of a CONFIG.

    A plain text file (.txt) is cut line by line; in a table the column `tokens` is added, words separated by spaces.
    """
    if source.endswith(".toml") and target is None:
        return _run(
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
    from pipeline.settings import SegmentSettings
    from pipeline.stages import segment as stage

    names = ("unit", "engine", "mode", "hmm", "dictionaries", "stop_words", "workers")
    count = stage.segment_file(
        source,
        target,
        SegmentSettings(**{name: options[name] for name in names}),
        text=options["text"],
        format=options["format_"],
        encoding=options["encoding"],
        force=options["force"],
        progress=progress.bar,
    )
    click.echo(f"{count} texts cut into {target}")


def _segment_on_ray(source: str, target: str, options: dict[str, Any]) -> None:
    from corpora.table import SUFFIXES
    from pipeline.engines import ray
    from pipeline.engines.jobs import Segmenting
    from pipeline.settings import SegmentSettings
    from pipeline.stages.segment import make_segmenter

    names = ("unit", "mode", "hmm", "dictionaries", "stop_words")
    segmenter = make_segmenter(SegmentSettings(**{name: options[name] for name in names}))
    job = Segmenting(segmenter, options["text"], options["format_"], options["encoding"])
    _tell(ray.run(job, [source], target, suffixes={".txt", *SUFFIXES}, **_on_ray(options)))


def _on_ray(options: dict[str, Any]) -> dict[str, Any]:
    names = ("address", "workers", "force", "restart")
    return {"progress": progress.bar, **{name: options[name] for name in names}}


@command.command()
@click.argument("sources", metavar="CONFIG|TEXT...", nargs=-1, required=True)
@click.option("--out", help="With TEXT: the folder for the vectors.")
@click.option(
    "--unit", type=click.Choice(["word", "char"]), default="word", show_default=True, help="Words or characters."
)
@click.option("--algorithm", type=click.Choice(["skip-gram", "cbow"]), default="skip-gram", show_default=True)
@click.option("--size", type=click.IntRange(min=1), default=100, show_default=True, help="Width of a vector.")
@click.option("--window", type=click.IntRange(min=1), default=5, show_default=True, help="Words on each side.")
@click.option("--min-count", type=click.IntRange(min=1), default=5, show_default=True, help="Rarer words are left out.")
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True, help="Passes over the text.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="2 or more: not reproducible."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same vectors.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of TEXT; never guessed.")
@_run_options
def embed(sources: TextColumns, out: str | None, **options: Any) -> None:
    """Train Word2Vec on raw TEXT files (a sentence a line, plain or gzip), or run the stage embed of a CONFIG."""
    if len(sources) == 1 and sources[0].endswith(".toml"):
        return _run(
            sources[0], options["overrides"], runs=options["runs"], first="embed", last="embed", force=options["force"]
        )
    if out is None:
        raise click.UsageError("--out is missing: the folder for the vectors")
    from pipeline.settings import EmbedSettings, SegmentSettings
    from pipeline.stages.embed import embed_files

    names = ("algorithm", "size", "window", "min_count", "epochs", "workers")
    vectors = embed_files(
        sources,
        out,
        EmbedSettings(**{name: options[name] for name in names}),
        SegmentSettings(unit=options["unit"]),
        seed=options["seed"],
        encoding=options["encoding"],
        progress=progress.bar,
    )
    click.echo(f"{len(vectors)} vectors of {vectors.width}: {out}")


@command.command()
@click.argument("config")
@_run_options
def train(config: str, overrides: TextColumns, force: bool, runs: str) -> None:
    """Train the network: the stage train of CONFIG, whose stages segment and embed have run."""
    _run(config, overrides, runs=runs, first="train", last="train", force=force)


@command.command()
@click.argument("model", metavar="MODEL|RUN|CONFIG")
@click.option("--corpus", help="A labelled file to score the model on.")
@click.option("--label", default="label", show_default=True, help="Column of the label.")
@click.option("--out", help="Folder of the report; left out: evaluation beside the corpus, named after it.")
@_table_options
@_run_options
def evaluate(model: str, corpus: str | None, label: str, out: str | None, **options: Any) -> None:
    """Score a model on any labelled file, or run the stage evaluate of a CONFIG."""
    if model.endswith(".toml") and corpus is None:
        return _run(
            model,
            options["overrides"],
            runs=options["runs"],
            first="evaluate",
            last="evaluate",
            force=options["force"],
        )
    if corpus is None:
        raise click.UsageError("--corpus is missing: the labelled file to score on")
    from pipeline.stages.evaluate import evaluate_file

    folder = Path(out) if out else Path(f"{Path(corpus).name.split('.')[0]}-evaluation")
    evaluate_file(
        model,
        corpus,
        folder,
        text=options["text"],
        label=label,
        format=options["format_"],
        encoding=options["encoding"],
        progress=progress.bar,
    )
    click.echo((folder / "report.txt").read_text(encoding="utf-8"), nl=False)
    click.echo(f"report   {_report(folder)}")


@command.command()
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--out", help="Folder for a page, JSON and the rows that differ.")
def compare(runs: TextColumns, out: str | None) -> None:
    """Set evaluated runs side by side: scores, intervals, significance, speed and size.

    A RUN is a run's folder, or that of a report; all have to be tested on the same rows.
    """
    from pipeline.evaluation import comparison

    systems = [comparison.read(run) for run in runs]
    found = comparison.write(out, systems) if out else comparison.compare(systems)
    click.echo(comparison.render(found), nl=False)
    if out:
        click.echo(f"page     {Path(out) / 'comparison.html'}")


@command.command()
@click.argument("model", metavar="MODEL|RUN")
@click.argument("paths", metavar="IN... OUT", nargs=-1, required=True)
@_table_options
@click.option("--delimiter", help="Of CSV, one character, such as ';'; kept in OUT.")
@click.option("--no-header", is_flag=True, help="The first row is no header: columns are named 1, 2, ...")
@click.option("--output-format", help="Of OUT; left out: by its suffix.")
@click.option("--output-encoding", help="Of OUT; left out: as IN. utf-8-sig is what Excel reads best.")
@click.option(
    "--probabilities",
    "--surprisal",
    "probabilities",
    is_flag=True,
    help="Add the finer columns: p:LABEL of each label; of a language model the bits of each token.",
)
@click.option(
    "--review-below",
    type=click.FloatRange(0, 1),
    help="Add needs_review: true where the confidence is below this.",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1),
    help="The same, with the threshold at which dev supports this precision.",
)
@click.option("--prefix", default="", help="Put this before the names of the new columns.")
@click.option("--excel-safe", is_flag=True, help="Guard cells that a spreadsheet would run as a formula with a '.")
@click.option("--strict", is_flag=True, help="Stop at a row that can't be read, instead of setting it aside.")
@click.option("--int8", is_flag=True, help="Use the smaller, faster network (LSTM only).")
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes; 0: all cores.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: on the machines of a Ray cluster, into a folder OUT.",
)
@_engine_options
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--show",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Print this many of the first labelled rows.",
)
def label(model: str, paths: TextColumns, show: int, target_precision: float | None, **options: Any) -> None:
    """Label the rows of IN with MODEL and write them to OUT.

    OUT has the same rows in the same order with the same columns, and `label` and `confidence` behind them. It
    appears only when it is whole; after an interrupt, the same command goes on. A row without text keeps its place,
    with blank cells; a row that can't be read goes to OUT.rejected.csv.

    IN and OUT may be -, for standard input and output. Of several files, a folder or a pattern in quotes as IN, OUT is
    a folder.
    """
    import gc

    from pipeline import load
    from pipeline.engines.local import is_many
    from pipeline.stages.shard import Options

    *sources, target = paths
    if not sources:
        raise click.UsageError("OUT is missing: zhpipe label MODEL IN OUT")
    if target_precision is not None:
        if options["review_below"] is not None:
            raise click.UsageError("--review-below and --target-precision both set the threshold: pass one of them")
        options["review_below"] = _threshold(model, target_precision)
    chosen = Options(
        format=options["format_"],
        header=not options["no_header"],
        delimiter=_delimiter(options["delimiter"]),
        **{
            name: options[name]
            for name in (
                *("text", "encoding", "output_format", "output_encoding"),
                *("probabilities", "prefix", "excel_safe", "strict", "workers", "review_below"),
            )
        },
    )
    if options["engine"] == "ray":
        return _label_on_ray(model, sources, target, chosen, options)
    loaded = load(model, int8=options["int8"])
    gc.freeze()  # what stays for good need not be looked through again and again
    if target == "-":
        _label_to_stream(loaded, sources, chosen)
    elif is_many(sources, target):
        _label_files(loaded, sources, target, chosen, force=options["force"], restart=options["restart"])
    else:
        _label_file(loaded, sources[0], target, chosen, force=options["force"], restart=options["restart"])
        if show:
            _show(target, show, chosen)


def _threshold(model: str, target: float) -> float:
    """The threshold of a precision; what it is, and the coverage to expect, goes to standard error."""
    from pipeline import confidence
    from pipeline.stages.evaluate import find_model

    folder = find_model(Path(model))
    points = confidence.read(folder)
    found = confidence.threshold(folder, target)
    click.echo(
        f"needs_review below {found.threshold:.4f}: on dev {found.rows} of {points[0].rows} rows "
        f"({confidence.coverage(found, points):.1%}) reached it, and {found.right / found.rows:.1%} of them were right",
        err=True,
    )
    return found.threshold


def _delimiter(given: str | None) -> str | None:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(given, given) if given else given
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise click.UsageError(f"--delimiter is {given!r}: expected one character, such as ';', or tab")
    return delimiter


def _label_file(model: Any, source: str, target: str, options: Any, *, force: bool, restart: bool) -> None:
    from pipeline.stages.label import label_file, rejected_path

    labelled = label_file(
        model, source, target, force=force, restart=restart, progress=progress.bar, **options.as_arguments()
    )
    click.echo(f"{_accounting(labelled)}; {target}")
    _expectation(labelled, review=options.review_below is not None)
    if labelled.rejected:
        click.echo(f"rejected rows   {rejected_path(Path(target))}{labelled.reason and f'; {labelled.reason}'}")


def _label_to_stream(model: Any, sources: Sequence[str], options: Any) -> None:
    from pipeline.stages.label import label_stream

    if len(sources) > 1:
        raise click.UsageError("several files can't be labelled to standard output: name a folder as OUT")
    labelled = label_stream(model, sources[0], sys.stdout.buffer, sys.stderr.buffer, options=options)
    click.echo(_accounting(labelled), err=True)
    _expectation(labelled, review=options.review_below is not None, err=True)


def _label_files(model: Any, sources: Sequence[str], target: str, options: Any, *, force: bool, restart: bool) -> None:
    from pipeline.engines.local import label_files

    outcomes = label_files(model, sources, target, options=options, force=force, restart=restart, progress=progress.bar)
    _tell(outcomes, review=options.review_below is not None)


def _label_on_ray(model: str, sources: Sequence[str], target: str, chosen: Any, options: dict[str, Any]) -> None:
    from pipeline.engines import ray
    from pipeline.engines.jobs import Labelling
    from pipeline.stages.evaluate import find_model

    if "-" in (target, *sources):
        raise click.UsageError(
            "--engine ray reads files that every machine finds, and makes a folder: no - for a stream"
        )
    job = Labelling(find_model(Path(model)).absolute(), "int8" if options["int8"] else "float32", chosen)
    _tell(ray.run(job, sources, target, output_format=chosen.output_format, **_on_ray(options)))


def _tell(outcomes: Sequence[Any], *, review: bool = False) -> None:
    """What became of each of many inputs. Raises PipelineError where one failed."""
    for outcome in outcomes:
        if outcome.error:
            click.echo(f"zhpipe: {outcome.error}", err=True)
        elif outcome.labelled is None:
            click.echo(f"done before; {outcome.target}")
        else:
            click.echo(f"{_accounting(outcome.labelled)}; {outcome.target}")
            _expectation(outcome.labelled, review=review)
    if failed := sum(bool(outcome.error) for outcome in outcomes):
        raise PipelineError(f"{failed} of {len(outcomes)} files failed")


def _accounting(labelled: Any) -> str:
    rate = (labelled.rows - labelled.resumed) / max(labelled.seconds, 1e-9)
    rejected = f", {labelled.rejected} rejected" if labelled.rejected else ""
    resumed = f" ({labelled.resumed} done before)" if labelled.resumed else ""
    return (
        f"{labelled.rows} rows{resumed}: {labelled.labelled} labelled, {labelled.blank} blank{rejected}; "
        f"{labelled.seconds:.1f} s, {rate:,.0f} rows/s"
    )


def _expectation(labelled: Any, *, review: bool, err: bool = False) -> None:
    """What share of the labels to expect right, how many rows to look at, and whether the texts look foreign."""
    if labelled.expected_right is not None:
        said = f"expected right  {labelled.expected_right:.1%} of {labelled.labelled} labelled rows"
        click.echo(said + (f"; {labelled.needs_review} need review" if review else ""), err=err)
    if labelled.oddities:
        click.echo(
            f"zhpipe: warning: the input looks unlike the training data, so confidence may promise too much: "
            f"{'; '.join(labelled.oddities)}",
            err=True,
        )


def _show(target: str, count: int, options: Any) -> None:
    from itertools import islice

    from corpora import entries
    from corpora.card import columns_wide
    from corpora.rows import Row

    table = entries.read(
        Path(target),
        format=options.output_format,
        encoding=options.output_encoding or options.encoding,
        delimiter=options.delimiter,
        header=options.header,
    )
    lines = [row.cells for row in islice(table.rows, count) if isinstance(row, Row)]
    rows = [[str(cell or "").replace("\n", " ")[:40] for cell in row] for row in (table.columns, *lines)]
    widths = [max(columns_wide(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(
                cell + " " * (width - columns_wide(cell)) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
        )


@command.command()
@click.argument("model", metavar="MODEL|RUN")
@click.option("--prompt", default="", help="What the texts begin with; left out: at the beginning.")
@click.option("--count", "-n", type=click.IntRange(min=1), default=1, show_default=True, help="How many texts.")
@click.option("--length", type=click.IntRange(min=0), default=200, show_default=True, help="Most tokens behind PROMPT.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="0: always the likeliest token.")
@click.option("--top-k", type=int, default=0, help="Of so many likeliest tokens; left out: of all.")
@click.option("--top-p", type=float, default=1.0, help="Of the fewest tokens with this probability; left out: of all.")
@click.option("--beam", type=click.IntRange(min=1), help="Search for COUNT likely texts instead, keeping so many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same texts.")
@click.option("--unknown", is_flag=True, help="Let the unknown token come, written as \ufffd.")
def generate(
    model: str, prompt: str, count: int, length: int, beam: int | None, seed: int, unknown: bool, **options: Any
) -> None:
    """Let a language model write, token by token: what follows PROMPT, until the text ends."""
    author = _language_model(model)
    if beam:
        for found in author.search(prompt, width=max(beam, count), length=length, unknown=unknown)[:count]:
            click.echo(found.text)
        return
    for index in range(count):
        pieces = author.stream(prompt, length=length, seed=(seed, index), unknown=unknown, **options)
        click.echo(prompt, nl=False)
        for piece in pieces:
            click.echo(piece, nl=False)
        click.echo()


@command.command("next")
@click.argument("model", metavar="MODEL|RUN")
@click.argument("text", default="")
@click.option("--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def next_tokens(model: str, text: str, count: int) -> None:
    """List the tokens that are most likely to follow TEXT, with their probabilities."""
    from corpora import segmented

    for token, probability in _language_model(model).next(text, count):
        click.echo(f"{probability:.4f}  {'(end of text)' if token is None else segmented.join([token])}")


def _language_model(path: str) -> LanguageModel:
    from pipeline.language.model import LanguageModel
    from pipeline.stages.evaluate import find_model

    return LanguageModel.of(LanguageModel.load(find_model(Path(path))))


@command.command()
@click.argument("file")
@click.option("--label", help="Column of the label.")
@_table_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def inspect(file: str, label: str | None, text: TextColumns, format_: str | None, encoding: str, as_json: bool) -> None:
    """Print the data card of a corpus: rows, labels, lengths, repeated texts, odd characters, unknown words."""
    import json

    from corpora import formats
    from corpora.card import card
    from pipeline.segmenter import Segmenter

    segmenter = Segmenter()
    documents = formats.read(file, format_, text=text, label=label, encoding=encoding)
    with progress.bar("inspect", total=None, unit="rows") as advance:
        found = card(documents, is_known=segmenter.is_known, words=segmenter.tokens, advance=advance)
    click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2) if as_json else found.text())


@command.command()
@click.argument("word")
@click.option(
    "--vectors",
    required=True,
    help="A run's folder, a folder of vectors, or a table (word2vec, GloVe, fastText).",
)
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Which vectors of a run.",
)
@click.option("--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def neighbours(word: str, vectors: str, unit: str, count: int) -> None:
    """Print the words whose vectors are nearest to WORD's, with their cosines."""
    for neighbour, cosine in _vectors(vectors, unit).nearest(word, count):
        click.echo(f"{cosine:.4f}  {neighbour}")


@command.command()
@click.argument("pairs", nargs=-1, required=True)
@click.option("--vectors", required=True, help="A run's folder, a folder of vectors, or a table.")
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Which vectors of a run.",
)
def similarity(pairs: TextColumns, vectors: str, unit: str) -> None:
    """Compare vectors with people's judgement of word pairs: files of two words and a score a line."""
    from embeddings import evaluation

    table = _vectors(vectors, unit)
    for path in pairs:
        found = evaluation.similarity(table, evaluation.read_pairs(path))
        shown = "  ".join(
            f"{name} {value:.4f}" for name, value in (("Spearman", found.spearman), ("Pearson", found.pearson))
        )
        click.echo(f"{Path(path).name}: {shown}  pairs used {found.used}, skipped {found.skipped}")


@command.command()
@click.argument("questions", nargs=-1, required=True)
@click.option("--vectors", required=True, help="A run's folder, a folder of vectors, or a table.")
@click.option(
    "--unit",
    type=click.Choice(["word", "char"]),
    default="word",
    show_default=True,
    help="Which vectors of a run.",
)
def analogies(questions: TextColumns, vectors: str, unit: str) -> None:
    """Answer analogy questions (a is to b as c is to ?) with vectors: files of four words a line, in sections."""
    from embeddings import evaluation

    table = _vectors(vectors, unit)
    for path in questions:
        for section, found in evaluation.analogies(table, evaluation.read_questions(path)).items():
            click.echo(
                f"{Path(path).name} {section}: {found.accuracy:.4f}  "
                f"{found.correct} of {found.used}, skipped {found.skipped}"
            )


def _vectors(path: str, unit: str) -> Any:
    from embeddings import pretrained

    made = Path(path) / "embed"
    if not made.is_dir():
        return pretrained.read(path)
    units = sorted(vectors.parent.name for vectors in made.glob("*/vectors.npy"))
    if unit not in units:
        raise PipelineError(f"{path}: has no vectors of unit {unit}, but of {', '.join(units) or 'none'}: use --unit")
    return pretrained.read(made / unit)


@command.command()
def config() -> None:
    """Print a config with every key, what it means, what it may be, and its default."""
    from pipeline import settings

    click.echo(settings.reference(), nl=False)


if __name__ == "__main__":
    main()
