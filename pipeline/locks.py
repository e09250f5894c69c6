"""Locks: one process at a time works on a folder; a lock ends with the process that holds it, however it ends.

The library `filelock` is not used. Its older releases don't notice if the folder is removed between opening the file
and locking it, and then two processes hold the lock. Its newer releases fall back, where a file system has no locks, to
a marker file that outlives a killed process, and import asyncio and sqlite3.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.errors import PipelineError

SIGNED = re.compile(rb"(\d+ on [\w.-]+)\n")  # what a lock file holds: the process and its machine


def locked(folder: Path) -> IO[bytes]:
    """Makes a folder if needed and locks it; returns the lock file, which holds the lock until it is closed.

    Raises PipelineError if another process holds the lock.
    """
    # Whoever held the lock may have removed the folder between two of these steps: then try again.
    while True:
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        try:
            file = (folder / "lock").open("ab")
        except FileNotFoundError:
            continue
        if not _lock(file):
            file.close()
            holder = _holder(folder)
            raise PipelineError(f"{folder}: another process is working on this output{holder}: wait for it, or stop it")
        try:
            _sign(file)
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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder, which stays if it has files. Raises PipelineError as `locked` does."""
    lock = locked(folder)
    try:
        yield
    finally:
        remove_locked(folder, lock)


def _sign(file: IO[bytes]) -> None:
    """Writes who holds a lock into its file, except on Windows, where nobody else could read it."""
    if sys.platform != "win32":
        file.truncate(0)
        file.write(f"{os.getpid()} on {socket.gethostname()}\n".encode())
        file.flush()


def _holder(folder: Path) -> str:
    try:
        found = SIGNED.fullmatch((folder / "lock").read_bytes()[:300])
    except OSError:
        return ""
    return f" (process {found[1].decode()})" if found else ""


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
