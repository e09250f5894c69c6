"""Limits: sizes and times of a labelling job; a module that is quick to import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The model's heavy libraries, imported once for all workers where the system can share them.
PRELOAD = ("pipeline.jobs.predict", "onnx", "onnxruntime", "rjieba")


@dataclass(frozen=True)
class Limits:
    """Sizes and times of a labelling job.

    `chunk_rows`, `chunk_characters`: a chunk, the rows that are in memory and are labelled together, ends at whichever
    comes first; `bad_rows`: a file that begins with so many bad rows and no good one is given up; `solo_seconds`: time
    that this process works alone before it starts others, unless the file has `large_bytes` or more; `commit_seconds`:
    time between two entries of the journal, the most work that a kill can cost; `part_chunks`: chunks in a part of a
    job on a cluster.
    """

    chunk_rows: int = 2048
    chunk_characters: int = 1 << 21
    bad_rows: int = 100
    solo_seconds: float = 1.0
    large_bytes: int = 1_000_000
    commit_seconds: float = 1.0
    part_chunks: int = 16

    def is_large(self, source: Path) -> bool:
        """Whether the input is a file so large that workers should start at once."""
        return source.is_file() and source.stat().st_size >= self.large_bytes


DEFAULT_LIMITS = Limits()
