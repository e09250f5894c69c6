"""Session: the queue that people work through, and what the page is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.evaluation.report.report import mended
from pipeline.models.model import Model
from pipeline.review import forms
from pipeline.review.decisions import Decisions
from pipeline.review.queue import Item
from pipeline.stages.error_analysis import explained_answers

FAINT = 0.1  # share of a text's strongest effect below which a word's is not shown


class Session:
    """A queue of texts, and what was decided about them.

    Arguments:
        title: What is reviewed.
        names: The labels to choose from; the model's, and those that the texts have.

    Raises PipelineError for a model whose answers can't be reviewed.
    """

    def __init__(self, title: str, items: Sequence[Item], model: Model, decisions: Decisions) -> None:
        self.title = title
        self.items = list(items)
        self.decisions = decisions
        self._model = model
        self._task = model.task
        self._form = forms.form_of(self._task)
        self.names = self._names()
        self._made = decisions.of(self.items)

    def overview(self) -> dict[str, Any]:
        """What the page shows around a text: the labels, and which texts are decided."""
        return {
            "title": self.title,
            "form": self._form,
            "words_are_given": forms.words_are_given(self._task),
            "labels": list(self.names),
            "decided": [made is not None for made in self._made],
            "file": self.decisions.path.name,
            "who": self.decisions.who,
        }

    def item(self, place: int) -> dict[str, Any]:
        """A text as the page shows it. Raises IndexError if there is none."""
        item, made = self.items[place], self._made[place]
        found: dict[str, Any] = {
            "file": item.file,
            "row": item.row,
            "part": item.part,
            "reason": item.reason,
            "old": self._shown(item.old),
            "answer": self._shown(item.answer),
            "confidence": round(item.confidence, 4),
            "decided": None if made is None else self._shown(made),
        }
        if forms.in_tokens(self._task):
            tokens = forms.pieces(item.text.text, item.text.tokens)
            return found | {"tokens": [(mended(between), mended(token)) for between, token in tokens]}
        return found | {"pieces": [(mended(piece), share) for piece, share in self._pieces(item)]}

    def decide(self, place: int, value: Any) -> None:
        """Writes what was decided about a text. Raises IndexError for no such text, CorpusError for a bad value."""
        item = self.items[place]
        new = forms.decided(self._task, value, len(item.text.tokens), self.names)
        self.decisions.decide(item, new)
        self._made[place] = new

    def undo(self) -> int | None:
        """Takes back the last decision about a text of the queue; returns its place, None if there was none."""
        taken = self.decisions.undo(self.items)
        self._made = self.decisions.of(self.items)
        if taken is None:
            return None
        return [(item.fingerprint, item.old) for item in self.items].index((taken.fingerprint, taken.old))

    def _shown(self, gold: str) -> Any:
        return forms.shown_value(self._task, gold)

    def _names(self) -> tuple[str, ...]:
        known = forms.names_of(self._task)
        others = {name for item in self.items for name in forms.types_in(self._task, self._shown(item.old))}
        return (*known, *sorted(others - {*known}))

    def _pieces(self, item: Item) -> list[tuple[str, float]]:
        """The text in pieces, each with its share of the strongest effect on the suggested label, -1 to 1."""
        plain = [(item.text.text, 0.0)]
        if self._form != "label" or item.answer not in self._model.labels:
            return plain
        found = explained_answers(self._model, [item.text.text], [item.answer])
        if not found or not found[0].strongest:
            return plain
        shares = [round((effect or 0.0) / found[0].strongest, 2) for effect in found[0].effects]
        shares = [share if abs(share) >= FAINT else 0.0 for share in shares]
        return list(zip(found[0].pieces, shares, strict=True))
