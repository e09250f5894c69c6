"""Options: how a table is read, labelled and written, and the sizes and times of the job that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpora.table_options import BadRows, TableOptions
from pipeline.jobs import layouts
from pipeline.jobs.layouts import TABLE
from pipeline.jobs.predict import OutputOptions


@dataclass(frozen=True, kw_only=True)
class LabelOptions(TableOptions):
    """How a table is read, labelled and written. None stands for what the suffix of the file implies.

    Of the input:
        text: Name of the text column, or of several whose texts are joined.
        words: Column with the words of the text (`corpora.wordcells`), which are the text itself if `text` is empty.
        Those of `corpora.table_options.TableOptions`. The output of CSV or TSV has the same delimiter and header, and
        is always quoted where it must be.

    Of the output:
        output_format, output_encoding: Of the file; the encoding is by default that of the input, with a byte
            order mark if that has one.
        layout: One of `pipeline.jobs.layouts.LAYOUTS`.
        prefix: Put before the names of the new columns.
        probabilities: Add the finer columns.
        review_below: Add `needs_review`, true if the confidence, as written, of a label, an entity or a word is lower.
        n_best: Number of a tagger's answers in the column `alternatives`, which exists if this is more than 1.
        origin: Name of the input in the new columns `file` and `row` (from 1), which exist unless this is None.
        excel_safe: Guard cells that a spreadsheet would run as a formula.

    Of the work:
        workers: Processes, 0 for all cores; any number gives the same output.
    """

    text: str | Sequence[str] = "text"
    bad_rows: BadRows = "set-aside"
    output_format: str | None = None
    output_encoding: str | None = None
    probabilities: bool = False
    prefix: str = ""
    excel_safe: bool = False
    review_below: float | None = None
    workers: int = 1
    origin: str | None = None
    words: str | None = None
    layout: str = TABLE
    n_best: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the text columns."""
        return (self.text,) if isinstance(self.text, str) else tuple(self.text)

    @property
    def suffix_format(self) -> str | None:
        """The format that gives output files their suffix; None: that of the input."""
        return self.layout if self.layout in layouts.FORMATS else self.output_format

    @property
    def asked(self) -> OutputOptions:
        """What is asked of the model."""
        return OutputOptions(self.probabilities, self.review_below, self.layout, self.n_best)
