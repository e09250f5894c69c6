"""Defaults: scores of classifiers whose config names nothing but its files, beside the best TF-IDF baseline.

A sample of a corpus' train is a user's own table, from which zhpipe takes its dev; the corpus' dev judges, and nothing
is chosen on it. With all rows, dev chooses and judges.
"""

from __future__ import annotations

import csv
import json
import random
import statistics
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import tomli_w

from benchmarks import records as kept
from benchmarks.markdown import table
from benchmarks.records import Record, percent

MOST_DEV = 2_000  # rows of dev that judge, drawn at random from more


@dataclass(frozen=True)
class Job:
    """A run on `size` training rows of a corpus' folder, drawn at random, or on all of them if `size` is 0."""

    data: Path
    size: int
    seed: int
    overrides: tuple[str, ...] = ()
    config: Path | None = None

    @property
    def key(self) -> list[Any]:
        """What tells records apart."""
        return ["defaults", self.row, self.seed, list(self.overrides)]

    @property
    def row(self) -> str:
        """The corpus, how many rows of it, and the config if there is one."""
        return f"{self.data.name}, {self.size or 'all'}{f', {self.config.name}' if self.config else ''}"

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.row}, seed {self.seed}"


@click.command()
@click.argument("corpora", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--size", "sizes", type=int, multiple=True, default=(300, 1000, 3000, 0), show_default=True)
@click.option("--tuned", is_flag=True, help="With the settings of configs/, by the name of the corpus' folder.")
@kept.options("defaults.jsonl")
def main(
    corpora: Sequence[Path],
    sizes: Sequence[int],
    tuned: bool,
    seeds: Sequence[int],
    overrides: Sequence[str],
    **options: Any,
) -> None:
    """Train on samples of the CORPORA, folders with train and dev, with every setting left out.

    A size of 0 takes all rows. Test is never read. Stopped, the same command goes on with the next run.
    """
    jobs = [
        Job(data, size, seed, tuple(overrides), Path("configs", f"{data.name}.toml") if tuned else None)
        for size in sizes
        for data in corpora
        for seed in seeds
    ]
    kept.show("Defaults", jobs, run, markdown, **options)


def run(job: Job, folder: Path | None) -> Record:
    """Trains, evaluates on dev, and gives the scores without the rows that leaked."""
    from pipeline.config.load import load_explained
    from pipeline.stages.runner import run_stages

    with tempfile.TemporaryDirectory() as temporary:
        own = Path(temporary)
        judge = "test" if job.size else "dev"
        files = {"train": _sample(job, "train", own), judge: _sample(job, "dev", own)}
        config = own / "config.toml"
        config.write_text(_toml(job), encoding="utf-8")
        overrides = [f"corpus.{part}={path.as_posix()}" for part, path in files.items()]
        loaded, chosen = load_explained(
            config, [f"seed={job.seed}", "evaluate.suspects=false", *overrides, *job.overrides]
        )
        start = time.perf_counter()
        made = run_stages(loaded, runs=folder or own)
        report = json.loads((made / "evaluate" / "report.json").read_text(encoding="utf-8"))
        seconds = time.perf_counter() - start
    scores = _scores(report, judge)
    return {"row": job.row, "seconds": seconds, **scores, "said": str(chosen)}


def markdown(records: Iterable[Record]) -> str:
    """Mean and deviation over seeds: dev accuracy of the best baseline, the default, and its parts."""
    rows = []
    for name, found in kept.by_row(records).items():
        columns = [percent([one[key] for one in found]) for key in ("baseline", "model")]
        seconds = [sum(one[key] for one in found) / len(found) for key in ("seconds", "linear_seconds")]
        ahead = statistics.mean(one["model"] - one["baseline"] for one in found)
        shares = " ".join(f"{one['share']:g}" for one in found)
        rows.append([name, str(len(found)), *columns, f"{100 * ahead:+.1f}", shares, *map("{:.0f}".format, seconds)])
    return table(
        ["corpus, rows", "seeds", "best TF-IDF", "model", "ahead", "share of the network", "s", "s of the n-grams"],
        rows,
    )


def _toml(job: Job) -> str:
    """The config: what `job.config` says of the network and its training, or nothing but a name."""
    name = f"{job.data.name}-{job.size or 'all'}-{job.seed}"
    told = tomllib.loads(job.config.read_text(encoding="utf-8")) if job.config else {}
    kept = {key: told[key] for key in ("segment", "embed", "network", "train") if key in told}
    corpus = {key: told.get("corpus", {})[key] for key in ("text", "label") if key in told.get("corpus", {})}
    return tomli_w.dumps({"name": name, "corpus": {**corpus, "test_share": 0.0}, **kept})


def _scores(report: Record, judge: str) -> Record:
    part = f"{judge}_without_leaked" if report.get(f"{judge}_without_leaked") else judge
    parts = report["model"].get("parts") or {"seconds": 0.0, "weights": {"network": 1.0}}
    return {
        "model": report[part]["accuracy"],
        "baseline": max(scored[part]["accuracy"] for scored in report["baselines"].values()),
        "parts": parts,
        "linear_seconds": parts["seconds"],
        "share": parts["weights"]["network"],
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
