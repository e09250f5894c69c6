"""Manifest: what each stage of a run read and made, to skip stages whose inputs have not changed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from pipeline.errors import PipelineError
from pipeline.provenance import sha256, version, versions
from pipeline.workplace import BEGUN, begin, foreign, is_begun

RECORDED = {"code", "settings", "inputs", "outputs", "seconds"}  # keys that every stage has


@dataclass(frozen=True)
class Inputs:
    """What a stage depends on: the settings that it uses, the files that it reads, and the version of its code."""

    settings: Mapping[str, Any]
    files: Sequence[Path]
    version: int

    def fingerprint(self, folder: Path) -> dict[str, Any]:
        """The same as plain JSON values, with the SHA-256 of each file.

        Files in the run's `folder` are named relative to it, so that a run can be moved. Raises PipelineError if a file
        is missing or can't be read.
        """
        return {
            "code": f"zhpipe {version()}, stage version {self.version}",
            "settings": json.loads(json.dumps(self.settings)),
            "inputs": {_name(path, folder): _checksum(path) for path in self.files},
        }


@dataclass
class Manifest:
    """runs/NAME/manifest.json: settings, inputs, outputs (both with SHA-256), versions and seconds of each stage.

    A stage writes into `STAGE.partial`; when it is done, that folder is renamed to `STAGE`. The folder of an
    interrupted stage is kept, and the next attempt resumes from it if the inputs have not changed. Folders of these
    names that no run has made are never touched.

    `folders`: names of the folders that stages have made, which they may replace.
    """

    folder: Path
    stages: dict[str, Any] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, folder: Path) -> Manifest:
        """Reads the manifest in a run's folder, or begins one. Raises PipelineError if it can't be read."""
        path = folder / "manifest.json"
        if not path.exists():
            return cls(folder)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            stages = found["stages"]
            if not all(set(record) >= RECORDED for record in stages.values()):
                raise ValueError("a stage's record is incomplete")
            made = {name.partition("/")[0] for record in stages.values() for name in record["outputs"]}
            folders = made | set(found.get("folders", ()))
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise PipelineError(
                f"{path}: can't be read ({error}): move {folder} away to run every stage again"
            ) from None
        return cls(folder, stages, folders)

    def is_current(self, stage: str, inputs: Inputs) -> bool:
        """Whether a stage has run on exactly these inputs, and all its outputs exist unaltered."""
        record = self.stages.get(stage)
        if record is None or any(record.get(key) != value for key, value in inputs.fingerprint(self.folder).items()):
            return False
        return all(
            (self.folder / name).is_file() and sha256(self.folder / name) == value
            for name, value in record["outputs"].items()
        )

    def begin(self, stages: Mapping[str, Sequence[str]]) -> None:
        """Makes the run's folder with this file; `stages`: those that will run, each with the folders that it makes.

        Raises PipelineError, and touches nothing, if such a folder exists that no stage has made, or a config.toml.
        """
        for stage, makes in stages.items():
            self._check(makes)
            self._partial(stage, makes)
        config = self.folder / "config.toml"
        if not (self.folder / "manifest.json").exists():
            if config.exists():
                raise foreign(config)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._save()

    def _check(self, makes: Sequence[str]) -> None:
        for name in makes:
            path = self.folder / name
            if path.is_symlink() or name not in self.folders:
                is_begun(path)

    def _partial(self, stage: str, makes: Sequence[str]) -> dict[str, Path]:
        """The folders that a stage works in, by name. Raises PipelineError if one is not ours."""
        first, *others = (self.folder / f"{name}.partial" for name in makes)
        ours = is_begun(first, BEGUN, lambda found: _is_record(found, stage))
        for path in others:
            if path.is_symlink() or not ours:
                is_begun(path)
        return dict(zip(makes, (first, *others), strict=True))

    @contextmanager
    def running(self, stage: str, inputs: Inputs, makes: Sequence[str]) -> Iterator[dict[str, Path]]:
        """Gives the folders, by name, that a stage writes into; renames and records them if the block succeeds.

        Raises PipelineError if a folder of such a name is not ours.
        """
        fingerprint = inputs.fingerprint(self.folder)
        self._check(makes)
        partial = self._partial(stage, makes)
        begun = {"stage": stage, **fingerprint}
        if not _same(partial[makes[0]] / BEGUN, begun):
            _remove(list(partial.values()))
        for path in partial.values():
            path.mkdir(parents=True, exist_ok=True)
        begin(partial[makes[0]], begun)
        start = time.perf_counter()
        yield partial
        self.stages.pop(stage, None)
        self.folders.update(makes)
        self._save()
        for name, path in reversed(partial.items()):  # the first, which says whose they are, at the end
            shutil.rmtree(self.folder / name, ignore_errors=True)
            path.rename(self.folder / name)
        (self.folder / makes[0] / BEGUN).unlink()
        outputs = sorted(path for name in makes for path in (self.folder / name).rglob("*") if path.is_file())
        self.stages[stage] = {
            **fingerprint,
            "outputs": {path.relative_to(self.folder).as_posix(): sha256(path) for path in outputs},
            "seconds": round(time.perf_counter() - start, 3),
            "versions": versions(),
        }
        self._save()

    def renew(self, stage: str, paths: Sequence[Path]) -> None:
        """Records new checksums of a stage's outputs that were written again."""
        outputs = self.stages.get(stage, {}).get("outputs", {})
        for path in paths:
            if (name := _name(path, self.folder)) in outputs:
                outputs[name] = sha256(path)
        if outputs:
            self._save()

    def note(self, stage: str, summary: str) -> None:
        """Records the summary of a stage's last run."""
        self.stages[stage]["summary"] = summary
        self._save()

    def summary(self, stage: str) -> str:
        """The summary of a stage's last run; empty if none was recorded."""
        return str(self.stages.get(stage, {}).get("summary", ""))

    def seconds(self, stage: str) -> float | None:
        """Duration of a stage's last run; None if it has not run."""
        record = self.stages.get(stage)
        return record and record["seconds"]

    def _save(self) -> None:
        _write_json(
            self.folder / "manifest.json", {"format_version": 1, "folders": sorted(self.folders), "stages": self.stages}
        )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _checksum(path: Path) -> str:
    try:
        return sha256(path)
    except FileNotFoundError:
        raise PipelineError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise PipelineError(f"{path}: is a folder; a file is expected") from None
    except OSError as error:
        raise PipelineError(f"{path}: can't be read: {error.strerror}") from None


def _is_record(found: Any, stage: str) -> bool:
    return (
        isinstance(found, dict) and {"code", "settings", "inputs"} <= set(found) and found.get("stage", stage) == stage
    )


def _remove(partial: Sequence[Path]) -> None:
    """Removes the folders that a stage works in; the record of whose they are, in the first, at the end."""
    for path in partial[1:]:
        shutil.rmtree(path, ignore_errors=True)
    for path in partial[0].iterdir() if partial[0].exists() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != BEGUN:
            path.unlink()
    shutil.rmtree(partial[0], ignore_errors=True)


def _same(path: Path, fingerprint: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")) == fingerprint)
    except (OSError, ValueError):
        return False


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with replace_when_done(path) as temporary:
        temporary.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
