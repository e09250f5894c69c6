"""Deadline: stops runs of ONNX Runtime that take too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OutOfTime(Exception):
    """A run was stopped because it took too long."""


class Deadline:
    """Gives the options of each run, and stops a run after `seconds`; several threads may use one.

    One thread watches all runs, since starting one for each run would take as long as a run of a small network. It
    starts with the first run that lasts until the end of a `pause`, and ends when there are no more runs.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._runs: dict[Any, float] = {}  # options of a run -> when it began
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def run(self) -> Iterator[Any]:
        """The `onnxruntime.RunOptions` of a run. Raises OutOfTime if it was stopped."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        with self._lock:
            self._runs[options] = time.monotonic()
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, daemon=True)
                self._watcher.start()
        try:
            yield options
        except Exception:
            if options.terminate:
                raise OutOfTime from None
            raise
        finally:
            with self._lock:
                del self._runs[options]

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self.seconds / 4))
            with self._lock:
                late = time.monotonic() - self.seconds
                for options, begun in self._runs.items():
                    if begun < late:
                        options.terminate = True
                if not self._runs:
                    self._watcher = None
                    return
