"""Batches: examples of similar length side by side, padded on the right; the only place that pads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

POOL = 50  # batches whose rows are sorted by length together in training
STEPS = 1024  # in a batch of long rows, for prediction
FEWEST = 8  # rows in such a batch
GRID = 8  # padded lengths are multiples of it
NO_TARGET = -1  # fills up rows that have a target per step


@dataclass(frozen=True)
class Example:
    """One text as a network reads it.

    `streams`: name -> int32 (steps,), the ids of each sequence that the network reads, at least one; `bags`: name ->
    int32 (ids,), or int32 (steps, ids) per step, ids whose vectors or weights are summed (n-grams, features of a
    token); `target`: a label id, or int32 (labels,) with 1 for each label of the text,
    or int32 (steps,) one per step of the first stream, or None; `truncated`: whether the text had more than
    `max_tokens` tokens.
    """

    streams: Mapping[str, Ids]
    bags: Mapping[str, Ids] = field(default_factory=dict)
    target: int | Ids | None = None
    truncated: bool = False


@dataclass(frozen=True)
class Batch:
    """Examples padded to a rectangle.

    `ids`: stream -> int32 (batch, steps), padded with 0 after the length of each row; `lengths`: stream -> int32
    (batch,), the only record of padding; `bags`: name -> int32 (batch, ids) or (batch, steps, ids), padded with 0;
    `targets`: int32 (batch,), or (batch, labels or steps) padded with NO_TARGET, or None; `positions`: int64 (batch,),
    the place of each row among the examples; `is_last`: whether no further batch continues these rows.
    """

    ids: Mapping[str, Ids]
    lengths: Mapping[str, Ids]
    bags: Mapping[str, Ids]
    targets: Ids | None
    positions: NDArray[np.int64]
    is_last: bool = True

    @property
    def inputs(self) -> dict[str, Ids]:
        """The inputs of the network by name: `STREAM` and `STREAM_lengths` of each stream, and the bags."""
        return {**self.ids, **{f"{name}_lengths": value for name, value in self.lengths.items()}, **self.bags}

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which places of the first stream are tokens, not padding: bool (batch, steps)."""
        name = next(iter(self.ids))
        return np.arange(self.ids[name].shape[1]) < self.lengths[name][:, None]


# Further inputs of the network for a batch, by name.
Feed = Callable[[Batch, np.random.Generator], dict[str, NDArray[Any]]]


def bptt_batches(batch: Batch, steps: int, rows: int | None = None) -> Iterator[Batch]:
    """A batch with a target per step, cut along the steps for truncated backpropagation through time.

    Each piece has at most `steps` steps (0: all of them), and all have about the same. Lengths count the tokens inside
    a piece, 0 for a row that has ended before. `rows`: empty rows fill the batch up to this number, for a network that
    keeps its states row by row.
    """
    name = next(iter(batch.ids))
    ids, lengths, targets = _filled_up(batch, (rows or len(batch.positions)) - len(batch.positions))
    width, longest = ids.shape[1], int(np.max(lengths))
    steps = -(-width // -(-width // (steps or width)))
    for start in range(0, longest, steps):
        piece = slice(start, start + steps)
        yield Batch(
            ids={name: ids[:, piece]},
            lengths={name: np.clip(lengths - start, 0, ids[:, piece].shape[1]).astype(np.int32)},
            bags={},
            targets=None if targets is None else targets[:, piece],
            positions=batch.positions,
            is_last=start + steps >= longest,
        )


def pad(examples: Sequence[Example], positions: NDArray[np.int64], *, coarse: bool = False) -> Batch:
    """The examples at `positions`, right-padded with 0 to the next multiple of 8 steps.

    With `coarse`, to the next power of 2 from 8 on: few shapes, for a backend that compiles each of them (JAX).
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
    """Every example once, shortest first, for prediction: with as little padding as possible.

    A batch has at most `batch_size` rows. Batches of long rows have fewer, at most 1,024 steps in all or else 8 rows,
    because prediction is slow on what does not fit the processor's cache.
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
    """The positions of each batch of a training epoch: in random order, of similar length within a batch, each once.

    All examples are shuffled and cut into pools of 50 batches; each pool is sorted by length and cut into batches; the
    batches are shuffled (bucketing, as in tf.data and fairseq). Memory: int64 (n_examples,).
    """
    lengths = _lengths(examples)
    order = generator.permutation(len(examples))
    batches = []
    for start in range(0, len(order), batch_size * POOL):
        pool = order[start : start + batch_size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[cut : cut + batch_size] for cut in range(0, len(pool), batch_size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def _filled_up(batch: Batch, more: int) -> tuple[Ids, Ids, Ids | None]:
    """Ids, lengths and targets of the first stream, with `more` empty rows at the end."""
    name = next(iter(batch.ids))
    ids, lengths, targets = batch.ids[name], batch.lengths[name], batch.targets
    if targets is not None:
        targets = np.pad(targets, ((0, more), (0, 0)), constant_values=NO_TARGET)
    return np.pad(ids, ((0, more), (0, 0))), np.pad(lengths, (0, more)), targets


def _lengths(examples: Sequence[Example]) -> NDArray[np.int64]:
    """The steps of each example's first stream."""
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
