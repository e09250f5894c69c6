"""Journal: how far a labelling job has come, kept beside its output, so that the same command resumes it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from corpora.files import permissions
from pipeline.errors import PipelineError
from pipeline.jobs.job_log import JobLog
from pipeline.jobs.results import RowCounts
from pipeline.locks import locked, remove_locked
from pipeline.workplace import clean, foreign

LOG = "journal.jsonl"
OWN = re.compile(r"journal\.jsonl|output|rejects|assembled\..+")  # the files of a job, without its lock


@dataclass(frozen=True)
class JobProgress:
    """How far a job has come; everything counted here is on the disk.

    `chunks`: finished chunks; `rows`: their rows; `output`, `rejects`: bytes of the two files; `whole`: all is written,
    and the files only have to be renamed.
    """

    chunks: int = 0
    rows: RowCounts = field(default_factory=RowCounts)
    output: int = 0
    rejects: int = 0
    whole: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to resume."""
        return self.chunks > 0 or self.whole


@dataclass
class Journal:
    """The folder `OUT.job` beside an output: what the job depends on, what is done, and the output as it grows.

    The first line of journal.jsonl says whose the folder is; a folder without that line, or a link, is never touched.
    Data is forced to the disk before the line of journal.jsonl that counts it. `at` cuts off what a kill, a power cut
    or a full disk left after the last counted byte. A lock on the folder keeps other processes out; it ends with the
    process, however it ends.

    Made by `Journal.at`; a context manager that releases the lock. `at` raises PipelineError if another process works
    on the same output, or if the folder belongs to a job with another input, model or option, or to somebody else.
    """

    folder: Path
    progress: JobProgress = field(default_factory=JobProgress)
    _lock: IO[bytes] | None = None
    _files: dict[str, IO[bytes]] = field(default_factory=dict)

    @staticmethod
    def is_whole(folder: Path) -> bool:
        """Whether a job in a folder is complete, except that its files are not renamed yet.

        Raises PipelineError if the folder belongs to somebody else.
        """
        log = _log(folder)
        return log.is_begun() and _last_progress(log).whole

    @classmethod
    def at(cls, folder: Path, depends: Mapping[str, Any], *, restart: bool = False) -> Journal:
        """Begins a job in a folder, or resumes the job there if it `depends` on the same values."""
        _log(folder).is_begun()
        journal = cls(folder, _lock=locked(folder))
        try:
            journal._begin(depends, restart)
        except BaseException:
            journal.close()
            raise
        return journal

    def append(self, output: bytes, rejects: bytes) -> None:
        """Adds bytes to the two files; the next `commit` counts them."""
        for name, data in (("output", output), ("rejects", rejects)):
            if data:
                self._files[name].write(data)

    def commit(self, progress: JobProgress) -> None:
        """Forces all bytes to the disk, and then the line that counts them."""
        for name, before in (("output", self.progress.output), ("rejects", self.progress.rejects)):
            if getattr(progress, name) != before:
                self._files[name].flush()
                os.fsync(self._files[name].fileno())
        self._log.append(asdict(progress))
        self.progress = progress

    def finish(self, target: Path, rejected: Path, *, output: str = "output") -> None:
        """Renames the finished files, the rejected rows first, and removes the folder. Can be repeated.

        `output`: the name in the folder of the file that becomes `target`.
        """
        self._close_files()
        if self.progress.rejects == 0:
            rejected.unlink(missing_ok=True)
        elif (self.folder / "rejects").exists():
            _replace(self.folder / "rejects", rejected)
        if (self.folder / output).exists():
            _replace(self.folder / output, target)
        _force_folder(target.parent)
        self.remove()

    def remove(self) -> None:
        """Removes the files of the job, the log last: as long as that exists, `finish` can be repeated.

        Removes the folder too, if it holds nothing else.
        """
        self._close_files()
        clean(self.folder, OWN, LOG)
        if self._lock is not None:
            remove_locked(self.folder, self._lock)
            self._lock = None

    def close(self) -> None:
        """Releases the lock."""
        self._close_files()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _log(self) -> JobLog:
        return _log(self.folder)

    def _begin(self, depends: Mapping[str, Any], restart: bool) -> None:
        self.progress = JobProgress() if restart else _last_progress(self._log)
        if self.progress.is_begun:
            self._log.resume(depends)
        else:
            self.progress = JobProgress()
            clean(self.folder, OWN, LOG)
            self._log.begin(depends)
        if not self.progress.whole:
            self._open_file("output", self.progress.output)
            self._open_file("rejects", self.progress.rejects)
        _force_folder(self.folder)

    def _open_file(self, name: str, length: int) -> None:
        path = self.folder / name
        if path.is_symlink():
            raise foreign(path)
        if (path.stat().st_size if path.exists() else 0) < length:
            raise PipelineError(f"{path}: is shorter than the journal says: pass --restart to begin anew")
        path.touch(0o600)
        self._files[name] = file = path.open("r+b")
        file.truncate(length)
        file.seek(length)

    def _close_files(self) -> None:
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # bytes that can't be written now were not counted either
                continue
        self._files.clear()


def _replace(made: Path, path: Path) -> None:
    made.chmod(permissions(path))
    made.replace(path)


def _log(folder: Path) -> JobLog:
    return JobLog(folder / LOG, folder.name.removesuffix(".job"))


def _last_progress(log: JobLog) -> JobProgress:
    entries = log.entries()
    try:
        return JobProgress(**{**entries[-1], "rows": RowCounts(**entries[-1]["rows"])}) if entries else JobProgress()
    except (TypeError, KeyError):
        raise log.damaged() from None


def _force_folder(folder: Path) -> None:
    """Forces the names in a folder to the disk, if the system can."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
