"""`zhpipe inspect`: shows what a corpus holds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from pipeline import progress
from pipeline.commands.options import reading_options, table_options


@click.command()
@click.argument("file")
@click.option("--label", help="Label column.")
@table_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(file: str, label: str | None, as_json: bool, **options: Any) -> None:
    """Print the data card of a corpus.

    It shows rows, labels, lengths, repeated texts, odd characters and unknown words, and what looks wrong.
    """
    import json

    from corpora import formats
    from corpora.card import card
    from pipeline.segmentation.segmenter import Segmenter

    segmenter, findings = Segmenter(), Counter[str]()
    documents = formats.read(file, label=label, **reading_options(options)).counted(findings)
    with progress.bar("inspect", total=None, unit="rows") as advance:
        found = card(documents, is_known=segmenter.is_known, words=segmenter.tokens, advance=advance, findings=findings)
    click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2) if as_json else found.text())
