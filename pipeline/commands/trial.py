"""`zhpipe try`: a model answers texts in the terminal, one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pipeline.commands.options import precision_option

if TYPE_CHECKING:
    from pipeline.models.model import Precision

PROMPT = "> "


@click.command("try")
@click.argument("model", metavar="RUN|MODEL")
@click.argument("text", required=False)
@precision_option
def try_(model: str, text: str | None, precision: Precision | None) -> None:
    """Ask a model about TEXT, or about each line of standard input.

    \b
    zhpipe try runs/mail 明天上午九点开会            one text
    zhpipe try runs/mail                             line by line; an empty line or Ctrl-D ends
    echo 明天上午九点开会 | zhpipe try runs/mail     from a pipe

    A classifier shows its labels with their probabilities (and a mark before those given, if there may be several), a
    tagger the text with its entities or words, a language model the bits of each token: -log2 of its probability, given
    all before it.
    """
    from pipeline import load
    from pipeline.commands.answer_lines import lines_of

    loaded = load(model, precision=precision)
    is_terminal = sys.stdin.isatty()
    texts = [text] if text is not None else _typed() if is_terminal else _piped()
    for place, asked in enumerate(texts):
        if place:
            click.echo()
        for line in lines_of(loaded.predict(asked), colour=sys.stdout.isatty()):
            click.echo(line)


def _typed() -> Iterator[str]:
    """The lines that a user types, up to an empty one or the end of the input."""
    while True:
        click.echo(PROMPT, nl=False, err=True)
        line = sys.stdin.readline()
        if not line.strip():
            return
        yield line.rstrip("\r\n")


def _piped() -> Iterator[str]:
    """The lines of standard input, as soon as each is there. Raises PipelineError if one is not UTF-8."""
    from pipeline.errors import PipelineError

    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise PipelineError(f"standard input: line {number}: byte {error.start + 1} is not UTF-8") from None
