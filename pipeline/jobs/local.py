"""The local engine: several tables, one after the other, each on all cores of this machine, into one folder."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import packed
from corpora.errors import CorpusError
from corpora.table import SUFFIXES, TABLES
from pipeline.errors import PipelineError
from pipeline.jobs.label import LabelResult, label_file, ready
from pipeline.jobs.table_job import Options, TableJob
from pipeline.models.model import Model
from pipeline.progress import Progress, silent

RECORD = ".zhpipe.jsonl"


@dataclass(frozen=True)
class FileResult:
    """How one file went: `labelled`, or None where it was done before, or `error`, a sentence."""

    source: Path
    target: Path
    labelled: LabelResult | None = None
    error: str = ""


def label_files(
    model: str | Path | Model,
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    options: Options,
    force: bool = False,
    restart: bool = False,
    progress: Progress = silent,
) -> list[FileResult]:
    """Labels files, patterns (`*`, `**`, `?`, `[]`) and all tables in folders, each to a file of its name in `folder`.

    A folder's subfolders are kept. With `options.output_format` the suffix changes. A file that can't be labelled is in
    the outcomes, and the others go on. The same call once more goes on where it was stopped, and leaves alone what
    is done: `folder`/.zhpipe.jsonl says what each output was made of; `restart` does all anew. Raises ModelError for a
    bad model, PipelineError where no file is found, or two would have one output.
    """
    folder = Path(folder)
    found = targets(sources, folder, options.ending)
    loaded = ready(model)
    folder.mkdir(parents=True, exist_ok=True)
    record = Record(folder / RECORD)
    return [_label(loaded, source, target, options, record, force, restart, progress) for source, target in found]


def targets(
    sources: Sequence[str | Path], folder: Path, output_format: str | None, suffixes: Collection[str] = SUFFIXES
) -> list[tuple[Path, Path]]:
    """Every input file and where its output goes; errors as `label_files`.

    `suffixes`: of the files that are meant, in folders and by patterns.
    """
    if folder.is_file():
        raise PipelineError(f"{folder}: is a file; several inputs need a folder: name one")
    found: dict[Path, Path] = {}
    for source, name in (pair for pattern in sources for pair in _matches(str(pattern), folder, suffixes)):
        target = folder / _renamed(name, output_format)
        if found.setdefault(target, source) != source:
            raise PipelineError(f"{target}: would be the output of both {found[target]} and {source}: label them apart")
    return [(source, target) for target, source in found.items()]


def is_many(sources: Sequence[str], target: str) -> bool:
    """Whether the inputs are, or may be, several files, so that the output is a folder."""
    return (
        len(sources) > 1 or Path(sources[0]).is_dir() or _is_pattern(sources[0]) or Path(target).is_dir()
    ) and sources != ["-"]


def _is_pattern(source: str) -> bool:
    return glob.has_magic(source) and not Path(source).exists()


def _matches(source: str, folder: Path, suffixes: Collection[str]) -> list[tuple[Path, Path]]:
    """Files, and the name that each has in the output folder."""
    path = Path(source)
    if path.is_dir():
        files = sorted(path.rglob("*"))
        found = [(file, file.relative_to(path)) for file in files if _is_meant(file, path, folder, suffixes)]
    elif _is_pattern(source):
        files = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207 (absolute ones too)
        found = [(file, Path(file.name)) for file in files if _is_meant(file, Path(file.anchor), folder, suffixes)]
    else:
        return [(path, Path(path.name))]
    if not found:
        raise PipelineError(f"{source}: no tables there; the formats are {', '.join(TABLES)}")
    return found


def _is_meant(file: Path, root: Path, folder: Path, suffixes: Collection[str]) -> bool:
    """Whether a file found in a folder is meant: no hidden file, and nothing that a labelling has left."""
    hidden = any(part.startswith(".") and part not in (".", "..") for part in file.relative_to(root).parts)
    left = file.name.endswith(".rejected.csv") or any(part.endswith(".job") for part in file.parts)
    inside = folder.resolve() in file.resolve().parents
    stem = file.stem if packed.packing(file) else file.name
    return file.is_file() and not (hidden or left or inside) and Path(stem).suffix.lower() in suffixes


def _renamed(name: Path, output_format: str | None) -> Path:
    """With the suffix of another format, if there is one: a.csv.gz becomes a.jsonl.gz, or a.parquet."""
    if output_format is None:
        return name
    packing = packed.packing(name)
    plain = name.with_name(name.name[: len(name.name) - len(packing)])
    stem = plain.with_suffix("") if plain.suffix.lower() in SUFFIXES else plain
    kept = "" if output_format in ("parquet", "xlsx") else packing
    return stem.with_name(f"{stem.name}.{output_format}{kept}")


class Record:
    """What each output in a folder was made of, a line each, the last one counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        for line in path.read_bytes().splitlines() if path.exists() else []:
            try:
                entry = json.loads(line)
                self._known[entry["output"]] = (entry["of"], entry["before"])
            except (ValueError, KeyError, TypeError):  # cut short: that output was not begun
                continue

    def is_done(self, target: Path, depends: str) -> bool:
        """Whether the output was made of just this."""
        made_of, before = self._known.get(self._name(target), (None, None))
        return target.exists() and made_of == depends and _state(target) != before

    def begin(self, target: Path, depends: str) -> None:
        """Notes what an output is going to be made of, and what stands there now."""
        if self._known.get(self._name(target), (None,))[0] == depends and not target.exists():
            return
        name, before = self._name(target), _state(target)
        entry = {"output": name, "of": depends, "before": before}
        with self.path.open("ab") as file:
            file.write(b"\n" + json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._known[name] = (depends, before)

    def _name(self, target: Path) -> str:
        return target.relative_to(self.path.parent).as_posix()


def _state(target: Path) -> list[int] | None:
    if not target.exists():
        return None
    found = target.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _label(
    model: Model,
    source: Path,
    target: Path,
    options: Options,
    record: Record,
    force: bool,
    restart: bool,
    progress: Progress,
) -> FileResult:
    try:
        depends = hashlib.sha256(json.dumps(TableJob(model, source, target, options).depends()).encode()).hexdigest()
        job = target.with_name(f"{target.name}.job")
        if record.is_done(target, depends) and not restart and not job.exists():
            return FileResult(source, target)
        if target.exists() and not force and not restart and not job.exists():
            raise PipelineError(f"{target}: exists already: name another folder, or pass --force to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not job.exists():
            record.begin(target, depends)
        labelled = label_file(
            model,
            source,
            target,
            force=force or restart,
            restart=restart,
            progress=progress,
            **options.as_arguments(),
        )
        return FileResult(source, target, labelled)
    except FileNotFoundError:
        return FileResult(source, target, error=f"{source}: no such file")
    except (CorpusError, PipelineError) as error:
        return FileResult(source, target, error=str(error))
