"""Label: a table of any size goes through a model and comes out with the same rows and the model's columns."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from corpora.files import STREAM
from corpora.rejected import rejected_path
from pipeline.errors import PipelineError
from pipeline.jobs.journal import JobProgress, Journal
from pipeline.jobs.limits import DEFAULT_LIMITS, Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.results import LabelResult, label_result
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model, find_model
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.progress import Advance, Progress, silent
from pipeline.stages.table_rows import check_target


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
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = silent,
    **options: Any,
) -> LabelResult:
    """Writes the rows of `source` to `target`, in order, with all their columns and then the model's.

    Memory is bounded, however large the table is. The target appears when it is whole; until then the work is in
    `TARGET.job`, and after an interrupt the same call resumes it and makes the same bytes. A row without text is kept,
    with blank cells. A row that can't be read goes, as it was, to `TARGET.rejected.csv`. `source` may be `-`, standard
    input, which can't be resumed.

    Arguments:
        text, format, encoding, output_encoding, probabilities: As in `LabelOptions`, which has the other `options`.
        force: Replace a target that exists.
        restart: Begin anew if there is an unfinished job.

    Raises CorpusError for a bad file, column or encoding, ModelError for a bad model, and PipelineError if the target
    exists or is the source, a new column's name is taken, another process works on the target, or an unfinished job
    there has other inputs or options.
    """
    chosen = LabelOptions(
        text=text,
        format=format,
        encoding=encoding,
        output_encoding=output_encoding,
        probabilities=probabilities,
        **options,
    )
    return label_to_file(
        model, source, target, options=chosen, force=force, restart=restart, limits=limits, progress=progress
    )


def label_to_file(
    model: str | Path | Model,
    source: str | Path,
    target: str | Path,
    *,
    options: LabelOptions,
    force: bool = False,
    restart: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = silent,
) -> LabelResult:
    """`label_file` with all options in one object."""
    source, target = Path(source), Path(os.path.realpath(target))
    if restart or not Journal.is_whole(job_folder(target)):
        check_places(source, target, force)
    return run_job(TableJob(single_threaded(model), source, target, options, limits), restart, progress)


def label_stream(
    model: str | Path | Model,
    source: str | Path,
    output: IO[bytes],
    rejects: IO[bytes],
    *,
    options: LabelOptions,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = silent,
) -> LabelResult:
    """Labels into open streams, chunk by chunk, rejected rows into the second; can't be resumed.

    The output is CSV unless the input is TSV or JSONL or `options.output_format` says otherwise.
    """
    job = TableJob(single_threaded(model), Path(source), STREAM, options, limits)
    job.check()
    start, reached = time.perf_counter(), JobProgress()
    with progress("label", total=None, unit="rows") as advance:
        for piece in job.pieces(reached):
            output.write(piece.output)
            output.flush()
            rejects.write(piece.rejects)
            rejects.flush()
            advance(piece.progress.rows.read - reached.rows.read)
            reached = piece.progress
    return _result(job, reached, start)


def run_job(job: TableJob, restart: bool, progress: Progress) -> LabelResult:
    """Begins or resumes a job whose places were checked (`check_places`); errors as `label_file`."""
    job.check()
    depends = job.dependencies.values
    with Journal.at(job_folder(job.target), depends, restart=restart or job.source == STREAM) as journal:
        start, resumed = time.perf_counter(), journal.progress.rows.read
        try:
            if not journal.progress.whole:
                _write(job, journal, progress)
        except BaseException:
            if not journal.progress.is_begun:
                journal.remove()
            raise
        reached = journal.progress
        journal.finish(job.target, rejected_path(job.target), output=job.output.file_name)
    return _result(job, reached, start, resumed)


def check_places(source: Path, target: Path, force: bool) -> None:
    """Raises PipelineError if there is no input, or if the input or, without `force`, another file would be lost."""
    for path in (target, rejected_path(target)):
        if source != STREAM:
            check_target(source, path, force)
            if path.exists() and path.samefile(source):
                raise PipelineError(f"{path}: is the input: name another output")
        elif path.exists() and not force:
            raise PipelineError(f"{path}: exists already: name another output, or pass --force to replace it")


def job_folder(target: Path) -> Path:
    """The folder that holds the work until the target is whole."""
    return target.with_name(f"{target.name}.job")


def single_threaded(model: str | Path | Model) -> Model:
    """The model on one thread. The cores are for the workers, and so any number of them gives the same answers."""
    loaded = model if isinstance(model, Model) else Model.load(find_model(model), threads=1)
    if loaded.network.threads == 1:
        return loaded
    return replace(loaded, network=OnnxNetwork(loaded.network.path, threads=1))


def _write(job: TableJob, journal: Journal, progress: Progress) -> None:
    """Labels what is left, and makes the output whole, under the names that it has in the journal's folder."""
    with progress("label", total=None, unit="rows") as advance:
        advance(journal.progress.rows.read)
        reached = _write_pieces(job, journal, advance)
    job.dependencies.check_unchanged(job.source)
    journal.commit(reached)
    job.assemble(journal.folder)
    journal.commit(replace(reached, whole=True))


def _write_pieces(job: TableJob, journal: Journal, advance: Advance) -> JobProgress:
    reached, due = journal.progress, time.monotonic() + job.limits.commit_seconds
    try:
        for piece in job.pieces(reached):
            journal.append(piece.output, piece.rejects)
            advance(piece.progress.rows.read - reached.rows.read)
            reached = piece.progress
            if reached.chunks and time.monotonic() >= due:
                journal.commit(reached)
                due = time.monotonic() + job.limits.commit_seconds
    except KeyboardInterrupt:
        if reached.chunks > journal.progress.chunks:
            journal.commit(reached)
        raise
    return reached


def _result(job: TableJob, reached: JobProgress, start: float, resumed: int = 0) -> LabelResult:
    seconds = time.perf_counter() - start
    return label_result(job.model, reached.rows, seconds=seconds, resumed=resumed, reason=job.rejects.reason)
