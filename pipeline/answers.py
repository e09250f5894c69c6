"""Answers: from texts to the cells of the new columns; all that a worker has to import, and the model that it loads."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from pipeline.model import NETWORKS, Model, Precision

Cells = Sequence[str]
# Imported once for all workers, where a system can share them: the model's heavy libraries.
PRELOAD = ("pipeline.answers", "onnx", "onnxruntime", "rjieba")


class Answerer:
    """What a worker does: texts to the cells of the new columns, None for a text with nothing in it.

    Sent to a worker it is a path and two options; the model is loaded, on one thread, by the first call there.
    """

    def __init__(self, folder: Path, precision: Precision, probabilities: bool) -> None:
        self.folder = folder
        self.precision = precision
        self.probabilities = probabilities

    @classmethod
    def like(cls, model: Model, probabilities: bool) -> Answerer:
        """One that loads the same model."""
        path = model.network.path
        precision: Precision = "int8" if path.name == NETWORKS["int8"] else "float32"
        return cls(path.parent, precision, probabilities)

    @cached_property
    def model(self) -> Model:
        loaded = Model.load(self.folder, precision=self.precision, threads=1)
        gc.freeze()  # what stays for good need not be looked through again and again
        return loaded

    def __call__(self, texts: Sequence[str]) -> list[Cells | None]:
        return answers(self.model, texts, self.probabilities)


def answers(model: Model, texts: Sequence[str], probabilities: bool) -> list[Cells | None]:
    """For each text the cells of the new columns, None for a text with nothing in it."""
    return [
        None if prediction.value is None else model.task.cells(prediction, probabilities)
        for prediction in model.predict(texts)
    ]
