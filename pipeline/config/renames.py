"""Renames: keys of older configs and their names today."""

from __future__ import annotations

from collections.abc import Iterable

RENAMED = {
    "embed.sample": "embed.subsample",
    "embed.size": "embed.vector_size",
    "language.order": "language.ngram_order",
    "language.window": "language.bptt_steps",
    "segment.spaces": "segment.keep_whitespace",
    "train.average": "train.ema_momentum",
}


def renamed(keys: Iterable[str]) -> dict[str, str]:
    """What to tell a user of each key that has another name now, by key.

    >>> renamed(["train.average", "train.epochs"])
    {'train.average': 'train.average is now train.ema_momentum'}
    """
    return {key: f"{key} is now {RENAMED[key]}" for key in keys if key in RENAMED}
