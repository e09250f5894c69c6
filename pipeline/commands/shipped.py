"""Shipped: the configs and samples that come with zhpipe, found by name, or copied."""

import shutil
import tempfile
from pathlib import Path

from pipeline.errors import PipelineError

INSTALLED = Path(__file__).parents[2]
SAMPLES = ("corpora/samples", "configs")


def find_config(name: str) -> Path:
    """The path itself if it is a file, or else the config of that name that comes with zhpipe."""
    shipped = INSTALLED / "configs"
    path = Path(name)
    for candidate in (shipped / path.name, shipped / f"{path.name}.toml"):
        if not path.is_file() and path.parent == Path() and candidate.is_file():
            return candidate
    return path


def copy_samples(folder: str | Path) -> int:
    """Copies samples and configs into a new folder, where they lie as in the checkout; returns the number of files.

    Raises PipelineError if there is a file or folder of that name.
    """
    target = Path(folder)
    if target.exists():
        raise PipelineError(f"{target}: exists already: name a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as begun:
        whole = Path(begun) / target.name
        for part in SAMPLES:
            shutil.copytree(INSTALLED / part, whole / part, ignore=shutil.ignore_patterns("__pycache__"))
        whole.rename(target)
    return sum(path.is_file() for path in target.rglob("*"))
