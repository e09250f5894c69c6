"""Label: a table of any size goes through a model, and comes out with the same rows and what the model says of each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from corpora.files import STREAM
from pipeline.errors import PipelineError
from pipeline.jobs.journal import JobProgress, Journal
from pipeline.jobs.table_job import Options, TableJob
from pipeline.models import drift
from pipeline.models.model import Model, find_model
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Progress, silent
from pipeline.stages.segment import check_target

COMMIT = 1.0  # seconds of work that a kill may cost


@dataclass(frozen=True)
class LabelResult:
    """How a labelling went: rows = labelled + blank + rejected; seconds without the model's loading.

    `resumed`: of the rows, those that an earlier attempt had done; `reason`: what was wrong with the first bad row;
    `expected_right`: the mean confidence, which is the share of right `claims` to expect, None where there are none;
    `claimed`: what one of these is and what several are, labelled rows, entities or words; `needs_review`: rows with
    one below `review_below`; `warnings`: in what the texts differ from those of training.
    """

    rows: int
    labelled: int
    blank: int
    seconds: float
    rejected: int = 0
    resumed: int = 0
    reason: str = ""
    expected_right: float | None = None
    claims: int = 0
    claimed: tuple[str, str] = ("", "")
    needs_review: int = 0
    warnings: tuple[str, ...] = ()


def label_file(
    model: str | Path | Model,
    source: str | Path,
    target: str | Path,
    *,
    text: str | Sequence[str] = "text",
    format: str | None = None,
    encoding: str = "utf-8",
    output_encoding: str | None = None,
    probabilities: bool = False,
    force: bool = False,
    restart: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> LabelResult:
    """Writes the rows of `source`, in order and with all their columns, to `target`, the model's columns behind.

    Memory is bounded whatever the size. The target appears under its name only when it is whole; until then the work
    stands in `TARGET.job`, and the same call goes on from there after whatever stopped it, to the same bytes. A text of
    nothing but white space keeps its row, with blank cells. A row that can't be read goes, as it was, to
    `TARGET.rejected.csv`. `source` may be `-`, standard input, which can't be gone on with. Further `options` are those
    of `Options`. Raises CorpusError for a bad file, column or encoding, ModelError for a bad model, PipelineError where
    the target exists and `force` is off, or is the source, a new column's name is taken, another process is at work on
    the target, or an unfinished job there is about something else and `restart` is off.
    """
    chosen = Options(
        text=text,
        format=format,
        encoding=encoding,
        output_encoding=output_encoding,
        probabilities=probabilities,
        **options,
    )
    source, target = Path(source), Path(os.path.realpath(target))
    folder = target.with_name(f"{target.name}.job")
    rejected = rejected_path(target)
    if restart or not Journal.is_whole(folder):
        check_places(source, target, force)
    shard = TableJob(ready(model), source, target, chosen)
    shard.check()
    before = state(source)
    with Journal.at(folder, shard.depends(), restart=restart or source == STREAM) as journal:
        try:
            return _label(shard, journal, before, rejected, progress)
        except BaseException:
            if journal.standing.chunks == 0 and not journal.standing.whole:
                journal.remove()
            raise


def label_stream(
    model: str | Path | Model,
    source: str | Path,
    output: IO[bytes],
    rejects: IO[bytes],
    *,
    progress: Progress = silent,
    options: Options,
) -> LabelResult:
    """The same into an open stream, chunk by chunk, bad rows into another; there is nothing to go on from.

    The output is CSV where the input is neither TSV nor JSONL and `options.output_format` doesn't say.
    """
    shard = TableJob(ready(model), Path(source), STREAM, options)
    shard.check()
    start, standing = time.perf_counter(), JobProgress()
    with progress("label", total=None, unit="rows") as advance:
        for data, bad, reached in shard.pieces(standing):
            output.write(data)
            output.flush()
            rejects.write(bad)
            rejects.flush()
            advance(reached.read - standing.read)
            standing = reached
    return _outcome(shard, standing, start, 0)


def check_places(source: Path, target: Path, force: bool) -> None:
    """Raises PipelineError where there is nothing to read, or the input or, without `force`, a file would be lost."""
    for path in (target, rejected_path(target)):
        if source != STREAM:
            check_target(source, path, force)
            if path.exists() and path.samefile(source):
                raise PipelineError(f"{path}: is the input: name another output")
        elif path.exists() and not force:
            raise PipelineError(f"{path}: exists already: name another output, or pass --force to replace it")


def rejected_path(target: Path) -> Path:
    """Where the rows go that can't be read."""
    return target.with_name(f"{target.name}.rejected.csv")


def _label(shard: TableJob, journal: Journal, before: object, rejected: Path, progress: Progress) -> LabelResult:
    start, standing = time.perf_counter(), journal.standing
    resumed, due = standing.read, time.monotonic() + COMMIT
    if not standing.whole:
        with progress("label", total=None, unit="rows") as advance:
            advance(resumed)
            try:
                for data, bad, reached in shard.pieces(standing):
                    journal.append(data, bad)
                    advance(reached.read - standing.read)
                    standing = reached
                    if standing.chunks and time.monotonic() >= due:
                        journal.commit(standing)
                        due = time.monotonic() + COMMIT
            except KeyboardInterrupt:
                if standing.chunks > journal.standing.chunks:
                    journal.commit(standing)
                raise
        if state(shard.source) != before:
            raise PipelineError(f"{shard.source}: changed while it was read: pass --restart to begin anew")
        journal.commit(standing)
        shard.assemble(journal.folder)
        journal.commit(replace(standing, whole=True))
    journal.finish(shard.target, rejected, output=shard.made)
    return _outcome(shard, standing, start, resumed)


def _outcome(shard: TableJob, standing: JobProgress, start: float, resumed: int) -> LabelResult:
    return LabelResult(
        rows=standing.read,
        labelled=standing.labelled,
        blank=standing.blank,
        seconds=time.perf_counter() - start,
        rejected=standing.rejected,
        resumed=resumed,
        reason=shard.reason,
        **promises(standing.tally, shard.model.about.get("drift", {}), shard.model.answerer.claimed),
    )


def promises(counts: drift.Tally, known: Mapping[str, Any], claimed: tuple[str, str] | None) -> dict[str, Any]:
    """The fields of Labelled that say what the answers are worth: from their tally, and what the model knows."""
    return {
        "expected_right": counts["confidence"] / counts["claims"] if counts.get("claims") else None,
        "claims": int(counts.get("claims", 0)),
        "claimed": claimed or ("", ""),
        "needs_review": int(counts.get("review", 0)),
        "warnings": tuple(drift.warnings(counts, known)),
    }


def ready(model: str | Path | Model) -> Model:
    """The model on one thread: the workers are what fills the cores, and so every number of them gives one result."""
    loaded = model if isinstance(model, Model) else Model.load(find_model(Path(model)))
    return replace(loaded, network=OnnxNetwork(loaded.network.path, threads=1))


def state(source: Path) -> object:
    """What changes when a file is written to."""
    if source == STREAM:
        return None
    found = source.stat()
    return found.st_size, found.st_mtime_ns
