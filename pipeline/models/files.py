"""Files of a model's or an encoder's folder: which may be read at all, checked before any of them is parsed."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.provenance import sha256
from pipeline.segmentation.model_engine import FOLDER

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\x00-\x1f]+)")
# The largest size in bytes, by suffix: a protobuf file can't be larger than 2 GiB.
SIZES = {".toml": 1 << 20, ".csv": 1 << 20, ".json": 64 << 20, ".txt": 256 << 20, ".npy": 1 << 30, ".onnx": 1 << 31}
SUMS_SIZE = 1 << 16
NETWORKS = {"float32": "network.onnx", "int8": "network.int8.onnx"}  # by precision; a model folder has either or both


@dataclass(frozen=True)
class FolderKind:
    """What is known of a folder beforehand: its name, the file that says what it is, and the others that it must have.

    `such_as`: what may be named instead.
    """

    name: str
    card: str
    others: frozenset[str]
    such_as: str

    @property
    def again(self) -> str:
        """The way out."""
        return f"copy the {self.name} folder again"


MODEL = FolderKind("model", "model.toml", frozenset({"labels.txt"}), "runs/NAME/model, or one of `zhpipe models`")
ENCODER = FolderKind("encoder", "encoder.toml", frozenset({"vocabulary.txt"}), "encoders/NAME")


def check_kinds(folder: Path, kind: FolderKind = MODEL) -> None:
    """Raises ModelError unless a folder holds its card and otherwise regular files of bounded size.

    Nothing is opened. Names that begin with a dot, such as those of a file browser, are ignored and never read. The
    folder of a segmenter's model is checked when that is loaded.
    """
    if _mode(folder / kind.card) is None:
        raise ModelError(f"{folder}: no {kind.name} here: expected a folder with {kind.card}, such as {kind.such_as}")
    for name in sorted(_names(folder)):
        _check_file(folder / name, kind)


def check_sums(folder: Path, kind: FolderKind = MODEL) -> None:
    """Raises ModelError unless a folder, whose kinds of files were checked, holds just what SHA256SUMS lists."""
    names, sums = _names(folder), _sums(folder, kind)
    if missing := set(sums) - names:
        raise ModelError(f"{folder}: the file {min(missing)!r} that {SUMS} lists is missing: {kind.again}")
    if unlisted := names - set(sums) - {SUMS}:
        raise ModelError(f"{folder / min(unlisted)}: is not listed in {SUMS}: remove it, or {kind.again}")
    if absent := {kind.card, *kind.others} - set(sums):
        raise ModelError(f"{folder / SUMS}: does not list {', '.join(sorted(absent))}: {kind.again}")
    for name, expected in sums.items():
        if sha256(folder / name) != expected:
            raise ModelError(f"{folder / name}: its SHA-256 differs from {SUMS}: {kind.again}")


def write_sums(folder: Path) -> None:
    """Writes the checksums of every file in a folder."""
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != SUMS]
    text = "".join(f"{sha256(path)}  {path.name}\n" for path in paths)
    (folder / SUMS).write_text(text, encoding="utf-8", newline="\n")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {FOLDER}


def _sums(folder: Path, kind: FolderKind) -> dict[str, str]:
    """The checksum of each file that SHA256SUMS lists."""
    path = folder / SUMS
    if _mode(path) is None:
        raise ModelError(f"{path}: is missing: {kind.again}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: can't be read: {error}: {kind.again}") from None
    found = [LINE.fullmatch(line) for line in lines]
    sums = {line[2]: line[1] for line in found if line}
    if len(sums) < len(lines):
        raise ModelError(f"{path}: is cut short or altered: {kind.again}")
    return sums


def _check_file(path: Path, kind: FolderKind) -> None:
    mode, limit = _mode(path), SUMS_SIZE if path.name == SUMS else SIZES.get(path.suffix, SIZES[".toml"])
    if mode is not None and stat.S_ISLNK(mode):
        raise ModelError(f"{path}: is a link, and may lead anywhere: copy the file itself")
    if mode is None or not stat.S_ISREG(mode):
        raise ModelError(
            f"{path}: is not a file, and the {kind.name} folder has only files: remove it, or {kind.again}"
        )
    if path.stat().st_size > limit:
        raise ModelError(f"{path}: has {path.stat().st_size:,} bytes, expected at most {limit:,}: {kind.again}")


def _mode(path: Path) -> int | None:
    """The kind of a path, links not followed; None if there is nothing."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(f"{path}: can't be read: {error.strerror}") from None
