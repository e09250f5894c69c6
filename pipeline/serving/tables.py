"""Tables: a table that was uploaded is labelled as `zhpipe label` does, and handed back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from corpora.errors import CorpusError
from pipeline.errors import PipelineError
from pipeline.jobs.label import label_to_file
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.results import LabelResult
from pipeline.models.model import Model
from pipeline.progress import Advance, Progress

FORMATS = {"text/csv": "csv", "text/tab-separated-values": "tsv", "application/jsonl": "jsonl"}
PIECE = 1 << 16  # bytes


@dataclass
class LabelledTable:
    """A labelled table in a private folder, which `close` removes."""

    folder: TemporaryDirectory[str]
    path: Path
    result: LabelResult

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the table; the folder is gone after the last."""
        try:
            with self.path.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        finally:
            self.folder.cleanup()


async def received(body: AsyncIterator[bytes], suffix: str) -> tuple[TemporaryDirectory[str], Path]:
    """The body of a request as a file in a private folder. Whoever asked removes the folder."""
    folder = TemporaryDirectory(prefix="zhpipe-")
    path = Path(folder.name) / f"table.{suffix}"
    try:
        with path.open("wb") as file:
            async for piece in body:
                file.write(piece)
    except BaseException:
        folder.cleanup()
        raise
    return folder, path


def labelled(
    model: Model,
    folder: TemporaryDirectory[str],
    source: Path,
    options: LabelOptions,
    count: Callable[[int], object] = lambda rows: None,
) -> LabelledTable:
    """Labels a received table; `count` is called with the number of rows that have been labelled since the last call.

    Raises PipelineError for a table or options that can't be used; the folder is then gone.
    """
    target = source.with_name(f"labelled{source.suffix}")
    try:
        result = label_to_file(model, source, target, options=options, progress=_counted_by(count))
        return LabelledTable(folder, target, result)
    except (CorpusError, PipelineError, UnicodeError) as error:
        folder.cleanup()
        raise PipelineError(str(error).replace(f"{source}", "the table")) from None
    except BaseException:
        folder.cleanup()
        raise


def _counted_by(count: Callable[[int], object]) -> Progress:
    def advance(done: int, note: str = "") -> None:
        count(done)

    @contextmanager
    def opened(what: str, *, total: int | None, unit: str) -> Iterator[Advance]:
        yield advance

    return opened
