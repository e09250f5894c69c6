"""Predict: from texts to the cells of the new columns; all that a worker imports besides the model that it loads."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.encoding.encoder import Tokenised
from pipeline.errors import NotFinite
from pipeline.jobs.layouts import TABLE, records
from pipeline.jobs.results import FORCED
from pipeline.models import drift
from pipeline.models.model import Extended, Model, Precision
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tasks import Claim, Prediction

Cells = Sequence[Any]  # the new cells of a row; in another layout than a table, its records
Texts = Sequence[str | Tokenised]  # for the model to segment, or segmented already
NO_WORDS = UserDictionary()


@dataclass(frozen=True)
class OutputOptions:
    """What to write of a model's answers.

    `probabilities`: the detailed columns too; `review_below`: a cell that says whether the confidence of a claim, as
    written, is below this; `layout`: one of `pipeline.jobs.layouts.LAYOUTS`; `n_best`: how many answers of a tagger, if
    more than 1, all of them in the last cell.
    """

    probabilities: bool = False
    review_below: float | None = None
    layout: str = TABLE
    n_best: int = 1


@dataclass(frozen=True)
class Answers:
    """The new cells of each text of a chunk, None for a blank text; and the counts that tell of drift.

    `failure`: why there are no cells; names the text whose scores are not finite.
    """

    cells: list[Cells | None]
    tally: drift.Tally
    failure: NotFinite | None = None


class Predictor:
    """What a worker calls: texts to Answers.

    Only a path, a dictionary and a few options are sent to a worker; its first call loads the model, on one thread.
    """

    def __init__(
        self, folder: Path, precision: Precision, wanted: OutputOptions, dictionary: UserDictionary = NO_WORDS
    ) -> None:
        self.folder = folder
        self.precision = precision
        self.wanted = wanted
        self.dictionary = dictionary

    @classmethod
    def like(cls, model: Model, wanted: OutputOptions) -> Predictor:
        """A Predictor that loads the same model."""
        added = model.extended.added if model.extended else NO_WORDS
        return cls(model.network.path.parent, model.precision, wanted, added)

    @cached_property
    def model(self) -> Model:
        loaded = Model.load(self.folder, precision=self.precision, threads=1, dictionary=self.dictionary)
        gc.freeze()  # the model stays for good: the garbage collector need not look through it again
        return loaded

    def __call__(self, texts: Texts) -> Answers:
        return answers(self.model, texts, self.wanted)


def answers(model: Model, texts: Texts, wanted: OutputOptions = OutputOptions()) -> Answers:
    """The model's answers to texts."""
    try:
        return _answers(model, texts, _tokenised(model, texts), wanted)
    except NotFinite as error:
        return Answers([], {}, error)


def _answers(model: Model, texts: Texts, tokenised: Sequence[Tokenised], wanted: OutputOptions) -> Answers:
    best = model.n_best_of_tokens(tokenised, wanted.n_best) if wanted.n_best > 1 else None
    predictions = model.predict_tokens(tokenised) if best is None else [_first(model, found) for found in best]
    claims = [model.answerer.claims(found) for found in predictions]
    doubts = [_doubtful(found, wanted.review_below) for found in claims]
    if wanted.layout != TABLE:
        cells = _records(wanted, tokenised, predictions, doubts)
    else:
        cells = _cells(model, predictions, doubts, best or [()] * len(predictions), wanted)
    forced = _forced(model, tokenised)
    if model.extended:
        forced.update(_changed(model.extended, texts, tokenised, predictions))
    if not model.answerer.claimed:
        return Answers(cells, forced)
    given = list(chain.from_iterable(map(model.answerer.labels_of, predictions)))
    counted = drift.tally(model.encoder, tokenised, list(chain.from_iterable(claims)), given)
    return Answers(cells, {**counted, **forced, "review": sum(map(any, doubts))})


def _forced(model: Model, texts: Sequence[Tokenised]) -> drift.Tally:
    """A count for each word of the dictionary that occurs: that of the texts that have it."""
    occurring = model.segmenter.dictionary.occurring
    return dict(Counter(f"{FORCED}{word}" for text in texts for word in occurring(text.text, text.tokens)))


