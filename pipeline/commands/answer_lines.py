"""Answer lines: predictions as lines for a terminal. Nothing but printable characters and our own colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import click

from pipeline.commands.escapes import escaped

if TYPE_CHECKING:
    from pipeline.tasks.language import Likelihood
    from pipeline.tasks.prediction import PredictedSpan, Prediction

MOST_LABELS = 10
BAR = 30  # columns of the bar of a probability of 1
COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
SURPRISING = 8.0  # bits from which a token is coloured
NO_TEXT = "(no text)"
CHOSEN = "✓ "  # before a label that is given


def lines_of(prediction: Prediction, *, colour: bool = False) -> list[str]:
    """The lines of an answer.

    A classifier's labels with their probabilities (a mark before those that a multi-label one gives), a tagger's text
    with its spans in colour, or in brackets without `colour`, or a language model's tokens with the bits of each.
    """
    from pipeline.tasks.language import Likelihood

    if prediction.is_blank:
        return [NO_TEXT]
    if isinstance(prediction, Likelihood):
        return [_surprisal(prediction, colour), f"perplexity {prediction.perplexity:.1f}"]
    if prediction.labels:
        return _bars(prediction, colour)
    if [span.text for span in prediction.spans] == list(prediction.tokens):
        return [_words(prediction.spans, colour)]
    return [_entities(prediction, colour)]


def _bars(prediction: Prediction, colour: bool) -> list[str]:
    from corpora.card import columns_wide
    from pipeline.tasks.notebook import ranked

    rows = [(_titled(name, prediction), share, name in prediction.chosen) for name, share in ranked(prediction)]
    width = max(columns_wide(name) for name, _, _ in rows[:MOST_LABELS])
    lines = []
    for name, share, is_chosen in rows[:MOST_LABELS]:
        padded = name + " " * (width - columns_wide(name))
        shown = click.style(padded, bold=True) if colour and is_chosen else padded
        lines.append(f"{shown}  {share:6.1%}  {'█' * round(BAR * share)}".rstrip())
    left = len(rows) - MOST_LABELS
    return [*lines, f"… and {left} more"] if left > 0 else lines


def _titled(name: str, prediction: Prediction) -> str:
    """The name of a label; where any number may be given, those that are have a mark."""
    from pipeline.tasks.multilabel import LabelSet

    if not isinstance(prediction, LabelSet):
        return escaped(name)
    return f"{CHOSEN if name in prediction.chosen else ' ' * len(CHOSEN)}{escaped(name)}"


def _words(spans: Sequence[PredictedSpan], colour: bool) -> str:
    """Words with a space between, and a slash before the tag of one that has a tag."""
    words = [escaped(f"{span.text}/{span.type}" if span.type else span.text) for span in spans]
    colours = cycle(COLOURS[:2])
    return " ".join(click.style(word, fg=next(colours)) if colour else word for word in words)


def _entities(prediction: Prediction, colour: bool) -> str:
    """The whole text, each entity with its type."""
    parts, end = [], 0
    types = list(dict.fromkeys(span.type for span in prediction.spans))
    for span in prediction.spans:
        parts.append(escaped(prediction.text[end : span.start]))
        if colour:
            shade = COLOURS[types.index(span.type) % len(COLOURS)]
            parts.append(
                click.style(escaped(span.text), fg=shade, bold=True) + click.style(f"/{escaped(span.type)}", fg=shade)
            )
        else:
            parts.append(f"[{escaped(span.text)} {escaped(span.type)}]")
        end = span.end
    return "".join([*parts, escaped(prediction.text[end:])])


def _surprisal(prediction: Likelihood, colour: bool) -> str:
    """Each token and its bits; last those of the end."""
    tokens = [*(escaped(token) for token in prediction.tokens), "(end)"]
    pairs = zip(tokens, prediction.bits, strict=True)
    return " ".join(
        click.style(f"{token}:{bits:.1f}", fg="red") if colour and bits >= SURPRISING else f"{token}:{bits:.1f}"
        for token, bits in pairs
    )
