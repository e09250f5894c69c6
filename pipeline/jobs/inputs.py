"""Inputs: the files that names, folders and patterns stand for, and the output that each one gets in a folder."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from pathlib import Path

from corpora import packed
from corpora.table_options import SUFFIXES, TABLES
from pipeline.errors import PipelineError


def targets(
    sources: Sequence[str | Path], folder: Path, output_format: str | None, suffixes: Collection[str] = SUFFIXES
) -> list[tuple[Path, Path]]:
    """Every input file with its output in `folder`.

    `output_format`: gives outputs their suffix, None keeps that of the input; `suffixes`: of the files to take from
    folders and patterns. Raises PipelineError if nothing is found, or if two inputs have one output.
    """
    if folder.is_file():
        raise PipelineError(f"{folder}: is a file; several inputs need a folder: name one")
    found: dict[Path, Path] = {}
    for source, name in (pair for pattern in sources for pair in _matches(str(pattern), folder, suffixes)):
        target = folder / _renamed(name, output_format)
        if found.setdefault(target, source) != source:
            raise PipelineError(f"{target}: would be the output of both {found[target]} and {source}: label them apart")
    return [(source, target) for target, source in found.items()]


def are_many(sources: Sequence[str], target: str) -> bool:
    """Whether the inputs are, or may be, several files, so that the output is a folder."""
    return (
        len(sources) > 1 or Path(sources[0]).is_dir() or _is_pattern(sources[0]) or Path(target).is_dir()
    ) and sources != ["-"]


def _is_pattern(source: str) -> bool:
    return glob.has_magic(source) and not Path(source).exists()


def _matches(source: str, folder: Path, suffixes: Collection[str]) -> list[tuple[Path, Path]]:
    """Files, each with its name in the output folder."""
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() != ".json")  # most are no tables
        found = [(file, file.relative_to(path)) for file in files if _is_input(file, path, folder, suffixes)]
    elif _is_pattern(source):
        files = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207 (absolute ones too)
        found = [(file, Path(file.name)) for file in files if _is_input(file, Path(file.anchor), folder, suffixes)]
    else:
        return [(path, Path(path.name))]
    if not found:
        raise PipelineError(f"{source}: no tables there; the formats are {', '.join(TABLES)}")
    return found


def _is_input(file: Path, root: Path, folder: Path, suffixes: Collection[str]) -> bool:
    """Whether a file found under `root` is an input: not hidden, and not made by an earlier job."""
    hidden = any(part.startswith(".") and part not in (".", "..") for part in file.relative_to(root).parts)
    left = file.name.endswith(".rejected.csv") or any(part.endswith(".job") for part in file.parts)
    inside = folder.resolve() in file.resolve().parents
    return file.is_file() and not (hidden or left or inside) and packed.suffix_inside(file) in suffixes


def _renamed(name: Path, output_format: str | None) -> Path:
    """The name with the suffix of another format, if one is given: a.csv.gz becomes a.jsonl.gz, or a.parquet.

    Zip files, which are only read, become unpacked ones.
    """
    packing = packed.packing(name)
    plain = name.with_name(name.name[: len(name.name) - len(packing)])
    kept = "" if packing == packed.READ_ONLY or output_format in ("parquet", "xlsx", "json") else packing
    if output_format is None:
        return plain.with_name(plain.name + kept)
    stem = plain.with_suffix("") if plain.suffix.lower() in SUFFIXES else plain
    return stem.with_name(f"{stem.name}.{output_format}{kept}")
