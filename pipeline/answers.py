"""Answers: from texts to the cells of the new columns; all that a worker has to import, and the model that it loads."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline import familiarity
from pipeline.model import NETWORKS, Model, Precision

Cells = Sequence[str]
# Imported once for all workers, where a system can share them: the model's heavy libraries.
PRELOAD = ("pipeline.answers", "onnx", "onnxruntime", "rjieba")


@dataclass(frozen=True)
class Answers:
    """Of each text of a chunk the new cells, None for a text with nothing in it; and what was counted of them."""

    cells: list[Cells | None]
    tally: familiarity.Tally


class Answerer:
    """What a worker does: texts to Answers.

    Sent to a worker it is a path and a few options; the model is loaded, on one thread, by the first call there.
    """

    def __init__(self, folder: Path, precision: Precision, probabilities: bool, review_below: float | None) -> None:
        self.folder = folder
        self.precision = precision
        self.probabilities = probabilities
        self.review_below = review_below

    @classmethod
    def like(cls, model: Model, probabilities: bool, review_below: float | None = None) -> Answerer:
        """One that loads the same model."""
        path = model.network.path
        precision: Precision = "int8" if path.name == NETWORKS["int8"] else "float32"
        return cls(path.parent, precision, probabilities, review_below)

    @cached_property
    def model(self) -> Model:
        loaded = Model.load(self.folder, precision=self.precision, threads=1)
        gc.freeze()  # what stays for good need not be looked through again and again
        return loaded

    def __call__(self, texts: Sequence[str]) -> Answers:
        return answers(self.model, texts, self.probabilities, self.review_below)


def answers(model: Model, texts: Sequence[str], probabilities: bool, review_below: float | None = None) -> Answers:
    """What a model says of texts; with `review_below`, whether a confidence, as written, is less, in the last cell."""
    tokenised = [model.tokenise(text) for text in texts]
    predictions = model.predict_tokens(tokenised)
    doubtful = [review_below is not None and float(f"{found.score:.4f}") < review_below for found in predictions]
    cells: list[Cells | None] = [
        None
        if found.value is None
        else (
            *model.task.cells(found, probabilities),
            *([str(doubt).lower()] if review_below is not None else []),
        )
        for found, doubt in zip(predictions, doubtful, strict=True)
    ]
    if not model.task.single_label:
        return Answers(cells, {})
    counted = familiarity.tally(model.encoder, tokenised, predictions)
    review = sum(doubt and found.value is not None for found, doubt in zip(predictions, doubtful, strict=True))
    return Answers(cells, {**counted, "review": review})
