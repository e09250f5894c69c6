"""`zhpipe convert`: annotations from one format into another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from corpora.errors import CorpusError
from pipeline import progress
from pipeline.commands.options import annotation_options, annotation_reading
from pipeline.commands.terminal import echo

MOST_LABELS = 10


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--from", "from_", metavar="FORMAT", help="Format of IN.  [default: by its suffix and first lines]")
@click.option("--to", metavar="FORMAT", help="Format of OUT.  [default: by its suffix]")
@annotation_options
@click.option(
    "--scheme",
    type=click.Choice(["BIO", "BMES", "BIOES"]),
    default="BIO",
    show_default=True,
    help="Scheme of the tags in conll and huggingface.",
)
@click.option(
    "--overlaps",
    type=click.Choice(["refuse", "longest", "outermost"]),
    default="refuse",
    show_default=True,
    help="Which of overlapping entities to keep if OUT has room for one.",
)
@click.option("--output-encoding", help="Encoding of OUT.  [default: that of IN]")
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
def convert(source: str, target: str, from_: str | None, to: str | None, force: bool, **options: Any) -> None:
    """Convert annotations from one format into another.

    \b
    FORMAT is one of
    conll                      a token and its tag in each line, any scheme and notation
    iob2, conllu               Universal NER; Universal Dependencies, entities as ner= in MISC
    huggingface                {"tokens": [...], "ner_tags": [...]}, JSON lines or Parquet
    slashed, segmented         我/代词 爱/动词; 我 爱 北京
    brat                       NAME.txt with NAME.ann, or a folder of them
    doccano, label-studio, label-studio-predictions, spacy, cluener, cmeee, entities      JSON

    What OUT cannot hold is counted and printed.
    """
    from corpora.annotations import convert as conversion
    from corpora.annotations.formats import output_files
    from pipeline.stages.table_rows import check_target

    from_ = from_ or _format_of_input(Path(source), options["encoding"])
    to = to or _format_of_output(Path(target))
    for file in output_files(Path(target), to):
        check_target(Path(source), file, force)
    with progress.bar("convert", total=None, unit="texts") as advance, _options_named():
        made = conversion.convert(
            source,
            target,
            from_=from_,
            to=to,
            options=annotation_reading(options),
            scheme=options["scheme"],
            overlaps=options["overlaps"],
            output_encoding=options["output_encoding"],
            advance=advance,
        )
    for doubt in made.doubts:
        echo(f"zhpipe: warning: {doubt}", err=True)
    echo(f"{made.written:,} texts from {from_} to {to}: {target}")
    if made.labels:
        names, more = list(made.labels.items())[:MOST_LABELS], len(made.labels) - MOST_LABELS
        listed = ", ".join(f"{name} {count:,}" for name, count in names) + (f" and {more} more" if more > 0 else "")
        echo(f"entities {sum(made.labels.values()):,}: {listed}")
    for lost in made.lost:
        echo(f"lost     {lost}")


@contextmanager
def _options_named() -> Iterator[None]:
    """Errors of readers, which name settings, with the options of this command."""
    try:
        yield
    except CorpusError as error:
        message = re.sub(r"(?:set )?brackets = false", "--no-brackets", str(error))
        message = re.sub(r'(?:set )?(?<![\w.-])(offsets|overlaps) = "?([\w-]+)"?', r"--\1 \2", message)
        raise CorpusError(message.replace("names = [", "--names [")) from None


def _format_of_input(path: Path, encoding: str) -> str:
    from corpora import formats, sniffing
    from pipeline.errors import PipelineError

    if path.is_dir():
        return "brat"
    found = sniffing.sniff(path, None, encoding).format
    if found not in formats.TAGGED:
        raise PipelineError(f"{path}: looks like {found}, which has no annotations: name its format with --from")
    return found


def _format_of_output(path: Path) -> str:
    from corpora import formats, packed
    from corpora.annotations.formats import FORMATS
    from pipeline.errors import PipelineError

    suffix = packed.suffix_inside(path)
    if suffix not in formats.TAGGED_SUFFIXES:
        raise PipelineError(f"{path}: its suffix tells no format: choose one with --to: {', '.join(FORMATS)}")
    return formats.TAGGED_SUFFIXES[suffix]
