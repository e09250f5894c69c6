"""`zhpipe generate` and `next`: write with a language model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from corpora.guards import visible
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.models.language_model import LanguageModel


@click.command()
@click.argument("model", metavar="MODEL|RUN")
@click.option("--prompt", default="", help="Beginning of the texts.")
@click.option("--count", "-n", type=click.IntRange(min=1), default=1, show_default=True, help="Number of texts.")
@click.option(
    "--length", type=click.IntRange(min=0), default=200, show_default=True, help="Maximum of tokens after PROMPT."
)
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Below 1: more likely tokens; above 1: more varied ones; 0: always the most likely one.",
)
@click.option("--top-k", type=int, default=0, help="Sample from the K most likely tokens.  [default: from all]")
@click.option(
    "--top-p",
    type=float,
    default=1.0,
    help="Sample from the fewest tokens that have this probability together.  [default: from all]",
)
@click.option(
    "--beam",
    type=click.IntRange(min=1),
    help="Search for the COUNT most likely texts with a beam of this width, instead of sampling.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed gives the same texts."
)
@click.option("--unknown", is_flag=True, help="Allow the unknown token, written as \ufffd.")
def generate(
    model: str, prompt: str, count: int, length: int, beam: int | None, seed: int, unknown: bool, **options: Any
) -> None:
    """Write texts that continue PROMPT, token by token.

    A text ends where the model says so, or after LENGTH tokens. MODEL is a language model.
    """
    author = _language_model(model)
    if beam:
        for found in author.search(prompt, width=max(beam, count), length=length, unknown=unknown)[:count]:
            _write(found.text + "\n")
        return
    for index in range(count):
        pieces = author.stream(prompt, length=length, seed=(seed, index), unknown=unknown, **options)
        _write(prompt)
        for piece in pieces:
            _write(piece)
        _write("\n")


def _write(text: str) -> None:
    """Writes generated text: as it is into a file or a pipe, with control characters escaped to a terminal."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=False)


@click.command("next")
@click.argument("model", metavar="MODEL|RUN")
@click.argument("text", default="")
@click.option("--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Number of tokens.")
def next_tokens(model: str, text: str, count: int) -> None:
    """List the tokens most likely to follow TEXT.

    Each line has a probability and a token. MODEL is a language model.
    """
    from corpora import segmented

    for token, probability in _language_model(model).next(text, count):
        echo(f"{probability:.4f}  {'(end of text)' if token is None else segmented.join([token])}")


def _language_model(path: str) -> LanguageModel:
    from pipeline.models.language_model import LanguageModel
    from pipeline.models.model import find_model

    return LanguageModel.of(LanguageModel.load(find_model(path)))
