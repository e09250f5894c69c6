"""Training speed of language models: tokens a second of `zhpipe run`'s trainer beside plain PyTorch loops."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.markdown import machine, spread, table
from benchmarks.training_speed import CELLS, CLIP_NORM, Epochs, Speed, check_quiet, limit_threads
from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import NO_TARGET, Example, bptt_batches, pad, shuffled

DROPOUT = 0.3
COLUMNS = ("cell", "loop", "tokens/s", "a CPU second", "zhpipe / it", "the same by CPU seconds")


@click.command()
@click.argument("corpus")
@click.option("--unit", type=click.Choice(["char", "word"]), default="char", show_default=True)
@click.option("--cell", "cells", type=click.Choice(CELLS), multiple=True, default=CELLS, show_default=True)
@click.option("--units", default=256, show_default=True, help="Of the one layer, and width of the embedding.")
@click.option("--max-words", default=20000, show_default=True, help="Of the vocabulary; rarer than twice is unknown.")
@click.option("--sampled", default=1000, show_default=True, help="Tokens that the loop with samples scores a step.")
@click.option("--batch-size", default=32, show_default=True, help="Texts side by side.")
@click.option("--window", default=64, show_default=True, help="Steps that gradients go back.")
@click.option("--rows", default=1000, show_default=True, help="Texts that are trained on, from all over the corpus.")
@click.option("--repeats", default=3, show_default=True, help="Epochs that count, after one that does not.")
@click.option("--threads", default=2, show_default=True)
def main(
    corpus: str, unit: str, cells: Sequence[str], rows: int, max_words: int, repeats: int, threads: int, **options: Any
) -> None:
    """Train on CORPUS, a text a line, and print a Markdown table.

    All loops train a network of the same sizes on the same texts in this process, one epoch of each in turn; input and
    output embeddings are tied. PyTorch's first loop reads the texts as one stream, as such scripts do, its second one
    in our windows. Padding does not count as tokens.
    """
    check_quiet(threads)
    limit_threads(threads)
    examples, words = read_examples(corpus, unit, rows, max_words)
    found = []
    for cell in cells:
        speeds = measure(examples, words, cell, unit, repeats, **options)
        found += [_row(cell, name, speeds) for name in speeds]
    tokens = sum(len(_targets(example)) for example in examples)
    click.echo(
        f"{Path(corpus).name}: {len(examples)} texts, {tokens} tokens of {words} in the vocabulary ({unit}); "
        f"{options}; {threads} threads; {repeats} epochs each\n\n{machine()}\n"
    )
    click.echo(table(COLUMNS, found))


def read_examples(corpus: str, unit: str, rows: int, max_words: int) -> tuple[list[Example], int]:
    """Up to `rows` texts from all over a file as examples, and the size of their vocabulary."""
    from corpora import formats
    from embeddings.vocabulary import Vocabulary
    from pipeline.encoding.encoder import Encoder, Tokenised
    from pipeline.segmentation.segmenter import Segmenter
    from pipeline.tasks import Language

    segmenter = Segmenter(unit="char" if unit == "char" else "word", keep_whitespace=True)
    texts = [document.text for document in formats.read(corpus, "lines")]
    chosen = [texts[index * len(texts) // rows] for index in range(rows)] if rows < len(texts) else texts
    read = [Tokenised(text, segmenter.tokens(text)) for text in chosen]
    vocabulary = Vocabulary.build((text.tokens for text in read), min_count=2, max_size=max_words)
    name: Any = unit
    encoder = Encoder((name,), {name: vocabulary}, {}, 512, name)
    return Language(unit, 1).examples(encoder, read, [""] * len(read)), len(vocabulary)


def measure(
    examples: Sequence[Example],
    words: int,
    cell: str,
    unit: str,
    repeats: int,
    *,
    units: int,
    sampled: int,
    batch_size: int,
    window: int,
) -> dict[str, list[Speed]]:
    """Speeds of `repeats` epochs of each loop, taken in turn, the first epoch of each left out."""
    tokens = sum(len(_targets(example)) for example in examples)
    embedding = np.random.default_rng(1).uniform(-0.05, 0.05, (words, units)).astype(np.float32)
    network: dict[str, Any] = {"cell": cell, "units": units, "bidirectional": False, "embedding": "random"}
    settings = NetworkSettings(**network, dropout=DROPOUT, embedding_dropout=0.0)
    sizes = (batch_size, window)
    with tempfile.TemporaryDirectory() as folder:
        loops = {
            "zhpipe": ours(examples, embedding, settings, unit, *sizes, 0, repeats, Path(folder) / "full"),
            "zhpipe, sampled": ours(examples, embedding, settings, unit, *sizes, sampled, repeats, Path(folder) / "s"),
            "PyTorch": pytorch(embedding, settings, _stream(examples, *sizes)),
            "PyTorch, our windows": pytorch(embedding, settings, _windowed(examples, *sizes)),
        }
        speeds = [
            {name: next_epoch(f"{cell} {name}", loop, tokens) for name, loop in loops.items()}
            for _ in range(repeats + 1)
        ]
    return {name: [speed[name] for speed in speeds[1:]] for name in loops}


def next_epoch(name: str, loop: Epochs, tokens: int) -> Speed:
    """The speed of the next epoch of a loop, said on standard error."""
    start, cpu = time.perf_counter(), time.process_time()
    next(loop)
    speed = Speed(tokens / (time.perf_counter() - start), tokens / (time.process_time() - cpu))
    click.echo(f"{name}: {speed.wall:,.0f} tokens/s, {speed.cpu:,.0f} a CPU second", err=True)
    return speed


def ours(
    examples: Sequence[Example],
    embedding: Any,
    network: NetworkSettings,
    unit: str,
    batch_size: int,
    window: int,
    sampled: int,
    repeats: int,
    folder: Path,
) -> Epochs:
    """Epochs of `pipeline.training.trainer.Trainer`, as the stage train runs it."""
    from pipeline.networks import language_network as networks
    from pipeline.tasks import Language
    from pipeline.training.trainer import Trainer

    folder.mkdir()
    epochs = repeats + 1
    chosen = TrainSettings(batch_size=batch_size, epochs=epochs, patience=epochs, clip_norm=CLIP_NORM, metric="loss")
    task = Language(unit, network.state_width, bptt_steps=window, tied=True, sampled=sampled)
    built = networks.build(network, embedding, batch_size, 1, unit=unit, tied=True)
    learner = task.head.learner(built, examples)
    trainer = Trainer(
        learner.network,
        examples,
        task.head.loss(built, chosen),
        chosen,
        seed=1,
        checkpoint=folder / "checkpoint.npz",
        measure=lambda: {"loss": 0.0},
        bptt_steps=window,
        feed=learner.feed,
    )
    for epoch in trainer.epochs(lambda texts, note: None):
        yield epoch.tokens_per_second


Windows = Iterator[tuple[Any, Any, bool]]  # ids and targets (rows, steps), and whether texts begin here


def _stream(examples: Sequence[Example], batch_size: int, window: int) -> Any:
    """The texts as one stream, cut into `batch_size` columns, a window at a time."""
    import torch

    ids = np.concatenate([next(iter(example.streams.values())) for example in examples])
    targets = np.concatenate([_targets(example) for example in examples])
    steps = len(ids) // batch_size
    rows = [torch.from_numpy(part[: steps * batch_size].reshape(batch_size, steps)).long() for part in (ids, targets)]

    def epoch() -> Windows:
        for start in range(0, steps, window):
            yield rows[0][:, start : start + window], rows[1][:, start : start + window], start == 0

    return epoch


def _windowed(examples: Sequence[Example], batch_size: int, window: int) -> Any:
    """The windows that our trainer reads."""
    import torch

    generator = np.random.default_rng(1)

    def epoch() -> Windows:
        for positions in shuffled(examples, batch_size, generator):
            begins = True
            for part in bptt_batches(pad(examples, positions), window, batch_size):
                [ids] = part.ids.values()
                yield torch.from_numpy(ids).long(), torch.from_numpy(part.targets).long(), begins
                begins = False

    return epoch


def pytorch(embedding: Any, network: NetworkSettings, epoch: Any) -> Epochs:
    """Epochs of a loop as it is usually written: nn.LSTM, states detached after each window, tied scores, Adam."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    table = nn.Embedding.from_pretrained(torch.tensor(embedding), freeze=False)
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[network.cell]
    recurrent = kind(embedding.shape[1], network.widths[0], batch_first=True)
    scores = nn.Linear(network.widths[0], len(embedding))
    scores.weight = table.weight
    drop = nn.Dropout(network.dropout)
    weights = list({id(weight): weight for part in (table, recurrent, scores) for weight in part.parameters()}.values())
    optimizer = torch.optim.Adam(weights, lr=0.001)
    while True:
        start, tokens, states = time.perf_counter(), 0, None
        for ids, targets, begins in epoch():
            states = None if begins else _detached(states)
            read, states = recurrent(table(ids), states)
            found = scores(drop(read)).flatten(0, 1)
            loss = nn.functional.cross_entropy(found, targets.flatten(), ignore_index=NO_TARGET)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, CLIP_NORM)
            optimizer.step()
            tokens += int((targets != NO_TARGET).sum())
            loss.item()
        yield tokens / (time.perf_counter() - start)


def _detached(states: Any) -> Any:
    return tuple(state.detach() for state in states) if isinstance(states, tuple) else states.detach()


def _targets(example: Example) -> Any:
    return np.asarray(example.target)


def _row(cell: str, name: str, speeds: dict[str, list[Speed]]) -> list[str]:
    pairs = list(zip(speeds["zhpipe"], speeds[name], strict=True))
    ratios = [[one.wall / two.wall for one, two in pairs], [one.cpu / two.cpu for one, two in pairs]]
    shown = ["", ""] if name == "zhpipe" else [spread(ratio, ".2f") for ratio in ratios]
    by_cpu = spread([speed.cpu for speed in speeds[name]])
    return [cell, name, spread([speed.wall for speed in speeds[name]]), by_cpu, *shown]


if __name__ == "__main__":
    main()
