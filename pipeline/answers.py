"""Answers: from texts to the cells of the new columns; all that a worker has to import, and the model that it loads."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline import familiarity
from pipeline.encoder import Tokenised
from pipeline.layouts import TABLE, records
from pipeline.model import NETWORKS, Model, Precision
from pipeline.tasks import Prediction

Cells = Sequence[Any]  # the new cells of a row; in another layout than the table's, its records
Texts = Sequence[str | Tokenised]  # to be cut by the model, or cut already
# Imported once for all workers, where a system can share them: the model's heavy libraries.
PRELOAD = ("pipeline.answers", "onnx", "onnxruntime", "rjieba")


@dataclass(frozen=True)
class Wanted:
    """What is asked of a model beside its answer.

    `probabilities`: the finer columns too; `review_below`: whether a confidence, as written, is less, in the last cell;
    `layout`: one of `pipeline.layouts.LAYOUTS`; `n_best`: how many answers of a tagger, all of them in the last cell.
    """

    probabilities: bool = False
    review_below: float | None = None
    layout: str = TABLE
    n_best: int = 1


@dataclass(frozen=True)
class Answers:
    """Of each text of a chunk the new cells, None for a text with nothing in it; and what was counted of them."""

    cells: list[Cells | None]
    tally: familiarity.Tally


class Answerer:
    """What a worker does: texts to Answers.

    Sent to a worker it is a path and a few options; the model is loaded, on one thread, by the first call there.
    """

    def __init__(self, folder: Path, precision: Precision, wanted: Wanted) -> None:
        self.folder = folder
        self.precision = precision
        self.wanted = wanted

    @classmethod
    def like(cls, model: Model, wanted: Wanted) -> Answerer:
        """One that loads the same model."""
        path = model.network.path
        precision: Precision = "int8" if path.name == NETWORKS["int8"] else "float32"
        return cls(path.parent, precision, wanted)

    @cached_property
    def model(self) -> Model:
        loaded = Model.load(self.folder, precision=self.precision, threads=1)
        gc.freeze()  # what stays for good need not be looked through again and again
        return loaded

    def __call__(self, texts: Texts) -> Answers:
        return answers(self.model, texts, self.wanted)


def answers(model: Model, texts: Texts, wanted: Wanted = Wanted()) -> Answers:
    """What a model says of texts."""
    tokenised = _tokenised(model, texts)
    if wanted.n_best > 1:
        return Answers(_with_others(model, tokenised, wanted), {})
    predictions = model.predict_tokens(tokenised)
    if wanted.layout != TABLE:
        return Answers(_records(wanted.layout, tokenised, predictions), {})
    below = wanted.review_below
    doubtful = [below is not None and float(f"{found.score:.4f}") < below for found in predictions]
    cells: list[Cells | None] = [
        None
        if found.value is None
        else (
            *model.task.cells(found, wanted.probabilities),
            *([str(doubt).lower()] if below is not None else []),
        )
        for found, doubt in zip(predictions, doubtful, strict=True)
    ]
    if not model.task.single_label:
        return Answers(cells, {})
    counted = familiarity.tally(model.encoder, tokenised, predictions)
    review = sum(doubt and found.value is not None for found, doubt in zip(predictions, doubtful, strict=True))
    return Answers(cells, {**counted, "review": review})


def _tokenised(model: Model, texts: Texts) -> list[Tokenised]:
    to_cut = [text for text in texts if isinstance(text, str)]
    cut = iter(model.tokenise_all(to_cut))
    return [next(cut) if isinstance(text, str) else text for text in texts]


def _with_others(model: Model, texts: Sequence[Tokenised], wanted: Wanted) -> list[Cells | None]:
    """The cells of the best answer, and all of them as JSON: an object each, its keys the columns."""
    names = model.task.columns(wanted.probabilities)
    cells: list[Cells | None] = []
    for best in model.n_best_of_tokens(texts, wanted.n_best):
        written = [model.task.cells(answer, wanted.probabilities) for answer in best]
        others = [{name: _plain(name, cell) for name, cell in zip(names, row, strict=True)} for row in written]
        cells.append((*written[0], json.dumps(others, ensure_ascii=False)) if best else None)
    return cells


def _plain(name: str, cell: str) -> Any:
    """The value that a cell stands for: words and tags are text, the others JSON."""
    return cell if name in ("words", "tags") else json.loads(cell)


def _records(layout: str, texts: Sequence[Tokenised], predictions: Sequence[Prediction]) -> list[Cells | None]:
    return [
        None if found.value is None else records(layout, text.text, found)
        for text, found in zip(texts, predictions, strict=True)
    ]
