"""Defaults: dev scores of classifiers whose config names nothing but its files, beside the best TF-IDF baseline."""

from __future__ import annotations

import csv
import json
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks import records as kept
from benchmarks.markdown import table
from benchmarks.records import Record, percent

MOST_DEV = 2_000  # rows of dev that are judged, drawn at random from more


@dataclass(frozen=True)
class Job:
    """A run on `size` training rows of a corpus' folder, drawn at random, or on all of them if `size` is 0."""

    data: Path
    size: int
    seed: int
    overrides: tuple[str, ...] = ()

    @property
    def key(self) -> list[Any]:
        """What tells records apart."""
        return ["defaults", self.data.name, self.size, self.seed, list(self.overrides)]

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.data.name}, {self.size or 'all'} rows, seed {self.seed}"


@click.command()
@click.argument("corpora", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--size", "sizes", type=int, multiple=True, default=(300, 1000, 3000, 0), show_default=True)
@kept.options("defaults.jsonl")
def main(
    corpora: Sequence[Path], sizes: Sequence[int], seeds: Sequence[int], overrides: Sequence[str], **options: Any
) -> None:
    """Train on samples of the CORPORA, folders with train and dev, with every setting left out.

    A size of 0 takes all rows. Test is never read. Stopped, the same command goes on with the next run.
    """
    jobs = [Job(data, size, seed, tuple(overrides)) for size in sizes for data in corpora for seed in seeds]
    kept.show("Defaults", jobs, run, markdown, **options)


def run(job: Job, folder: Path | None) -> Record:
    """Trains, evaluates on dev, and gives the scores without the rows that leaked."""
    from pipeline.config.load import load_explained
    from pipeline.stages.runner import run_stages

    with tempfile.TemporaryDirectory() as temporary:
        own = Path(temporary)
        files = {part: _sample(job, part, own) for part in ("train", "dev")}
        config = own / "config.toml"
        config.write_text(
            f'name = "{job.data.name}-{job.size or "all"}-{job.seed}"\n[corpus]\ntest_share = 0.0\n', encoding="utf-8"
        )
        overrides = [f"corpus.{part}={path.as_posix()}" for part, path in files.items()]
        loaded, chosen = load_explained(
            config, [f"seed={job.seed}", "evaluate.suspects=false", *overrides, *job.overrides]
        )
        start = time.perf_counter()
        made = run_stages(loaded, runs=folder or own)
        report = json.loads((made / "evaluate" / "report.json").read_text(encoding="utf-8"))
        seconds = time.perf_counter() - start
    return {"row": f"{job.data.name}, {job.size or 'all'}", "seconds": seconds, **_scores(report), "said": str(chosen)}


def markdown(records: Iterable[Record]) -> str:
    """Mean and deviation over seeds: dev accuracy of the best baseline, the default, and its parts."""
    rows = []
    for name, found in kept.by_row(records).items():
        columns = [percent([one[key] for one in found]) for key in ("baseline", "model", "ngrams", "network")]
        weights = " ".join(f"{one['weights']['ngrams']:g}:{one['weights']['network']:g}" for one in found)
        seconds = sum(one["seconds"] for one in found) / len(found)
        rows.append([name, str(len(found)), *columns, weights, f"{seconds:.0f}"])
    return table(
        ["corpus, rows", "seeds", "best TF-IDF", "default", "n-grams alone", "network alone", "weights", "s"], rows
    )


def _scores(report: Record) -> Record:
    part = "dev_without_leaked" if report.get("dev_without_leaked") else "dev"
    parts = report["model"].get("parts") or {"ngrams": 0.0, "network": 0.0, "weights": {"ngrams": 0, "network": 1}}
    return {
        "model": report[part]["accuracy"],
        "baseline": max(scored[part]["accuracy"] for scored in report["baselines"].values()),
        **{key: parts[key] for key in ("ngrams", "network", "weights")},
    }


def _sample(job: Job, part: str, folder: Path) -> Path:
    """The rows of a part, or of a random sample of it, as a table of their own."""
    from corpora.table import TableReader

    source = next(path for suffix in ("", ".gz") if (path := job.data / f"{part}.csv{suffix}").exists())
    reader = TableReader(source)
    rows = list(reader)
    most, seed = (job.size, job.seed) if part == "train" else (MOST_DEV, 0)
    if most and len(rows) > most:
        rows = random.Random(seed).sample(rows, most)
    path = folder / f"{part}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([reader.columns, *rows])
    return path


if __name__ == "__main__":
    main()
