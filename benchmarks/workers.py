"""Workers: seconds of `zhpipe label` with one worker and with two, in turns, start and end of the command included."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.labelling import make_model, write_rows
from benchmarks.markdown import machine, spread, table

WORKERS = (1, 2)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--model", help="Left out: the two-way LSTM over words of the benchmark labelling, in int8.")
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--rows", "sizes", multiple=True, type=int, default=(20_000, 100_000), show_default=True)
@click.option("--repeats", default=3, show_default=True, help="Turns; each labels with one worker and with two.")
def main(file: str, model: str | None, text: str, sizes: Sequence[int], repeats: int) -> None:
    """Label the rows of FILE, repeated or cut off, and print a Markdown table of the medians and the spread."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if model is None:
            make_model(folder, file, text)
        for rows in sizes:
            write_rows(folder / "in.csv", file, text, rows)
            command = [model] if model else [str(folder / "model"), "--int8"]
            spent: dict[int, list[float]] = {workers: [] for workers in WORKERS}
            for _ in range(repeats):
                for workers, seconds in spent.items():
                    seconds.append(_seconds(folder, [*command, f"--workers={workers}"]))
            lines.append([f"{rows:,}", *(spread(seconds, ".2f") for seconds in spent.values())])
    click.echo(table(("rows", "1 worker, s", "2 workers, s"), lines))
    click.echo(f"\n{machine()}")


def _seconds(folder: Path, command: Sequence[str]) -> float:
    label = [sys.executable, "-m", "pipeline", "label", "--force", *command, folder / "in.csv", folder / "out.csv"]
    start = time.perf_counter()
    subprocess.run(label, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
