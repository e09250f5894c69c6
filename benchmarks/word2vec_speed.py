"""Word2Vec speed: words a second of our training beside plain gensim with the same settings on the same sentences."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import click

from benchmarks.markdown import machine, spread, table
from embeddings.word2vec import Word2VecOptions, train

Sentences = Sequence[Sequence[str]]


@click.command()
@click.argument("corpus", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", default="text", show_default=True, help="Text column of a table.")
@click.option("--lines", default=20_000, show_default=True, help="Lines read from the corpus.")
@click.option("--vector-size", default=100, show_default=True, help="Width of the vectors.")
@click.option("--epochs", default=2, show_default=True)
@click.option("--workers", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--repeats", default=3, show_default=True)
def main(
    corpus: Path, text: str, lines: int, vector_size: int, epochs: int, workers: Sequence[int], repeats: int
) -> None:
    """Train on the words of CORPUS, a labelled table or plain text (gzip too), and print a Markdown table."""
    sentences = _sentences(corpus, text, lines)
    words = sum(map(len, sentences)) * epochs
    options = Word2VecOptions(vector_size=vector_size, epochs=epochs)
    found = {count: measure(sentences, replace(options, workers=count), repeats) for count in workers}
    click.echo(f"{corpus.name}: {len(sentences):,} sentences, {words:,} words in {epochs} epochs of size {vector_size}")
    click.echo(f"\n{machine()}\n\n{markdown(found, words)}")


def _sentences(path: Path, text: str, lines: int) -> list[list[str]]:
    from corpora import formats
    from pipeline.segmentation.segmenter import Segmenter

    segmenter = Segmenter()
    return [segmenter.tokens(document.text) for document in islice(formats.read(path, text=text, label=None), lines)]


def measure(sentences: Sentences, options: Word2VecOptions, repeats: int) -> dict[str, list[float]]:
    """Seconds of each repeat, taken in turn, counting the vocabulary and all."""
    return _in_turn(
        {"zhpipe": lambda: train(sentences, options), "gensim": lambda: _gensim(sentences, options)}, repeats
    )


def _gensim(sentences: Sentences, options: Word2VecOptions) -> object:
    from gensim.models import Word2Vec

    return Word2Vec(
        sentences,
        vector_size=options.vector_size,
        window=options.window,
        min_count=options.min_count,
        sg=int(options.algorithm == "skip-gram"),
        negative=options.negative,
        sample=options.subsample,
        alpha=options.learning_rate,
        epochs=options.epochs,
        seed=options.seed,
        workers=options.workers,
    )


def _in_turn(works: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in works}
    next(iter(works.values()))()  # loads what is loaded once
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def markdown(found: dict[int, dict[str, list[float]]], words: int) -> str:
    """What `measure` found for each number of workers, as a table."""
    return table(
        ("training", "workers", "words/s"),
        (
            (name, str(workers), spread([words / second for second in seconds]))
            for workers, measured in found.items()
            for name, seconds in measured.items()
        ),
    )


if __name__ == "__main__":
    main()
