"""Tasks: what a model answers about a text; a task is one file here and one line in TASKS."""

from pipeline.tasks.classify import Classify
from pipeline.tasks.task import Prediction, Task

TASKS: dict[str, type[Task]] = {"classify": Classify}

__all__ = ["TASKS", "Prediction", "Task"]
