"""Intake: one input on its way to a folder of parts, how far it is, and how the same call goes on with it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from corpora.errors import CorpusError
from embeddings.errors import EmbeddingError
from pipeline.errors import PipelineError
from pipeline.jobs.job import Job
from pipeline.jobs.label import LabelResult, promises, state
from pipeline.jobs.local import FileResult, Record
from pipeline.jobs.parts import PartRecord
from pipeline.models.drift import added

JOURNAL = ".parts.jsonl"
FAULTS = (CorpusError, EmbeddingError, PipelineError, OSError)  # which concern an input, and not the others


@dataclass(eq=False)
class InputState:
    """One input on its way to a folder of parts.

    `name`: as it was given; `target`: the folder; `familiar`: what the job's model knows; `claimed`: what its answers
    claim; `done`: the parts that are there; `parts`: how many there will be, once that is known; `resumed`: rows that
    an earlier attempt had done; `error`: why it was given up; `is_done`: whether there is nothing left to do.
    """

    source: Path
    name: str
    target: Path
    familiar: Mapping[str, Any] = field(default_factory=dict)
    claimed: tuple[str, str] | None = None
    depends: dict[str, Any] = field(default_factory=dict)
    done: dict[int, PartRecord] = field(default_factory=dict)
    parts: int | None = None
    resumed: int = 0
    error: str = ""
    is_done: bool = False
    state: object = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    @classmethod
    def begin(cls, job: Job, source: Path, target: Path, record: Record, force: bool, restart: bool) -> InputState:
        """Finds out what is done, and checks the rest as far as it can be; what is wrong is in `error`."""
        made = cls(source.absolute(), source.as_posix(), target, job.familiar, job.claimed)
        try:
            made._begin(job, record, force, restart)
        except FileNotFoundError:
            made.error, made.is_done = f"{source}: no such file", True
        except FAULTS as error:
            made.error, made.is_done = str(error), True
        return made

    @property
    def folder(self) -> Path:
        """Where the parts stand until all are there."""
        return self.target.with_name(f"{self.target.name}.job")

    @property
    def is_whole(self) -> bool:
        """Whether all parts are there."""
        return len(self.done) == self.parts

    @property
    def outcome(self) -> FileResult:
        """How it went."""
        if self.error or not self.done:
            return FileResult(self.source, self.target, error=self.error)
        parts = [self.done[number] for number in sorted(self.done)]
        labelled = LabelResult(
            rows=sum(part.read for part in parts),
            labelled=sum(part.labelled for part in parts),
            blank=sum(part.blank for part in parts),
            rejected=sum(part.rejected for part in parts),
            seconds=self.seconds,
            resumed=self.resumed,
            reason=next((part.reason for part in parts if part.reason), ""),
            **promises(reduce(added, (part.tally for part in parts)), self.familiar, self.claimed),
        )
        return FileResult(self.source, self.target, labelled)

    def add(self, part: PartRecord) -> None:
        """Notes a part that has been made, on the disk first; the last one gives the folder its name."""
        with (self.folder / JOURNAL).open("ab") as file:
            file.write(json.dumps(asdict(part), ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._note(part)
        if self.is_whole and state(self.source) != self.state:
            self.fail(f"{self.source}: changed while it was read: pass --restart to begin anew")
        elif self.is_whole:
            self._finish()

    def fail(self, error: str) -> None:
        """Gives the input up; what is done of it stays, and can be gone on with."""
        self.error, self.is_done = error, True
        if not self.done:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self, job: Job, record: Record, force: bool, restart: bool) -> None:
        self.state = state(self.source)
        self.depends = json.loads(json.dumps(job.depends(self.source, self.name, self.target)))
        if restart:
            shutil.rmtree(self.folder, ignore_errors=True)
        made_of = hashlib.sha256(json.dumps(self.depends).encode()).hexdigest()
        if not self.folder.exists():
            if record.is_done(self.target, made_of) and not restart:
                self.is_done = True
                return
            if self.target.exists() and not force and not restart:
                raise PipelineError(f"{self.target}: exists already: name another folder, or pass --force")
            record.begin(self.target, made_of)
            self.folder.mkdir(parents=True)
        self._resume()
        if self.is_whole:
            self._finish()

    def _resume(self) -> None:
        path = self.folder / JOURNAL
        data = path.read_bytes() if path.exists() else b""
        try:
            lines = [dict(json.loads(line)) for line in data[: data.rfind(b"\n") + 1].splitlines()]
            parts = [PartRecord(**line) for line in lines[1:]]
        except (ValueError, TypeError):
            raise PipelineError(f"{path}: is damaged: pass --restart to begin anew") from None
        if not lines:
            path.write_bytes(json.dumps(self.depends, ensure_ascii=False).encode() + b"\n")
            return
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)
        changed = [key for key in {**lines[0], **self.depends} if lines[0].get(key) != self.depends.get(key)]
        if changed:
            raise PipelineError(
                f"{self.folder}: a job was begun here and is not finished; since then {', '.join(changed)} changed: "
                "put that back to go on, or pass --restart to begin anew"
            )
        there = {path.name.split(".")[0] for path in self.folder.iterdir()}
        for part in parts:
            if f"part-{part.number:05}" in there:
                self._note(part)
        self.resumed = sum(part.read for part in self.done.values())

    def _note(self, part: PartRecord) -> None:
        self.done[part.number] = part
        if part.last:
            self.parts = part.number + 1

    def _finish(self) -> None:
        """The folder gets its name; one that had it goes."""
        for left in self.folder.glob(".*"):  # by workers that were killed
            if left.name != JOURNAL:
                left.unlink()
        old = self.target.with_name(f".{secrets.token_hex(4)}.job")
        if self.target.is_dir():
            self.target.replace(old)
        else:
            self.target.unlink(missing_ok=True)
        self.folder.replace(self.target)
        shutil.rmtree(old, ignore_errors=True)
        self.is_done = True
        self.seconds = time.perf_counter() - self.started
