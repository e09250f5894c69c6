"""Labelling: rows/s, characters/s, peak memory of `zhpipe label` beside what else would do, same weights and file."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice, zip_longest
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.markdown import machine, table
from corpora.table import TableReader, TableWriter

UNITS, WIDTH, LABELS, MOST_TOKENS = 128, 128, ("a", "b"), 128
CONTENDERS = {
    "keras": "pandas, jieba, keras.Model.predict",
    "svc": "TF-IDF words 1-2, LinearSVC",
    "ours": "zhpipe label, 1 worker",
    "ours-int8": "zhpipe label --int8, 1 worker",
    "ours-all": "zhpipe label, all workers",
    "ours-int8-all": "zhpipe label --int8, all workers",
    "ceiling": "bare ONNX Runtime and rjieba, 1 core",
    "ceiling-int8": "the same, int8",
}


COLUMNS = ("file", "rows", "contender", "rows/s", "characters/s", "rows per CPU second", "seconds", "peak MB")


@dataclass(frozen=True)
class Measured:
    """One contender on one file: wall and CPU seconds (start included), its own seconds of work, peak memory in MB."""

    rows: int
    characters: int
    wall: float
    cpu: float
    work: float
    peak: float


@click.group()
def main() -> None:
    """Compares ways to label a table."""


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--rows", "sizes", multiple=True, type=int, default=(10_000,), show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(CONTENDERS)), help="Left out: all.")
@click.option("--slow-rows", default=10_000, show_default=True, help="Most rows for the first two.")
@click.option("--model", "models", multiple=True, help="Folder of a run whose model labels; one for each of FILES.")
def compare(
    files: Sequence[str], text: str, sizes: Sequence[int], only: Sequence[str], slow_rows: int, models: Sequence[str]
) -> None:
    """Labels the rows of each of FILES (repeated, or cut off) with each contender, and prints a Markdown table.

    All have the same network, with random weights, unless models are given; the first two contenders have it even then.
    """
    if models and len(models) != len(files):
        raise click.UsageError(f"{len(models)} models for {len(files)} files: give one for each")
    click.echo(f"{machine()}\n")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for file, model in zip_longest(files, models):
            make_model(Path(folder), file, text)
            if model:
                shutil.rmtree(Path(folder, "model"))
                shutil.copytree(Path(model, "model"), Path(folder, "model"))
            for size in sizes:
                characters = write_rows(Path(folder, "in.csv"), file, text, size)
                for name in only or CONTENDERS:
                    if size <= slow_rows or name not in ("keras", "svc"):
                        found = measure(name, Path(folder), size, characters)
                        lines.append(line(Path(file).parent.name, CONTENDERS[name], found))
                        click.echo(" | ".join(lines[-1]), err=True)
    click.echo(table(COLUMNS, lines))


@main.command("ray")
@click.argument("file")
@click.option("--text", default="text", show_default=True, help="Column of the text.")
@click.option("--rows", default=200_000, show_default=True)
def on_ray(file: str, text: str, rows: int) -> None:
    """Labels rows of FILE with the local engine and on a Ray cluster of three nodes here, with 1 and with 2 workers."""
    click.echo(f"{machine()}\n")
    lines = []
    with tempfile.TemporaryDirectory() as name, cluster() as address:
        folder = Path(name)
        make_model(folder, file, text)
        write_rows(folder / "in.csv", file, text, rows)
        for engine, workers in (("local", 1), ("local", 2), ("ray", 1), ("ray", 2)):
            out = folder / f"{engine}{workers}"
            options = ["--engine", "ray", "--address", address] if engine == "ray" else []
            paths = [str(folder / "model"), str(folder / "in.csv"), str(out if options else out.with_suffix(".csv"))]
            command = [sys.executable, "-m", "pipeline", "label", *paths, "--workers", str(workers), *options]
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            wall = time.perf_counter() - start
            equal = "yes" if _labels(folder / "local1.csv") == _labels(out) else "NO"
            lines.append([engine, str(workers), f"{wall:.1f}", f"{rows / wall:,.0f}", equal])
    click.echo(table(("engine", "workers", "seconds", "rows/s", "answers as local, 1 worker"), lines))


@contextmanager
def cluster() -> Iterator[str]:
    """A head without a core and two nodes of one core each; its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"object_store_memory": 80 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={**node, "num_cpus": 0})
    try:
        for _ in range(2):
            made.add_node(num_cpus=1, **node)
        yield made.address
    finally:
        made.shutdown()


def _labels(out: Path) -> list[tuple[str, ...]]:
    """The answers of an output, or of a folder of parts."""
    parts = sorted(out.glob("*/part-*.csv")) if out.is_dir() else [out if out.exists() else out.with_suffix(".csv")]
    return [tuple(map(str, row[-2:])) for part in parts for row in TableReader(part)]


