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
    interrupted stage is kept, and the next attempt resumes from it if the inputs have not changed.
    """

    folder: Path
    stages: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Manifest:
        """Reads the manifest in a run's folder, or begins one. Raises PipelineError if it can't be read."""
        path = folder / "manifest.json"
        if not path.exists():
            return cls(folder)
        try:
            stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
            if not all(set(record) >= RECORDED for record in stages.values()):
                raise ValueError("a stage's record is incomplete")
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise PipelineError(f"{path}: can't be read ({error}): delete it to run every stage again") from None
        return cls(folder, stages)

    def is_current(self, stage: str, inputs: Inputs) -> bool:
        """Whether a stage has run on exactly these inputs, and all its outputs exist unaltered."""
        record = self.stages.get(stage)
        if record is None or any(record.get(key) != value for key, value in inputs.fingerprint(self.folder).items()):
            return False
        return all(
            (self.folder / name).is_file() and sha256(self.folder / name) == value
            for name, value in record["outputs"].items()
        )

    @contextmanager
    def running(self, stage: str, inputs: Inputs, makes: Sequence[str]) -> Iterator[dict[str, Path]]:
        """Gives the folders, by name, that a stage writes into; renames and records them if the block succeeds."""
        fingerprint = inputs.fingerprint(self.folder)
        partial = {name: self.folder / f"{name}.partial" for name in makes}
        begun = partial[makes[0]] / "begun.json"
        if not _same(begun, fingerprint):
            for path in partial.values():
                shutil.rmtree(path, ignore_errors=True)
        for path in partial.values():
            path.mkdir(parents=True, exist_ok=True)
        _write_json(begun, fingerprint)
        start = time.perf_counter()
        yield partial
        self.stages.pop(stage, None)
        self._save()
        begun.unlink()
        for name, path in partial.items():
            shutil.rmtree(self.folder / name, ignore_errors=True)
            path.rename(self.folder / name)
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

    def seconds(self, stage: str) -> float | None:
        """Duration of a stage's last run; None if it has not run."""
        record = self.stages.get(stage)
        return record and record["seconds"]

    def _save(self) -> None:
        _write_json(self.folder / "manifest.json", {"format_version": 1, "stages": self.stages})


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


def _same(path: Path, fingerprint: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")) == fingerprint)
    except (OSError, ValueError):
        return False


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with replace_when_done(path) as temporary:
        temporary.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
