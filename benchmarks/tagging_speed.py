"""Tagging: rows/s of a trained tagger beside python-crfsuite and THULAC on the same texts; the share of decoding."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.labelling import COLUMNS, line, texts, watched, write_rows
from benchmarks.markdown import machine, table

CONTENDERS = {
    "ours": "zhpipe label, 1 worker",
    "ours-all": "zhpipe label, all workers",
    "crfsuite": "python-crfsuite, same tags",
    "thulac": "THULAC, words and parts of speech",
}
UNITS, WIDTH, CHARACTERS = 128, 100, 3000


@click.group()
def main() -> None:
    """Compares ways to tag the texts of a table."""


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file")
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--rows", default=10_000, show_default=True, help="The file's texts, repeated or cut off.")
@click.option("--only", multiple=True, type=click.Choice(list(CONTENDERS)), help="Left out: all that can be compared.")
def compare(run: Path, file: str, text: str, rows: int, only: Sequence[str]) -> None:
    """Tags rows of FILE with the model of RUN and with what else would do.

    THULAC (`pip install thulac`, models included) is for runs of words with their tags alone.
    """
    click.echo(f"{machine()}\n")
    kind = _about(run)["options"]["tag"]["kind"]
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        characters = write_rows(folder / "in.csv", file, text, rows)
        for contender in only or [name for name in CONTENDERS if name != "thulac" or kind == "joint"]:
            if contender == "crfsuite":
                train_crfsuite(run, folder / "crfsuite")
            found = watched(_command(contender, run, folder), rows, characters, tells=not contender.startswith("ours"))
            lines.append(line(f"{run.name}, {kind}", CONTENDERS[contender], found))
            click.echo(" | ".join(lines[-1]), err=True)
    click.echo(table(COLUMNS, lines))


@main.command()
@click.argument("name", type=click.Choice(["crfsuite", "thulac"]))
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def one(name: str, run: Path, folder: Path) -> None:
    """What a measured process does; prints the seconds of its work, imports and loading left out."""
    tag = {"crfsuite": _crfsuite, "thulac": _thulac}[name](run, folder)
    start = time.perf_counter()
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows((cell, tag(cell)) for cell in texts(folder / "in.csv"))
    click.echo(json.dumps(time.perf_counter() - start))


@main.command()
@click.option("--tags", multiple=True, type=int, default=(9, 45, 101), show_default=True, help="Of BMES and O.")
@click.option("--texts", "count", default=2048, show_default=True, help="Random ones of 10 to 89 characters.")
@click.option("--repeats", default=3, show_default=True)
def share(tags: Sequence[int], count: int, repeats: int) -> None:
    """How much of the CPU time of labelling goes into decoding, by the number of tags; the least of some repeats.

    One thread. A two-way LSTM of 128 units with random weights, on vectors of 100 numbers, and no wide part, which
    would make decoding's share smaller.
    """
    from pipeline.jobs import predict
    from pipeline.tagging.decoder import Decoder

    click.echo(f"{machine()}\n")
    generator, lines, spent = np.random.default_rng(1), [], [0.0]
    asked = [
        "".join(map(chr, 0x4E00 + generator.integers(0, CHARACTERS, size)))
        for size in generator.integers(10, 90, count)
    ]
    decode = Decoder.decode

    def timed(self: Decoder, *arguments: Any) -> Any:
        start = time.process_time()
        found = decode(self, *arguments)
        spent[0] += time.process_time() - start
        return found

    Decoder.decode = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        for number in tags:
            model = make_tagger(Path(folder, str(number)), (number - 1) // 4)
            predict.answers(model, asked[:64])
            best = (float("inf"), 0.0)
            for _ in range(repeats):
                start, spent[0] = time.process_time(), 0.0
                predict.answers(model, asked)
                best = min(best, (time.process_time() - start, spent[0]))
            lines.append([str(len(model.labels)), f"{count / best[0]:,.0f}", f"{best[1] / best[0]:.1%}"])
    Decoder.decode = decode  # type: ignore[method-assign]
    click.echo(table(("tags", "texts per CPU second", "share of decoding"), lines))


def make_tagger(folder: Path, types: int) -> Any:
    """A recogniser of so many types with random weights, in a folder; `O` is likely, as it is in texts."""
    from corpora import tags
    from embeddings.vocabulary import Vocabulary
    from pipeline.config.network import NetworkSettings
    from pipeline.config.tag import TagSettings
    from pipeline.encoding.encoder import Encoder
    from pipeline.encoding.labels import Labels
    from pipeline.models import model
    from pipeline.networks import graph
    from pipeline.segmentation.segmenter import Segmenter
    from pipeline.tagging.linear_chain import LinearChain
    from pipeline.tasks import Tag

    generator = np.random.default_rng(0)
    labels = Labels.build(tags.tag_set([f"type{number}" for number in range(types)], "BMES"))
    count = len(labels)
    shapes = ((count, count), (count,), (count,))
    learnt = LinearChain(*(generator.normal(0, 1, shape).astype(np.float32) for shape in shapes))
    weights = {"char_embedding/embeddings": generator.normal(0, 0.3, (CHARACTERS + 2, WIDTH))}
    for direction in ("forward", "backward"):
        for part, rows in (("kernel", WIDTH), ("recurrent_kernel", UNITS)):
            weights[f"char_0_{direction}/{part}"] = generator.normal(0, 0.08, (rows, 4 * UNITS))
        weights[f"char_0_{direction}/bias"] = np.zeros(4 * UNITS)
    weights["scores/kernel"] = generator.normal(0, 1, (2 * UNITS, count))
    weights["scores/bias"] = np.where(np.array(labels.names) == "O", 6.0, 0.0)
    single = {name: value.astype(np.float32) for name, value in weights.items()}
    settings = NetworkSettings(cell="lstm", units=UNITS)
    folder.mkdir()
    graph.save(graph.build(settings, single, ("char",), (), per_token=True), folder / "network.onnx")
    task = Tag(TagSettings(kind="entities"), "char", labels)
    about = {"name": "random", "task": "tag", "corpus": {"nfkc": False, "simplify": False}}
    model.save(
        folder,
        about={**about, "network": settings.model_dump(exclude_none=True)},
        task=task,
        answerer=replace(task.answerer, learnt=learnt),
        segmenter=Segmenter(unit="char"),
        encoder=Encoder(
            ("char",), {"char": Vocabulary([chr(0x4E00 + place) for place in range(CHARACTERS)])}, {}, 512, "char"
        ),
    )
    return model.Model.load(folder, threads=1)


def _about(run: Path) -> Any:
    import tomllib

    return tomllib.loads((run / "model" / "model.toml").read_text(encoding="utf-8"))


def _command(contender: str, run: Path, folder: Path) -> list[str]:
    if not contender.startswith("ours"):
        return [sys.executable, "-m", "benchmarks.tagging_speed", "one", contender, str(run), str(folder)]
    workers = "0" if contender.endswith("all") else "1"
    paths = [str(run), str(folder / "in.csv"), str(folder / "out.csv")]
    return [sys.executable, "-m", "pipeline", "label", *paths, "--force", "--workers", workers]


def train_crfsuite(run: Path, path: Path) -> None:
    """Trained on the run's train split, with the n-grams of our baseline."""
    import pycrfsuite

    from pipeline.evaluation.baselines.crfsuite import ITERATIONS, features
    from pipeline.stages import segment

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"max_iterations": ITERATIONS})
    for row in segment.read_part(run, "train"):
        trainer.append(features(row.tokenised.tokens), row.gold.split(" "))
    trainer.train(str(path))


def _crfsuite(run: Path, folder: Path) -> Callable[[str], str]:
    """On tokens as the run has them."""
    import pycrfsuite

    from pipeline.evaluation.baselines.crfsuite import features
    from pipeline.stages import run_segmenter

    segmenter = run_segmenter.read_segmenter(run)
    tagger = pycrfsuite.Tagger()
    tagger.open(str(folder / "crfsuite"))
    return lambda cell: " ".join(tagger.tag(features(segmenter.tokens(cell))))


def _thulac(run: Path, folder: Path) -> Callable[[str], str]:
    import thulac

    tagger = thulac.thulac()
    tagger.cut("好")
    return lambda cell: str(tagger.cut(cell, text=True))


if __name__ == "__main__":
    main()
