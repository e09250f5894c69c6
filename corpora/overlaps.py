"""Overlaps: which of several spans are kept where a format has room for one, or only for spans inside each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from corpora.document import Span

# Which spans are kept; "refuse" ends with an error instead.
Overlaps = Literal["longest", "outermost"]
OnOverlap = Literal["refuse", "longest", "outermost"]
OVERLAPS = ("refuse", "longest", "outermost")
_ORDER: dict[Overlaps, Callable[[Span], tuple[object, ...]]] = {
    "longest": lambda span: (-span.length, span),
    "outermost": lambda span: (span.start, -span.end, span.label),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """The spans that were kept and those that were dropped, both in order."""

    spans: tuple[Span, ...]
    dropped: tuple[Span, ...]


def flat(spans: Iterable[Span], overlaps: Overlaps = "longest") -> Kept:
    """Spans without overlaps, as tags need them.

    "longest" keeps the longest, and of equally long ones the first. "outermost" keeps the span around others, and of
    two that cross the first. They differ where spans cross.

    >>> flat([Span(0, 4, "组织"), Span(0, 2, "地点"), Span(5, 6, "人")]).dropped
    (Span(start=0, end=2, label='地点'),)
    >>> crossing = [Span(0, 3, "甲"), Span(2, 6, "乙")]
    >>> flat(crossing).spans, flat(crossing, "outermost").spans
    ((Span(start=2, end=6, label='乙'),), (Span(start=0, end=3, label='甲'),))
    """
    return _kept(spans, overlaps, lambda one, other: one.start < other.end and other.start < one.end)


def nested(spans: Iterable[Span], overlaps: Overlaps = "longest") -> Kept:
    """Spans of which one may be inside another, but none crosses another; chosen as by `flat`.

    >>> nested([Span(0, 4, "组织"), Span(0, 2, "地点"), Span(3, 6, "人")]).dropped
    (Span(start=3, end=6, label='人'),)
    """
    return _kept(spans, overlaps, _cross)


def _cross(one: Span, other: Span) -> bool:
    return one.start < other.start < one.end < other.end or other.start < one.start < other.end < one.end


def _kept(spans: Iterable[Span], overlaps: Overlaps, excludes: Callable[[Span, Span], bool]) -> Kept:
    kept: list[Span] = []
    dropped: list[Span] = []
    for span in sorted(spans, key=_ORDER[overlaps]):
        (dropped if any(excludes(span, one) for one in kept) else kept).append(span)
    return Kept(tuple(sorted(kept)), tuple(sorted(dropped)))
