"""The queue of a table: the rows that a model is unsure of, or those that would teach it most."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from corpora.corrections import fingerprint
from corpora.labels import bare
from corpora.rows import BadRow
from corpora.table import TableReader
from corpora.table_options import TableOptions
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import teaching
from pipeline.jobs.layouts import NEEDS_REVIEW
from pipeline.models.model import Model
from pipeline.progress import Progress, silent
from pipeline.review.forms import answered, form_of, in_tokens
from pipeline.review.queue import Item, Reason, distinct, predictions
from pipeline.stages.table_rows import row_text
from pipeline.tasks import Prediction

MOST = 200_000  # rows that are held in memory
TRUE = ("true", "1")


@dataclass(frozen=True)
class TableRow:
    """A row with a text: its number, its text as in the table, the label beside it, and whether it is to be looked at.

    `label`: "" where there is none; `marked`: None where the table does not say.
    """

    number: int
    text: str
    label: str
    marked: bool | None


class ReviewTable:
    """A table whose rows are looked at.

    Arguments:
        path: The file; `options`: how it is read.
        text: The text columns.
        label: The column of the label, which the table need not have.
        prefix: Of the columns that `zhpipe label` added.

    Raises CorpusError if it can't be read.
    """

    def __init__(
        self,
        path: Path,
        options: TableOptions,
        *,
        text: Sequence[str] = ("text",),
        label: str = "label",
        prefix: str = "",
    ) -> None:
        self.path = path
        self.rejected = 0
        self._table = TableReader(path, options, set_aside=self._count)
        self._texts = [self._table.position(name) for name in text]
        names = self._table.columns
        self._label = names.index(f"{prefix}{label}") if f"{prefix}{label}" in names else None
        self._marked = names.index(f"{prefix}{NEEDS_REVIEW}") if f"{prefix}{NEEDS_REVIEW}" in names else None

    @property
    def is_marked(self) -> bool:
        """Whether `zhpipe label` has said which rows need review."""
        return self._marked is not None

    def _count(self, number: int, row: BadRow) -> None:
        self.rejected += 1

    def rows(self) -> list[TableRow]:
        """The rows with a text; `rejected` counts those that can't be read, if they are set aside.

        Raises PipelineError if the rows are more than `MOST`.
        """
        found: list[TableRow] = []
        self.rejected = 0
        for number, cells in self._table.numbered():
            if not (text := row_text(cells, self._texts)).strip():
                continue
            if len(found) == MOST:
                raise PipelineError(
                    f"{self.path}: has more than {MOST:,} rows with a text: review a part of it at a time"
                )
            label = "" if self._label is None or cells[self._label] is None else bare(str(cells[self._label]))
            marked = None if self._marked is None else str(cells[self._marked]).lower() in TRUE
            found.append(TableRow(number, text, label, marked))
        return found


def unsure(table: ReviewTable, model: Model, *, below: float | None = None, progress: Progress = silent) -> list[Item]:
    """The rows that `zhpipe label` marked, or whose confidence is lower than `below`, the least confident first.

    Raises PipelineError if the rows are not marked, and `below` is None.
    """
    if below is None and not table.is_marked:
        raise PipelineError(
            f"{table.path}: has no column {NEEDS_REVIEW}: label it with --review-below or --target-precision, or say "
            "below which confidence rows are to be looked at with --below"
        )
    rows = [row for row in table.rows() if below is not None or row.marked]
    items, found = _items(table, rows, model, "unsure", progress)
    lower = [item for item, one in zip(items, found, strict=True) if below is None or _confidence(one) < below]
    return distinct(sorted(lower, key=lambda item: (item.confidence, item.row)))


def teaching_most(
    table: ReviewTable,
    model: Model,
    count: int,
    *,
    decided: AbstractSet[str] = frozenset(),
    seed: int = 1,
    progress: Progress = silent,
) -> list[Item]:
    """The `count` rows without a label that would teach the model most, see `teaching.choose`.

    `decided`: fingerprints of texts that have been looked at. Raises PipelineError if no row is left.
    """
    rows = [row for row in table.rows() if not row.label]
    marks = {fingerprint(model.normalise(row.text)): row for row in reversed(rows)}
    left = sorted((row for mark, row in marks.items() if mark not in decided), key=lambda row: row.number)
    if not left:
        raise PipelineError(f"{table.path}: no row without a label is left to choose from")
    items, found = _items(table, left, model, "teaches", progress)
    doubts = [doubt(model, one) for one in found]
    return [items[place] for place in teaching.choose([item.text.text for item in items], doubts, count, seed)]


def every_row(table: ReviewTable, model: Model) -> list[Item]:
    """All rows with a text, without suggestions."""
    rows = table.rows()
    texts = model.tokenise_all([row.text for row in rows])
    return distinct(
        Item(table.path.name, row.number, "", text, _old(model, row.label), "", 0.0, "unsure")
        for row, text in zip(rows, texts, strict=True)
    )


def doubt(model: Model, prediction: Prediction) -> float:
    """How uncertain a model is about a text, 0 to 1.

    Of one label, 1 minus the margin between the two most probable ones (Scheffer, Decomain and Wrobel, 2001); of
    several, that of the label whose probability is nearest to a half; of a tagger, that of its least certain token.
    """
    form = form_of(model.task)
    if form == "label":
        second, first = sorted(prediction.distribution)[-2:]
        return 1 - (first - second)
    if form == "labels":
        return max((1 - abs(2 * share - 1) for share in prediction.distribution), default=0.0)
    return 1 - min(prediction.confidences, default=1.0)


def _items(
    table: ReviewTable, rows: Sequence[TableRow], model: Model, reason: Reason, progress: Progress
) -> tuple[list[Item], list[Prediction]]:
    texts = model.tokenise_all([row.text for row in rows])
    found = list(predictions(model, texts, progress))
    items = [
        Item(
            table.path.name,
            row.number,
            "",
            text,
            _old(model, row.label),
            answered(model.task, one),
            _confidence(one),
            reason,
        )
        for row, text, one in zip(rows, texts, found, strict=True)
    ]
    return items, found


def _old(model: Model, label: str) -> str:
    """The label of a row as corrections have it; a tagger's rows have none."""
    task = model.task
    if in_tokens(task):
        return ""
    return task.format_gold(tuple(sorted(set(task.parse_gold(label))))) if task.several_labels else label


def _confidence(prediction: Prediction) -> float:
    """The probability of the answer; of a tagger, of its least certain token."""
    return min(prediction.confidences, default=1.0) if prediction.confidences else prediction.score
