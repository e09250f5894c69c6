"""Tasks: what a model answers about a text; a task is one file here and one line in TASKS."""

from pipeline.tasks.classify import Classify
from pipeline.tasks.language import Language
from pipeline.tasks.tag import Tag
from pipeline.tasks.task import Claim, Prediction, Task

TASKS: dict[str, type[Task]] = {"classify": Classify, "tag": Tag, "language": Language}

__all__ = ["TASKS", "Claim", "Classify", "Language", "Prediction", "Tag", "Task"]
