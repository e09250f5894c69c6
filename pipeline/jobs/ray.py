"""The Ray engine: many inputs, part by part, on the machines of a Ray cluster, into folders of part files."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from corpora.table import SUFFIXES
from pipeline import locks
from pipeline.errors import PipelineError
from pipeline.jobs.input_state import FAULTS, InputState
from pipeline.jobs.job import Job, installed
from pipeline.jobs.local import RECORD, FileResult, Record, targets
from pipeline.jobs.parts import PartRecord
from pipeline.progress import Advance, Progress, silent

DEATHS = 3  # of processes at one part, after which the part is what kills them
PATIENCE = 120.0  # seconds without any worker


def run(
    job: Job,
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    address: str | None = None,
    workers: int = 0,
    output_format: str | None = None,
    suffixes: Collection[str] = SUFFIXES,
    force: bool = False,
    restart: bool = False,
    progress: Progress = silent,
) -> list[FileResult]:
    """Does a job with files, patterns and all tables in folders; each becomes a folder of its name in `folder`.

    There stand `part-00000.csv` and so on, 32,768 rows each (fewer where rows are long), in the order of the rows, and
    bad rows in `rejected-00000.csv`. A folder appears under its name when it is whole; what is done before stands in
    `NAME.job`, and the same call goes on from there, whatever stopped it. A machine that dies is survived: what it had
    in hand is done by another. Inputs, model and `folder` have to be under the same absolute paths on all machines.

    Arguments:
        address: Of a running cluster, `auto` on one of its machines; None is what RAY_ADDRESS names, or else a
            cluster on this machine alone, which ends with the call.
        workers: Processes, one core each; 0 for all cores of the cluster.

    Raises PipelineError where Ray isn't installed, no cluster answers or it starts no worker, another process is at
    work on `folder`, or machines have other versions installed; errors of one input are in its outcome.
    """
    folder = Path(folder).absolute()
    found = targets(sources, folder, output_format, suffixes)
    job.prepare()
    folder.mkdir(parents=True, exist_ok=True)
    lock = locks.locked(folder / ".zhpipe.job")
    try:
        record = Record(folder / RECORD)
        inputs = [InputState.begin(job, Path(source), target, record, force, restart) for source, target in found]
        waiting = [each for each in inputs if not each.is_done]
        if waiting:
            with _cluster(address) as ray, progress("ray", total=None, unit="rows") as advance:
                advance(sum(each.resumed for each in waiting))
                _Work(ray, job, waiting, workers or int(ray.cluster_resources().get("CPU", 1)), advance).perform()
        return [each.outcome for each in inputs]
    finally:
        lock.close()
        shutil.rmtree(folder / ".zhpipe.job", ignore_errors=True)


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """The module `ray`, connected; on a cluster of its own without dashboard if there is no address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise PipelineError("the engine ray needs Ray: pip install zhpipe[ray]") from None
    place = address or os.environ.get("RAY_ADDRESS") or "local"
    own = {"include_dashboard": False, "object_store_memory": 100 << 20} if place == "local" else {}
    try:
        _knock(place)
        ray.init(place, log_to_driver=False, logging_level="ERROR", **own)  # type: ignore[arg-type]
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PipelineError(f"--address {place}: can't be reached ({reason}): ask `ray status` there") from None
    with redirect_stdout(sys.stderr):  # Ray prints, to its end, what machines died, which is no output of ours
        try:
            yield ray
        finally:
            ray.shutdown()


def _knock(place: str) -> None:
    """Raises OSError where no one listens at HOST:PORT; Ray itself would try for minutes."""
    host, _, port = place.rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


class _Worker:
    """An actor: it loads what the job needs once, and keeps the input that it reads open between parts."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._source: Path | None = None

    def start(self) -> dict[str, str] | str:
        """The versions installed on this machine, or what is wrong here."""
        try:
            self.job.prepare()
        except FAULTS as error:
            return str(error)
        return installed()

    def write(self, source: Path, name: str, target: Path, number: int, folder: Path) -> PartRecord | str | None:
        """A part made, the reason why not, or None where the input ends before it."""
        try:
            if source != self._source:
                self._source, self._parts = source, self.job.parts(source, name, target)
            return self._parts.write(number, folder)
        except FAULTS as error:
            self._source = None
            return str(error)


class _Work:
    """Hands parts to the workers that are free, until all inputs are done; a part whose worker died is handed out anew.

    An input is read from front to back, so a worker stays with the one it reads; it begins another one, or, where all
    are begun, helps with one.
    """

    def __init__(self, ray: Any, job: Job, inputs: Sequence[InputState], workers: int, advance: Advance) -> None:
        actor, sent = ray.remote(num_cpus=1)(_Worker), ray.put(job)
        self.ray = ray
        self.inputs = list(inputs)
        self.workers = workers
        self.advance = advance
        self._worker: Callable[[], Any] = lambda: actor.remote(sent)
        self._starting: dict[Any, Any] = {}  # answer to come -> worker
        self._busy: dict[Any, tuple[Any, InputState, int]] = {}
        self._free: list[Any] = []
        self._reads: dict[Any, InputState] = {}
        self._handed: Counter[InputState] = Counter()  # parts of each input that were handed out
        self._ended: set[InputState] = set()  # behind what was handed out there is nothing
        self._again: list[tuple[InputState, int]] = []
        self._deaths: Counter[tuple[InputState, int]] = Counter()
        self._failures = 0  # to start, one after the other

    def perform(self) -> None:
        """Raises PipelineError where no worker can be started, or a machine has other versions than this one."""
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
            elif time.monotonic() > seen + PATIENCE:
                raise PipelineError(f"no worker has started for {PATIENCE:.0f} seconds: has the cluster a free core?")

    def _start(self, worker: Any) -> None:
        self._starting[worker.start.remote()] = worker

    def _started(self, answer: Any) -> None:
        worker = self._starting.pop(answer)
        try:
            found = self.ray.get(answer)
        except self.ray.exceptions.RayActorError as error:
            self._failures += 1
            if self._failures > self.workers + DEATHS:
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
            self.advance(found.read)
            each.add(found)

    def _lost(self, worker: Any, each: InputState, number: int) -> None:
        """A worker died, with its machine or alone: a new one is asked for, and those without work are asked anew."""
        self._reads.pop(worker, None)
        for other in (*self._free, self._worker()):
            self._start(other)
        self._free.clear()
        self._deaths[each, number] += 1
        self._again.append((each, number))
        if self._deaths[each, number] == DEATHS:
            each.fail(f"{each.source}: {DEATHS} processes died at part {number}: memory may be short")

    def _hand_out(self) -> None:
        while self._free and (found := self._next(self._free[-1])):
            worker, (each, number) = self._free.pop(), found
            self._reads[worker] = each
            answer = worker.write.remote(each.source, each.name, each.target, number, each.folder)
            self._busy[answer] = (worker, each, number)

    def _next(self, worker: Any) -> tuple[InputState, int] | None:
        """The part that a worker is to make next."""
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
