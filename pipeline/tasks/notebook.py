"""Notebook: predictions as HTML for Jupyter. Every text and label is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from html import escape
from typing import Protocol

MOST_LABELS = 8  # bars of a classifier's answer
MOST_ROWS = 50  # predictions of a list
GREY = "#777"
BAR = "display:inline-block;height:.7em;background:#4c78a8;width:{:.1f}em"


class Span(Protocol):
    """What is drawn of a `PredictedSpan`."""

    @property
    def text(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def confidence(self) -> float: ...


class Answer(Protocol):
    """What is drawn of a `Prediction`."""

    @property
    def is_blank(self) -> bool: ...
    @property
    def value(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def chosen(self) -> Sequence[str]: ...
    @property
    def distribution(self) -> Sequence[float]: ...
    @property
    def spans(self) -> Sequence[Span]: ...


def html(prediction: Answer) -> str:
    """A classifier's label with bars, or a tagger's text with coloured spans."""
    if prediction.is_blank:
        return f'<div style="color:{GREY}">no text</div>'
    if prediction.labels:
        return _text(prediction.text) + _bars(prediction)
    if prediction.value is not None:
        return _text(repr(prediction))
    return f'<div style="line-height:2">{"".join(_pieces(prediction))}</div>'


def html_list(predictions: Sequence[Answer]) -> str:
    """The first `MOST_ROWS` predictions, one below the other."""
    left = len(predictions) - MOST_ROWS
    more = [f'<div style="color:{GREY}">… and {left:,} more</div>'] if left > 0 else []
    return "<hr>".join([*(html(each) for each in predictions[:MOST_ROWS]), *more])


def ranked(prediction: Answer) -> list[tuple[str, float]]:
    """A classifier's labels with their probabilities, the most probable first."""
    pairs = zip(prediction.labels, prediction.distribution, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def _text(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{escape(text)}</div>'


def _bars(prediction: Answer) -> str:
    rows = [
        f'<tr><td style="text-align:left">{_strong(name, name in prediction.chosen)}</td>'
        f'<td style="text-align:right">{share:.1%}</td>'
        f'<td style="text-align:left"><span style="{BAR.format(12 * share)}"></span></td></tr>'
        for name, share in ranked(prediction)[:MOST_LABELS]
    ]
    return f"<table>{''.join(rows)}</table>"


def _strong(text: str, is_strong: bool) -> str:
    return f"<b>{escape(text)}</b>" if is_strong else escape(text)


def _pieces(prediction: Answer) -> Iterator[str]:
    """The text from left to right, plain where no span covers it."""
    end = 0
    for span in prediction.spans:
        yield escape(prediction.text[end : span.start])
        yield _span(span)
        end = span.end
    yield escape(prediction.text[end:])


def _span(span: Span) -> str:
    label = f'&nbsp;<small style="color:{GREY}">{escape(span.type)}</small>' if span.type else ""
    return (
        f'<span title="{span.confidence:.1%}" style="background:{_colour(span.type)};border-radius:.25em;'
        f'padding:.1em .3em;margin:0 .1em">{escape(span.text)}{label}</span>'
    )


def _colour(name: str) -> str:
    """A light colour for a label, the same in every notebook."""
    return f"hsl({int.from_bytes(blake2b(name.encode(), digest_size=2).digest(), 'big') % 360},70%,85%)"
