"""Progress: callbacks that report how much of a long task is done."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Advance = Callable[[int], object]
Item = TypeVar("Item")

_REPORT_EVERY = 1_000


def ignore(finished: int) -> None:
    """Reports nothing."""


def counted(items: Iterable[Item], advance: Advance) -> Iterator[Item]:
    """The items; calls `advance` with the number used since its last call, every 1,000 items and at the end.

    >>> list(counted("中文", print))
    2
    ['中', '文']
    """
    unreported = 0
    for item in items:
        yield item
        unreported += 1
        if unreported == _REPORT_EVERY:
            advance(unreported)
            unreported = 0
    if unreported:
        advance(unreported)
