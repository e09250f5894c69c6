"""The output of a tagger: entities as JSON, words and tags separated by spaces."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from corpora import segmented
from pipeline.tasks.output import Output
from pipeline.tasks.prediction import PredictedSpan, Prediction

# By the kind of tags: the columns of a table, and the other layouts that have a place for what is answered.
COLUMNS = {"entities": ("entities",), "words": ("words",), "joint": ("words", "tags"), "pos": ("words", "tags")}
LAYOUTS = {
    "entities": ("long", "conll", "jsonl"),
    "words": ("long", "conll", "conllu"),
    "joint": ("long", "conll", "conllu"),
    "pos": ("long", "conll", "conllu"),
}


class TagOutput(Output[Prediction]):
    """Writes tags of a kind, one of those of the section `[tag]`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.layouts = LAYOUTS[kind]

    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """`entities`, or `words` and, where these have any, `tags`; and `confidence`, of all tags together.

        With `probabilities` also `confidences`, one for each token or word.
        """
        return (*COLUMNS[self.kind], "confidence", *(("confidences",) if probabilities else ()))

    def cells(self, prediction: Prediction, probabilities: bool) -> tuple[str, ...]:
        """Words and tags separated by spaces, entities and confidences as JSON."""
        columns = self.columns(probabilities)
        return ("",) * len(columns) if prediction.is_blank else tuple(CELLS[name](prediction) for name in columns)


CELLS: Mapping[str, Callable[[Prediction], str]] = {
    "entities": lambda prediction: _json([_entity(span) for span in prediction.spans]),
    "words": lambda prediction: segmented.join(prediction.tokens),
    "tags": lambda prediction: segmented.join(prediction.tags),
    "confidence": lambda prediction: f"{prediction.score:.4f}",
    "confidences": lambda prediction: _json([round(share, 4) for share in prediction.confidences]),
}


def _entity(span: PredictedSpan) -> dict[str, Any]:
    return {
        "text": span.text,
        "type": span.type,
        "start": span.start,
        "end": span.end,
        "confidence": round(span.confidence, 4),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
