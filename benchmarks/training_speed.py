"""Training speed: tokens a second of `zhpipe run`'s trainer beside plain PyTorch loops of the same network."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks.markdown import machine, spread, table
from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example, shuffled

CELLS = ("rnn", "lstm", "gru")
ROWS = ("zhpipe", "PyTorch", "PyTorch, our batches")
CLIP_NORM = 5.0
STARVED = 0.25  # share of the cores that others may use before figures are worthless
Epochs = Iterator[float]  # tokens a second, one epoch after the other


class Speed(NamedTuple):
    """Tokens of one epoch by the wall's seconds, and by those that all threads of the process were at work."""

    wall: float
    cpu: float


@click.command()
@click.argument("corpus")
@click.option("--text", default="text", show_default=True, help="Text column of a table.")
@click.option("--label", default="label", show_default=True, help="Label column of a table.")
@click.option("--cell", "cells", type=click.Choice(CELLS), multiple=True, default=CELLS, show_default=True)
@click.option("--units", default=128, show_default=True)
@click.option("--layers", default=1, show_default=True)
@click.option("--one-way", is_flag=True, help="Read the text forwards alone.")
@click.option("--pooling", type=click.Choice(["last", "mean", "max"]), default="max", show_default=True)
@click.option("--width", default=128, show_default=True, help="Of the embedding.")
@click.option("--frozen", is_flag=True, help="Do not train the embedding.")
@click.option("--batch-size", default=64, show_default=True)
@click.option("--rows", default=4000, show_default=True, help="Texts that are trained on, from all over the corpus.")
@click.option("--repeats", default=3, show_default=True, help="Epochs that count, after one that does not.")
@click.option("--threads", default=2, show_default=True)
def main(corpus: str, text: str, label: str, cells: Sequence[str], rows: int, repeats: int, **options: Any) -> None:
    """Train on CORPUS, a labelled table or the folder of a run that is segmented, and print a Markdown table.

    All loops train the same network on the same texts in this process, one epoch of each in turn. Padding does not
    count as tokens. Needs a quiet machine: OpenMP's threads, PyTorch's, wait for each other after every operation, so
    other processes slow PyTorch down by far more than their share, TensorFlow by about that.
    """
    check_quiet(options["threads"])
    limit_threads(options["threads"])
    examples, words = read_examples(corpus, text, label, rows)
    found = []
    for cell in cells:
        speeds = measure(examples, words, cell, repeats, **options)
        found += [_row(cell, name, speeds) for name in ROWS]
    steps = np.array([len(example.streams["word"]) for example in examples])
    click.echo(
        f"{Path(corpus).name}: {len(examples)} texts, {steps.mean():.0f} words each (median {np.median(steps):.0f}, "
        f"longest {steps.max()}), {words} different; {options}; {repeats} epochs each\n\n{machine()}\n"
    )
    click.echo(table(["cell", "loop", "tokens/s", "zhpipe / it", "the same by CPU seconds"], found))


def check_quiet(threads: int, seconds: float = 2.0) -> None:
    """Say on standard error how busy other processes keep the machine, where that would spoil the comparison."""
    busy = _busy_cores(seconds)
    free = (os.cpu_count() or 1) - busy
    if busy > STARVED and (threads > 1 or free < threads):
        click.echo(
            f"other processes keep {busy:.1f} of {os.cpu_count()} cores busy: with {threads} threads the ratios mean "
            "nothing; wait for a quiet machine",
            err=True,
        )


def _busy_cores(seconds: float) -> float:
    """Cores in use over the next seconds, by Linux's account; 0 where there is none."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0

    def used() -> np.ndarray[Any, Any]:
        ticks = np.array(path.read_text(encoding="utf-8").splitlines()[0].split()[1:9], float)
        return np.array([ticks.sum() - ticks[3] - ticks[4], ticks.sum()])

    before = used()
    time.sleep(seconds)
    work, total = used() - before
    return float(work / max(total, 1.0) * (os.cpu_count() or 1))


def limit_threads(threads: int) -> None:
    """Give TensorFlow and PyTorch the same number of threads, and the environment of the command `zhpipe`."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import torch

    torch.set_num_threads(threads)


