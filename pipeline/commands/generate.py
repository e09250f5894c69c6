"""`zhpipe generate` and `next`: what a language model writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.models.language_model import LanguageModel


@click.command()
@click.argument("model", metavar="MODEL|RUN")
@click.option("--prompt", default="", help="What the texts begin with; left out: at the beginning.")
@click.option("--count", "-n", type=click.IntRange(min=1), default=1, show_default=True, help="How many texts.")
@click.option("--length", type=click.IntRange(min=0), default=200, show_default=True, help="Most tokens behind PROMPT.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="0: always the likeliest token.")
@click.option("--top-k", type=int, default=0, help="Of so many likeliest tokens; left out: of all.")
@click.option("--top-p", type=float, default=1.0, help="Of the fewest tokens with this probability; left out: of all.")
@click.option("--beam", type=click.IntRange(min=1), help="Search for COUNT likely texts instead, keeping so many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same texts.")
@click.option("--unknown", is_flag=True, help="Let the unknown token come, written as \ufffd.")
def generate(
    model: str, prompt: str, count: int, length: int, beam: int | None, seed: int, unknown: bool, **options: Any
) -> None:
    """Let a language model write, token by token: what follows PROMPT, until the text ends."""
    author = _language_model(model)
    if beam:
        for found in author.search(prompt, width=max(beam, count), length=length, unknown=unknown)[:count]:
            click.echo(found.text)
        return
    for index in range(count):
        pieces = author.stream(prompt, length=length, seed=(seed, index), unknown=unknown, **options)
        click.echo(prompt, nl=False)
        for piece in pieces:
            click.echo(piece, nl=False)
        click.echo()


@click.command("next")
@click.argument("model", metavar="MODEL|RUN")
@click.argument("text", default="")
@click.option("--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def next_tokens(model: str, text: str, count: int) -> None:
    """List the tokens that are most likely to follow TEXT, with their probabilities."""
    from corpora import segmented

    for token, probability in _language_model(model).next(text, count):
        click.echo(f"{probability:.4f}  {'(end of text)' if token is None else segmented.join([token])}")


def _language_model(path: str) -> LanguageModel:
    from pipeline.models.language_model import LanguageModel
    from pipeline.models.model import find_model

    return LanguageModel.of(LanguageModel.load(find_model(Path(path))))
