"""`zhpipe pretrain`: raw text becomes an encoder."""

from __future__ import annotations

from typing import Any

import click

from pipeline import progress
from pipeline.commands.options import run_options
from pipeline.commands.run import print_stage
from pipeline.commands.shipped import find_config
from pipeline.commands.terminal import echo
from pipeline.extras import check_training


@click.command()
@click.argument("config", metavar="CONFIG")
@click.option("--from-encoder", metavar="NAME|FOLDER", help="Go on from this encoder, as network.encoder does.")
@run_options
def pretrain(config: str, from_encoder: str | None, **options: Any) -> None:
    """Train an encoder on raw text, as CONFIG says.

    \b
    zhpipe pretrain configs/sample-pretrain.toml                     into runs/sample-pretrain/encoder
    zhpipe pretrain mine.toml --from-encoder zh-open                 go on from zh-open with your own text
    zhpipe run ner.toml --set network.encoder=runs/mine/encoder      a tagger that reads its states

    CONFIG is that of a language model of characters, which is trained in both directions. Its texts are corpus.train
    and embed.extra, one a line, plain or packed; patterns such as texts/*.txt.gz stand for all files that match. They
    are read piece by piece, so they may be of any size. Stopped, the same command goes on where it was.
    """
    from pipeline.config.load import load
    from pipeline.stages.pretraining.runner import pretrain as made_of

    check_training()
    chosen = [f"network.encoder={from_encoder}"] if from_encoder else []
    folder = made_of(
        load(find_config(config), [*options["overrides"], *chosen]),
        runs=options["runs"],
        force=options["force"],
        progress=progress.bar,
        report=print_stage,
    )
    echo(f"encoder  {folder}")
