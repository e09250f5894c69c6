"""`zhpipe models`: the ready-made models and their cards."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.models.ready_made import Card

KEYS, WIDTH = 14, 100  # characters of the column of keys, and of a line


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the models that come with zhpipe, or show the card of NAME.

    \b
    zhpipe models                                         what there is
    zhpipe models zh-entities                             learnt from what, on what terms, how good, how large
    zhpipe label zh-entities in.csv out.csv --text 内容   a name stands wherever a command takes a model
    """
    from pipeline.models import ready_made

    if name is None:
        for each in ready_made.names():
            echo(_row(each, ready_made.card(each).told["description"]))
    else:
        for line in _lines(ready_made.card(name)):
            echo(line)


def _lines(card: Card) -> list[str]:
    size = ", ".join(f"{precision} {megabytes:.1f} MB" for precision, megabytes in card.networks.items())
    return [_row(key, value) for key, value in {**card.told, **card.figures, "size": size}.items()]


def _row(key: str, value: str) -> str:
    """A key and its value, which is wrapped beside it."""
    return textwrap.fill(value, WIDTH, initial_indent=f"{key:<{KEYS}} ", subsequent_indent=" " * (KEYS + 1))
