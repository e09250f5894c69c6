"""App: the routes of the service, as a FastAPI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipeline.errors import NotFinite, PipelineError
from pipeline.jobs.options import LabelOptions
from pipeline.provenance import version
from pipeline.serving import tables
from pipeline.serving.batcher import Batcher, Busy
from pipeline.serving.counters import Counters
from pipeline.serving.guards import Guards
from pipeline.serving.limits import DEFAULT_LIMITS, ServiceLimits
from pipeline.serving.replies import failed, refusal, refused
from pipeline.serving.served_model import ServedModel

LOG = logging.getLogger("zhpipe.serve")
PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
RELOAD_SECONDS = 2.0
REFUSED = (400, 401, 404, 413, 415, 421, 422, 429, 500, 503)


class Refusal(BaseModel):
    """Why a request was refused."""

    message: str
    request: str


class Refused(BaseModel):
    """The body of every response that is not a success."""

    error: Refusal


def _written(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start + 1} is half of a surrogate pair") from None
    return text


class Texts(BaseModel):
    """What a prediction is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[Annotated[str, AfterValidator(_written)]] = Field(min_length=1)
    probabilities: bool = Field(default=False, description="Answer the detailed columns too.")


class Predicted(BaseModel):
    """What a model answers: for each text the columns that `zhpipe label` adds, as in its JSON lines."""

    model: str
    predictions: list[dict[str, Any]]


class About(BaseModel):
    """A model of the service.

    `label_separator`: joins the labels of a text, if it may have several; `columns`: all that a prediction can have;
    `version`: changes when the model does.
    """

    name: str
    task: str
    labels: list[str]
    label_separator: str | None
    columns: list[str]
    precision: str
    version: str


class Models(BaseModel):
    """The models of the service."""

    models: list[About]


class Health(BaseModel):
    """That the service answers."""

    status: str


class Service:
    """The models, each with its batcher, and what they have done."""

    def __init__(self, models: Mapping[str, ServedModel], limits: ServiceLimits) -> None:
        self.models = models
        self.limits = limits
        self.counters = Counters()
        self.batchers = {name: Batcher(model.predict, limits) for name, model in models.items()}
        self.tables = 0

    @asynccontextmanager
    async def running(self, app: FastAPI) -> AsyncIterator[None]:
        """While the application runs, so do the batchers and the look-out for changed folders."""
        tasks = [asyncio.create_task(each.run()) for each in self.batchers.values()]
        tasks.append(asyncio.create_task(self._reload()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in self.batchers.values():
                each.close()

    def model(self, name: str) -> ServedModel:
        """The model of a name. Raises HTTPException 404."""
        if name not in self.models:
            raise HTTPException(404, "there is no such model: GET /v1/models lists them")
        return self.models[name]

    async def predict(self, name: str, asked: Texts) -> Predicted:
        """The answers of a model. Raises HTTPException with a sentence."""
        model = self.model(name)
        self._check(asked.texts)
        try:
            found = await self.batchers[name].ask(asked.texts)
        except Busy:
            raise HTTPException(
                429, f"{self.limits.queued_texts:,} texts wait already: ask again later", {"Retry-After": "1"}
            ) from None
        except TimeoutError:
            raise HTTPException(
                503, f"no answer within {self.limits.seconds:g} seconds: ask again, or for fewer texts"
            ) from None
        except NotFinite as error:
            raise HTTPException(500, f"the model gives text {error.text + 1} scores that are not finite") from None
        self.counters.texts.labels(name).inc(len(found))
        return Predicted(model=name, predictions=model.rows(found, probabilities=asked.probabilities))

    async def label(self, name: str, request: Request, options: LabelOptions) -> tables.LabelledTable:
        """A table that is labelled. Raises HTTPException with a sentence."""
        model = self.model(name)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in tables.FORMATS:
            raise HTTPException(415, f"the Content-Type of a table is one of {', '.join(tables.FORMATS)}")
        if self.tables >= self.limits.tables:
            raise HTTPException(429, "another table is being labelled: send this one later", {"Retry-After": "10"})
        self.tables += 1
        try:
            folder, source = await tables.received(request.stream(), tables.FORMATS[kind])
            made = await asyncio.to_thread(tables.labelled, model.model, folder, source, options)
        except PipelineError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            self.tables -= 1
        self.counters.texts.labels(name).inc(made.result.rows)
        return made

    def metrics(self) -> bytes:
        """The counters as Prometheus reads them."""
        for name, batcher in self.batchers.items():
            self.counters.waiting.labels(name).set(batcher.waiting)
        return self.counters.text()

    def _check(self, texts: list[str]) -> None:
        if len(texts) > self.limits.texts:
            raise HTTPException(422, f"{len(texts):,} texts: at most {self.limits.texts:,} are answered at a time")
        longest = max(map(len, texts))
        if longest > self.limits.text_characters:
            raise HTTPException(
                422, f"a text has {longest:,} characters: at most {self.limits.text_characters:,} are read"
            )

    async def _reload(self) -> None:
        """Loads models whose folders change. One that can't be loaded is reported once, and the old one answers on."""
        reported: dict[str, str] = {}
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            for name, model in self.models.items():
                try:
                    if await asyncio.to_thread(model.reload):
                        LOG.info("%s: loaded anew, as its folder has changed", name)
                        self.counters.reloads.labels(name, "loaded").inc()
                    reported.pop(name, None)
                except (PipelineError, OSError) as error:
                    if reported.get(name) != str(error):
                        LOG.warning("%s: its folder has changed and can't be loaded: %s", name, error)
                        self.counters.reloads.labels(name, "refused").inc()
                    reported[name] = str(error)


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

    @app.post("/v1/models/{name}/predict", summary="Answers to texts")
    async def predict(name: str, asked: Texts) -> Predicted:
        return await service.predict(name, asked)

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
    ) -> Response:
        options = LabelOptions(text=text, probabilities=probabilities, bad_rows="stop" if strict else "set-aside")
        made = await service.label(name, request, options)
        result = made.result
        counts = {"rows": result.rows, "labelled": result.labelled, "blank": result.blank, "rejected": result.rejected}
        headers = {f"Zhpipe-{count.title()}": str(number) for count, number in counts.items()}
        kind = {suffix: kind for kind, suffix in tables.FORMATS.items()}[made.path.suffix[1:]]
        return StreamingResponse(made.pieces(), headers=headers, media_type=f"{kind}; charset=utf-8")


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
    if kind != "application/json" and request.method == "POST" and request.url.path.endswith("/predict"):
        return refusal(request.scope, 415, "JSON is expected: send it with Content-Type: application/json")
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    reason = first["msg"].lower().removeprefix("value error, ")
    return refusal(request.scope, 422, f"{place or 'the body'}: {reason}")
