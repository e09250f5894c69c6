"""Tasks: what a model answers about a text; a task is one file or folder here and one line in TASKS."""

from typing import Any

from pipeline.tasks.answerer import Answerer
from pipeline.tasks.classify import Classify
from pipeline.tasks.head import Head
from pipeline.tasks.judge import Judge
from pipeline.tasks.language import Language
from pipeline.tasks.multilabel import Multilabel
from pipeline.tasks.prediction import Claim, PredictedSpan, Prediction
from pipeline.tasks.tag import Tag
from pipeline.tasks.task import Task

TASKS: dict[str, type[Task[Any]]] = {
    Classify.name: Classify,
    Multilabel.name: Multilabel,
    Tag.name: Tag,
    Language.name: Language,
}

__all__ = [
    "TASKS",
    "Answerer",
    "Claim",
    "Classify",
    "Head",
    "Judge",
    "Language",
    "Multilabel",
    "PredictedSpan",
    "Prediction",
    "Tag",
    "Task",
]
