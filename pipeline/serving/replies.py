"""Replies: refusals in one sentence, with the id of the request, as every route gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse


def refusal(scope: Mapping[str, Any], status: int, message: str) -> JSONResponse:
    """`{"error": {"message": ..., "request": ...}}` with a status."""
    return JSONResponse({"error": {"message": message, "request": scope.get("zhpipe_request", "")}}, status)
