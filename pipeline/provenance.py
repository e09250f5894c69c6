"""Provenance: checksums of files, and the installed versions that a result depends on."""

from __future__ import annotations

import hashlib
from importlib import metadata
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
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """The installed versions of what a result depends on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def version() -> str:
    """The installed version of zhpipe, or "0" in a checkout that is not installed."""
    try:
        return metadata.version("zhpipe")
    except metadata.PackageNotFoundError:
        return "0"
