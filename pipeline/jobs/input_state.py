"""Input state: one input on its way into a folder of parts, how far it is, and how the same call resumes it."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline.errors import PipelineError
from pipeline.jobs.dependencies import Dependencies
from pipeline.jobs.folder_record import FolderRecord
from pipeline.jobs.job import Job
from pipeline.jobs.job_log import JobLog
from pipeline.jobs.parts import PartRecord
from pipeline.jobs.results import FileResult, RowCounts
from pipeline.workplace import TEMPORARY, clean, foreign

LOG = ".parts.jsonl"
OWN = re.compile(r"part-\d{5,}\..+|rejected-\d{5,}\.csv|\.parts\.jsonl")  # the files of a folder of parts
INPUT_ERRORS = (CorpusError, EmbeddingError, PipelineError, OSError)  # which end one input, and not the others


@dataclass(eq=False)
class InputState:
    """One input on its way into a folder of parts.

    `name`: the input as the user named it; `target`: the folder; `done`: the parts that exist, by number; `parts`: how
    many there will be, None until the last one is made; `resumed`: rows that an earlier attempt had done; `error`: why
    the input was given up; `is_done`: whether nothing is left to do.
    """

    job: Job
    source: Path
    name: str
    target: Path
    dependencies: Dependencies = field(default_factory=lambda: Dependencies({}))
    done: dict[int, PartRecord] = field(default_factory=dict)
    parts: int | None = None
    resumed: int = 0
    error: str = ""
    is_done: bool = False
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    @classmethod
    def begin(
        cls, job: Job, source: Path, target: Path, record: FolderRecord, *, force: bool = False, restart: bool = False
    ) -> InputState:
        """Finds out what is done already, and checks the input; `error` says what is wrong."""
        made = cls(job, source.absolute(), source.as_posix(), target)
        try:
            made._begin(record, force, restart)
        except FileNotFoundError:
            made.error, made.is_done = f"{source}: no such file", True
        except INPUT_ERRORS as error:
            made.error, made.is_done = str(error), True
        return made

    @property
    def folder(self) -> Path:
        """Where the parts are until all of them exist."""
        return self.target.with_name(f"{self.target.name}.job")

    @property
    def is_whole(self) -> bool:
        """Whether all parts exist."""
        return len(self.done) == self.parts

    @property
    def result(self) -> FileResult:
        """How it went."""
        if self.error or not self.done:
            return FileResult(self.source, self.target, error=self.error)
        parts = [self.done[number] for number in sorted(self.done)]
        counts = sum((part.rows for part in parts), RowCounts())
        reason = next((part.reason for part in parts if part.reason), "")
        result = self.job.result(counts, seconds=self.seconds, resumed=self.resumed, reason=reason)
        return FileResult(self.source, self.target, result)

    def add(self, part: PartRecord) -> None:
        """Records a part that was made, on the disk first; after the last part the folder gets its name."""
        self._log.append(asdict(part))
        self._note(part)
        if self.is_whole:
            try:
                self.dependencies.check_unchanged(self.source)
            except PipelineError as error:
                return self.fail(str(error))
            self._finish()

    def fail(self, error: str) -> None:
        """Gives the input up; its parts are kept, and a later call can resume it."""
        self.error, self.is_done = error, True
        if not self.done:
            with suppress(OSError):  # a worker may still be writing there
                clean(self.folder, OWN, LOG)

    @property
    def _log(self) -> JobLog:
        return self._log_in(self.folder)

    def _log_in(self, folder: Path) -> JobLog:
        return JobLog(folder / LOG, self.target.name)

    def _begin(self, record: FolderRecord, force: bool, restart: bool) -> None:
        self.dependencies = self.job.dependencies(self.source, self.name, self.target)
        is_begun = self._log.is_begun()
        if is_begun and restart:
            clean(self.folder, OWN, LOG)
            is_begun = False
        fingerprint = self.dependencies.fingerprint
        if not is_begun:
            if record.is_current(self.target, fingerprint) and not restart:
                self.is_done = True
                return
            if self.target.exists() and not force and not restart:
                raise PipelineError(f"{self.target}: exists already: name another folder, or pass --force")
        self._check_target()
        if not is_begun:
            record.begin(self.target, fingerprint)
            self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.is_whole:
            self._finish()

    def _check_target(self) -> None:
        """Raises PipelineError if a folder with the output's name is not ours, or holds files that are not."""
        if self.target.is_dir() and self._log_in(self.target).is_begun():
            others = [path for path in self.target.iterdir() if not OWN.fullmatch(path.name)]
            if others:
                raise foreign(others[0])

    def _resume(self) -> None:
        entries = self._log.entries()
        try:
            parts = [PartRecord(**{**entry, "rows": RowCounts(**entry["rows"])}) for entry in entries]
        except (TypeError, KeyError):
            raise self._log.damaged() from None
        self._log.resume(self.dependencies.values)
        there = {path.name.split(".")[0] for path in self.folder.iterdir()}
        for part in parts:
            if f"part-{part.number:05}" in there:
                self._note(part)
        self.resumed = sum(part.rows.read for part in self.done.values())

    def _note(self, part: PartRecord) -> None:
        self.done[part.number] = part
        if part.last:
            self.parts = part.number + 1

    def _finish(self) -> None:
        """The folder gets its name, in place of another that had it."""
        for left in self.folder.iterdir():  # by workers that were killed
            if TEMPORARY.fullmatch(left.name):
                left.unlink()
        old = self.target.with_name(f".{secrets.token_hex(4)}.job")
        if self.target.is_dir():
            self.target.replace(old)
        else:
            self.target.unlink(missing_ok=True)
        self.folder.replace(self.target)
        if old.exists():
            clean(old, OWN, LOG)
        self.is_done = True
        self.seconds = time.perf_counter() - self.started