@main.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
def one(name: str, folder: Path) -> None:
    """What a measured process does; prints the seconds of its work, imports and loading left out."""
    work = {"keras": run_keras, "svc": run_svc, "ceiling": run_ceiling, "ceiling-int8": run_ceiling}
    click.echo(json.dumps(work[name](folder, "int8" if "int8" in name else "float32")))  # type: ignore[operator]


def make_model(folder: Path, file: str, text: str) -> None:
    """A two-way LSTM of 128 units with random weights on the words of a file: as model folder, and weights.npz."""
    from embeddings.vocabulary import Vocabulary
    from pipeline.config.network import NetworkSettings
    from pipeline.encoding.encoder import Encoder
    from pipeline.encoding.labels import Labels
    from pipeline.models import model
    from pipeline.networks import graph, quantise
    from pipeline.segmentation.segmenter import Segmenter
    from pipeline.tasks.classify import Classify

    segmenter, generator = Segmenter(), np.random.default_rng(1)
    words = Vocabulary.build((segmenter.tokens(cell) for cell in texts(file, text)), min_count=2)
    weights = {"word_embedding/embeddings": generator.normal(0, 0.3, (len(words), WIDTH))}
    for direction in ("forward", "backward"):
        for part, rows in (("kernel", WIDTH), ("recurrent_kernel", UNITS)):
            weights[f"word_0_{direction}/{part}"] = generator.normal(0, 0.08, (rows, 4 * UNITS))
        weights[f"word_0_{direction}/bias"] = np.zeros(4 * UNITS)
    weights["scores/kernel"], weights["scores/bias"] = generator.normal(0, 0.1, (2 * UNITS, 2)), np.zeros(2)
    single = {name: value.astype(np.float32) for name, value in weights.items()}
    settings = NetworkSettings(cell="lstm", units=UNITS, pooling="last", max_tokens=MOST_TOKENS)
    target = folder / "model"
    target.mkdir(exist_ok=True)
    graph.save(graph.build(settings, single, ("word",), ()), target / "network.onnx")
    quantise.save_int8(target / "network.onnx", target / "network.int8.onnx")
    task = Classify(Labels(LABELS))
    about = {"name": "random", "task": "classify", "corpus": {"nfkc": False, "simplify": False}}
    model.save(
        target,
        about={**about, "network": settings.model_dump(exclude_none=True)},
        task=task,
        answerer=task.answerer,
        segmenter=segmenter,
        encoder=Encoder(("word",), {"word": words}, {}, MOST_TOKENS, "word"),
    )
    np.savez(folder / "weights.npz", **single)  # type: ignore[arg-type]
    (folder / "words.json").write_text(json.dumps(words.tokens), encoding="utf-8")


def write_rows(path: Path, file: str, text: str, count: int) -> int:
    """A CSV file of so many rows, the file's texts again and again; the number of their characters."""
    characters = 0
    known = list(texts(file, text))
    with TableWriter(path, ("id", "text")) as writer:
        for number, cell in enumerate(islice(cycle(known), count)):
            characters += len(cell)
            writer.write((number, cell))
    return characters


def texts(file: str | Path, text: str = "text") -> Iterator[str]:
    """The cells of a column."""
    reader = TableReader(file)
    place = reader.position(text)
    return (str(row[place]) for row in reader)


