"""App: the routes of the service, as a FastAPI application."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipeline.jobs.options import LabelOptions
from pipeline.provenance import version
from pipeline.serving import tables
from pipeline.serving.guards import Guards
from pipeline.serving.limits import DEFAULT_LIMITS, ServiceLimits
from pipeline.serving.messages import (
    About,
    Beginning,
    Continued,
    Health,
    Labelling,
    Models,
    Predicted,
    Refused,
    Texts,
)
from pipeline.serving.replies import failed, refusal, refused
from pipeline.serving.served_model import ServedModel
from pipeline.serving.service import Service

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
JSON_ROUTES = ("/predict", "/continue")
REFUSED = (400, 401, 404, 413, 415, 421, 422, 429, 500, 503)


def application(
    models: Mapping[str, ServedModel],
    *,
    hosts: Collection[str] | None = None,
    token: str | None = None,
    limits: ServiceLimits = DEFAULT_LIMITS,
) -> FastAPI:
    """The service as an ASGI application.

    `hosts`, `token`: as in `pipeline.serving.guards.Guards`.
    """
    service = Service(models, limits)
    app = FastAPI(
        title="zhpipe",
        version=version(),
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
        lifespan=service.running,
        responses={status: {"model": Refused} for status in REFUSED},
    )
    _add_routes(app, service)
    _add_page(app)
    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, failed)
    app.add_middleware(Guards, hosts=hosts, token=token, limits=limits, counters=service.counters)
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", summary="Whether the service answers")
    async def healthz() -> Health:
        return Health(status="ok")

    @app.get("/metrics", summary="Counters in the format of Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(service.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/models", summary="The models")
    async def listed() -> Models:
        return Models(models=[About(**model.described) for model in service.models.values()])

    @app.post("/v1/models/{name}/predict", summary="Answers to texts", response_model_exclude_unset=True)
    async def predict(name: str, asked: Texts) -> Predicted:
        return await service.predict(name, asked)

    @app.post("/v1/models/{name}/continue", summary="A text, continued by a language model")
    async def continue_(name: str, asked: Beginning) -> Continued:
        return await service.continue_(name, asked)

    body = {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in tables.FORMATS}}

    @app.post(
        "/v1/models/{name}/label",
        summary="A table, labelled",
        response_class=Response,
        openapi_extra={"requestBody": body},
    )
    async def label(
        name: str,
        request: Request,
        text: Annotated[list[str], Query(description="The text column, or several.")] = ["text"],  # noqa: B006
        probabilities: bool = False,
        strict: Annotated[bool, Query(description="Refuse a table with a row that can't be read.")] = True,
        watch: Annotated[
            str | None, Query(pattern="^[A-Za-z0-9-]{8,64}$", description="A name for GET /v1/labelling/{watch}.")
        ] = None,
    ) -> Response:
        options = LabelOptions(text=text, probabilities=probabilities, bad_rows="stop" if strict else "set-aside")
        made = await service.label(name, request, options, watch or secrets.token_hex(8))
        result = made.result
        counts = {"rows": result.rows, "labelled": result.labelled, "blank": result.blank, "rejected": result.rejected}
        headers = {f"Zhpipe-{count.title()}": str(number) for count, number in counts.items()}
        kind = {suffix: kind for kind, suffix in tables.FORMATS.items()}[made.path.suffix[1:]]
        return StreamingResponse(made.pieces(), headers=headers, media_type=f"{kind}; charset=utf-8")

    @app.get("/v1/labelling/{watch}", summary="How far a table is that is being labelled")
    async def labelling(watch: str) -> Labelling:
        if watch not in service.labelling:
            raise HTTPException(404, "no table is being labelled under this name")
        return Labelling(rows=service.labelling[watch])


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    @app.get("/page/{name}", include_in_schema=False)
    async def page_file(name: str) -> Response:
        if name not in PAGE_FILES:
            raise HTTPException(404, "there is no such page")
        return FileResponse(PAGE / name, media_type=PAGE_FILES[name])


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """The first fault of a request in a sentence, without what the client wrote."""
    if not isinstance(error, RequestValidationError):
        raise error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and request.method == "POST" and request.url.path.endswith(JSON_ROUTES):
        return refusal(request.scope, 415, "JSON is expected: send it with Content-Type: application/json")
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    reason = first["msg"].lower().removeprefix("value error, ")
    return refusal(request.scope, 422, f"{place or 'the body'}: {reason}")
