"""Progress: how long work reports what is done, without printing anything itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Opens a meter: `with progress("segment", total=1000, unit="texts") as advance: advance(10)`.

    `total`: how many units there are, None if unknown; `unit`: their name in the plural.
    """

    def __call__(self, what: str, *, total: int | None, unit: str) -> AbstractContextManager[Advance]: ...


class Advance(Protocol):
    """Reports that `done` more units are finished; `note`: a short text to show, such as the loss."""

    def __call__(self, done: int, note: str = "") -> None: ...


@contextmanager
def silent(what: str, *, total: int | None, unit: str) -> Iterator[Advance]:
    """A meter that shows nothing."""
    yield lambda done, note="": None


@contextmanager
def bar(what: str, *, total: int | None, unit: str) -> Iterator[Advance]:
    """A progress bar on standard error with the estimated time left; hidden if standard error is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=what, total=total, unit=f" {unit}", disable=None, leave=False, dynamic_ncols=True) as shown:

        def advance(done: int, note: str = "") -> None:
            if note:
                shown.set_postfix_str(note, refresh=False)
            shown.update(done)

        yield advance
