"""What labelling and segmenting jobs print about their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.terminal import echo
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from corpora.table_options import TableOptions
    from pipeline.jobs.results import FileResult, LabelResult


def print_results(results: Sequence[FileResult], *, review: bool = False) -> None:
    """Prints lines for each of several files. Raises PipelineError if one failed."""
    for each in results:
        if each.error:
            echo(f"zhpipe: {each.error}", err=True)
        elif each.result is None:
            echo(f"done before; {each.target}")
        else:
            echo(f"{summary(each.result)}; {each.target}")
            print_expectation(each.result, review=review)
    if failed := sum(bool(each.error) for each in results):
        raise PipelineError(f"{failed} of {len(results)} files failed")


def summary(result: LabelResult) -> str:
    """Row counts, seconds and rows per second in a line."""
    rate = (result.rows - result.resumed) / max(result.seconds, 1e-9)
    rejected = f", {result.rejected} rejected" if result.rejected else ""
    resumed = f" ({result.resumed} done before)" if result.resumed else ""
    rows = counted(result.rows, ("row", "rows"))
    return (
        f"{rows}{resumed}: {result.labelled} labelled, {result.blank} blank{rejected}; "
        f"{result.seconds:.1f} s, {rate:,.0f} rows/s"
    )


def print_doubts(source: str, options: TableOptions, columns: Sequence[str]) -> None:
    """Warns of what a sheet of XLSX has beside values in the columns of the text."""
    from corpora.table import TableReader
    from corpora.table_options import SUFFIXES

    if (options.format or SUFFIXES.get(Path(source).suffix.lower())) == "xlsx" and Path(source).is_file():
        for doubt in TableReader(source, options).doubts(columns):
            echo(f"zhpipe: warning: {doubt}", err=True)


def _conflicts(result: LabelResult) -> Iterator[str]:
    """Where the words of a dictionary and the model disagree."""
    from pipeline.stages.run_segmenter import listed

    if result.overriding:
        count = counted(len(result.overriding), ("word", "words"))
        yield f"{count} of --dictionary override the model's own dictionary: {listed(result.overriding)}"
    unknown, words = result.unknown
    if unknown:
        yield (
            f"{unknown:,} of the {counted(words, ('word', 'words'))} of --dictionary not in the model's training text: "
            "each is read as an unknown word"
        )
    if result.unused_tags:
        tags = [f"{tag} ({number:,})" for tag, number in result.unused_tags.items()]
        count = f"{sum(result.unused_tags.values()):,} dictionary words have a tag that is no type of this model"
        yield f"{count}: {listed(tags)}"


def counted(count: int, names: tuple[str, str]) -> str:
    """A count with its noun, `1 row` or `2 rows`; `names`: singular and plural."""
    return f"{count} {names[0] if count == 1 else names[1]}"


def print_expectation(result: LabelResult, *, review: bool, err: bool = False) -> None:
    """Prints the expected share of right answers, the rows to review, and a warning if the texts look unfamiliar."""
    if result.expected_right is not None:
        line = f"expected right  {result.expected_right:.1%} of {counted(result.claims, result.claimed)}"
        doubtful = counted(result.needs_review, ("row needs", "rows need"))
        echo(line + (f"; {doubtful} review" if review else ""), err=err)
    if result.dictionary:
        from pipeline.stages.run_segmenter import occurrence

        echo(f"dictionary      {occurrence(result.occurring, result.dictionary)}", err=err)
    if result.with_added:
        rows = counted(result.with_added, ("row has one", "rows have one"))
        echo(f"new words       {rows}; the model alone would have answered {result.changed} of them otherwise", err=err)
    for warning in _conflicts(result):
        echo(f"zhpipe: warning: {warning}", err=True)
    if result.warnings:
        echo(
            f"zhpipe: warning: the input looks unlike the training data, so confidence may promise too much: "
            f"{'; '.join(result.warnings)}",
            err=True,
        )