def read_examples(corpus: str, text: str, label: str, rows: int) -> tuple[list[Example], int]:
    """Up to `rows` labelled texts as examples of words, and the size of their vocabulary."""
    from embeddings.vocabulary import Vocabulary
    from pipeline.encoding.encoder import Encoder
    from pipeline.encoding.labels import Labels
    from pipeline.tasks import Classify

    texts, golds = _read(corpus, text, label, rows)
    vocabulary = Vocabulary.build((text.tokens for text in texts), min_count=2)
    encoder = Encoder(("word",), {"word": vocabulary}, {}, 512, "word")
    return Classify(Labels.build(golds)).examples(encoder, texts, golds), len(vocabulary)


def _read(corpus: str, text: str, label: str, rows: int) -> tuple[list[Any], list[str]]:
    from corpora import formats
    from pipeline.encoding.encoder import Tokenised
    from pipeline.segmentation.segmenter import Segmenter
    from pipeline.stages import segment

    if Path(corpus).is_dir():
        part = _evenly(segment.read_part(Path(corpus), "train"), rows)
        return [row.tokenised for row in part], [row.gold for row in part]
    segmenter = Segmenter()
    usable = [item for item in formats.read(corpus, text=text, label=label) if item.text.strip() and item.label]
    documents = _evenly(usable, rows)
    texts = [Tokenised(item.text, segmenter.tokens(item.text)) for item in documents]
    return texts, [str(item.label) for item in documents]


