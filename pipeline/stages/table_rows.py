"""Tables that are cut or labelled: where they may be written, and the text and the tokens of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.segmentation.segmenter import Segmenter


def check_target(source: Path, target: Path, force: bool) -> None:
    """Raises PipelineError if `source` is missing, or if `target` cannot be written or would replace a file.

    `force` allows replacing a file, but never the source.
    """
    if not source.exists():
        raise PipelineError(f"{source}: no such file")
    if target.exists() and target.resolve() == source.resolve():
        raise PipelineError(f"{target}: is the input: name another output")
    if target.is_dir():
        raise PipelineError(f"{target}: is a folder: name a file")
    if target.exists() and not force:
        raise PipelineError(f"{target}: exists already: name another output, or pass --force to replace it")
    if not target.absolute().parent.is_dir():
        raise PipelineError(f"{target}: the folder {target.parent} does not exist: make it first")


def row_text(row: Sequence[object], positions: Sequence[int]) -> str:
    """The text of a table's row: its cells at `positions`, joined by a line feed."""
    return "\n".join("" if row[position] is None else str(row[position]) for position in positions)


def without_stop_words(segmenter: Segmenter, tokens: Sequence[str]) -> list[str]:
    """The tokens that are not stop words."""
    return [token for token in tokens if token not in segmenter.stop_words]
