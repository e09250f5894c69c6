"""Guards: what every request passes before it reaches a route, and what every response gets."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from pipeline.serving.counters import Counters
from pipeline.serving.limits import ServiceLimits
from pipeline.serving.replies import refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

LOG = logging.getLogger("zhpipe.serve")
OPEN = ("/healthz",)  # needs no token
HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": (
        b"default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class Guards:
    """ASGI middleware: request ids, hosts, the token, the length of bodies, security headers, the log and the counters.

    The log has a line a request: its id, method, route, status and seconds, and nothing that the client wrote.

    Arguments:
        hosts: What the header Host may name, without ports, so that no page of another site can reach a service on this
            machine by a name of its own (DNS rebinding); None: anything.
        token: What `Authorization: Bearer` must have; None: nothing.
        open_paths: What needs no token.
    """

    def __init__(
        self,
        app: App,
        *,
        hosts: Collection[str] | None,
        token: str | None,
        limits: ServiceLimits,
        counters: Counters,
        open_paths: Collection[str] = OPEN,
    ) -> None:
        self.app = app
        self.hosts = hosts
        self.limits = limits
        self.counters = counters
        self.open_paths = open_paths
        self._expected = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began = time.perf_counter()
        scope["zhpipe_request"] = request = secrets.token_hex(8)
        status = 500

        async def replied(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {**HEADERS, b"x-request-id": request.encode()}
                message["headers"] = [*(pair for pair in message["headers"] if pair[0] not in own), *own.items()]
            await send(message)

        try:
            await self._guarded(scope, receive, replied)
        finally:
            seconds, route = time.perf_counter() - began, getattr(scope.get("route"), "path", "unknown")
            self.counters.request(route, status, seconds)
            LOG.info("%s %s %s %d %.3f s", request, scope["method"], route, status, seconds)

    async def _guarded(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if self.hosts is not None and _host(headers) not in self.hosts:
            return await refusal(scope, 421, "the service has another name: start it with --allow-host")(
                scope, receive, send
            )
        if not self._is_allowed(scope["path"], headers):
            reply = refusal(scope, 401, "a token is needed: send it as Authorization: Bearer TOKEN")
            reply.headers["WWW-Authenticate"] = "Bearer"
            return await reply(scope, receive, send)
        most = self.limits.table_bytes if scope["path"].endswith("/label") else self.limits.body_bytes
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > most:
            return await refusal(scope, 413, _too_long(most))(scope, receive, send)
        await self.app(scope, _counted(receive, most), send)

    def _is_allowed(self, path: str, headers: dict[bytes, bytes]) -> bool:
        if self._expected is None or path in self.open_paths:
            return True
        return hmac.compare_digest(headers.get(b"authorization", b""), self._expected)


def _host(headers: dict[bytes, bytes]) -> str:
    """The host that a request names, without its port; an IPv6 address without brackets."""
    named = headers.get(b"host", b"").decode("latin-1").lower()
    if named.startswith("["):
        return named[1:].partition("]")[0]
    return named.rpartition(":")[0] if ":" in named else named


def _counted(receive: Receive, most: int) -> Receive:
    """The same messages; raises HTTPException 413 when their bodies have more bytes than `most` together."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413, _too_long(most))
        return message

    return counted


def _too_long(most: int) -> str:
    return f"the body has more than {most:,} bytes: send less at a time"
