"""Replies: refusals in one sentence, with the id of the request, as every route gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


def refusal(scope: Mapping[str, Any], status: int, message: str) -> JSONResponse:
    """`{"error": {"message": ..., "request": ...}}` with a status."""
    return JSONResponse({"error": {"message": message, "request": scope.get("zhpipe_request", "")}}, status)


async def refused(request: Request, error: Exception) -> JSONResponse:
    """The reply to a request that a route, or the lack of one, refuses."""
    if not isinstance(error, HTTPException):
        raise error
    reply = refusal(request.scope, error.status_code, str(error.detail))
    reply.headers.update(error.headers or {})
    return reply


async def failed(request: Request, error: Exception) -> JSONResponse:
    """The reply to a request that met a bug; the server logs the traceback."""
    return refusal(request.scope, 500, "the service failed: its log says why")
