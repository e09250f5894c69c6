"""Parallel: work over processes as a stream, in order, with bounded look-ahead, leaving no process behind."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from itertools import islice
from multiprocessing import forkserver
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Self, TypeVar

from pipeline.errors import PipelineError, SettingsError
from pipeline.segmentation.segmenter import Segmenter

T = TypeVar("T")
R = TypeVar("R")

ROOT = Path(__file__).parents[1]  # the folder that Python finds these packages in
_starting = threading.Lock()


def map_ordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    chunk: int = 512,
    here: Callable[[T], R] | None = None,
    preload: Sequence[str] = (),
) -> Iterator[R]:
    """`map(function, items)` over processes, as a stream of results in the order of the items.

    At most 2 * `workers` + 1 chunks (4 * `workers` with `here`) are taken from `items` ahead of the result that is
    asked for, so memory is bounded. An exception of `function` or `items`, an interrupt, and dropping the iterator all
    stop the workers after the item that they are at. A worker whose parent dies stops at once.

    Arguments:
        function: Sent once to each worker, so it may carry much data, like a bound method of a Segmenter. It must be
            a function of a module, a method or a `functools.partial`, not a lambda. Processes are started by
            "forkserver", or by "spawn" if the system has no forkserver, so a script must call this under
            `if __name__ == "__main__":`.
        workers: Processes; 1 starts none and works in this one.
        chunk: Items sent to a worker at a time.
        here: Does the same as `function` in this process, which is then one of the workers. It begins at once, while
            the others start, and takes a chunk whenever they have enough to do.
        preload: Modules to import once for all workers, if there is a forkserver; the first call of a process decides.

    Raises:
        SettingsError: `workers` or `chunk` is below 1.
        PipelineError: A worker died or couldn't start, or Python runs with -E and without -P.

    >>> list(map_ordered(len, ["春天", "夏", "秋天到"], workers=1))
    [2, 1, 3]
    """
    for name, value in (("workers", workers), ("chunk", chunk)):
        if value < 1:
            raise SettingsError(f"{name} is {value}: expected 1 or more")
    if workers == 1:
        return _map_here(function, items)
    # Windows can't wait for more than 61 processes.
    most = 61 if sys.platform == "win32" else workers
    pool = _Pool(function, min(workers, most) - (here is not None), preload)
    return _map_there(pool, _chunks(items, chunk)) if here is None else _map_both(pool, _chunks(items, chunk), here)


def prepare(preload: Sequence[str]) -> None:
    """Starts the server that forks workers, if the system has one, so that it imports modules while others are at work.

    `preload`: as of `map_ordered`, which the next call then finds ready.
    """
    context = _context(preload)
    if context.get_start_method() == "forkserver":
        with without_working_directory():
            forkserver.ensure_running()


def split_texts(segmenter: Segmenter, texts: Iterable[str], *, workers: int, chunk: int = 512) -> Iterator[list[str]]:
    """`segmenter.split(text)` for each text in order, over `workers` processes, `chunk` texts at a time."""
    parts = map_ordered(segmenter.split_all, _chunks(texts, chunk), workers=workers, chunk=1)
    with closing(parts):  # type: ignore[type-var]
        for part in parts:
            yield from part


class _Worker:
    """The state of a worker process, set when it starts; never set in the parent process."""

    function: Callable[[Any], Any]
    stop: Event


def _map_here(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    yield from map(function, items)


class _Pool:
    """Worker processes; they start when the context is entered."""

    def __init__(self, function: Callable[[Any], Any], workers: int, preload: Sequence[str]) -> None:
        self.function = function
        self.workers = workers
        self.preload = preload

    def __enter__(self) -> Self:
        context = _context(self.preload)
        with without_working_directory():
            self._stop = context.Event()
        self._executor = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_begin, initargs=(self.function, self._stop)
        )
        # Each call starts a process as long as none is idle.
        self._starting = [self.submit([]) for _ in range(self.workers)]
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
        """Hands a chunk to the workers; starts another one while there are too few and none is idle."""
        with without_working_directory():
            return self._executor.submit(_run, part)


@contextmanager
def without_working_directory() -> Iterator[None]:
    """Processes started in this context import nothing from the working directory, which may be a stranger's folder.

    Python would look for every module there first: multiprocessing starts its servers and workers with `-c`, and passes
    on a `sys.path` that holds "". Raises PipelineError if Python ignores PYTHONSAFEPATH because it runs with -E and
    without -P.
    """
    if sys.flags.ignore_environment and not sys.flags.safe_path:
        raise PipelineError(
            "python -E lets worker processes import modules from the working directory: add -P, or use 1 worker"
        )
    with _starting:
        path, safe = sys.path[:], os.environ.get("PYTHONSAFEPATH")
        if "" in path:
            sys.path[:] = [*filter(None, path), str(ROOT)]
        os.environ["PYTHONSAFEPATH"] = "1"
        try:
            yield
        finally:
            if "" in path:
                sys.path[:] = path
            if safe is None:
                del os.environ["PYTHONSAFEPATH"]
            else:
                os.environ["PYTHONSAFEPATH"] = safe


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    """A forked worker shares the modules that are imported already; the fork server has a single thread."""
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
    """Once the pool is up it gets two chunks per worker; when it has so many, this process works on a chunk itself."""
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


def _begin(function: Callable[[Any], Any], stop: Event) -> None:
    """Prepares a worker."""
    # Ctrl-C reaches the whole process group, and the parent alone handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.function, _Worker.stop = function, stop


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this process has no parent: it was not started by multiprocessing")
    parent.join()
    os._exit(1)


def _run(part: list[Any]) -> list[Any]:
    function, results = _Worker.function, []
    for item in part:
        if _Worker.stop.is_set():
            break
        results.append(function(item))
    return results
