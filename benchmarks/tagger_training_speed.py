"""Training speed of taggers: tokens a second of `zhpipe run`'s trainer beside a plain PyTorch BiLSTM-CRF."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.language_speed import next_epoch
from benchmarks.markdown import machine, spread, table
from benchmarks.training_speed import CLIP_NORM, Epochs, Speed, check_quiet, limit_threads
from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example, shuffled

LONGEST = 512
LOOPS = ("zhpipe", "PyTorch", "PyTorch, our batches")
COLUMNS = ("cell", "tags", "loop", "tokens/s", "zhpipe / it", "the same by CPU seconds")


@click.command()
@click.argument("texts")
@click.option("--cell", "cells", type=click.Choice(["lstm", "gru"]), multiple=True, default=["lstm"], show_default=True)
@click.option("--tags", type=int, multiple=True, default=(9, 45), show_default=True)
@click.option("--units", default=128, show_default=True, help="Of each direction.")
@click.option("--width", default=128, show_default=True, help="Of the embedding.")
@click.option("--batch-size", default=16, show_default=True)
@click.option("--rows", default=1500, show_default=True, help="Texts that are trained on, from all over the file.")
@click.option("--repeats", default=3, show_default=True, help="Epochs that count, after one that does not.")
@click.option("--threads", default=2, show_default=True)
def main(
    texts: str, cells: Sequence[str], tags: Sequence[int], rows: int, repeats: int, threads: int, **options: Any
) -> None:
    """Train two-way taggers with a CRF on the characters of TEXTS, a text a line, and print a Markdown table.

    Tags are drawn at random, which changes nothing for the speed. All loops train a network of the same sizes in this
    process, one epoch of each in turn. Padding does not count as tokens.
    """
    check_quiet(threads)
    limit_threads(threads)
    found = []
    for cell in cells:
        for count in tags:
            examples, characters = read_examples(texts, rows, count)
            speeds = measure(examples, characters, cell, count, repeats, **options)
            found += [_row(cell, count, name, speeds) for name in LOOPS]
    lengths = np.array([len(example.streams["char"]) for example in examples])
    click.echo(
        f"{Path(texts).name}: {len(examples)} texts of {lengths.mean():.0f} characters (longest {lengths.max()}), "
        f"{characters} different; {options}; {threads} threads; {repeats} epochs each\n\n{machine()}\n"
    )
    click.echo(table(COLUMNS, found))


def read_examples(path: str, rows: int, tags: int) -> tuple[list[Example], int]:
    """Up to `rows` texts from all over a file as examples with random tags, and the size of their vocabulary."""
    from corpora import formats
    from embeddings.vocabulary import Vocabulary
    from pipeline.encoding.encoder import Encoder, Tokenised
    from pipeline.segmentation.segmenter import Segmenter

    segmenter, generator = Segmenter(unit="char"), np.random.default_rng(1)
    texts = [document.text for document in formats.read(path, "lines")]
    chosen = [texts[index * len(texts) // rows] for index in range(rows)] if rows < len(texts) else texts
    read = [Tokenised(text, segmenter.tokens(text)) for text in chosen]
    vocabulary = Vocabulary.build((text.tokens for text in read), min_count=2)
    encoder = Encoder(("char",), {"char": vocabulary}, {}, LONGEST, "char")
    drawn = [generator.integers(tags, size=min(len(text.tokens), LONGEST), dtype=np.int32) for text in read]
    return encoder.examples(read, drawn), len(vocabulary)


def measure(
    examples: Sequence[Example],
    characters: int,
    cell: str,
    tags: int,
    repeats: int,
    *,
    units: int,
    width: int,
    batch_size: int,
) -> dict[str, list[Speed]]:
    """Speeds of `repeats` epochs of each of LOOPS, taken in turn, the first epoch of each left out."""
    tokens = sum(len(example.streams["char"]) for example in examples)
    embedding = np.random.default_rng(1).uniform(-0.05, 0.05, (characters, width)).astype(np.float32)
    network = NetworkSettings(cell=cell, units=units, embedding="tuned")
    with tempfile.TemporaryDirectory() as folder:
        loops = {
            "zhpipe": ours(examples, embedding, network, tags, batch_size, repeats, Path(folder)),
            "PyTorch": pytorch(examples, embedding, network, tags, batch_size, by_chance=True),
            "PyTorch, our batches": pytorch(examples, embedding, network, tags, batch_size, by_chance=False),
        }
        speeds = [{name: next_epoch(name, loop, tokens) for name, loop in loops.items()} for _ in range(repeats + 1)]
    return {name: [speed[name] for speed in speeds[1:]] for name in loops}


def ours(
    examples: Sequence[Example],
    embedding: Any,
    network: NetworkSettings,
    tags: int,
    batch_size: int,
    repeats: int,
    folder: Path,
) -> Epochs:
    """Epochs of `pipeline.training.trainer.Trainer`, as the stage train runs it, with the optimizer of our configs."""
    from pipeline.networks import network as networks
    from pipeline.training import losses
    from pipeline.training.trainer import Trainer

    tables = networks.Tables({"char": embedding}, {}, tags, per_token=True, chained=True)
    built = networks.build(network, tables, seed=1)
    possible = [np.ones((tags, tags), bool), np.ones(tags, bool), np.ones(tags, bool)]
    trainer = Trainer(
        built,
        examples,
        losses.chain("crf", built.get_layer("chain"), possible),
        TrainSettings(
            optimizer="lazy_adam",
            batch_size=batch_size,
            epochs=repeats + 1,
            patience=repeats + 1,
            clip_norm=CLIP_NORM,
            metric="loss",
        ),
        seed=1,
        checkpoint=folder / "checkpoint.npz",
        measure=lambda: {"loss": 0.0},
    )
    for epoch in trainer.epochs(lambda texts, note: None):
        yield epoch.tokens_per_second


def pytorch(
    examples: Sequence[Example], embedding: Any, network: NetworkSettings, tags: int, batch_size: int, by_chance: bool
) -> Epochs:
    """Epochs of a loop as it is usually written: pad_sequence, pack_padded_sequence, nn.LSTM, a CRF, Adam."""
    import torch

    torch.manual_seed(1)
    model = _pytorch_network(network, embedding, tags)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    rows = [torch.from_numpy(example.streams["char"]).long() for example in examples]
    golds = [torch.from_numpy(np.asarray(example.target)).long() for example in examples]
    generator = np.random.default_rng(1)
    model.train()
    while True:
        start, order = time.perf_counter(), generator.permutation(len(examples))
        chance = [order[place : place + batch_size] for place in range(0, len(order), batch_size)]
        for positions in chance if by_chance else shuffled(examples, batch_size, generator):
            pad = torch.nn.utils.rnn.pad_sequence
            ids = pad([rows[position] for position in positions], batch_first=True)
            targets = pad([golds[position] for position in positions], batch_first=True)
            lengths = torch.tensor([len(rows[position]) for position in positions])
            loss = model(ids, lengths, targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
            optimizer.step()
            loss.item()
        yield sum(map(len, rows)) / (time.perf_counter() - start)


def _pytorch_network(settings: NetworkSettings, embedding: Any, tags: int) -> Any:
    import torch
    from torch import nn

    class Network(nn.Module):
        """The same sizes and dropout as `pipeline.networks.network.build` makes of these settings, and a CRF."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding.from_pretrained(torch.tensor(embedding), freeze=False)
            kind = {"lstm": nn.LSTM, "gru": nn.GRU}[settings.cell]
            self.recurrent = kind(embedding.shape[1], settings.widths[0], bidirectional=True, batch_first=True)
            self.dropout = nn.Dropout(settings.dropout)
            self.scores = nn.Linear(2 * settings.widths[0], tags)
            self.transitions = nn.Parameter(torch.zeros(tags, tags))
            self.start, self.end = nn.Parameter(torch.zeros(tags)), nn.Parameter(torch.zeros(tags))

        def forward(self, ids: Any, lengths: Any, targets: Any) -> Any:
            """ids and targets (batch, steps), lengths (batch,) -> the mean negative log-likelihood of a token."""
            kept = nn.functional.dropout(torch.ones(*ids.shape, 1), settings.embedding_dropout, self.training)
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(ids) * kept, lengths, batch_first=True, enforce_sorted=False
            )
            states, _ = nn.utils.rnn.pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)
            scores, inside = self.scores(self.dropout(states)), torch.arange(ids.shape[1])[None, :] < lengths[:, None]
            return (self._all(scores, inside) - self._path(scores, inside, targets, lengths)).sum() / lengths.sum()

        def _path(self, scores: Any, inside: Any, targets: Any, lengths: Any) -> Any:
            emitted = (scores.gather(2, targets[:, :, None])[:, :, 0] * inside).sum(1)
            moved = (self.transitions[targets[:, :-1], targets[:, 1:]] * inside[:, 1:]).sum(1)
            last = targets.gather(1, (lengths - 1)[:, None])[:, 0]
            return emitted + moved + self.start[targets[:, 0]] + self.end[last]

        def _all(self, scores: Any, inside: Any) -> Any:
            forward = self.start + scores[:, 0]
            for step in range(1, scores.shape[1]):
                following = (forward[:, :, None] + self.transitions).logsumexp(1) + scores[:, step]
                forward = torch.where(inside[:, step, None], following, forward)
            return (forward + self.end).logsumexp(1)

    return Network()


def _row(cell: str, tags: int, name: str, speeds: dict[str, list[Speed]]) -> list[str]:
    pairs = list(zip(speeds["zhpipe"], speeds[name], strict=True))
    ratios = [[one.wall / two.wall for one, two in pairs], [one.cpu / two.cpu for one, two in pairs]]
    shown = ["", ""] if name == "zhpipe" else [spread(ratio, ".2f") for ratio in ratios]
    return [cell, str(tags), name, spread([speed.wall for speed in speeds[name]]), *shown]


if __name__ == "__main__":
    main()
