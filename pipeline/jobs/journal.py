"""Journal: how far a job has come, kept beside its output, so that the same command goes on after whatever happened."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from pipeline.errors import PipelineError
from pipeline.locks import locked

VERSION = 2


@dataclass(frozen=True)
class JobProgress:
    """How far a job has come; what is counted is on the disk.

    `chunks`: finished ones; `read` = `labelled` + `blank` + `rejected`: rows; `output`, `rejects`: bytes of the two
    files; `tally`: what was counted of the answers (`pipeline.models.drift`); `whole`: whether all is written, and the
    files only have to get their names.
    """

    chunks: int = 0
    read: int = 0
    labelled: int = 0
    blank: int = 0
    rejected: int = 0
    output: int = 0
    rejects: int = 0
    tally: dict[str, float] = field(default_factory=dict)
    whole: bool = False


@dataclass
class Journal:
    """The folder `OUT.job` beside an output: what the job depends on, what is done, and the output as it grows.

    job.json says what the job depends on; journal.jsonl gets a line whenever the bytes it speaks of have been forced to
    the disk (write-ahead logging the other way round: first the data, then the promise). `at` cuts off what stands
    behind the last such line, which a kill, a power cut or a full disk may have left. A lock on the folder keeps other
    processes out; it ends with the process, however that ends.

    Made by `Journal.at`; a context that lets the lock go. Raises PipelineError from `at` where another process
    works on the same output, or the folder belongs to a job on another input, with another model or other options.
    """

    folder: Path
    standing: JobProgress = field(default_factory=JobProgress)
    _lock: IO[bytes] | None = None
    _files: dict[str, IO[bytes]] = field(default_factory=dict)

    @staticmethod
    def is_whole(folder: Path) -> bool:
        """Whether a job there is done but for the names of its files."""
        return _last_standing(folder / "journal.jsonl").whole

    @classmethod
    def at(cls, folder: Path, depends: Mapping[str, Any], *, restart: bool = False) -> Journal:
        """Begin a job, or go on with the one that `depends` on the same things."""
        journal = cls(folder, _lock=locked(folder))
        try:
            journal._begin({"version": VERSION, **json.loads(json.dumps(depends))}, restart)
        except BaseException:
            journal.close()
            raise
        return journal

    def append(self, output: bytes, rejects: bytes) -> None:
        """Bytes behind the two files; they count from the next `commit` on."""
        for name, data in (("output", output), ("rejects", rejects)):
            if data:
                self._files[name].write(data)

    def commit(self, standing: JobProgress) -> None:
        """Forces all bytes to the disk, and then the line that counts them."""
        for name, before in (("output", self.standing.output), ("rejects", self.standing.rejects)):
            if getattr(standing, name) != before:
                _force(self._files[name])
        self._files["journal.jsonl"].write(json.dumps(asdict(standing)).encode() + b"\n")
        _force(self._files["journal.jsonl"])
        self.standing = standing

    def finish(self, target: Path, rejected: Path, *, output: str = "output") -> None:
        """Gives the finished files their names, first the rejected rows, and removes the folder. Can be repeated.

        `output`: the name in the folder of what becomes `target`.
        """
        self._close_files()
        if self.standing.rejects == 0:
            rejected.unlink(missing_ok=True)
        elif (self.folder / "rejects").exists():
            (self.folder / "rejects").replace(rejected)
        if (self.folder / output).exists():
            (self.folder / output).replace(target)
        _force_folder(target.parent)
        self.remove()

    def remove(self) -> None:
        """Removes the folder and all in it, the journal last: as long as it is there, `finish` can be repeated."""
        self._close_files()
        for path in self.folder.iterdir():
            if path.name not in ("lock", "journal.jsonl"):
                path.unlink()
        (self.folder / "journal.jsonl").unlink(missing_ok=True)
        if sys.platform == "win32":
            self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Lets the lock go."""
        self._close_files()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _begin(self, depends: Mapping[str, Any], restart: bool) -> None:
        self.standing = JobProgress() if restart else _last_standing(self.folder / "journal.jsonl")
        if self.standing.chunks or self.standing.whole:
            self._check(depends)
        else:
            for path in self.folder.iterdir():
                if path.name != "lock":
                    path.unlink()
            _write(self.folder / "job.json", depends)
        self._open_file("journal.jsonl", _length(self.folder / "journal.jsonl"))
        if not self.standing.whole:
            self._open_file("output", self.standing.output)
            self._open_file("rejects", self.standing.rejects)
        _force_folder(self.folder)

    def _check(self, depends: Mapping[str, Any]) -> None:
        begun = _read(self.folder / "job.json")
        changed = [name for name in {**begun, **depends} if begun.get(name) != depends.get(name)]
        if changed:
            raise PipelineError(
                f"{self.folder}: a job was begun here and is not finished; since then {', '.join(changed)} changed: "
                "put that back to go on, or pass --restart to begin anew"
            )

    def _open_file(self, name: str, length: int) -> None:
        path = self.folder / name
        if (path.stat().st_size if path.exists() else 0) < length:
            raise PipelineError(f"{path}: is shorter than the journal says: pass --restart to begin anew")
        path.touch()
        self._files[name] = file = path.open("r+b")
        file.truncate(length)
        file.seek(length)

    def _close_files(self) -> None:
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # what could not be written is not counted either
                continue
        self._files.clear()


def _last_standing(path: Path) -> JobProgress:
    """What the last complete line says; a line that was cut short promises nothing."""
    try:
        lines = path.read_bytes()[: _length(path)].splitlines()
        last = json.loads(lines[-1]) if lines else {}
        return JobProgress(**{name.name: last[name.name] for name in fields(JobProgress)}) if lines else JobProgress()
    except FileNotFoundError:
        return JobProgress()
    except (ValueError, TypeError, KeyError):
        raise PipelineError(f"{path}: is damaged: pass --restart to begin anew") from None


def _length(path: Path) -> int:
    """Bytes up to the end of the last complete line."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        raise PipelineError(f"{path}: is damaged or missing: pass --restart to begin anew") from None


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with path.open("wb") as file:
        file.write(json.dumps(values, ensure_ascii=False, indent=2).encode() + b"\n")
        _force(file)


def _force(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _force_folder(folder: Path) -> None:
    """Forces the names in a folder to the disk, where the system has a way to."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
