"""Recurrent loops: milliseconds of outputs and gradients of two-way layers, Keras's loops beside ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from benchmarks.markdown import machine, table
from benchmarks.training_speed import limit_threads

SIZES = ((64, 17, 128, 128), (16, 40, 250, 128), (64, 60, 128, 128), (32, 40, 512, 256))
CALLS = 12  # timed together


@click.command()
@click.option(
    "--cell", "cells", type=click.Choice(["SimpleRNN", "LSTM", "GRU"]), multiple=True, default=["LSTM", "GRU"]
)
@click.option("--repeats", default=8, show_default=True, help="Turns, of which the fastest counts.")
@click.option("--threads", default=2, show_default=True)
def main(cells: Sequence[str], repeats: int, threads: int) -> None:
    """Time both loops in turn on random batches of TensorFlow and print a Markdown table."""
    limit_threads(threads)
    lines = []
    for size in SIZES:
        for cell in cells:
            theirs, ours = measure(cell, size, repeats)
            lines.append([cell, *map(str, size), f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.2f}"])
            click.echo(" | ".join(lines[-1]), err=True)
    click.echo(f"{machine()}\n")
    click.echo(
        table(("cell", "batch", "steps", "width read", "units", "Keras's, ms", "ours, ms", "Keras's / ours"), lines)
    )


def measure(cell: str, size: tuple[int, int, int, int], repeats: int) -> list[float]:
    """Milliseconds of one call with Keras's loop and with ours."""
    from keras import layers

    from pipeline.networks import recurrent

    works = [_work(getattr(module, cell), *size) for module in (layers, recurrent)]
    for work in works:
        work()
    best = [float("inf")] * len(works)
    for _ in range(repeats):
        for place, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(CALLS):
                work()
            best[place] = min(best[place], (time.perf_counter() - start) / CALLS * 1000)
    return best


def _work(kind: Any, batch: int, steps: int, width: int, units: int) -> Callable[[], object]:
    """The outputs of a two-way layer, and the gradients of all that goes in."""
    import tensorflow as tf

    layers = [kind(units, return_sequences=True) for _ in range(2)]
    read = tf.random.stateless_normal((batch, steps, width), (1, 1))
    for layer in layers:
        layer.build(read.shape)
    weights = [weight.value for layer in layers for weight in layer.trainable_weights]

    @tf.function  # type: ignore[untyped-decorator]
    def work() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(read)
            forward, backward = layers[0](read), tf.reverse(layers[1](tf.reverse(read, [1])), [1])
            value = tf.reduce_sum(tf.square(forward)) + tf.reduce_sum(tf.square(backward))
        return tape.gradient(value, [read, *weights])

    return work


if __name__ == "__main__":
    main()
