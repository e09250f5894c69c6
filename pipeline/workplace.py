"""Workplace: a folder of unfinished work beside an output; used and cleaned only if zhpipe made it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from pipeline.errors import PipelineError
from pipeline.locks import SIGNED

BEGUN = "begun.json"  # says whose a folder is, where no other file does
TEMPORARY = re.compile(r"\.[0-9a-f]{8}-.+")  # the names that `corpora.files.replace_when_done` writes to


def is_begun(folder: Path, record: str = "", is_ours: Callable[[Any], bool] = lambda found: False) -> bool:
    """Whether zhpipe has begun its work in a folder; False if the folder is missing or empty.

    `record`: name of the file that says so, whose content or first line is JSON that `is_ours` accepts. A lock and
    temporary files that a kill left count as nothing. Raises PipelineError for anything else: a link, a file, or a
    folder that somebody else made.

    >>> is_begun(Path("nowhere.job"))
    False
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise foreign(folder)
    try:
        if record and is_ours(_read(folder / record)):
            return True
        if any(not _is_nothing(path) for path in folder.iterdir()):
            raise foreign(folder)
    except FileNotFoundError:  # none, or another process has just finished there
        return False
    return False


def begin(folder: Path, record: Any) -> None:
    """Writes into a folder whose it is."""
    with replace_when_done(folder / BEGUN) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def clean(folder: Path, ours: re.Pattern[str], *last: str) -> None:
    """Removes the files that match `ours`, those named `last` at the end; and the folder, if it is empty then."""
    files = (path for path in folder.iterdir() if path.is_symlink() or path.is_file())
    found = {path.name: path for path in files if ours.fullmatch(path.name) or TEMPORARY.fullmatch(path.name)}
    for name in sorted(found, key=lambda name: (last.index(name) + 1 if name in last else 0, name)):
        found[name].unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def foreign(path: Path) -> PipelineError:
    """The error for a file or folder that stands in the way and was not made by zhpipe."""
    return PipelineError(
        f"{path}: zhpipe needs this name for a folder of its own, and what stands there is not known to be one: "
        "rename it, or name another output"
    )


def _read(path: Path) -> Any:
    """The JSON in a file or in its first line; None if there is none, or the file is a link."""
    if path.is_symlink():
        return None
    try:
        data = path.read_bytes()
    except OSError:
        return None
    for part in (data, data.partition(b"\n")[0]):
        try:
            return json.loads(part)
        except ValueError:
            continue
    return None


def _is_nothing(path: Path) -> bool:
    if TEMPORARY.fullmatch(path.name):
        return True
    return path.name == "lock" and not path.is_symlink() and path.is_file() and _is_lock(path)


def _is_lock(path: Path) -> bool:
    with path.open("rb") as file:
        data = file.read(300)
    return not data or bool(SIGNED.fullmatch(data))
