"""App: the routes of the review, as a FastAPI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException as StarletteHTTPException

from corpora.errors import CorpusError
from pipeline.review.session import Session
from pipeline.serving.counters import Counters
from pipeline.serving.guards import Guards
from pipeline.serving.limits import DEFAULT_LIMITS
from pipeline.serving.replies import failed, refusal, refused

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page/review.js": ("review.js", "text/javascript; charset=utf-8"),
    "/page/spans.js": ("spans.js", "text/javascript; charset=utf-8"),
    "/page/words.js": ("words.js", "text/javascript; charset=utf-8"),
    "/page/review.css": ("review.css", "text/css; charset=utf-8"),
}
HOSTS = ("127.0.0.1", "localhost")


class Decision(BaseModel):
    """What a person decided: a label, a list of labels, or of [start, end, type]."""

    model_config = ConfigDict(extra="forbid")

    new: Any


def application(session: Session, token: str) -> FastAPI:
    """The review as an ASGI application; all but the page itself needs the token."""
    app = FastAPI(title="zhpipe review", docs_url=None, redoc_url=None, openapi_url=None)
    _add_routes(app, session)
    _add_page(app)
    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, failed)
    app.add_middleware(
        Guards, hosts=HOSTS, token=token, limits=DEFAULT_LIMITS, counters=Counters(), open_paths=tuple(FILES)
    )
    return app


def _add_routes(app: FastAPI, session: Session) -> None:
    # All of them run one after the other, so that two tabs can't write at the same time.
    @app.get("/v1/queue")
    async def queue() -> dict[str, Any]:
        return session.overview()

    @app.get("/v1/items/{place}")
    async def item(place: int) -> dict[str, Any]:
        return session.item(_checked(session, place))

    @app.post("/v1/items/{place}")
    async def decide(place: int, decision: Decision) -> dict[str, Any]:
        try:
            session.decide(_checked(session, place), decision.new)
        except (CorpusError, OSError) as error:
            raise HTTPException(422 if isinstance(error, CorpusError) else 500, str(error)) from None
        return session.overview()

    @app.post("/v1/undo")
    async def undo() -> dict[str, Any]:
        place = session.undo()
        return {"place": place, **session.overview()}


def _add_page(app: FastAPI) -> None:
    for path, (name, kind) in FILES.items():
        app.get(path)(_file(PAGE / name, kind))


def _file(path: Path, kind: str) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return FileResponse(path, media_type=kind)

    return page


def _checked(session: Session, place: int) -> int:
    if not 0 <= place < len(session.items):
        raise HTTPException(404, f"there is no such text: the queue has {len(session.items):,}")
    return place


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """The reply to a request of another form."""
    return refusal(request.scope, 422, 'JSON is expected: {"new": ...}')
