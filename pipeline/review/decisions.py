"""Decisions: what people decided about texts, written into a file of corrections at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpora import corrections
from corpora.corrections import Correction
from pipeline.errors import PipelineError
from pipeline.locks import held
from pipeline.review.queue import Item


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Decisions:
    """A file of corrections that one process writes.

    Each decision is on the disk before the next one is asked for. The file is read anew every time, so that lines that
    were changed by hand in the meantime are kept.

    Arguments:
        path: The file, which need not exist.
        who: Who decides.
        now: The time, in ISO 8601.
    """

    def __init__(self, path: Path, who: str, now: Callable[[], str] = _now) -> None:
        self.path = path
        self.who = who
        self._now = now

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Nobody else writes the file meanwhile. Raises PipelineError if another process does, or it can't be read."""
        if not self.path.absolute().parent.is_dir():
            raise PipelineError(f"{self.path}: the folder {self.path.parent} does not exist: make it first")
        with held(self.path.with_name(f"{self.path.name}.lock")):
            self.read()
            yield

    def read(self) -> list[Correction]:
        """What the file has, in its order. Raises CorpusError if it can't be read."""
        return corrections.read(self.path) if self.path.exists() else []

    def of(self, items: list[Item]) -> list[str | None]:
        """What was decided about each item: its label; None if nothing was.

        A decision is about an item if it is about its text, and about its label or has led to it.
        """
        known: dict[tuple[str, str], str] = {}
        for one in self.read():
            known.setdefault((one.fingerprint, one.new), one.new)
            known[one.fingerprint, one.old] = one.new
        return [known.get((item.fingerprint, item.old)) for item in items]

    def decide(self, item: Item, new: str) -> None:
        """Writes that an item's label is this one; an earlier decision about it is replaced."""
        self.decide_all([(item, new)])

    def decide_all(self, decided: Sequence[tuple[Item, str]]) -> None:
        """`decide` for several items at once; of two decisions about one item the later counts."""
        now = self._now()
        made = {
            (item.fingerprint, item.old): Correction(
                item.fingerprint, item.file, item.row, item.old, new, self.who, now
            )
            for item, new in decided
        }
        kept = [one for one in self.read() if (one.fingerprint, one.old) not in made]
        if made:
            corrections.write(self.path, [*kept, *made.values()])

    def undo(self, items: Sequence[Item]) -> Correction | None:
        """Takes the last decision about one of these items back and returns it; None if there is none."""
        keys, found = {(item.fingerprint, item.old) for item in items}, self.read()
        places = [place for place, one in enumerate(found) if (one.fingerprint, one.old) in keys]
        if not places:
            return None
        taken = found.pop(places[-1])
        corrections.write(self.path, found)
        return taken

    def counts(self) -> dict[str, Any]:
        """How many decisions the file has, and how many of them change a label."""
        found = self.read()
        return {"decided": len(found), "changed": sum(one.old != one.new for one in found)}
