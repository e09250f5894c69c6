"""Task defaults: what each task sets by itself, and which metrics and baselines it has."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pipeline.config.evaluate import Baseline, Linear
from pipeline.config.train import Metric

TaskName = Literal["classify", "tag", "language"]

# Dev metrics that can choose the best epoch.
METRICS: dict[TaskName, tuple[Metric, ...]] = {
    "classify": ("accuracy", "macro_f1", "loss"),
    "tag": ("f1", "macro_f1", "token_accuracy"),
    "language": ("loss",),
}
BASELINES: dict[TaskName, tuple[Baseline, ...]] = {
    "classify": ("majority", *get_args(Linear)),
    "tag": ("crfsuite", "jieba"),
    "language": ("unigram", "kneser_ney"),
}
# Defaults of a task that differ from those of the fields, by section.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "tag": {"train": {"metric": "f1"}, "evaluate": {"baselines": ()}},
    "language": {
        "segment": {"keep_whitespace": True},
        "network": {"bidirectional": False},
        "train": {"metric": "loss"},
        "evaluate": {"baselines": ("unigram", "kneser_ney")},
    },
}
