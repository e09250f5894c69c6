"""Service: the models, each with its batcher, and what they are asked for over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

from pipeline.errors import NotFinite, PipelineError
from pipeline.jobs.options import LabelOptions
from pipeline.serving import tables
from pipeline.serving.batcher import Batcher, Busy
from pipeline.serving.counters import Counters
from pipeline.serving.limits import ServiceLimits
from pipeline.serving.messages import Beginning, Continued, Predicted, Texts
from pipeline.serving.served_model import ServedModel

LOG = logging.getLogger("zhpipe.serve")
RELOAD_SECONDS = 2.0


class Service:
    """The models, each with its batcher, and what they have done."""

    def __init__(self, models: Mapping[str, ServedModel], limits: ServiceLimits) -> None:
        self.models = models
        self.limits = limits
        self.counters = Counters()
        self.batchers = {name: Batcher(model.predict, limits) for name, model in models.items()}
        self.labelling: dict[str, int] = {}  # rows that are done, by request
        self.written = 0  # texts that are being continued

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
        made = Predicted(model=name, predictions=model.rows(found, probabilities=asked.probabilities))
        if asked.dictionary:
            made.dictionary = await asyncio.to_thread(model.dictionary_parts, asked.texts)
        return made

    async def continue_(self, name: str, asked: Beginning) -> Continued:
        """What a language model writes after a prompt. Raises HTTPException with a sentence."""
        model, limits = self.model(name), self.limits
        self._check([asked.prompt])
        for what, received, most in (
            ("count", asked.count, limits.continuations),
            ("length", asked.length, limits.continued_tokens),
        ):
            if received > most:
                raise HTTPException(422, f"{what}: at most {most:,}, and {received:,} are asked for")
        if self.written >= limits.writers:
            raise HTTPException(429, "other texts are being continued: ask again later", {"Retry-After": "1"})
        self.written += 1
        try:
            found = await asyncio.to_thread(model.continued, asked, limits.seconds)
        except PipelineError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            self.written -= 1
        self.counters.texts.labels(name).inc(len(found))
        return Continued(model=name, continuations=found)

    async def label(self, name: str, request: Request, options: LabelOptions, watch: str) -> tables.LabelledTable:
        """A table that is labelled; `watch`: the name under which `labelling` has it. Raises HTTPException."""
        model = self.model(name)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in tables.FORMATS:
            raise HTTPException(415, f"the Content-Type of a table is one of {', '.join(tables.FORMATS)}")
        if watch in self.labelling:
            raise HTTPException(422, "watch: another table is being labelled under this name")
        if len(self.labelling) >= self.limits.tables:
            raise HTTPException(429, "another table is being labelled: send this one later", {"Retry-After": "10"})
        self.labelling[watch] = 0

        def count(rows: int) -> None:
            self.labelling[watch] += rows

        try:
            folder, source = await tables.received(request.stream(), tables.FORMATS[kind])
            made = await asyncio.to_thread(tables.labelled, model.model, folder, source, options, count)
        except PipelineError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            del self.labelling[watch]
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
