"""`zhpipe inspect`: shows what a corpus holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import progress
from pipeline.commands.options import label_separator_option, layout, reading_options, table_options
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from corpora.columns import Column


@click.command()
@click.argument("file")
@click.option("--label", help="Label column.")
@label_separator_option
@table_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(file: str, label: str | None, label_separator: str | None, as_json: bool, **options: Any) -> None:
    """Show what a corpus holds.

    Without options: the columns of a table, which of them look like text and label, and, where there is one of each,
    its data card (rows, labels, lengths, repeated texts, odd characters and unknown words, and what looks wrong). For a
    tagged corpus: types, lengths, illegal tags with their lines, and what looks wrong. A column that looks like several
    labels a row is pointed out; --label-separator counts them one by one.
    """
    from corpora import sniffing
    from corpora.table_options import TableOptions

    found = sniffing.sniff(Path(file), options["format_"], options["encoding"])
    if label_separator is not None and (found.is_tagged or found.format == "lines"):
        raise click.UsageError(f"--label-separator is for tables, and {file} is read as {found.format}: leave it out")
    if found.is_tagged:
        if TableOptions(**layout(options)) != TableOptions():
            raise click.UsageError(f"{file} is read as {found.format}, which has no options of tables: leave them out")
        return _tagged(file, found, options["encoding"], as_json)
    is_given = _is_given("text") or label is not None
    reading = reading_options(options) | {"format": found.format, "label_separator": label_separator}
    if found.format == "lines" or is_given:
        return _show(_card(file, label, reading), as_json)
    _columns(file, reading, as_json)


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


def _show(found: Any, as_json: bool) -> None:
    echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2) if as_json else found.text())


def _tagged(file: str, found: Any, encoding: str, as_json: bool) -> None:
    from corpora import formats
    from corpora.tag_card import tag_card

    options = {"overlaps": "longest"} if found.format in formats.OF_SPANS else {}
    _show(tag_card(formats.read_tagged(file, found.format, encoding=encoding, **options), found.kind), as_json)


def _card(file: str, label: str | None, reading: dict[str, Any]) -> Any:
    from corpora import formats
    from corpora.card import card
    from pipeline.segmentation.segmenter import Segmenter

    segmenter, findings = Segmenter(), Counter[str]()
    documents = formats.read(file, label=label, **reading).counted(findings)
    with progress.bar("inspect", total=None, unit="rows") as advance:
        return card(documents, is_known=segmenter.is_known, words=segmenter.tokens, advance=advance, findings=findings)


def _columns(file: str, reading: dict[str, Any], as_json: bool) -> None:
    """Prints the columns, and the card of those that are the only candidates."""
    from dataclasses import asdict

    from corpora import columns
    from corpora.table_options import TableOptions

    options = {key: given for key, given in reading.items() if key not in ("text", "label_separator")}
    found = columns.columns(Path(file), TableOptions(**options))
    texts, labels = _candidates(found, several=reading["label_separator"] is not None)
    card = None
    if len(texts) == 1:
        card = _card(file, labels[0] if len(labels) == 1 else None, {**reading, "text": tuple(texts)})
    if as_json:
        values = {"columns": [asdict(column) for column in found], **(card.as_dict() if card else {})}
        return echo(json.dumps(values, ensure_ascii=False, indent=2))
    echo(columns.text(found))
    if card:
        read_as = f"text {texts[0]}" + (f", label {labels[0]}" if len(labels) == 1 else "")
        echo(f"read with {read_as}\n\n{card.text()}")
    else:
        echo("choose the columns of the texts with --text, and that of the labels with --label")


def _candidates(found: Sequence[Column], *, several: bool) -> tuple[list[str], list[str]]:
    """The columns that may be the text and the label, or `several` labels; a column named text is the text."""
    from corpora import columns

    names = [column.name for column in found]
    texts = ["text"] if "text" in names else columns.text_candidates(found)
    return texts, columns.joined_candidates(found) if several else columns.label_candidates(found)
