"""Dependencies: everything that the bytes of an output depend on, to tell whether it is current."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.files import STREAM
from pipeline.errors import PipelineError
from pipeline.provenance import versions

PACKAGES = ("zhpipe", "numpy", "jieba", "rjieba", "onnxruntime")  # whose versions can change an answer


@dataclass(frozen=True)
class Dependencies:
    """What an output is made of.

    `values`: by names that a user knows, such as `the input` (its SHA-256) and `--text`; `stamp`: size and time of the
    input, taken before it was hashed; None for standard input.
    """

    values: Mapping[str, Any]
    stamp: tuple[int, int] | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the values."""
        return hashlib.sha256(json.dumps(self.values).encode()).hexdigest()

    def check_unchanged(self, source: Path) -> None:
        """Raises PipelineError if the input was written to since it was hashed."""
        if not (source == STREAM or source.exists()) or file_stamp(source) != self.stamp:
            raise PipelineError(f"{source}: changed while it was read: pass --restart to begin anew")


def file_stamp(path: Path) -> tuple[int, int] | None:
    """Size and modification time of a file in nanoseconds; None for standard input. Raises FileNotFoundError."""
    if path == STREAM:
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def installed() -> dict[str, str]:
    """The installed versions of the packages that can change an answer."""
    return versions(PACKAGES)
