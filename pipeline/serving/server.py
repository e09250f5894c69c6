"""Server: listens on an address until it is told to stop, and then answers what it has taken."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.serving.app import application
from pipeline.serving.limits import DEFAULT_LIMITS, ServiceLimits
from pipeline.serving.served_model import ServedModel

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STOP_SECONDS = 30  # for requests that are being answered
SHORTEST_TOKEN = 16


def serve(
    models: Mapping[str, ServedModel],
    *,
    host: str,
    port: int,
    token_file: Path | None = None,
    hosts: tuple[str, ...] = (),
    limits: ServiceLimits = DEFAULT_LIMITS,
) -> None:
    """Serves models until SIGINT or SIGTERM.

    Arguments:
        host, port: Where to listen, and nowhere else.
        token_file: A file with the token that requests must carry.
        hosts: Further names by which clients may call the service, such as that of a reverse proxy.

    Raises PipelineError if the address is not of this machine alone and there is no token, or the token is too short.
    """
    import uvicorn

    token = None if token_file is None else read_token(token_file)
    if token is None and not is_loopback(host):
        raise PipelineError(f"--host {host}: others can reach it: give a token with --token-file, or use 127.0.0.1")
    names = {*LOOPBACK, host, *hosts} if is_loopback(host) or hosts else None
    app = application(models, hosts=names, token=token, limits=limits)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # raised again when everything is answered
        uvicorn.Server(config).run()


def read_token(path: Path) -> str:
    """The token in a file, without the white space around it. Raises PipelineError if it is too short to be safe."""
    token = path.read_text(encoding="utf-8").strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
        raise PipelineError(
            f"{path}: a token of at least {SHORTEST_TOKEN} printable ASCII characters is expected: "
            "make one with python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
