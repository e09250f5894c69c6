"""Terminal: what a command prints for people, with nothing in it that the terminal would obey."""

from __future__ import annotations

import click

from corpora.guards import visible


def echo(message: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Prints a message, its control characters escaped, on standard output or standard error."""
    click.echo(visible(message), err=err, nl=nl)
