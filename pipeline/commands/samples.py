"""`zhpipe samples`: the samples and configs that come with zhpipe, copied to work with."""

from __future__ import annotations

import click

from pipeline.commands.shipped import copy_samples
from pipeline.commands.terminal import echo


@click.command()
@click.argument("folder", default="zhpipe-samples", metavar="[FOLDER]")
def samples(folder: str) -> None:
    """Copy the samples and configs that come with zhpipe into a new FOLDER.

    FOLDER is zhpipe-samples unless you name another. The commands of the documentation run in it.
    """
    copied = copy_samples(folder)
    echo(f"samples  {folder}; {copied} files; the commands of the documentation run there: cd {folder}")
