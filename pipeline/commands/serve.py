"""`zhpipe serve`: models answer over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.options import precision_option
from pipeline.commands.terminal import echo

if TYPE_CHECKING:
    from pipeline.models.model import Precision


@click.command()
@click.argument("models", metavar="[NAME=]RUN|MODEL...", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need --token-file.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with a token; requests must send it as Authorization: Bearer TOKEN.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A further name by which clients call the service, such as that of a reverse proxy.",
)
@precision_option
def serve(
    models: tuple[str, ...],
    host: str,
    port: int,
    token_file: Path | None,
    hosts: tuple[str, ...],
    precision: Precision | None,
) -> None:
    """Serve MODELS on a page where texts can be tried, and to programs.

    \b
    zhpipe serve runs/mail runs/entities      then open http://127.0.0.1:8000
    zhpipe serve mail=runs/mail-2024          under another name

    GET /openapi.json describes the interface. A model whose folder changes is loaded anew. Ctrl-C or SIGTERM stops the
    service when it has answered what it has taken.
    """
    import logging

    from pipeline.serving.served_model import named_models
    from pipeline.serving.server import serve as run

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("zhpipe").setLevel(logging.INFO)
    served = named_models(models, precision=precision)
    for name, model in served.items():
        echo(f"{name:<12} {model.folder}", err=True)
    echo(f"http://{f'[{host}]' if ':' in host else host}:{port}", err=True)
    run(served, host=host, port=port, token_file=token_file, hosts=hosts)
