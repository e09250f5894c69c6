"""Server: shows the review on this machine alone, until it is told to stop."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

from pipeline.errors import PipelineError
from pipeline.review.app import application
from pipeline.review.session import Session

LOOPBACK = "127.0.0.1"


def serve(session: Session, *, port: int = 0, announce: Callable[[str], object]) -> None:
    """Serves the page until SIGINT or SIGTERM.

    Arguments:
        port: Where to listen on the loopback; 0 for any port that is free.
        announce: Called with the address of the page. Its token stands behind the #, which a browser sends nowhere.

    Raises PipelineError if the port is taken.
    """
    import uvicorn

    token = secrets.token_urlsafe(24)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
            listening.listen()  # so that whoever reads the address is not turned away before the server runs
        except OSError as error:
            raise PipelineError(f"--port {port}: can't listen there ({error.strerror}): leave it out for any") from None
        announce(f"http://{LOOPBACK}:{listening.getsockname()[1]}/#{token}")
        config = uvicorn.Config(application(session, token), log_level="warning", access_log=False, server_header=False)
        with suppress(KeyboardInterrupt):  # raised again when everything is answered
            uvicorn.Server(config).run(sockets=[listening])
