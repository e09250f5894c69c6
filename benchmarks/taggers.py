"""Taggers: scores of whole runs over corpora and seeds beside python-crfsuite, and what each choice brings on dev."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import tomli_w

from benchmarks import records as kept
from benchmarks.markdown import table
from benchmarks.records import Record, percent

DATA = "data/"  # what paths in the configs begin with, in whose place the folder of the corpora is put
CRFSUITE = 'evaluate.baselines=["crfsuite"]'
ALONE = "evaluate.baselines=[]"
SCORES = ("f1", "macro_f1", "token_accuracy", "word_f1", "oov_recall")
# Inputs of character taggers and of word taggers; each row has those before it too.
OF_CHARACTERS = {
    "+ bigrams": ("network.features.bigrams=50",),
    "+ segmentation": ("network.features.segmentation=16",),
    "+ lexicon": ("network.features.lexicon=50",),
    "+ n-grams (wide)": ("network.wide.characters=2",),
}
OF_WORDS = {
    "+ characters": ("network.features.characters=32",),
    "+ beginnings and ends": ("network.features.affixes=16",),
    "+ n-grams and affixes (wide)": ("network.wide.words=2", "network.wide.characters=3"),
}
NOTHING = tuple(
    f"network.{key}=0"
    for key in (
        *(f"features.{name}" for name in ("bigrams", "segmentation", "lexicon", "characters", "affixes")),
        *(f"wide.{name}" for name in ("words", "characters")),
    )
)


@dataclass(frozen=True)
class Job:
    """One run: the table and row that it counts for, its config, the folder of the corpora, seed, overrides.

    `tested`: whether test is scored; where it is not, it is not read. `key` is equal for jobs that would give the same
    figures.
    """

    table: str
    row: str
    config: Path
    data: Path
    seed: int
    overrides: tuple[str, ...] = ()
    tested: bool = False

    @property
    def key(self) -> list[Any]:
        """What tells records apart; the config counts with its content."""
        content = self.config.read_text(encoding="utf-8")
        return [self.table, self.row, self.seed, content, list(self.overrides), self.tested]

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.table}: {self.row}, {self.config.stem}, seed {self.seed}"

    def settings(self) -> dict[str, Any]:
        """The config with the paths of the corpora put in, and without test unless it is scored."""
        values = _placed(tomllib.loads(self.config.read_text(encoding="utf-8")), self.data.resolve())
        if not self.tested:
            values["corpus"].pop("test", None)
            values["corpus"]["test_share"] = 0.0
        return {**values, "name": f"{self.config.stem}-{self.seed}", "seed": self.seed}


def _placed(value: Any, data: Path) -> Any:
    if isinstance(value, dict):
        return {key: _placed(inner, data) for key, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, data) for inner in value]
    return (data / value.removeprefix(DATA)).as_posix() if isinstance(value, str) and value.startswith(DATA) else value


@click.group()
def main() -> None:
    """Run experiments and print tables of their scores. Stopped, the same command goes on with the next run."""


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dev", is_flag=True, help="Leave test alone.")
@kept.options("taggers.jsonl")
def corpora(
    data: Path, configs: Sequence[Path], dev: bool, seeds: Sequence[int], overrides: Sequence[str], **options: Any
) -> None:
    """Every config, beside python-crfsuite on the same split; `data/` in its paths is the folder DATA."""
    first, *others = seeds
    jobs = [
        Job("corpora", config.stem, config, data, seed, (CRFSUITE if seed == first else ALONE, *overrides), not dev)
        for config in configs
        for seed in (first, *others)
    ]
    kept.show("Corpora", jobs, run, markdown, **options)


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("taggers.jsonl")
def decoders(**options: Any) -> None:
    """Greedy, MaxEnt and CRF, on dev."""
    _variants(
        "decoders", lambda config: {name: (f"tag.decode={name}",) for name in ("greedy", "maxent", "crf")}, **options
    )


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("taggers.jsonl")
def cells(**options: Any) -> None:
    """SimpleRNN, LSTM and GRU, on dev."""
    _variants("cells", lambda config: {name: (f"network.cell={name}",) for name in ("rnn", "lstm", "gru")}, **options)


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@kept.options("taggers.jsonl")
def inputs(**options: Any) -> None:
    """Characters or words alone, and then one input more in each row, on dev."""
    _variants("inputs", inputs_of, **options)


def inputs_of(config: Path) -> dict[str, tuple[str, ...]]:
    """The rows of `inputs`: what each overrides."""
    unit = tomllib.loads(config.read_text(encoding="utf-8")).get("segment", {}).get("unit", "word")
    steps = OF_CHARACTERS if unit == "char" else OF_WORDS
    rows = {"characters" if unit == "char" else "words": NOTHING}
    for name, step in steps.items():
        rows[name] = (*next(reversed(rows.values())), *step)
    return rows


def _variants(
    name: str,
    rows: Callable[[Path], Mapping[str, tuple[str, ...]]],
    data: Path,
    configs: Sequence[Path],
    seeds: Sequence[int],
    overrides: Sequence[str],
    **options: Any,
) -> None:
    jobs = [
        Job(name, f"{config.stem}: {row}", config, data, seed, (ALONE, *overrides, *own))
        for config in configs
        for row, own in rows(config).items()
        for seed in seeds
    ]
    kept.show(name.capitalize(), jobs, run, markdown, **options)


def run(job: Job, runs: Path | None = None) -> Record:
    """Run one job in a process of its own; its scores, those of python-crfsuite, and the seconds of its stages."""
    with tempfile.TemporaryDirectory() as temporary:
        settings = job.settings()
        config = Path(temporary) / "config.toml"
        config.write_text(tomli_w.dumps(settings), encoding="utf-8")
        shown = "".join(letter if letter.isalnum() else "_" for letter in f"{job.table}-{job.row}")
        folder = Path(temporary) if runs is None else runs / shown
        overrides = [f"--set={override}" for override in job.overrides]
        command = [sys.executable, "-m", "pipeline", "run", str(config), "--runs", str(folder), *overrides]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        record = {"row": job.row, **_figures(folder / settings["name"])}
        if runs is None:
            shutil.rmtree(folder / settings["name"])
        return record


def _figures(run_folder: Path) -> Record:
    report = json.loads((run_folder / "evaluate" / "report.json").read_text(encoding="utf-8"))
    stages = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["stages"]
    crfsuite = report.get("baselines", {}).get("crfsuite", {})
    rows = {"dev": report["counts"]["scored_dev"], "test": report["counts"]["scored"]}
    parts = [part for part in rows if rows[part]]
    return {
        "scores": {part: _short(report[part]) for part in parts},
        "crfsuite": {part: _short(crfsuite[part]) for part in parts if part in crfsuite},
        "seconds": {name: stage["seconds"] for name, stage in stages.items()},
        "epochs": [report["model"]["best_epoch"], report["model"]["epochs"]],
    }


def _short(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: scores[name] for name in SCORES if name in scores}


def markdown(records: Iterable[Record]) -> str:
    """Records by row: mean and spread over seeds, and python-crfsuite beside them."""
    titles = ("", "seeds", "dev F1", "test F1", "test macro F1", "token accuracy", "crfsuite dev", "crfsuite test")
    return table(
        (*titles, "best epoch", "train seconds"), (_line(row, found) for row, found in kept.by_row(records).items())
    )


def _line(row: str, records: Sequence[Record]) -> list[str]:
    def of(where: str, part: str, name: str) -> str:
        return percent([record[where][part][name] for record in records if name in record[where].get(part, {})])

    best = ", ".join(str(record["epochs"][0]) for record in records)
    seconds = statistics.mean(record["seconds"]["train"] for record in records)
    last = "test" if any("test" in record["scores"] for record in records) else "dev"
    return [
        row,
        str(len(records)),
        of("scores", "dev", "f1"),
        of("scores", "test", "f1"),
        of("scores", "test", "macro_f1"),
        of("scores", last, "token_accuracy"),
        of("crfsuite", "dev", "f1"),
        of("crfsuite", "test", "f1"),
        best,
        f"{seconds:,.0f}",
    ]


if __name__ == "__main__":
    main()
