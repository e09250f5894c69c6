"""Job log: what a job depends on and how far it has come, as JSON lines that survive a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from pipeline.errors import PipelineError
from pipeline.workplace import is_begun

FORMAT = 3


class JobLog:
    """An append-only file of JSON objects, one a line; a line is on the disk before `append` returns.

    The first line holds the format's version, the name of the output, and what the job depends on. Each later line is
    an entry of the job. A last line that was cut short, by a kill or a full disk, is ignored. Methods raise
    PipelineError if the file is damaged or was written in another format.
    """

    def __init__(self, path: Path, output: str) -> None:
        self.path = path
        self.output = output

    def is_begun(self) -> bool:
        """Whether a job on this output has begun in the folder of the log.

        Raises PipelineError if the folder holds anything else, or is a link: then it is somebody else's.
        """
        return is_begun(
            self.path.parent,
            self.path.name,
            lambda found: isinstance(found, dict) and found.get("output") == self.output and "depends" in found,
        )

    def entries(self) -> list[dict[str, Any]]:
        """The entries in order; [] if the job has not begun."""
        return self._lines()[1:]

    def begin(self, depends: Mapping[str, Any]) -> None:
        """Starts an empty log."""
        head = {"format": FORMAT, "output": self.output, "depends": depends}
        with replace_when_done(self.path) as temporary:
            temporary.write_bytes(_line(head))

    def resume(self, depends: Mapping[str, Any]) -> None:
        """Prepares for further entries, or begins. Raises PipelineError if the job depended on other values."""
        lines = self._lines()
        if not lines:
            return self.begin(depends)
        before, now = lines[0]["depends"], json.loads(json.dumps(depends))
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if changed:
            raise PipelineError(
                f"{self.path.parent}: a job was begun here and is not finished; since then {', '.join(changed)} "
                "changed: put that back to go on, or pass --restart to begin anew"
            )
        data = self.path.read_bytes()
        with self.path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Adds an entry and forces it to the disk."""
        with self.path.open("ab") as file:
            file.write(_line(entry))
            file.flush()
            os.fsync(file.fileno())

    def damaged(self) -> PipelineError:
        """The error for a log that can't be read."""
        return PipelineError(f"{self.path}: is damaged: pass --restart to begin anew")

    def _lines(self) -> list[dict[str, Any]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        try:
            lines = [dict(json.loads(line)) for line in data[: data.rfind(b"\n") + 1].splitlines()]
        except (ValueError, TypeError):
            raise self.damaged() from None
        if lines and not (lines[0].get("format") == FORMAT and isinstance(lines[0].get("depends"), dict)):
            raise self.damaged()
        return lines


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
