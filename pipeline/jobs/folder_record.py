"""Folder record: what each output in a folder was made of, to skip those that are current."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

RECORD = ".zhpipe.jsonl"


class FolderRecord:
    """The file .zhpipe.jsonl of an output folder: one line per output; the last line for a file is the valid one.

    A line is written before its output is begun. It holds the fingerprint of what the output depends on, and the state
    of the file that stood in its place, so that an old file is not taken for the new one.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORD
        self._known: dict[str, Any] = {}
        for line in self.path.read_bytes().splitlines() if self.path.exists() else []:
            try:
                entry = json.loads(line)
                self._known[entry["output"]] = (entry["of"], entry["before"])
            except (ValueError, KeyError, TypeError):  # cut short: that output was not begun
                continue

    def is_current(self, target: Path, fingerprint: str) -> bool:
        """Whether an output exists and was made of just these dependencies."""
        made_of, before = self._known.get(self._name(target), (None, None))
        return target.exists() and made_of == fingerprint and _state(target) != before

    def begin(self, target: Path, fingerprint: str) -> None:
        """Notes what an output is going to be made of, before it is begun."""
        if self._known.get(self._name(target), (None,))[0] == fingerprint and not target.exists():
            return
        name, before = self._name(target), _state(target)
        entry = {"output": name, "of": fingerprint, "before": before}
        with self.path.open("ab") as file:
            file.write(b"\n" + json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._known[name] = (fingerprint, before)

    def _name(self, target: Path) -> str:
        return target.relative_to(self.path.parent).as_posix()


def _state(target: Path) -> list[int] | None:
    if not target.exists():
        return None
    found = target.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ino]
