"""Batches: examples of like length side by side, padded on the right; the only place that pads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

POOL = 50  # batches that are sorted by length together while training
STEPS = 1024  # in a batch of long rows, for prediction
FEWEST = 8  # rows in such a batch
GRID = 8  # padded lengths are multiples of it
NO_TARGET = -1  # what stands behind the last target of a row that has one a step


@dataclass(frozen=True)
class Example:
    """One text as a network reads it.

    `streams`: for each sequence that the network reads its ids, int32 (steps,), at least one; `bags`: for each set of
    n-grams its ids, int32 (grams,), or for each step (steps, grams); `target`: what is to be answered, a label id, or
    one a step of the first stream, int32 (steps,), or None; `truncated`: whether tokens beyond `max_tokens` were cut.
    """

    streams: Mapping[str, Ids]
    bags: Mapping[str, Ids] = field(default_factory=dict)
    target: int | Ids | None = None
    truncated: bool = False


@dataclass(frozen=True)
class Batch:
    """Examples padded to a rectangle.

    `ids`: stream -> int32 (batch, steps), 0 on the right of each row's length; `lengths`: stream -> int32 (batch,),
    the only record of padding; `bags`: name -> int32 (batch, grams), or (batch, steps, grams), filled up with 0;
    `targets`: int32 (batch,), or (batch, steps) filled up with NO_TARGET, or None; `positions`: int64 (batch,), where
    in the source the rows came from; `is_last`: whether nothing more comes of these rows.
    """

    ids: Mapping[str, Ids]
    lengths: Mapping[str, Ids]
    bags: Mapping[str, Ids]
    targets: Ids | None
    positions: NDArray[np.int64]
    is_last: bool = True

    @property
    def inputs(self) -> dict[str, Ids]:
        """What the network is fed: `STREAM` and `STREAM_lengths` of each stream, and the bags by name."""
        return {**self.ids, **{f"{name}_lengths": value for name, value in self.lengths.items()}, **self.bags}

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which places of the first stream are no padding: bool (batch, steps)."""
        name = next(iter(self.ids))
        return np.arange(self.ids[name].shape[1]) < self.lengths[name][:, None]


# What a network is handed beside the inputs of a batch, by name.
Feed = Callable[[Batch, np.random.Generator], dict[str, NDArray[Any]]]


def windows(batch: Batch, steps: int, rows: int | None = None) -> Iterator[Batch]:
    """A batch with a target a step, at most `steps` steps at a time, in stretches of like length; 0: all at once.

    Lengths are those within the stretch, 0 for a row that has ended before. `rows`: the batch is filled up to so many
    with rows of nothing, for a network that keeps its states row by row.
    """
    name = next(iter(batch.ids))
    ids, lengths, targets = batch.ids[name], batch.lengths[name], batch.targets
    more = (rows or len(ids)) - len(ids)
    ids, lengths = np.pad(ids, ((0, more), (0, 0))), np.pad(lengths, (0, more))
    if targets is not None:
        targets = np.pad(targets, ((0, more), (0, 0)), constant_values=NO_TARGET)
    width, longest = ids.shape[1], int(lengths.max())
    steps = -(-width // -(-width // (steps or width)))
    for start in range(0, longest, steps):
        stretch = slice(start, start + steps)
        yield Batch(
            ids={name: ids[:, stretch]},
            lengths={name: np.clip(lengths - start, 0, ids[:, stretch].shape[1]).astype(np.int32)},
            bags={},
            targets=None if targets is None else targets[:, stretch],
            positions=batch.positions,
            is_last=start + steps >= longest,
        )


def pad(examples: Sequence[Example], positions: NDArray[np.int64], *, coarse: bool = False) -> Batch:
    """The examples at `positions`, right-padded with 0 to the next multiple of 8 steps.

    With `coarse` to the next power of 2, at least 8: few shapes, for a backend that compiles each anew (JAX).
    """
    chosen = [examples[position] for position in positions]
    streams = list(chosen[0].streams)
    rows = {name: [example.streams[name] for example in chosen] for name in streams}
    return Batch(
        ids={name: _rectangle(rows[name], coarse) for name in streams},
        lengths={name: np.array([len(row) for row in rows[name]], np.int32) for name in streams},
        bags={name: _rectangle([example.bags[name] for example in chosen], coarse) for name in chosen[0].bags},
        targets=_targets([example.target for example in chosen], coarse),
        positions=positions,
    )


def in_order_of_length(examples: Sequence[Example], batch_size: int) -> Iterator[Batch]:
    """Every example once, shortest first, for prediction: as little padding as can be.

    A batch has at most `batch_size` rows, fewer where they are long, since what doesn't fit the processor's cache is
    slow: at most 1,024 steps in all, or 8 rows.
    """
    lengths = _lengths(examples)
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = lengths[order[min(start + batch_size, len(order)) - 1]]
        rows = min(batch_size, max(FEWEST, STEPS // max(1, int(longest))))
        yield pad(examples, order[start : start + rows])
        start += rows


def shuffled(examples: Sequence[Example], batch_size: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """Positions of each batch of a training epoch: random, yet of like length within a batch. Every example comes once.

    All examples are shuffled, cut into pools of 50 batches, each pool sorted by length and cut into batches, and the
    batches shuffled (bucketing as in tf.data and fairseq). Memory: int64 (n_examples,).
    """
    lengths = _lengths(examples)
    order = generator.permutation(len(examples))
    batches = []
    for start in range(0, len(order), batch_size * POOL):
        pool = order[start : start + batch_size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[cut : cut + batch_size] for cut in range(0, len(pool), batch_size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def _lengths(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Steps of each example's first stream."""
    return np.fromiter((len(next(iter(example.streams.values()))) for example in examples), np.int64, len(examples))


def _targets(targets: Sequence[int | Ids | None], coarse: bool) -> Ids | None:
    if any(target is None for target in targets):
        return None
    if isinstance(targets[0], np.ndarray):
        return _rectangle(targets, coarse, NO_TARGET)  # type: ignore[arg-type]
    return np.array(targets, np.int32)


def _rectangle(rows: Sequence[Ids], coarse: bool, filling: int = 0) -> Ids:
    grids = max(1, -(-max(len(row) for row in rows) // GRID))
    steps = GRID * (1 << (grids - 1).bit_length() if coarse else grids)
    padded = np.full((len(rows), steps, *rows[0].shape[1:]), filling, np.int32)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded
