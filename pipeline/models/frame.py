"""Frame: a pandas data frame with a model's columns added, as numbers, booleans and lists."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from corpora import segmented
from pipeline.tasks import Answerer
from pipeline.tasks.prediction import Prediction

if TYPE_CHECKING:
    import pandas as pd

AS_TEXT, AS_LIST = ("label",), ("words", "tags")  # columns whose cells are no JSON


def label_frame(
    predict: Callable[[Sequence[str]], Sequence[Prediction]],
    answerer: Answerer[Any],
    frame: pd.DataFrame,
    *,
    text: str | Sequence[str] = "text",
    probabilities: bool = False,
    review_below: float | None = None,
    prefix: str = "",
) -> pd.DataFrame:
    """A copy of the frame with the columns that `zhpipe label` adds; see `Model.label_frame`."""
    names = (text,) if isinstance(text, str) else tuple(text)
    for name in names:
        if list(frame.columns).count(name) != 1:
            known = ", ".join(f'"{column}"' for column in frame.columns)
            raise ValueError(f'expected one column "{name}"; the columns are {known}: choose with text=')
    predictions = predict(_texts(frame, names))
    output = answerer.output
    columns = output.columns(probabilities)
    rows = [
        [
            None if found.is_blank and name in AS_TEXT else _value(name, cell)
            for name, cell in zip(columns, output.cells(found, probabilities), strict=True)
        ]
        for found in predictions
    ]
    values = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    if review_below is not None:
        values["needs_review"] = [
            any(round(claim.confidence, 4) < review_below for claim in answerer.claims(found)) for found in predictions
        ]
    labelled = frame.copy()
    for name, cells in values.items():
        if prefix + name in frame.columns:
            raise ValueError(f'the frame has a column "{prefix + name}" already: set prefix=, such as "model_"')
        labelled[prefix + name] = cells
    return labelled


def _texts(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The text of each row: its cells joined by line feeds, as of a file. A missing cell is empty."""
    columns = [
        ["" if missing else str(cell) for cell, missing in zip(frame[name], frame[name].isna(), strict=True)]
        for name in names
    ]
    return ["\n".join(cells) for cells in zip(*columns, strict=True)]


def _value(name: str, cell: str) -> Any:
    """A cell of a table as the value that it stands for; None or NaN for an empty one."""
    if name in AS_TEXT:
        return cell
    if name in AS_LIST:
        return segmented.split(cell)
    if cell in ("", "inf"):
        return math.inf if cell else [] if name in ("entities", "confidences", "surprisal") else math.nan
    return json.loads(cell)
