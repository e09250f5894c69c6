"""Corpus defaults: what keys that a config leaves out become, by the size of its corpus; all found on dev.

`benchmarks/README.md`, section Defaults, has the figures behind these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from pipeline.config.section import toml_value
from pipeline.config.segment import Unit
from pipeline.config.task_defaults import TaskName

LONG = 100  # characters; the network reads longer texts word by word, which is faster and no worse
SMALL = 3_000  # texts; with fewer and short ones, a pretrained encoder helps most and takes seconds to read them, and
# characters and n-grams that occur once help
MOST_BASELINE_CHARACTERS = 300_000  # of a corpus on which python-crfsuite trains within about two minutes

Defaults = dict[str, Any]  # by dotted key
# From how many training texts on the defaults are these. Small corpora get small batches and many passes, so that
# training has steps enough; the dev metric ends it.
CLASSIFY: dict[int, Defaults] = {
    0: {"train.batch_size": 16, "train.epochs": 30, "train.patience": 5},
    3_000: {"train.batch_size": 32, "train.epochs": 12, "train.patience": 3},
    20_000: {"train.batch_size": 64, "train.epochs": 6, "train.patience": 2},
}
# A tagger has about as many steps on many sentences as on few, within bounds for its epochs; dev ends it before.
TAG_STEPS = 12_000
TAG_EPOCHS = (12, 40)
LARGE = 20_000  # sentences, from which on a tagger's batches are larger
ALL_SIZES: dict[str, Defaults] = {
    "classify": {"network.units": 64, "train.learning_rate": 0.002},
    "multilabel": {"network.units": 64, "train.learning_rate": 0.002},
    "tag": {"train.learning_rate": 0.003},
}
ENCODER: Defaults = {"network.encoder": "zh-open"}
# A default does not apply if the config has one of these other keys, which change what it means. A config that names
# its n-grams, or a tagger's features, has chosen what is read.
NGRAMS = ("network.wide.characters", "network.wide.words")
FEATURES = ("network.features",)
DEPENDS_ON = {
    "train.learning_rate": ("train.optimizer",),
    "network.inputs": NGRAMS,
    "network.encoder": (*NGRAMS, *FEATURES, "network.inputs", "train.from_model"),
    "embed.min_count": (*NGRAMS, "network.inputs"),
    "network.wide.characters": NGRAMS,
    "network.wide.min_count": NGRAMS,
    "network.wide.counts": NGRAMS,
    "network.units": ("network.layers",),
    "network.features.characters": (*FEATURES, *NGRAMS),
    "network.features.segmentation": (*FEATURES, *NGRAMS),
}


@dataclass(frozen=True)
class CorpusSize:
    """How many training texts there are, and their mean length in characters.

    `is_least`: counting stopped there, and there may be more.
    """

    rows: int
    mean_length: float
    is_least: bool = False


@dataclass(frozen=True)
class Chosen:
    """The defaults that a corpus' size has set, by dotted key."""

    size: CorpusSize
    values: Defaults = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What was chosen, for whom.

        >>> Chosen(CorpusSize(2000, 24.0), {"train.batch_size": 16}).sentence
        'chosen for 2,000 short texts: train.batch_size = 16'
        """
        least = "at least " if self.size.is_least else ""
        length = "long" if self.size.mean_length > LONG else "short"
        shown = ", ".join(f"{key} = {toml_value(value)}" for key, value in self.values.items())
        return f"chosen for {least}{self.size.rows:,} {length} texts: {shown}"


def defaults_for(task: TaskName, unit: Unit, rows: int, mean_length: float) -> Defaults:
    """The defaults of a task for a corpus with `rows` training texts of `mean_length` characters, by dotted key."""
    if task == "language":
        return {}
    if task == "tag":
        return {**ALL_SIZES[task], **_tagger_training(rows), **_tagger_inputs(unit, rows, mean_length)}
    by_size = CLASSIFY[max(start for start in CLASSIFY if start <= rows)]
    return {**_inputs(unit, rows, mean_length), **ALL_SIZES[task], **by_size}


def apply(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[dict[str, Any], Defaults]:
    """Nested `values` with the defaults of keys that they leave out, and these defaults alone, by dotted key."""
    chosen = {
        key: value
        for key, value in defaults.items()
        if not any(_has(values, other) for other in (key, *DEPENDS_ON.get(key, ())))
    }
    changed = dict(values)
    for key, value in chosen.items():
        changed = _with(changed, key.split("."), value)
    return changed, chosen


def _tagger_training(rows: int) -> Defaults:
    """The batches, epochs and patience of a tagger, from its steps.

    >>> [tuple(_tagger_training(rows).values()) for rows in (300, 4_000, 8_000, 50_000)]
    [(16, 40, 8), (16, 40, 8), (16, 24, 4), (32, 12, 3)]
    """
    batch, (fewest, most) = (16 if rows < LARGE else 32), TAG_EPOCHS
    epochs = min(max(TAG_STEPS * batch // max(rows, 1), fewest), most)
    return {"train.batch_size": batch, "train.epochs": epochs, "train.patience": max(epochs // 5, 3)}


def _tagger_inputs(unit: Unit, rows: int, mean_length: float) -> Defaults:
    """What a tagger reads beside its tokens, and python-crfsuite as its baseline on a corpus that is small enough."""
    features = {"network.features.characters": 32} if unit == "word" else {"network.features.segmentation": 16}
    encoder = ENCODER if unit == "char" and _is_small(rows, mean_length) else {}
    few = rows * mean_length <= MOST_BASELINE_CHARACTERS and find_spec("pycrfsuite") is not None
    return {**features, **encoder, "evaluate.baselines": ["crfsuite"] if few else []}


def _inputs(unit: Unit, rows: int, mean_length: float) -> Defaults:
    """What a classifier reads. Word n-grams are left out: beside those of characters, they cost up to 5 points."""
    few = {"embed.min_count": 1, "network.wide.min_count": 1, **ENCODER} if _is_small(rows, mean_length) else {}
    return {
        "network.inputs": "words" if unit == "word" and mean_length > LONG else "characters",
        "network.wide.characters": 3,
        "network.wide.counts": True,
        "network.wide.min_count": 2,
        **few,
    }


def _is_small(rows: int, mean_length: float) -> bool:
    return rows < SMALL and mean_length <= LONG


def _has(values: Mapping[str, Any], key: str) -> bool:
    """Whether nested values have a dotted key; what is no table where one is expected counts as having it."""
    found: Any = values
    for name in key.split("."):
        if not isinstance(found, Mapping):
            return True
        if name not in found:
            return False
        found = found[name]
    return True


def _with(values: Mapping[str, Any], names: list[str], value: Any) -> dict[str, Any]:
    """Nested values with one more; the tables on its way are new."""
    name, *rest = names
    return {**values, name: _with(values.get(name, {}), rest, value) if rest else value}
