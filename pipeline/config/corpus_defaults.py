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
SMALL = 3_000  # texts; characters and n-grams that occur once help in fewer and short ones
MOST_BASELINE_CHARACTERS = 300_000  # of a corpus on which python-crfsuite trains within about two minutes

Defaults = dict[str, Any]  # by dotted key
# From how many training texts on the defaults are these. Small corpora get small batches and many passes, so that
# training has steps enough; the dev metric ends it.
CLASSIFY: dict[int, Defaults] = {
    0: {"train.batch_size": 16, "train.epochs": 30, "train.patience": 5},
    3_000: {"train.batch_size": 32, "train.epochs": 12, "train.patience": 3},
    20_000: {"train.batch_size": 64, "train.epochs": 6, "train.patience": 2},
}
TAG: dict[int, Defaults] = {
    0: {"train.batch_size": 16, "train.epochs": 40, "train.patience": 8},
    3_000: {"train.batch_size": 16, "train.epochs": 25, "train.patience": 5},
    20_000: {"train.batch_size": 32, "train.epochs": 12, "train.patience": 3},
}
ALL_SIZES: dict[str, Defaults] = {
    "classify": {"network.units": 64, "train.learning_rate": 0.002},
    "multilabel": {"network.units": 64, "train.learning_rate": 0.002},
    "tag": {"train.learning_rate": 0.003},
}
# A default does not apply if the config has one of these other keys, which change what it means. A config that names
# its n-grams, or a tagger's features, has chosen what is read.
NGRAMS = ("network.wide.characters", "network.wide.words")
FEATURES = ("network.features",)
DEPENDS_ON = {
    "train.learning_rate": ("train.optimizer",),
    "network.inputs": NGRAMS,
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
    tables = {"classify": CLASSIFY, "multilabel": CLASSIFY, "tag": TAG}
    if task not in tables:
        return {}
    by_rows = tables[task]
    chosen = {**ALL_SIZES[task], **by_rows[max(start for start in by_rows if start <= rows)]}
    if task != "tag":
        return {**_inputs(unit, rows, mean_length), **chosen}
    chosen.update({"network.features.characters": 32} if unit == "word" else {"network.features.segmentation": 16})
    few = rows * mean_length <= MOST_BASELINE_CHARACTERS and find_spec("pycrfsuite") is not None
    return {**chosen, "evaluate.baselines": ["crfsuite"] if few else []}


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


def _inputs(unit: Unit, rows: int, mean_length: float) -> Defaults:
    """What a classifier reads. Word n-grams are left out: beside those of characters, they cost up to 5 points."""
    is_long = mean_length > LONG
    inputs = "words" if unit == "word" and is_long else "characters"
    rarest = {"embed.min_count": 1, "network.wide.min_count": 1} if rows < SMALL and not is_long else {}
    return {
        "network.inputs": inputs,
        "network.wide.characters": 3,
        "network.wide.counts": True,
        "network.wide.min_count": 2,
        **rarest,
    }


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
