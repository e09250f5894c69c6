"""Silence: keeps off the screen what compiled libraries write to standard error while they load."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_stderr() -> Iterator[None]:
    """File descriptor 2 leads nowhere inside the block; Python's own messages and tracebacks come after it, as always.

    TensorFlow's C++ code logs to it before any of its settings for logging are read.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
