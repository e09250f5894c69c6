"""Offsets: spans as a record has them, checked against the text and against the words that it gives for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from corpora.annotated import after_the_text
from corpora.annotations.records import RawSpan
from corpora.document import Span
from corpora.errors import CorpusError, excerpt, shown
from corpora.findings import Counts, count
from corpora.labels import bare

Offsets = Literal["characters", "utf-16"]
OFFSETS = ("characters", "utf-16")


def spans_in(text: str, found: Sequence[RawSpan], offsets: Offsets | None, counts: Counts) -> tuple[Span, ...]:
    """The spans in characters, in order and distinct; adds to `counts` what was converted or is unclear.

    Raises:
        CorpusError: A span is not one, is outside the text, or disagrees with its words.
    """
    spans = [_span(raw) for raw in found]
    words = [raw.words for raw in found]
    wide = _from_utf16(text, spans)
    if offsets == "utf-16":
        if wide is None:
            raise CorpusError("a span begins or ends within a character, if it counts UTF-16 units")
        if wrong := _disagreement(text, wide, words):
            raise CorpusError(f'{wrong}, counted in UTF-16 units: set offsets = "characters"?')
        spans = wide
    elif wrong := _disagreement(text, spans, words):
        if wide is None or _disagreement(text, wide, words):
            raise CorpusError(wrong)
        if offsets == "characters":
            raise CorpusError(f'{wrong}, but it is if counted in UTF-16 units: set offsets = "utf-16"')
        spans = wide
        count("offsets_converted", counts)
    elif wide is not None and wide != spans and not _disagreement(text, wide, words):
        if beyond := next((span for span in spans if span.end > len(text)), None):
            wrong = after_the_text(beyond, text)
            raise CorpusError(f'{wrong}, but not if counted in UTF-16 units: set offsets = "utf-16"')
        count("offsets_unclear", counts, int(offsets is None))
    if beyond := next((span for span in spans if span.end > len(text)), None):
        raise CorpusError(after_the_text(beyond, text))
    return tuple(sorted(set(spans)))


def _span(raw: RawSpan) -> Span:
    start, end, label = raw.start, raw.end, raw.label
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        came = f"{excerpt(start)}, {excerpt(end)} and {excerpt(label)}"
        raise CorpusError(f"a span needs whole numbers and a label, {came} came")
    return Span(start, end, bare(label))


def _disagreement(text: str, spans: Sequence[Span], words: Sequence[object]) -> str:
    """Describes the first span whose words, if given, are not those of the text; "" if all agree."""
    for span, said in zip(spans, words, strict=True):
        inside = text[span.start : span.end]
        # Label Studio writes a line feed as a backslash and an n, brat as a space.
        if said is not None and said not in (inside, inside.replace("\n", "\\n"), inside.replace("\n", " ")):
            named = f'the span {span.start}:{span.end} "{shown(span.label)}"'
            return f"{named} is {excerpt(inside)} in the text, and not {excerpt(said)}"
    return ""


def _from_utf16(text: str, spans: list[Span]) -> list[Span] | None:
    """Spans in UTF-16 units as spans in characters; None if one has an end inside a character or after the text."""
    if text.isascii() or max(text) <= "\uffff":
        return spans
    units = accumulate((1 + (character > "\uffff") for character in text), initial=0)
    places = {unit: index for index, unit in enumerate(units)}
    if not all(span.start in places and span.end in places for span in spans):
        return None
    return [Span(places[span.start], places[span.end], span.label) for span in spans]
