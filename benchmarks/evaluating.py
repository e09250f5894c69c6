"""Evaluation: seconds of the stage evaluate, its baselines fitted in one process, on all cores, or remembered."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.markdown import machine, spread, table

REMEMBER = ("evaluate.remember=true", "segment.workers=0")
WAYS = {  # complete, since a run's config keeps what the last evaluation was told
    "first time, one process": ("evaluate.remember=false", "segment.workers=1"),
    "first time, all cores": ("evaluate.remember=false", "segment.workers=0"),
    "again": REMEMBER,
}


class Spent(NamedTuple):
    """Seconds of a command by the clock, and its CPU seconds without those of its worker processes."""

    wall: float
    cpu: float


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repeats", default=3, show_default=True, help="Turns; each evaluates in every way.")
def main(run: Path, repeats: int) -> None:
    """Evaluate a copy of RUN, a run's folder that was evaluated, in each way in turn, and print a Markdown table."""
    spent: dict[str, list[Spent]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(run, Path(folder) / run.name)
        for _ in range(repeats):
            for way, settings in WAYS.items():
                spent[way].append(evaluate(copy, settings))
                evaluate(copy, REMEMBER)  # does not count, and remembers
    rows = [
        (way, spread([one.wall for one in found], ".1f"), spread([one.cpu for one in found], ".1f"))
        for way, found in spent.items()
    ]
    click.echo(f"{machine()}\n")
    click.echo(table(("evaluate", "seconds", "CPU seconds without workers"), rows))


def evaluate(run: Path, settings: Sequence[str]) -> Spent:
    """Evaluates a run in a fresh process. Raises CalledProcessError if that fails."""
    chosen = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "pipeline", "run", str(run / "config.toml"), "--runs", str(run.parent)]
    start, before = time.perf_counter(), _cpu()
    options = ["--from", "evaluate", "--force", *chosen]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Spent(time.perf_counter() - start, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
