"""Rejects: the rows of an input that can't be read or written, and when one of them ends a job."""

from __future__ import annotations

from pathlib import Path

from corpora.errors import CorpusError
from corpora.rows import BadRow


class Rejects:
    """The bad rows of one input.

    `strict`: the first one ends the job; `limit`: so many ones at the start of the file, with no good one, end it;
    `reason`: what is wrong with the first one, "" if there is none.
    """

    def __init__(self, source: Path, *, strict: bool, limit: int) -> None:
        self.source = source
        self.strict = strict
        self.limit = limit
        self.reason = ""

    def add(self, bad: BadRow, number: int, *, all_bad: bool) -> None:
        """Notes a bad row, the `number`-th; `all_bad`: no good row came before. Raises CorpusError to end the job."""
        place = f"row {number} (line {bad.line})" if bad.line else f"row {number}"
        self.reason = self.reason or f"{place}: {bad.reason}"
        if self.strict:
            raise CorpusError(f"{self.source}: {place}: {bad.reason}")
        if number == self.limit and all_bad:
            raise CorpusError(f"{self.source}: none of the first {number} rows can be read; {self.reason}")
