"""Cold start: seconds of `zhpipe label` on one row and of `zhpipe --help`, process start and all."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.markdown import machine, spread, table

ROW = "您好，我正在休假，下周一回复您的邮件。"


@click.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repeats", default=7, show_default=True, help="Runs that count, after one that does not.")
def main(models: Sequence[Path], repeats: int) -> None:
    """Label one row with each of MODELS (model folders or runs) in fresh processes, and print a Markdown table.

    Its last line is that of `zhpipe --help`.
    """
    found = {model.parent.name if model.name == "model" else model.name: measure(model, repeats) for model in models}
    found["--help"] = _repeated([sys.executable, "-m", "pipeline", "--help"], repeats)
    click.echo(f"{machine()}\n")
    click.echo(table(("model", "seconds"), ((name, spread(seconds, ".2f")) for name, seconds in found.items())))


def measure(model: Path, repeats: int) -> list[float]:
    """Seconds of each run but the first, which fills the file cache. Raises CalledProcessError where one fails."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "row.csv", Path(folder) / "labelled.csv"
        source.write_text(f"text\n{ROW}\n", encoding="utf-8", newline="\n")
        command = [sys.executable, "-m", "pipeline", "label", str(model), str(source), str(target), "--force"]
        return _repeated(command, repeats)


def _repeated(command: Sequence[str], repeats: int) -> list[float]:
    return [_seconds(command) for _ in range(repeats + 1)][1:]


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
