"""Markdown tables of measurements, and the machine that they were taken on."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "keras",
    "tensorflow",
    "torch",
    "gensim",
    "jieba",
    "rjieba",
    "ahocorasick-rs",
    "scikit-learn",
    "onnxruntime",
    "numpy",
)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns and rows as a Markdown table; all columns but the first are right-aligned.

    >>> print(table(["cell", "tokens/s"], [["gru", "41,000"]]))
    | cell | tokens/s |
    |---|---:|
    | gru | 41,000 |
    """
    rule = "|---|" + "---:|" * (len(columns) - 1)
    return "\n".join(["| " + " | ".join(columns) + " |", rule, *("| " + " | ".join(row) + " |" for row in rows)])


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """The median, and the least and greatest value where there are several.

    >>> spread([3.0, 1.0, 2.0]), spread([0.5], ".2f")
    ('2 (1 to 3)', '0.50')
    """
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}} to {max(values):{form}})"


def machine() -> str:
    """One line: processor, cores, memory, Python and the installed versions of what is measured."""
    found = [f"{package} {version}" for package in PACKAGES if (version := _version(package))]
    return f"{_processor()}, {os.cpu_count()} cores, {_memory()}Python {platform.python_version()}, {', '.join(found)}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB, "
    except (AttributeError, ValueError, OSError):
        return ""
