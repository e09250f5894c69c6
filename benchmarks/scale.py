"""Scale: seconds and peak memory against rows labelled, rows trained on and megabytes of raw text."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import click

from benchmarks.labelling import Measured, cluster, make_model, watched, write_rows
from benchmarks.markdown import machine, table
from corpora.table import TableReader, TableWriter

ZHPIPE = (sys.executable, "-m", "pipeline")
MEGABYTE = 1_000_000


@click.group()
def main() -> None:
    """Measures how time and memory grow; each command prints a Markdown table."""


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--rows", "sizes", multiple=True, type=int, default=(10**4, 10**5, 10**6), show_default=True)
@click.option("--ray", is_flag=True, help="On a Ray cluster of three nodes on this machine, with two workers.")
def labelling(file: str, text: str, sizes: Sequence[int], ray: bool) -> None:
    """Labels the rows of FILE, repeated, with the two-way LSTM over words of the benchmark labelling, in int8.

    Memory is the highest PSS of the command and its workers, on Ray of the whole cluster.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder, file, text)

        def measure(rows: int, options: Sequence[str], root: int | None) -> Measured:
            characters = write_rows(folder / "in.csv", file, text, rows)
            paths = [str(folder / part) for part in ("model", "in.csv", f"out-{rows}{'' if ray else '.csv'}")]
            return watched([*ZHPIPE, "label", *paths, "--int8", *options], rows, characters, tells=False, root=root)

        if ray:
            with cluster() as address:
                options = ("--engine", "ray", "--address", address, "--workers", "2")
                lines = _lines(sizes, lambda rows: measure(rows, options, os.getpid()))
        else:
            lines = _lines(sizes, lambda rows: measure(rows, (), None))
    _show(("rows", "seconds", "rows/s", "peak MB"), lines)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--label", default="label", show_default=True, help="Column of the label.")
@click.option("--rows", "sizes", multiple=True, type=int, default=(1_000, 3_000, 10_000, 30_000), show_default=True)
def training(file: str, text: str, label: str, sizes: Sequence[int]) -> None:
    """Trains classifiers with default settings on rows from all over FILE, until the model is written."""
    reader = TableReader(file)
    places = reader.position(text), reader.position(label)
    rows = [tuple(str(row[place]) for place in places) for row in reader]

    def measure(count: int) -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "train.csv")
            with TableWriter(path, ("text", "label")) as writer:
                for index in range(count):
                    writer.write(rows[index * len(rows) // count])
            config = Path(folder, "config.toml")
            config.write_text(
                f'name = "scale"\ntask = "classify"\n[corpus]\ntrain = "{path}"\ntext = "text"\nlabel = "label"\n',
                encoding="utf-8",
            )
            command = [*ZHPIPE, "run", str(config), "--runs", folder, "--until", "train"]
            return watched(command, count, sum(len(text) for text, _ in rows[:count]), tells=False)

    _show(("rows", "seconds", "rows/s", "peak MB"), _lines([size for size in sizes if size <= len(rows)], measure))


@main.command()
@click.argument("texts", type=click.Path(exists=True, dir_okay=False))
@click.option("--megabytes", "sizes", multiple=True, type=int, default=(1, 3, 10, 30), show_default=True)
@click.option("--unit", type=click.Choice(["word", "bigram"]), default="word", show_default=True)
@click.option("--workers", default=1, show_default=True)
def vectors(texts: str, sizes: Sequence[int], unit: str, workers: int) -> None:
    """Trains Word2Vec of 50 columns in 3 epochs on the first megabytes of TEXTS (gzip), repeated where it is short."""

    def measure(megabytes: int) -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "texts.txt")
            with path.open("w", encoding="utf-8") as file:
                characters = sum(map(file.write, _first(texts, megabytes * MEGABYTE)))
            options = ["--vector-size", "50", "--epochs", "3", "--unit", unit, "--workers", str(workers)]
            command = [*ZHPIPE, "embed", str(path), "--out", str(Path(folder, "out")), *options]
            return watched(command, megabytes, characters, tells=False)

    _show(("MB", "seconds", "MB/s", "peak MB"), _lines(sizes, measure, ".2f"))


def _first(path: str, size: int) -> Iterator[str]:
    """Lines of a gzip file, from the beginning again at its end, until they have so many bytes."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.readlines()
    for line in cycle(lines):
        size -= len(line.encode())
        if size < 0:
            return
        yield line


def _lines(sizes: Sequence[int], measure: Callable[[int], Measured], speed: str = ",.0f") -> list[list[str]]:
    """A row of the table for each size, said on standard error as soon as it is known."""
    lines = []
    for size in sizes:
        found = measure(size)
        lines.append([f"{size:,}", f"{found.wall:.1f}", format(size / found.wall, speed), f"{found.peak:,.0f}"])
        click.echo(" | ".join(lines[-1]), err=True)
    return lines


def _show(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    click.echo(f"{machine()}\n")
    click.echo(table(columns, lines))


if __name__ == "__main__":
    main()
