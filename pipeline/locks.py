"""Locks: one process at a time on a folder; a lock ends with the process that holds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from pipeline.errors import PipelineError


def locked(folder: Path) -> IO[bytes]:
    """A folder's lock file, locked, to be closed at the end; the folder is made where there is none.

    Raises PipelineError where another process has it.
    """
    # The one who held it may have removed the folder meanwhile: then once more.
    while True:
        folder.mkdir(exist_ok=True)
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
