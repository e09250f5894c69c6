"""Progress: how long work tells what is done and what is left, without printing anything itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Opens a meter: `with progress("segment", total=1000, unit="texts") as advance: advance(10)`.

    `total` is None where it isn't known. `advance(n, note)` says that n more units are done, and a short note such as
    the loss.
    """

    def __call__(self, what: str, *, total: int | None, unit: str) -> AbstractContextManager[Advance]: ...


class Advance(Protocol):
    """Called with the number of finished units and, optionally, a note to show."""

    def __call__(self, done: int, note: str = "") -> None: ...


@contextmanager
def silent(what: str, *, total: int | None, unit: str) -> Iterator[Advance]:
    """A meter that shows nothing."""
    yield lambda done, note="": None


@contextmanager
def bar(what: str, *, total: int | None, unit: str) -> Iterator[Advance]:
    """A meter as a bar on standard error with an estimate of the time left; nothing where that is no terminal."""
    from tqdm import tqdm

    with tqdm(desc=what, total=total, unit=f" {unit}", disable=None, leave=False, dynamic_ncols=True) as shown:

        def advance(done: int, note: str = "") -> None:
            if note:
                shown.set_postfix_str(note, refresh=False)
            shown.update(done)

        yield advance


Say = Callable[[str], None]


def quiet(line: str) -> None:
    """Says nothing."""
