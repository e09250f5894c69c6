"""Batcher: the texts of requests that arrive within a few milliseconds are answered together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.serving.limits import ServiceLimits
from pipeline.tasks import Prediction

Answer = Callable[[Sequence[str]], Sequence[Prediction]]


class Busy(Exception):
    """So many texts wait already that no more are taken."""


@dataclass(eq=False)
class Asked:
    """The texts of one request, and where its predictions go."""

    texts: Sequence[str]
    answered: asyncio.Future[Sequence[Prediction]]


class Batcher:
    """Answers requests in the order of their arrival, several together, in a few threads.

    While all threads are busy, texts gather; so the batches grow with the load. What a text is answered does not depend
    on the texts beside it, but for the last digits of a float32. If a batch fails, each of its requests is answered
    alone, so that only those fail that would fail alone.
    """

    def __init__(self, answer: Answer, limits: ServiceLimits) -> None:
        self.waiting = 0  # texts
        self._answer = answer
        self._limits = limits
        self._queue: deque[Asked] = deque()
        self._arrived = asyncio.Event()
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="answers")

    async def ask(self, texts: Sequence[str]) -> Sequence[Prediction]:
        """The prediction of each text.

        Raises Busy if too many texts wait, TimeoutError if it takes too long, and what the model raises.
        """
        if self.waiting and self.waiting + len(texts) > self._limits.queued_texts:
            raise Busy
        asked = Asked(texts, asyncio.get_running_loop().create_future())
        self.waiting += len(texts)
        self._queue.append(asked)
        self._arrived.set()
        try:
            return await asyncio.wait_for(asked.answered, self._limits.seconds)
        finally:
            self.waiting -= len(texts)

    async def run(self) -> None:
        """Answers what is asked, until it is cancelled."""
        await asyncio.gather(*(self._keep_answering() for _ in range(self._limits.threads)))

    def close(self) -> None:
        """Lets the threads end after what they are working on."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _keep_answering(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(self._limits.gather_seconds)
            if batch := self._next_batch():
                await self._answer_batch(batch)
            if not self._queue:
                self._arrived.clear()

    def _next_batch(self) -> list[Asked]:
        """The first requests that still wait, as many as fit into a batch; one that is larger is a batch by itself."""
        batch: list[Asked] = []
        texts = 0
        while self._queue:
            asked = self._queue[0]
            if batch and texts + len(asked.texts) > self._limits.batch_texts:
                break
            self._queue.popleft()
            if not asked.answered.done():  # whoever asked may have given up
                batch.append(asked)
                texts += len(asked.texts)
        return batch

    async def _answer_batch(self, batch: Sequence[Asked]) -> None:
        try:
            found = await self._in_thread([text for asked in batch for text in asked.texts])
        except PipelineError as error:
            if len(batch) == 1:
                _fail(batch[0], error)
            else:
                for asked in batch:
                    await self._answer_batch([asked])
            return
        except Exception as error:  # a bug: each request reports it, and the service goes on
            for asked in batch:
                _fail(asked, error)
            return
        start = 0
        for asked in batch:
            if not asked.answered.done():
                asked.answered.set_result(found[start : start + len(asked.texts)])
            start += len(asked.texts)

    async def _in_thread(self, texts: Sequence[str]) -> Sequence[Prediction]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, texts)


def _fail(asked: Asked, error: Exception) -> None:
    if not asked.answered.done():
        asked.answered.set_exception(error)
