"""Provenance: checksums of files, and the installed versions of packages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

PACKAGES = (
    "zhpipe",
    "numpy",
    "jieba",
    "rjieba",
    "gensim",
    "keras",
    "tensorflow",
    "scikit-learn",
    "onnx",
    "onnxruntime",
)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions of those packages that are installed; by default all that a result can depend on."""
    from importlib import metadata

    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def version() -> str:
    """Installed version of zhpipe, "0" in a checkout that is not installed."""
    return versions(["zhpipe"]).get("zhpipe", "0")
