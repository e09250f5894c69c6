"""Classification: test scores of whole runs over corpora and seeds, beside the TF-IDF baselines of the same reports."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks import records as kept
from benchmarks.markdown import table
from benchmarks.records import Record, percent

CELLS = ("rnn", "lstm", "gru")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "nadam")
BASELINES = ("majority", "tfidf_words_svc", "tfidf_characters_svc")


@dataclass(frozen=True)
class Job:
    """One run: the table and the row that it counts for, its config, its corpus' folder, its seed, what it overrides.

    `key` is equal for jobs that would give the same figures.
    """

    table: str
    row: str
    config: Path
    data: Path
    seed: int
    overrides: tuple[str, ...] = ()

    @property
    def key(self) -> list[Any]:
        """What tells records apart; the config counts with its content."""
        content = self.config.read_text(encoding="utf-8")
        return [self.table, self.row, self.data.name, self.seed, content, list(self.overrides)]

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.table}: {self.row}, {self.data.name}, seed {self.seed}"

    @property
    def arguments(self) -> list[str]:
        """KEY=VALUE of every `--set`: seed, files, overrides. A corpus without a test file is judged on dev."""
        files = [f"corpus.{part}={path.as_posix()}" for part in ("train", "dev", "test") if (path := self._part(part))]
        whole = [f"corpus.{part}_share=0.0" for part in ("dev", "test") if self._part("train") and not self._part(part)]
        return [f"seed={self.seed}", *files, *(whole if self._part("dev") else []), *self.overrides]

    def _part(self, part: str) -> Path | None:
        found = (self.data / f"{part}.csv{suffix}" for suffix in ("", ".gz"))
        return next((path.resolve() for path in found if path.exists()), None)


@click.group()
def main() -> None:
    """Run experiments and print tables of their scores. Stopped, the same command goes on with the next run."""


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("classification.jsonl")
def corpora(
    data: Path, configs: Sequence[Path], seeds: Sequence[int], overrides: Sequence[str], **options: Any
) -> None:
    """Every config on the corpus DATA/NAME, where NAME is the config's file name."""
    jobs = [Job("corpora", c.stem, c, data / c.stem, seed, tuple(overrides)) for c in configs for seed in seeds]
    kept.show("Corpora", jobs, run, markdown, **options)


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("classification.jsonl")
def cells(**options: Any) -> None:
    """The three cells, one way and both ways, one layer and two, on one corpus."""
    rows = {
        f"{cell}, {'both ways' if both else 'one way'}, {layers} layer{'s' * (layers > 1)}": (
            f"network.cell={cell}",
            f"network.bidirectional={str(both).lower()}",
            f"network.layers={layers}",
        )
        for cell in CELLS
        for both in (False, True)
        for layers in (1, 2)
    }
    _variants("cells", rows, **options)


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("classification.jsonl")
def optimizers(**options: Any) -> None:
    """Every optimizer at its own default learning rate, on one corpus."""
    rows = {name: (f"train.optimizer={name}",) for name in OPTIMIZERS}
    _variants("optimizers", rows, **options)


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("raw", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("classification.jsonl")
def extra(raw: Sequence[Path], **options: Any) -> None:
    """Vectors from nothing, from the train split alone, and with the RAW text as well, on one corpus."""
    paths = json.dumps([path.resolve().as_posix() for path in raw], ensure_ascii=False)
    rows = {
        "no vectors": ("embed.method=none", "network.embedding=random", "embed.extra=[]"),
        "Word2Vec, train split": ("embed.method=word2vec", "embed.extra=[]"),
        "Word2Vec, train split and raw text": ("embed.method=word2vec", f"embed.extra={paths}"),
    }
    _variants("extra", rows, **options)


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("engines", nargs=-1, required=True)
@kept.options("classification.jsonl")
def engines(engines: Sequence[str], **options: Any) -> None:
    """Words cut by each of ENGINES: rjieba, jieba, or runs of trained segmenters."""
    rows = {Path(engine).name: (f"segment.engine={json.dumps(engine)}",) for engine in engines}
    _variants("engines", rows, **options)


def _variants(
    name: str,
    rows: Mapping[str, tuple[str, ...]],
    corpus: Path,
    config: Path,
    seeds: Sequence[int],
    overrides: Sequence[str],
    **options: Any,
) -> None:
    jobs = [Job(name, row, config, corpus, seed, (*overrides, *own)) for row, own in rows.items() for seed in seeds]
    kept.show(f"{name.capitalize()}: {corpus.name}", jobs, run, markdown, **options)


def run(job: Job, runs: Path | None = None) -> Record:
    """Run one job in a process of its own; its scores, baselines, and the seconds of its stages."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if runs is None else runs / f"{job.table}-{job.row.replace(' ', '_').replace(',', '')}"
        shown = [f"--set={argument}" for argument in (*job.arguments, f"name={job.data.name}-{job.seed}")]
        command = [sys.executable, "-m", "pipeline", "run", str(job.config), "--runs", str(folder), *shown]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return {"row": job.row, **_figures(folder / f"{job.data.name}-{job.seed}", keep=runs is not None)}


def _figures(run_folder: Path, *, keep: bool) -> Record:
    report = json.loads((run_folder / "evaluate" / "report.json").read_text(encoding="utf-8"))
    stages = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["stages"]
    part = "test" if report["test"]["rows"] else "dev"
    parts = [part, f"{part}_without_leaked"]
    if not keep:
        shutil.rmtree(run_folder)
    return {
        "part": part,
        "scores": {name.removeprefix(f"{part}_"): _short(report[name]) for name in parts if name in report},
        "baselines": {
            name: _short(scored[part]) for name, scored in report.get("baselines", {}).items() if scored.get(part)
        },
        "seconds": {name: stage["seconds"] for name, stage in stages.items()},
        "epochs": [report["model"]["best_epoch"], report["model"]["epochs"]],
    }


def _short(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: scores[name] for name in ("rows", "accuracy", "macro_f1")}


def markdown(records: Iterable[Record]) -> str:
    """Records by row: mean and spread over seeds, the baselines, and the distance to the better one."""
    return table(
        (
            "",
            "part",
            "seeds",
            "accuracy",
            "macro F1",
            "without leaked rows",
            "TF-IDF words",
            "TF-IDF characters",
            "majority",
            "to the better TF-IDF",
            "train seconds",
        ),
        (_line(row, found) for row, found in kept.by_row(records).items()),
    )


def _line(row: str, records: Sequence[Record]) -> list[str]:
    part = records[0]["part"]
    accuracy = [record["scores"][part]["accuracy"] for record in records]
    macro = [record["scores"][part]["macro_f1"] for record in records]
    clean = [r["scores"]["without_leaked"]["accuracy"] for r in records if "without_leaked" in r["scores"]]
    base = {
        name: statistics.mean(found)
        for name in BASELINES
        if (found := [r["baselines"][name]["accuracy"] for r in records if name in r["baselines"]])
    }
    linear = [value for name, value in base.items() if name != "majority"]
    seconds = statistics.mean(record["seconds"]["train"] for record in records)
    return [
        row,
        part,
        str(len(records)),
        percent(accuracy),
        percent(macro),
        percent(clean),
        *(percent([base[name]] if name in base else []) for name in (*BASELINES[1:], BASELINES[0])),
        f"{100 * (statistics.mean(accuracy) - max(linear)):+.1f}" if linear else "–",
        f"{seconds:,.0f}",
    ]


if __name__ == "__main__":
    main()
