"""Records of experiments: what is done is kept, so that a stopped benchmark goes on with the next run."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from benchmarks.markdown import machine

Record = dict[str, Any]


class Job(Protocol):
    """One run: `key` is equal for jobs that would give the same figures; `title` says in a line what is run."""

    @property
    def key(self) -> list[Any]:
        """What tells records apart."""

    @property
    def title(self) -> str:
        """For whoever waits."""


J = TypeVar("J", bound=Job)


def perform(jobs: Sequence[J], path: Path, run: Callable[[J], Record]) -> list[Record]:
    """The records of the jobs, in order; those that `path` lacks are run and added to it, each as soon as it is done.

    What `run` raises comes out.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    done = {_name(record["key"]): record for record in map(json.loads, lines)}
    for number, job in enumerate(jobs, start=1):
        if _name(job.key) in done:
            continue
        click.echo(f"{number}/{len(jobs)} {job.title}", err=True)
        record = done[_name(job.key)] = {"key": job.key, **run(job)}
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return [done[_name(job.key)] for job in jobs]


def options(records: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a command with what `show` is told and for which seeds and overrides; `records`: the default file."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2, 3), show_default=True),
            click.option("--records", default=records, show_default=True, help="What is done is kept here."),
            click.option("--runs", help="Keep the runs in this folder; left out: only their figures are kept."),
            click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="For every run."),
        ):
            function = option(function)
        return function

    return decorate


def show(
    title: str,
    jobs: Sequence[J],
    run: Callable[[J, Path | None], Record],
    markdown: Callable[[Iterable[Record]], str],
    *,
    records: str,
    runs: str | None,
) -> None:
    """Performs the jobs, keeps their records in a file and their runs in a folder, and prints a table."""
    folder = Path(runs) if runs else None
    found = perform(jobs, Path(records), lambda job: run(job, folder))
    click.echo(f"{title}\n\n{machine()}\n\n{markdown(found)}")


def by_row(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Records, those of several seeds together, by the row of a table that they count for."""
    rows: dict[str, list[Record]] = {}
    for record in records:
        rows.setdefault(record["row"], []).append(record)
    return rows


def percent(values: Sequence[float]) -> str:
    """Mean in percent, and the standard deviation of the sample where there are several."""
    if not values:
        return "–"
    mean = f"{100 * statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def _name(key: Sequence[Any]) -> str:
    return json.dumps(key, ensure_ascii=False)
