"""Language models: test perplexities of whole runs over corpora and seeds, beside the n-grams of the same reports."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import records as kept
from benchmarks.classification import CELLS, Job
from benchmarks.markdown import table
from benchmarks.records import Record

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = {"16 tokens": 16, "64 tokens": 64, "whole texts": 0}
SCORES = ("rows", "tokens", "perplexity", "bits_per_token", "bits_per_character")
COLUMNS = (
    *("", "part", "seeds", "perplexity", "bits a character", "Kneser-Ney", "unigram", "below Kneser-Ney, %"),
    *("best epoch", "tokens/s", "train seconds"),
)


class Language(Job):
    """A run whose config names its corpus by paths from the folder `data`."""

    @property
    def arguments(self) -> list[str]:
        """KEY=VALUE of every `--set`: seed and overrides."""
        return [f"seed={self.seed}", *self.overrides]


@click.group()
def main() -> None:
    """Run experiments and print tables of their scores. Stopped, the same command goes on with the next run.

    DATA is the folder that the paths in the configs begin from.
    """


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("language.jsonl")
def corpora(
    data: Path, configs: Sequence[Path], seeds: Sequence[int], overrides: Sequence[str], **options: Any
) -> None:
    """Every config, with every seed."""
    jobs = [Language("corpora", c.stem, c, data, seed, tuple(overrides)) for c in configs for seed in seeds]
    kept.show("Corpora", jobs, run, markdown, **options)


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("language.jsonl")
def cells(**options: Any) -> None:
    """The three cells on one corpus."""
    _variants("cells", {cell: (f"network.cell={cell}",) for cell in CELLS}, **options)


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("language.jsonl")
def windows(**options: Any) -> None:
    """How far gradients go back, on one corpus."""
    _variants("windows", {name: (f"language.bptt_steps={steps}",) for name, steps in WINDOWS.items()}, **options)


def _variants(
    name: str,
    rows: Mapping[str, tuple[str, ...]],
    data: Path,
    config: Path,
    seeds: Sequence[int],
    overrides: Sequence[str],
    **options: Any,
) -> None:
    jobs = [Language(name, row, config, data, seed, (*overrides, *own)) for row, own in rows.items() for seed in seeds]
    kept.show(f"{name.capitalize()}: {config.stem}", jobs, run, markdown, **options)


def run(job: Job, runs: Path | None = None) -> Record:
    """Run one job in a process of its own; its perplexities, those of the n-grams, and how the training went."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = (runs or Path(temporary)).resolve()
        name = f"{job.config.stem}-{job.table}-{job.row.replace(' ', '_')}-{job.seed}"
        shown = [f"--set={argument}" for argument in (*job.arguments, f"name={name}")]
        command = [sys.executable, "-m", "pipeline", "run", str(job.config.resolve()), "--runs", str(folder), *shown]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=job.data, env=environment)
        return {"row": job.row, **_figures(folder / name)}


def _figures(run_folder: Path) -> Record:
    report = json.loads((run_folder / "evaluate" / "report.json").read_text(encoding="utf-8"))
    part = "test" if report["test"]["rows"] else "dev"
    best = report["history"][report["model"]["best_epoch"] - 1]
    return {
        "part": part,
        "scores": _short(report[part]),
        "baselines": {name: _short(scored[part]) for name, scored in report.get("baselines", {}).items()},
        "seconds": report["model"]["seconds"],
        "tokens_per_second": statistics.median(epoch["tokens_per_second"] for epoch in report["history"]),
        "dev_perplexity": best["dev_perplexity"],
        "epochs": [report["model"]["best_epoch"], report["model"]["epochs"]],
    }


def _short(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: scores[name] for name in SCORES if name in scores}


def markdown(records: Iterable[Record]) -> str:
    """Records by row: mean and spread over seeds, the n-grams, and how far the mean is below Kneser-Ney's."""
    return table(COLUMNS, (_line(row, found) for row, found in kept.by_row(records).items()))


def _line(row: str, records: Sequence[Record]) -> list[str]:
    ours = [record["scores"]["perplexity"] for record in records]
    base = {
        name: statistics.mean(found)
        for name in ("kneser_ney", "unigram")
        if (found := [r["baselines"][name]["perplexity"] for r in records if name in r["baselines"]])
    }
    below = f"{100 * (1 - statistics.mean(ours) / base['kneser_ney']):.1f}" if "kneser_ney" in base else "–"
    return [
        row,
        records[0]["part"],
        str(len(records)),
        _spread(ours, ".2f"),
        _spread([record["scores"]["bits_per_character"] for record in records], ".3f"),
        *(f"{base[name]:,.2f}" if name in base else "–" for name in ("kneser_ney", "unigram")),
        below,
        ", ".join(f"{best} of {epochs}" for best, epochs in (record["epochs"] for record in records)),
        f"{statistics.mean(record['tokens_per_second'] for record in records):,.0f}",
        f"{statistics.mean(record['seconds'] for record in records):,.0f}",
    ]


def _spread(values: Sequence[float], form: str) -> str:
    """The mean, and the standard deviation of the sample where there are several."""
    mean = format(statistics.mean(values), form)
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):{form}}"


if __name__ == "__main__":
    main()
