"""Locks: one process at a time works on a folder; a lock ends with the process that holds it, however it ends.

The library `filelock` is not used. Its older releases don't notice if the folder is removed between opening the file
and locking it, and then two processes hold the lock. Its newer releases fall back, where a file system has no locks, to
a marker file that outlives a killed process, and import asyncio and sqlite3.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from pipeline.errors import PipelineError


def locked(folder: Path) -> IO[bytes]:
    """Makes a folder if needed and locks it; returns the lock file, which holds the lock until it is closed.

    Raises PipelineError if another process holds the lock.
    """
    # Whoever held the lock may have removed the folder between two of these steps: then try again.
    while True:
        with suppress(FileExistsError):
            folder.mkdir()
        try:
            file = (folder / "lock").open("ab")
        except FileNotFoundError:
            continue
        if not _lock(file):
            file.close()
            raise PipelineError(f"{folder}: another process is working on this output: wait for it, or stop it")
        try:
            if os.path.samestat(os.fstat(file.fileno()), (folder / "lock").stat()):
                return file
        except FileNotFoundError:
            pass
        file.close()


def remove_locked(folder: Path, lock: IO[bytes]) -> None:
    """Removes the lock file, and the folder if nothing else is in it; releases the lock."""
    if sys.platform == "win32":  # which can't remove an open file
        lock.close()
    with suppress(OSError):
        (folder / "lock").unlink()
        folder.rmdir()
    lock.close()


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
