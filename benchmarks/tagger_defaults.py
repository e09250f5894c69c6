"""Tagger defaults: taggers whose config names nothing but its corpus, beside python-crfsuite on the same sentences.

A sample of a corpus' train is a user's own file, from which zhpipe takes its dev; the corpus' dev judges (or, where it
has none, its held-out tenth of train), and nothing is chosen on it. Test is never read.
"""

from __future__ import annotations

import gzip
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

DATA = "data/"  # what paths in the configs begin with, in whose place the folder of the corpora is put
BLOCKS = ("conll", "conllu", "iob2")  # formats whose sentences end with an empty line; in others a line is a sentence
HELD_OUT = 10  # of so many sentences one judges, where the corpus has no dev


@dataclass(frozen=True)
class Job:
    """A run on `size` sentences of the corpus of a config, drawn at random, or on a share of all, `1 / size`."""

    config: Path
    data: Path
    size: float
    seed: int
    overrides: tuple[str, ...] = ()

    @property
    def key(self) -> list[Any]:
        """What tells records apart."""
        return ["tagger defaults", self.row, self.seed, list(self.overrides)]

    @property
    def row(self) -> str:
        """The corpus, and how many of its sentences."""
        return f"{self.config.stem}, {f'{self.size:.0%}' if self.size <= 1 else f'{self.size:.0f}'}"

    @property
    def title(self) -> str:
        """For whoever waits."""
        return f"{self.row}, seed {self.seed}"


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("configs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--size", "sizes", type=float, multiple=True, default=(300.0, 1.0), show_default=True)
@kept.options("tagger_defaults.jsonl")
def main(
    data: Path,
    configs: Sequence[Path],
    sizes: Sequence[float],
    seeds: Sequence[int],
    overrides: Sequence[str],
    **options: Any,
) -> None:
    """Train on samples of the corpora of CONFIGS, which are under DATA, with every setting of networks left out.

    A size up to 1 is a share of all sentences. Stopped, the same command goes on with the next run.
    """
    jobs = [Job(config, data, size, seed, tuple(overrides)) for size in sizes for config in configs for seed in seeds]
    kept.show("Tagger defaults", jobs, run, markdown, **options)


def run(job: Job, folder: Path | None) -> Record:
    """Trains, evaluates, and gives F1 of the tagger and of python-crfsuite, without the sentences that leaked."""
    from pipeline.config.load import load_explained
    from pipeline.stages.runner import run_stages

    with tempfile.TemporaryDirectory() as temporary:
        own = Path(temporary)
        config = own / "config.toml"
        config.write_text(_toml(job, own), encoding="utf-8")
        always = (f"seed={job.seed}", "evaluate.suspects=false", 'evaluate.baselines=["crfsuite"]')
        loaded, chosen = load_explained(config, [*always, *job.overrides])
        start = time.perf_counter()
        made = run_stages(loaded, runs=folder or own)
        report = json.loads((made / "evaluate" / "report.json").read_text(encoding="utf-8"))
        seconds = time.perf_counter() - start
    part = "test_without_leaked" if report.get("test_without_leaked") else "test"
    baseline = report["baselines"]["crfsuite"]
    metric = "f1" if "f1" in report[part] else "accuracy"
    return {
        "row": job.row,
        "seconds": seconds,
        "model": report[part][metric],
        "baseline": baseline[part][metric],
        "baseline_seconds": baseline["seconds"],
        "epochs": report["model"].get("epochs"),
        "said": str(chosen),
    }


def markdown(records: Iterable[Record]) -> str:
    """Mean and deviation over seeds of both, and how far the tagger is ahead."""
    rows = []
    for name, found in kept.by_row(records).items():
        columns = [percent([one[key] for one in found]) for key in ("baseline", "model")]
        seconds = [sum(one[key] for one in found) / len(found) for key in ("seconds", "baseline_seconds")]
        ahead = statistics.mean(one["model"] - one["baseline"] for one in found)
        rows.append([name, str(len(found)), *columns, f"{100 * ahead:+.1f}", *map("{:.0f}".format, seconds)])
    return table(["corpus, sentences", "seeds", "python-crfsuite", "model", "ahead", "s", "s of crfsuite"], rows)


def _toml(job: Job, own: Path) -> str:
    """What the config of the corpus says of its files and tags, with the sample in place of train."""
    told = tomllib.loads(job.config.read_text(encoding="utf-8"))
    corpus = told["corpus"]
    blocks = corpus.get("format", "conllu" if ".conllu" in corpus["train"] else "conll") in BLOCKS
    sentences = _sentences(job, corpus["train"], blocks)
    random.Random(job.seed).shuffle(sentences)
    if "dev" in corpus:
        judging = _sentences(job, corpus["dev"], blocks)
    else:
        held = len(sentences) // HELD_OUT
        judging, sentences = sentences[:held], sentences[held:]
    count = round(len(sentences) * job.size) if job.size <= 1 else round(job.size)
    suffix = Path(corpus["train"].removesuffix(".gz")).suffix
    files = {"train": sentences[:count], "test": judging}
    for part, found in files.items():
        (own / f"{part}{suffix}").write_text("".join(found), encoding="utf-8", newline="\n")
    reading = {key: value for key, value in corpus.items() if key in ("format", "tagged")}
    paths = {part: (own / f"{part}{suffix}").as_posix() for part in files}
    tag = {key: value for key, value in told.get("tag", {}).items() if key == "kind"}
    name = f"{job.config.stem}-{count}-{job.seed}"
    return tomli_w.dumps({"name": name, "task": "tag", "corpus": {**reading, **paths, "dev_share": 0.1}, "tag": tag})


def _sentences(job: Job, path: str, blocks: bool) -> list[str]:
    """The sentences of a file as they are written."""
    place = job.data / path.removeprefix(DATA)
    content = gzip.decompress(place.read_bytes()) if place.suffix == ".gz" else place.read_bytes()
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    if blocks:
        return [f"{block.strip(chr(10))}\n\n" for block in text.split("\n\n") if block.strip()]
    return [f"{line}\n" for line in text.split("\n") if line.strip()]


if __name__ == "__main__":
    main()
