"""The batcher: everyone gets the answers to their own texts, together with others or alone, or is told why not."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.serving.batcher import Batcher, Busy
from pipeline.serving.limits import ServiceLimits

LIMITS = ServiceLimits(threads=2, batch_texts=8, gather_seconds=0.002, queued_texts=100, seconds=5)


def served(answer, requests, limits=LIMITS):
    """What each of several requests at once is answered: its predictions or its error."""

    async def run():
        batcher = Batcher(answer, limits)
        task = asyncio.create_task(batcher.run())
        try:
            return await asyncio.gather(*map(batcher.ask, requests), return_exceptions=True), batcher.waiting
        finally:
            task.cancel()
            batcher.close()

    return asyncio.run(run())


@settings(max_examples=40)
@given(st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=12), min_size=1, max_size=15))
def test_everyone_gets_their_own(requests):
    batches = []

    def answer(texts):
        batches.append(len(texts))
        return [text.upper() for text in texts]

    found, waiting = served(answer, requests, replace(LIMITS, queued_texts=1000))
    assert found == [[text.upper() for text in request] for request in requests]
    assert waiting == 0
    assert sum(batches) == sum(map(len, requests))
    assert all(size <= LIMITS.batch_texts or size in map(len, requests) for size in batches)


def test_requests_at_the_same_time_are_answered_together():
    calls = []
    served(lambda texts: calls.append(len(texts)) or texts, [["好"]] * 8)
    assert calls == [8]


def test_only_whose_text_is_bad_gets_the_error():
    def answer(texts):
        if "坏" in texts:
            raise PipelineError("bad")
        return texts

    found, _ = served(answer, [["好"], ["坏"], ["也好", "行"]])
    assert found[0] == ["好"] and found[2] == ["也好", "行"]
    assert isinstance(found[1], PipelineError)


def test_a_bug_is_reported_to_all_and_the_next_are_answered():
    def answer(texts):
        if "虫" in texts:
            raise RuntimeError("bug")
        return texts

    found, _ = served(answer, [["虫"], ["好"] * 8])
    assert isinstance(found[0], RuntimeError) and found[1] == ["好"] * 8


def test_too_many_wait():
    found, waiting = served(lambda texts: texts, [["好"] * 60, ["好"] * 60, ["好"] * 40])
    assert [isinstance(each, Busy) for each in found] == [False, True, False]
    assert waiting == 0


def test_one_that_is_larger_than_the_queue_is_taken_when_nothing_waits():
    found, _ = served(lambda texts: texts, [["好"] * 150])
    assert found == [["好"] * 150]


def test_it_takes_too_long():
    goes_on = threading.Event()

    def answer(texts):
        if texts == ["慢"]:
            goes_on.wait(5)
        return texts

    async def run():
        batcher = Batcher(answer, replace(LIMITS, seconds=0.1))
        task = asyncio.create_task(batcher.run())
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            await batcher.ask(["慢"])
        assert time.monotonic() - start < 3
        goes_on.set()
        assert await batcher.ask(["快"]) == ["快"]
        task.cancel()
        batcher.close()

    asyncio.run(run())
