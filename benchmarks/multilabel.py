"""Multi-label classification: scores of whole runs on tables made of two corpora, beside one linear model a label."""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import records as kept
from benchmarks.markdown import table
from benchmarks.records import Record, percent
from corpora import formats, tags
from corpora.table import TableWriter
from pipeline.evaluation.baselines import linear
from pipeline.evaluation.baselines.linear import Sample
from pipeline.evaluation.metrics.multilabel import LabelTable, indicators, scores
from pipeline.stages import segment

SEPARATOR = "|"
SHOWN = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "sample_f1": "F1 by row",
    "subset_accuracy": "all labels right",
    "hamming_loss": "Hamming loss",
}
SENTIMENT = {"0": "差评", "1": "好评"}
Rows = list[tuple[str, tuple[str, ...]]]


def online_shopping(folder: Path) -> dict[str, Rows]:
    """Reviews, each with its category and its sentiment."""
    parts = {}
    for part, name in (("train", "train.csv.gz"), ("dev", "dev.csv"), ("test", "test.csv")):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(folder / name, "rt", encoding="utf-8", newline="") as file:
            parts[part] = [(row["text"], (row["cat"], SENTIMENT[row["label"]])) for row in csv.DictReader(file)]
    return parts


def cluener(folder: Path) -> dict[str, Rows]:
    """Sentences with the types of their entities; dev is a tenth of its train, and its dev is the test part."""
    read = {}
    for part in ("train", "dev"):
        read[part] = [
            ("".join(sentence.tokens), tuple(sorted({tag[2:] for tag in sentence.tags or () if tag != tags.OUTSIDE})))
            for sentence in formats.read_tagged(folder / f"{part}.txt", "conll")
        ]
    rows = random.Random(1).sample(read["train"], len(read["train"]))
    cut = len(rows) // 10
    return {"train": rows[cut:], "dev": rows[:cut], "test": read["dev"]}


CORPORA: dict[str, Callable[[Path], dict[str, Rows]]] = {"online_shopping": online_shopping, "cluener": cluener}


@dataclass(frozen=True)
class Job:
    """One run: the corpus, the most rows of each part, the seed, and what it overrides."""

    row: str
    data: Path
    size: int
    seed: int
    overrides: tuple[str, ...] = ()

    @property
    def key(self) -> list[Any]:
        """What tells records apart."""
        return [self.row, self.data.name, self.size, self.seed, list(self.overrides)]

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.row}, {self.size:,} rows, seed {self.seed}"


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--size", default=6000, show_default=True, help="Most rows of train; dev and test have a quarter of it.")
@click.option("--part", type=click.Choice(["dev", "test"]), default="test", show_default=True)
@kept.options("multilabel.jsonl")
def main(
    data: Sequence[Path], size: int, part: str, seeds: Sequence[int], overrides: Sequence[str], **options: Any
) -> None:
    """Runs on the corpora DATA, folders named online_shopping or cluener, with the defaults of a config."""
    jobs = [Job(folder.name, folder, size, seed, tuple(overrides)) for folder in data for seed in seeds]
    kept.show("Multi-label classification", jobs, run, lambda found: markdown(found, part), **options)


def run(job: Job, runs: Path | None = None) -> Record:
    """One run in a process of its own, on tables in a temporary folder; its scores and those of linear models."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sizes = _write(CORPORA[job.row](job.data), folder, job)
        (folder / "config.toml").write_text(_config(job, folder), encoding="utf-8")
        made = (runs or folder) / job.row
        shown = [f"--set={override}" for override in job.overrides]
        command = [sys.executable, "-m", "pipeline", "run", str(folder / "config.toml"), "--runs", str(made), *shown]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        run_folder = made / "multilabel"
        report = json.loads((run_folder / "evaluate" / "report.json").read_text(encoding="utf-8"))
        stages = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["stages"]
        systems = {"zhpipe": report, **report["baselines"], **_plain(run_folder)}
    return {
        "row": job.row,
        "sizes": sizes,
        "parts": {
            part: {name: {key: found[part][key] for key in SHOWN} for name, found in systems.items()}
            for part in ("dev", "test")
        },
        "seconds": stages["train"]["seconds"],
        "calibration": {part: report["confidence"][part]["calibration_error"] for part in ("dev", "test")},
    }


def _write(parts: Mapping[str, Rows], folder: Path, job: Job) -> dict[str, int]:
    """Writes a sample of each part; returns the numbers of rows."""
    sizes = {}
    for part, rows in parts.items():
        most = job.size if part == "train" else job.size // 4
        chosen = rows if len(rows) <= most else random.Random(job.seed).sample(rows, most)
        with TableWriter(folder / f"{part}.jsonl", ("text", "label")) as out:
            for text, labels in chosen:
                out.write((text, list(labels)))
        sizes[part] = len(chosen)
    return sizes


def _config(job: Job, folder: Path) -> str:
    files = "\n".join(f'{part} = "{(folder / part).as_posix()}.jsonl"' for part in ("train", "dev", "test"))
    return f'name = "multilabel"\nseed = {job.seed}\n[corpus]\n{files}\nlabel_separator = "{SEPARATOR}"\n'


def _plain(run_folder: Path) -> dict[str, dict[str, Any]]:
    """The linear models with the labels that scikit-learn's `predict` gives, without thresholds of their own."""
    from sklearn.multiclass import OneVsRestClassifier

    parts = {part: _samples(run_folder, part) for part in ("train", "dev", "test")}
    names = sorted({label for sample in parts["train"] for label in sample.labels})
    gold = {part: indicators([sample.labels for sample in samples], names) for part, samples in parts.items()}
    found = {}
    for name, (unit, machine) in linear.BASELINES.items():
        if not unit:
            continue
        rows = [*parts["dev"], *parts["test"]]
        features = linear.tfidf(parts["train"], rows, unit)
        model = OneVsRestClassifier(linear.binary_machine(machine)).fit(features.train, gold["train"].astype(int))
        said = np.asarray(model.predict(features.rows), bool)
        cut = len(parts["dev"])
        tables = {"dev": LabelTable(tuple(names), gold["dev"], said[:cut])}
        tables["test"] = LabelTable(tuple(names), gold["test"], said[cut:])
        found[f"{name}_plain"] = {part: scores(table) for part, table in tables.items()}
    return found


def _samples(run_folder: Path, part: str) -> list[Sample]:
    rows = segment.read_part(run_folder, part)
    return [
        Sample(row.tokenised.tokens, row.tokenised.text, labels=tuple(filter(None, row.gold.split(SEPARATOR))))
        for row in rows
    ]


def markdown(found: Iterable[Record], part: str) -> str:
    """A row a corpus and system: mean and spread over seeds."""
    lines = []
    for corpus, of_corpus in kept.by_row(found).items():
        for name in of_corpus[0]["parts"][part]:
            values = [record["parts"][part][name] for record in of_corpus]
            lines.append([f"{corpus}, {name}", *(percent([one[key] for one in values]) for key in SHOWN)])
    return table((f"corpus, system ({part})", *SHOWN.values()), lines)


if __name__ == "__main__":
    main()