def _changed(
    extended: Extended, texts: Texts, tokenised: Sequence[Tokenised], predictions: Sequence[Prediction]
) -> drift.Tally:
    """Counts of the texts with a word of the added dictionary, and of those that the model alone answers otherwise."""
    added = [index for index, text in enumerate(tokenised) if extended.added.occurring(text.text, text.tokens)]
    try:
        alone = extended.alone.predict_tokens(_tokenised(extended.alone, [texts[index] for index in added]))
    except NotFinite as error:
        raise NotFinite(error.network, added[error.text]) from None
    changed = sum(not _agree(predictions[index], other) for index, other in zip(added, alone, strict=True))
    return {"added": len(added), "changed": changed} if added else {}


def _agree(one: Prediction, other: Prediction) -> bool:
    """Whether two answers are the same but for their confidences."""
    spans = [[(span.start, span.end, span.type) for span in answer.spans] for answer in (one, other)]
    return one.value == other.value and spans[0] == spans[1]


def _doubtful(claims: Sequence[Claim], below: float | None) -> Sequence[bool]:
    """Whether each confidence, as written, is below a threshold; () without a threshold."""
    return () if below is None else [float(f"{claim.confidence:.4f}") < below for claim in claims]


def _first(model: Model, best: Sequence[Prediction]) -> Prediction:
    return best[0] if best else model.answerer.blank


def _tokenised(model: Model, texts: Texts) -> list[Tokenised]:
    to_cut = [text for text in texts if isinstance(text, str)]
    try:
        cut = iter(model.tokenise_all(to_cut))
    except NotFinite as error:  # of a segmenter that is a model itself
        places = [place for place, text in enumerate(texts) if isinstance(text, str)]
        raise NotFinite(error.network, places[error.text]) from None
    return [next(cut) if isinstance(text, str) else text for text in texts]


def _cells(
    model: Model,
    predictions: Sequence[Prediction],
    doubts: Sequence[Sequence[bool]],
    best: Sequence[Sequence[Prediction]],
    wanted: OutputOptions,
) -> list[Cells | None]:
    """The new cells of each row of a table."""
    cells: list[Cells | None] = []
    for found, doubtful, others in zip(predictions, doubts, best, strict=True):
        review = [] if wanted.review_below is None else [str(any(doubtful)).lower()]
        alternatives = [_alternatives(model, others, wanted)] if wanted.n_best > 1 else []
        written = (*model.answerer.output.cells(found, wanted.probabilities), *review, *alternatives)
        cells.append(None if found.is_blank else written)
    return cells


def _alternatives(model: Model, best: Sequence[Prediction], wanted: OutputOptions) -> str:
    """Several answers as JSON: an object each, its keys the columns."""
    names = model.answerer.output.columns(wanted.probabilities)
    written = [model.answerer.output.cells(answer, wanted.probabilities) for answer in best]
    others = [{name: _plain(name, cell) for name, cell in zip(names, row, strict=True)} for row in written]
    return json.dumps(others, ensure_ascii=False)


def _plain(name: str, cell: str) -> Any:
    """The value of a cell: words and tags are text, the others JSON."""
    return cell if name in ("words", "tags") else json.loads(cell)


def _records(
    wanted: OutputOptions,
    texts: Sequence[Tokenised],
    predictions: Sequence[Prediction],
    doubts: Sequence[Sequence[bool]],
) -> list[Cells | None]:
    """The records of each row in another layout, each with the cell `needs_review` if that is asked for."""
    cells: list[Cells | None] = []
    for text, found, doubtful in zip(texts, predictions, doubts, strict=True):
        if found.is_blank:
            cells.append(None)
        elif wanted.review_below is None:
            cells.append(records(wanted.layout, text.shown, found))
        else:
            made = zip(records(wanted.layout, text.shown, found), doubtful, strict=True)
            cells.append([(*record, doubt) for record, doubt in made])
    return cells
