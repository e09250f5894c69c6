"""Output: how the predictions of a task are written: the columns of a table, and the layouts besides a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from corpora.rows import Kind
from pipeline.tasks.prediction import Prediction

Answer = TypeVar("Answer", bound=Prediction)


class Output(ABC, Generic[Answer]):
    """Writes predictions; `layouts`: those besides a table that have a place for them, see `pipeline.jobs.layouts`."""

    layouts: Sequence[str] = ()

    @abstractmethod
    def columns(self, probabilities: bool) -> tuple[str, ...]:
        """The names of the columns that `label` adds, with `probabilities` also the detailed ones."""

    def kinds(self, probabilities: bool) -> tuple[Kind, ...]:
        """What the cells of these columns are, for formats that have types."""
        return tuple("number" if self.is_number(name) else "text" for name in self.columns(probabilities))

    def is_number(self, column: str) -> bool:
        """Whether the cells of a column are numbers."""
        return column == "confidence"

    @abstractmethod
    def cells(self, prediction: Answer, probabilities: bool) -> tuple[str, ...]:
        """A prediction as the cells of these columns; all empty for a blank text."""