def _evenly(rows: Sequence[Any], count: int) -> list[Any]:
    """`count` rows from all over a corpus, which may be sorted by label."""
    return [rows[index * len(rows) // count] for index in range(count)] if count < len(rows) else list(rows)


def measure(
    examples: Sequence[Example], words: int, cell: str, repeats: int, *, threads: int, **options: Any
) -> dict[str, list[Speed]]:
    """Speeds of `repeats` epochs of each loop of ROWS, taken in turn, the first epoch of each left out."""
    tokens = sum(len(example.streams["word"]) for example in examples)
    batch_size = options["batch_size"]
    width = options["width"]
    embedding = np.random.default_rng(1).uniform(-0.05, 0.05, (words, width)).astype(np.float32)
    network = NetworkSettings(
        cell=cell,
        bidirectional=not options["one_way"],
        layers=options["layers"],
        units=options["units"],
        pooling=options["pooling"],
        embedding="frozen" if options["frozen"] else "tuned",
    )
    with tempfile.TemporaryDirectory() as folder:
        loops = {
            "zhpipe": ours(examples, embedding, network, batch_size, repeats, Path(folder)),
            "PyTorch": pytorch(examples, embedding, network, batch_size, _any_order),
            "PyTorch, our batches": pytorch(examples, embedding, network, batch_size, shuffled),
        }
        speeds = [{name: _next(cell, name, loop, tokens) for name, loop in loops.items()} for _ in range(repeats + 1)]
    return {name: [speed[name] for speed in speeds[1:]] for name in loops}


def _next(cell: str, name: str, loop: Epochs, tokens: int) -> Speed:
    start = time.process_time()
    wall = next(loop)
    speed = Speed(wall, tokens / (time.process_time() - start))
    click.echo(f"{cell} {name}: {speed.wall:,.0f} tokens/s, {speed.cpu:,.0f} a CPU second", err=True)
    return speed


def ours(
    examples: Sequence[Example], embedding: Any, network: NetworkSettings, batch_size: int, repeats: int, folder: Path
) -> Epochs:
    """Epochs of `pipeline.training.trainer.Trainer`, as the stage train runs it."""
    from pipeline.networks import network as networks
    from pipeline.training.losses import CrossEntropy
    from pipeline.training.trainer import Trainer

    outputs = _outputs(examples)
    settings = TrainSettings(batch_size=batch_size, epochs=repeats + 1, patience=repeats + 1, clip_norm=CLIP_NORM)
    built = networks.build(network, networks.Tables({"word": embedding}, {}, outputs), seed=1)
    trainer = Trainer(
        built,
        examples,
        CrossEntropy(),
        settings,
        seed=1,
        checkpoint=folder / "checkpoint.npz",
        measure=lambda: {"accuracy": 0.0, "macro_f1": 0.0, "loss": 0.0},
    )
    for epoch in trainer.epochs(lambda texts, note: None):
        yield epoch.tokens_per_second


def pytorch(
    examples: Sequence[Example],
    embedding: Any,
    network: NetworkSettings,
    batch_size: int,
    order: Callable[[Sequence[Example], int, np.random.Generator], list[Any]],
) -> Epochs:
    """Epochs of a loop as it is usually written: pad_sequence, pack_padded_sequence, nn.LSTM, Adam."""
    import torch

    torch.manual_seed(1)
    model = _pytorch_network(network, embedding, _outputs(examples))
    optimizer = torch.optim.Adam([weight for weight in model.parameters() if weight.requires_grad], lr=0.001)
    rows = [torch.from_numpy(example.streams["word"]).long() for example in examples]
    targets = torch.tensor([example.target for example in examples])
    total = sum(map(len, rows))
    generator = np.random.default_rng(1)
    model.train()
    while True:
        start = time.perf_counter()
        for positions in order(examples, batch_size, generator):
            batch = [rows[position] for position in positions]
            lengths = torch.tensor([len(row) for row in batch])
            ids = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
            loss = torch.nn.functional.cross_entropy(model(ids, lengths), targets[positions])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
            optimizer.step()
            loss.item()
        yield total / (time.perf_counter() - start)


def _pytorch_network(settings: NetworkSettings, embedding: Any, outputs: int) -> Any:
    import torch
    from torch import nn

    class Network(nn.Module):
        """The same sizes, dropout and pooling as `pipeline.networks.network.build` makes of these settings."""

        def __init__(self) -> None:
            super().__init__()
            frozen = settings.embedding == "frozen"
            self.embedding = nn.Embedding.from_pretrained(torch.tensor(embedding), freeze=frozen)
            self.recurrent = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[settings.cell](
                embedding.shape[1],
                settings.widths[0],
                num_layers=settings.layers,
                dropout=settings.dropout if settings.layers > 1 else 0.0,
                bidirectional=settings.bidirectional,
                batch_first=True,
            )
            self.dropout = nn.Dropout(settings.dropout)
            self.scores = nn.Linear(settings.widths[0] * (1 + settings.bidirectional), outputs)

        def forward(self, ids: Any, lengths: Any) -> Any:
            """ids (batch, steps), lengths (batch,) -> (batch, outputs)."""
            kept = nn.functional.dropout(torch.ones(*ids.shape, 1), settings.embedding_dropout, self.training)
            states = self.embedding(ids) * kept
            packed = nn.utils.rnn.pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            states, _ = nn.utils.rnn.pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)
            return self.scores(self.dropout(self._pool(states, lengths)))

        def _pool(self, states: Any, lengths: Any) -> Any:
            if settings.poolings == ("mean",):
                return states.sum(1) / lengths[:, None]
            if settings.poolings == ("max",):
                outside = torch.arange(states.shape[1])[None, :] >= lengths[:, None]
                return states.masked_fill(outside[:, :, None], -torch.inf).amax(1)
            half = settings.widths[0]
            forward = states[torch.arange(len(states)), lengths - 1, :half]
            return torch.cat([forward, states[:, 0, half:]], 1)

    return Network()


def _any_order(examples: Sequence[Example], batch_size: int, generator: np.random.Generator) -> list[Any]:
    order = generator.permutation(len(examples))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _outputs(examples: Sequence[Example]) -> int:
    return 1 + max(example.target or 0 for example in examples)


def _row(cell: str, name: str, speeds: dict[str, list[Speed]]) -> list[str]:
    mine, other = speeds["zhpipe"], speeds[name]
    walls = [one.wall / two.wall for one, two in zip(mine, other, strict=True)]
    cpus = [one.cpu / two.cpu for one, two in zip(mine, other, strict=True)]
    ratios = ["", ""] if name == "zhpipe" else [spread(walls, ".2f"), spread(cpus, ".2f")]
    return [cell, name, spread([speed.wall for speed in other]), *ratios]


if __name__ == "__main__":
    main()
