"""Work spread over processes as a stream: in order, with bounded look-ahead, leaving no process behind."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Event
from typing import Any, Self, TypeVar

from pipeline.errors import PipelineError, SettingsError
from pipeline.segmentation.segmenter import Segmenter

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    chunk: int = 512,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
    here: Callable[[T], R] | None = None,
    preload: Sequence[str] = (),
) -> Iterator[R]:
    """`map(function, items)` over processes: the results come in the order of the items, as a stream.

    At most 2 * `workers` + 1 chunks are taken from `items` ahead of the result that is asked for, so memory
    is bounded. An exception of `function`, `initializer` or `items`, an interrupt, and dropping the iterator
    all end the workers after the item they are at; a worker whose parent dies ends at once.

    Arguments:
        function: is sent once to each worker, so it may carry much (a bound method of a Segmenter); a
            module's own function, a method or a `functools.partial`, but no lambda. Processes are started by
            "forkserver", where there is none by "spawn", so a script must call this under
            `if __name__ == "__main__":`.
        workers: processes; 1 runs in this process and starts none.
        chunk: items sent to a worker at a time.
        initializer: called with `initargs` once in each worker (with 1 worker, in this process) before its
            first item.
        here: does the same as `function` in this process, which is then one of the workers: it begins at once,
            while the others start, and takes a chunk whenever they have enough to do.
        preload: modules that are imported once for all workers, where there is a forkserver; the first call
            of a process decides.

    Raises:
        SettingsError: `workers` or `chunk` is below 1.
        PipelineError: a worker died or couldn't start.

    >>> list(map_ordered(len, ["春天", "夏", "秋天到"], workers=1))
    [2, 1, 3]
    """
    for name, value in (("workers", workers), ("chunk", chunk)):
        if value < 1:
            raise SettingsError(f"{name} is {value}: expected 1 or more")
    if workers == 1:
        return _map_here(function, items, initializer, initargs)
    # More than 61 processes can't be waited for on Windows.
    most = 61 if sys.platform == "win32" else workers
    pool = _Pool(_Work(function, initializer, initargs), min(workers, most) - (here is not None), preload)
    return _map_there(pool, _chunks(items, chunk)) if here is None else _map_both(pool, _chunks(items, chunk), here)


def split_texts(segmenter: Segmenter, texts: Iterable[str], *, workers: int, chunk: int = 512) -> Iterator[list[str]]:
    """`segmenter.split(text)` for each text in order, over `workers` processes, `chunk` texts at a time."""
    parts = map_ordered(segmenter.split_all, _chunks(texts, chunk), workers=workers, chunk=1)
    with closing(parts):  # type: ignore[type-var]
        for part in parts:
            yield from part


@dataclass(frozen=True)
class _Work:
    """What a worker is sent when it starts."""

    function: Callable[[Any], Any]
    initializer: Callable[..., object] | None
    initargs: tuple[Any, ...]


class _Worker:
    """The state of a worker process, set when it starts; in the parent process nothing is ever set."""

    work: _Work
    stop: Event
    failure: Exception | None = None


def _map_here(
    function: Callable[[T], R],
    items: Iterable[T],
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
) -> Iterator[R]:
    if initializer is not None:
        initializer(*initargs)
    yield from map(function, items)


class _Pool:
    """Worker processes, not started before the first item is there."""

    def __init__(self, work: _Work, workers: int, preload: Sequence[str]) -> None:
        self.work = work
        self.workers = workers
        self.preload = preload

    def __enter__(self) -> Self:
        context = _context(self.preload)
        self._stop = context.Event()
        self._executor = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_begin, initargs=(self.work, self._stop)
        )
        # Each call starts a process, as long as none is idle.
        self._starting = [self._executor.submit(_run, []) for _ in range(self.workers)]
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stop.set()
        self._executor.shutdown(wait=True, cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise PipelineError(
                f"one of {self.workers} worker processes died or couldn't start: memory may be short (use fewer "
                'workers), and a script must do its work under `if __name__ == "__main__":`'
            ) from error

    @property
    def is_ready(self) -> bool:
        """Whether a worker has started, or failed to."""
        return any(future.done() for future in self._starting)

    def submit(self, part: list[Any]) -> Future[list[Any]]:
        return self._executor.submit(_run, part)


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    """A forked worker shares what is imported already; the server that forks them has no thread but one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*preload])
    return context


def _map_there(pool: _Pool, parts: Iterable[list[Any]]) -> Iterator[Any]:
    pending: deque[Future[list[Any]]] = deque()
    with pool:
        for part in parts:
            pending.append(pool.submit(part))
            if len(pending) > 2 * pool.workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _map_both(pool: _Pool, parts: Iterable[list[Any]], here: Callable[[Any], Any]) -> Iterator[Any]:
    """The pool has two chunks a worker to do, once it is there; this process does one when it has so many."""
    pending: deque[Future[list[Any]]] = deque()
    with pool:
        for part in parts:
            if pool.is_ready and sum(not future.done() for future in pending) < 2 * pool.workers:
                pending.append(pool.submit(part))
            else:
                pending.append(_done([here(item) for item in part]))
            while pending and (pending[0].done() or len(pending) > 4 * pool.workers):
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _done(results: list[Any]) -> Future[list[Any]]:
    future: Future[list[Any]] = Future()
    future.set_result(results)
    return future


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def _begin(work: _Work, stop: Event) -> None:
    """Prepares a worker; what the initializer raises is kept for the first chunk to raise."""
    # Ctrl-C reaches the whole process group: the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.work, _Worker.stop = work, stop
    if work.initializer is not None:
        try:
            work.initializer(*work.initargs)
        except Exception as error:
            _Worker.failure = error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run(part: list[Any]) -> list[Any]:
    if _Worker.failure is not None:
        raise _Worker.failure
    function, results = _Worker.work.function, []
    for item in part:
        if _Worker.stop.is_set():
            break
        results.append(function(item))
    return results
