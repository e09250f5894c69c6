"""What became of a job over many rows or files, in lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pipeline.errors import PipelineError


def tell(outcomes: Sequence[Any], *, review: bool = False) -> None:
    """What became of each of many inputs. Raises PipelineError where one failed."""
    for outcome in outcomes:
        if outcome.error:
            click.echo(f"zhpipe: {outcome.error}", err=True)
        elif outcome.labelled is None:
            click.echo(f"done before; {outcome.target}")
        else:
            click.echo(f"{accounting(outcome.labelled)}; {outcome.target}")
            expectation(outcome.labelled, review=review)
    if failed := sum(bool(outcome.error) for outcome in outcomes):
        raise PipelineError(f"{failed} of {len(outcomes)} files failed")


def accounting(labelled: Any) -> str:
    rate = (labelled.rows - labelled.resumed) / max(labelled.seconds, 1e-9)
    rejected = f", {labelled.rejected} rejected" if labelled.rejected else ""
    resumed = f" ({labelled.resumed} done before)" if labelled.resumed else ""
    rows = counted(labelled.rows, ("row", "rows"))
    return (
        f"{rows}{resumed}: {labelled.labelled} labelled, {labelled.blank} blank{rejected}; "
        f"{labelled.seconds:.1f} s, {rate:,.0f} rows/s"
    )


def counted(count: int, names: tuple[str, str]) -> str:
    """`1 row`, `2 rows`: a count, and the name of one or of several."""
    return f"{count} {names[0] if count == 1 else names[1]}"


def expectation(labelled: Any, *, review: bool, err: bool = False) -> None:
    """What share of the labels to expect right, how many rows to look at, and whether the texts look foreign."""
    if labelled.expected_right is not None:
        said = f"expected right  {labelled.expected_right:.1%} of {counted(labelled.claims, labelled.claimed)}"
        doubtful = counted(labelled.needs_review, ("row needs", "rows need"))
        click.echo(said + (f"; {doubtful} review" if review else ""), err=err)
    if labelled.warnings:
        click.echo(
            f"zhpipe: warning: the input looks unlike the training data, so confidence may promise too much: "
            f"{'; '.join(labelled.warnings)}",
            err=True,
        )