def measure(name: str, folder: Path, rows: int, characters: int) -> Measured:
    """Runs a contender in a process of its own. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "benchmarks.labelling", "one", name, str(folder)]
    if name.startswith("ours"):
        options = ["--force", "--workers", "0" if name.endswith("all") else "1", *["--int8"][: "int8" in name]]
        paths = [str(folder / part) for part in ("model", "in.csv", "out.csv")]
        command = [sys.executable, "-m", "pipeline", "label", *paths, *options]
    return watched(command, rows, characters, tells=not name.startswith("ours"))


def watched(command: Sequence[str], rows: int, characters: int, *, tells: bool, root: int | None = None) -> Measured:
    """Runs a command; `tells`: whether its last line says how many seconds its work took, which are else all.

    `root`: the process whose descendants' memory is counted, instead of the command's.
    """
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    _adopt_orphans()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak: list[float] = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, root or process.pid, peak))
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    wall = time.perf_counter() - start
    with suppress(ChildProcessError):
        while root is None and os.wait():  # workers that are the children of a forkserver count, too
            pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    work = float(json.loads(output.splitlines()[-1])) if tells else wall
    return Measured(rows, characters, wall, cpu, work, peak[0])


def line(file: str, contender: str, found: Measured) -> list[str]:
    """A row of the table; rows/s by the seconds of work, of `zhpipe label` by those of the whole command."""
    return [
        file,
        f"{found.rows:,}",
        contender,
        f"{found.rows / found.work:,.0f}",
        f"{found.characters / found.work:,.0f}",
        f"{found.rows / found.cpu:,.0f}",
        f"{found.wall:.1f}",
        f"{found.peak:,.0f}",
    ]


def run_keras(folder: Path, precision: str) -> float:
    """The script that one would write."""
    import jieba
    import keras
    import pandas

    words = {word: place for place, word in enumerate(json.loads((folder / "words.json").read_text("utf-8")), start=2)}
    network = _keras_network(np.load(folder / "weights.npz"))
    jieba.initialize()
    start = time.perf_counter()
    frame = pandas.read_csv(folder / "in.csv", dtype=str, keep_default_na=False)
    cut = [[words.get(word, 1) for word in jieba.lcut(cell) if not word.isspace()] for cell in frame["text"]]
    ids = keras.utils.pad_sequences(cut, maxlen=min(MOST_TOKENS, max(map(len, cut))), padding="post", truncating="post")
    scores = network.predict(ids, batch_size=64, verbose=0)
    frame["label"] = [LABELS[place] for place in scores.argmax(axis=1)]
    frame["confidence"] = scores.max(axis=1).round(4)
    frame.to_csv(folder / "keras.csv", index=False)
    return time.perf_counter() - start


def _keras_network(weights: Mapping[str, Any]) -> Any:
    import keras

    table = weights["word_embedding/embeddings"]
    network = keras.Sequential(
        [
            keras.layers.Embedding(*table.shape, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(UNITS)),
            keras.layers.Dense(len(LABELS), activation="softmax"),
        ]
    )
    network.build((None, None))
    names = [
        f"word_0_{way}/{part}" for way in ("forward", "backward") for part in ("kernel", "recurrent_kernel", "bias")
    ]
    network.layers[0].set_weights([table])
    network.layers[1].set_weights([weights[name] for name in names])
    network.layers[2].set_weights([weights["scores/kernel"], weights["scores/bias"]])
    return network


def run_svc(folder: Path, precision: str) -> float:
    """scikit-learn with jieba; fitted, unmeasured, on the first rows with labels drawn by lot."""
    import jieba
    import pandas
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    jieba.initialize()
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, lowercase=False, ngram_range=(1, 2))
    svc = make_pipeline(vectorizer, LinearSVC())
    some = list(islice(texts(folder / "in.csv"), 5000))
    svc.fit(some, np.random.default_rng(0).integers(0, 2, len(some)))
    start = time.perf_counter()
    frame = pandas.read_csv(folder / "in.csv", dtype=str, keep_default_na=False)
    frame["label"] = svc.predict(frame["text"])
    frame.to_csv(folder / "svc.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    return time.perf_counter() - start


def run_ceiling(folder: Path, precision: Any) -> float:
    """One thread of ONNX Runtime on tensors that are ready, and rjieba on the texts; nothing else is counted."""
    from pipeline.encoding.batch import in_order_of_length
    from pipeline.models.model import Model
    from pipeline.networks.onnx_network import BATCH_SIZE

    loaded = Model.load(folder / "model", precision=precision, threads=1)
    all_texts, seconds = texts(folder / "in.csv"), 0.0
    while chunk := list(islice(all_texts, 2048)):
        tokenised = [loaded.tokenise(cell) for cell in chunk]
        batches = list(
            in_order_of_length(loaded.task.examples(loaded.encoder, tokenised, [None] * len(chunk)), BATCH_SIZE)
        )
        loaded.network.scores(batches[0])
        start = time.perf_counter()
        for cell in chunk:
            loaded.segmenter.split(cell)
        for batch in batches:
            loaded.network.scores(batch)
        seconds += time.perf_counter() - start
    return seconds


def _adopt_orphans() -> None:
    """Makes this process the parent of those whose own has ended (PR_SET_CHILD_SUBREAPER), where the system can."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def _watch(process: subprocess.Popen[str], root: int, peak: list[float]) -> None:
    """The greatest sum over `root` and its descendants of their memory (PSS), in MB, until `process` ends."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_memory, _tree(root))))
        time.sleep(0.1)


def _tree(root: int) -> list[int]:
    parents = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    Path(entry.path, "stat").read_text("utf-8").rpartition(")")[2].split()[1]
                )
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
        return sum(int(entry.split()[1]) for entry in lines if entry.startswith("Pss:")) / 1024
    except (OSError, IndexError, ValueError):
        return 0.0


if __name__ == "__main__":
    main()
