"""Rejected rows: the rows of corpus files that cannot be read, written beside what was made of the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from corpora import formats, rejected
from corpora.rows import BadRow
from corpora.table import TableReader
from pipeline.config.corpus import CorpusSettings


def write(folder: Path, sources: Mapping[str, str], corpus: CorpusSettings) -> None:
    """Writes the rows of tables that were set aside into `folder`: rejected.csv, or rejected-PART.csv for a named part.

    `sources`: the files by part. The tables are read once more.
    """
    if corpus.bad_rows != "set-aside":
        return
    for part, source in sources.items():
        if formats.is_table(Path(source), corpus.format):
            table, bad = TableReader(source, corpus.table_options), list[tuple[int, BadRow]]()
            table.set_aside = lambda number, row, bad=bad: bad.append((number, row))  # type: ignore[misc]
            for _ in table.numbered():
                pass
            rejected.write(
                folder / (f"rejected-{part}.csv" if part else "rejected.csv"), bad, table.format, table.encoding
            )
