"""Task defaults: what each task sets by itself, and which metrics and baselines it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pipeline.config.evaluate import Baseline, Linear
from pipeline.config.train import Metric

TaskName = Literal["classify", "multilabel", "tag", "language"]

# Dev metrics that can choose the best epoch.
METRICS: dict[TaskName, tuple[Metric, ...]] = {
    "classify": ("accuracy", "macro_f1", "loss"),
    "multilabel": ("micro_f1", "macro_f1", "subset_accuracy", "loss"),
    "tag": ("f1", "macro_f1", "token_accuracy"),
    "language": ("loss",),
}
BASELINES: dict[TaskName, tuple[Baseline, ...]] = {
    "classify": ("majority", *get_args(Linear)),
    "multilabel": ("majority", *get_args(Linear)),
    "tag": ("crfsuite", "jieba"),
    "language": ("unigram", "kneser_ney"),
}
# Defaults of a task that differ from those of the fields, by section.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "multilabel": {"train": {"metric": "micro_f1"}},
    "tag": {"train": {"metric": "f1"}, "evaluate": {"baselines": ()}},
    "language": {
        "segment": {"keep_whitespace": True},
        "network": {"bidirectional": False, "encoder_mode": "tuned"},
        "train": {"metric": "loss"},
        "evaluate": {"baselines": ("unigram", "kneser_ney")},
    },
}


def with_task_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values of a config with the defaults of its task, the unit that its tags need, and the unit's inputs.

    A classifier whose rows have several labels has the task multilabel.
    """
    task, corpus = str(values.get("task", "classify")), values.get("corpus", {})
    if task == "classify" and isinstance(corpus, Mapping) and corpus.get("label_separator") is not None:
        task = "multilabel"
        values = {**values, "task": task}
    for name, defaults in DEFAULTS.get(task, {}).items():
        values = _with_defaults(values, name, defaults)
    if task == "tag":
        tag = values.get("tag", {})
        kind = tag.get("kind", "entities") if isinstance(tag, Mapping) else "entities"
        values = _with_defaults(values, "segment", {"unit": "word" if kind == "pos" else "char"})
    segment = values.get("segment", {})
    unit = segment.get("unit", "word") if isinstance(segment, Mapping) else "word"
    return _with_defaults(values, "network", {"inputs": "characters" if unit == "char" else "words"})


def with_encoder_inputs(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nested values of a config; a classifier of words that names an encoder, and not what it reads, reads both.

    An encoder reads characters, so words alone would leave it nothing.
    """
    network, segment = (values.get(name, {}) for name in ("network", "segment"))
    if values.get("task", "classify") in ("tag", "language") or not isinstance(network, Mapping):
        return values
    if network.get("encoder", "none") == "none" or (isinstance(segment, Mapping) and segment.get("unit") == "char"):
        return values
    return _with_defaults(values, "network", {"inputs": "both"})


def _with_defaults(values: Mapping[str, Any], name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the defaults of keys that the table `name` leaves out."""
    section = values.get(name, {})
    return {**values, name: {**defaults, **section}} if isinstance(section, Mapping) else dict(values)
