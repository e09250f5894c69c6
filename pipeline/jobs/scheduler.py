"""Scheduler: hands parts of inputs to the actors of a Ray cluster, and again if an actor dies."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.jobs.dependencies import installed
from pipeline.jobs.input_state import INPUT_ERRORS, InputState
from pipeline.jobs.job import Job
from pipeline.jobs.parts import PartRecord
from pipeline.progress import Advance


class PartWorker:
    """An actor: loads what the job needs once, and keeps its input open between parts."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._source: Path | None = None

    def start(self) -> dict[str, str] | str:
        """The versions installed on this machine, or what is wrong here."""
        try:
            self.job.prepare()
        except INPUT_ERRORS as error:
            return str(error)
        return installed()

    def write(self, source: Path, name: str, target: Path, number: int, folder: Path) -> PartRecord | str | None:
        """Makes a part; returns its record, the error, or None if the input ends before it."""
        try:
            if source != self._source:
                self._source, self._parts = source, self.job.parts(source, name, target)
            return self._parts.write(number, folder)
        except INPUT_ERRORS as error:
            self._source = None
            return str(error)


class Scheduler:
    """Hands parts to free workers until all inputs are done; a part whose worker died is handed out again.

    An input is read from front to back, so a worker stays with its input. Then it begins another one, or, if all are
    begun, helps with the one that has the fewest workers.

    Arguments:
        ray: The module `ray`, connected to a cluster.
        workers: Actors to start, one core each.
        advance: Called with the rows of each part made.
        max_deaths: So many workers may die at one part before its input is given up.
        patience: Seconds without any worker before the work is given up.
    """

    def __init__(
        self,
        ray: Any,
        job: Job,
        inputs: Sequence[InputState],
        workers: int,
        advance: Advance,
        *,
        max_deaths: int = 3,
        patience: float = 120.0,
    ) -> None:
        actor, sent = ray.remote(num_cpus=1)(PartWorker), ray.put(job)
        self.ray = ray
        self.inputs = [each for each in inputs if not each.is_done]
        self.workers = workers
        self.advance = advance
        self.max_deaths = max_deaths
        self.patience = patience
        self._worker: Callable[[], Any] = lambda: actor.remote(sent)
        self._starting: dict[Any, Any] = {}  # answer to come -> worker
        self._busy: dict[Any, tuple[Any, InputState, int]] = {}
        self._free: list[Any] = []
        self._reads: dict[Any, InputState] = {}
        self._handed: Counter[InputState] = Counter()  # parts of each input that were handed out
        self._ended: set[InputState] = set()  # inputs that end with what was handed out
        self._again: list[tuple[InputState, int]] = []
        self._deaths: Counter[tuple[InputState, int]] = Counter()
        self._failures = 0  # to start, in a row

    def perform(self) -> None:
        """Raises PipelineError if no worker can be started, or a machine has other versions than this one."""
        for _ in range(self.workers):
            self._start(self._worker())
        seen = time.monotonic()
        while self.inputs:
            self._hand_out()
            ready, _ = self.ray.wait([*self._busy, *self._starting], timeout=1)
            for answer in ready:
                (self._started if answer in self._starting else self._made)(answer)
            self.inputs = [each for each in self.inputs if not each.is_done]
            if self._busy or self._free:
                seen = time.monotonic()
            elif time.monotonic() > seen + self.patience:
                raise PipelineError(
                    f"no worker has started for {self.patience:.0f} seconds: has the cluster a free core?"
                )

    def _start(self, worker: Any) -> None:
        self._starting[worker.start.remote()] = worker

    def _started(self, answer: Any) -> None:
        worker = self._starting.pop(answer)
        try:
            found = self.ray.get(answer)
        except self.ray.exceptions.RayActorError as error:
            self._failures += 1
            if self._failures > self.workers + self.max_deaths:
                raise PipelineError(f"workers die as they start: {str(error).strip().splitlines()[-1]}") from None
            return self._start(self._worker())
        if isinstance(found, str):
            raise PipelineError(f"on one of the machines: {found}")
        if other := _difference(found, installed()):
            raise PipelineError(f"one of the machines has {other}: install the same versions everywhere")
        self._failures = 0
        self._free.append(worker)

    def _made(self, answer: Any) -> None:
        worker, each, number = self._busy.pop(answer)
        try:
            found = self.ray.get(answer)
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError:
            return self._lost(worker, each, number)
        self._free.append(worker)
        if each.is_done:
            return
        if found is None:
            self._ended.add(each)
        elif isinstance(found, str):
            each.fail(found)
        else:
            self.advance(found.rows.read)
            each.add(found)

    def _lost(self, worker: Any, each: InputState, number: int) -> None:
        """A worker died, with its machine or alone: starts another, and asks those without work whether they live."""
        self._reads.pop(worker, None)
        for other in (*self._free, self._worker()):
            self._start(other)
        self._free.clear()
        self._deaths[each, number] += 1
        self._again.append((each, number))
        if self._deaths[each, number] == self.max_deaths:
            each.fail(f"{each.source}: {self.max_deaths} processes died at part {number}: memory may be short")

    def _hand_out(self) -> None:
        while self._free and (found := self._next(self._free[-1])):
            worker, (each, number) = self._free.pop(), found
            self._reads[worker] = each
            answer = worker.write.remote(each.source, each.name, each.target, number, each.folder)
            self._busy[answer] = (worker, each, number)

    def _next(self, worker: Any) -> tuple[InputState, int] | None:
        """The part that a worker makes next."""
        while self._again:
            each, number = self._again.pop()
            if not each.is_done:
                return each, number
        left = [each for each in self.inputs if self._has_more(each)]
        if not left:
            return None
        own, readers = self._reads.get(worker), Counter(each for _, each, _ in self._busy.values())
        each = own if own in left else min(left, key=lambda each: readers[each])
        self._handed[each] += 1
        return each, self._handed[each] - 1

    def _has_more(self, each: InputState) -> bool:
        while self._handed[each] in each.done:
            self._handed[each] += 1
        return not each.is_done and each not in self._ended and (each.parts is None or self._handed[each] < each.parts)


def _difference(found: Mapping[str, str], here: Mapping[str, str]) -> str:
    names = [name for name in here if found.get(name) != here[name]]
    return ", ".join(f"{name} {found.get(name)}, not {here[name]}" for name in names)
