"""The local engine: labels several tables into a folder, one after the other, each on all cores of this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from corpora.errors import CorpusError
from pipeline.errors import PipelineError
from pipeline.jobs.folder_record import FolderRecord
from pipeline.jobs.inputs import targets
from pipeline.jobs.journal import Journal
from pipeline.jobs.label import check_places, job_folder, run_job, single_threaded
from pipeline.jobs.limits import DEFAULT_LIMITS, Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.results import FileResult
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model
from pipeline.progress import Progress, silent


def label_files(
    model: str | Path | Model,
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    options: LabelOptions,
    force: bool = False,
    restart: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = silent,
) -> list[FileResult]:
    """Labels files, patterns (`*`, `**`, `?`, `[]`) and all tables in folders, each into a file of its name.

    Subfolders are kept. With `options.output_format` the suffix changes. An error of one file is in its result, and the
    others are labelled all the same. The same call once more resumes what was interrupted and skips what is current,
    which `folder`/.zhpipe.jsonl tells; `restart` labels everything again. Raises ModelError for a bad model,
    PipelineError if no file is found or two would have one output.
    """
    folder = Path(folder)
    found = targets(sources, folder, options.suffix_format)
    loaded = single_threaded(model)
    folder.mkdir(parents=True, exist_ok=True)
    record = FolderRecord(folder)
    results = []
    for source, target in found:
        job = TableJob(loaded, source, Path(os.path.realpath(target)), options, limits)
        results.append(_label(job, target, record, force, restart, progress))
    return results


def _label(
    job: TableJob, target: Path, record: FolderRecord, force: bool, restart: bool, progress: Progress
) -> FileResult:
    """Labels one file; `target`: the output by the name that it has in the folder, which may be a link."""
    source, is_begun = job.source, job_folder(target).exists()
    try:
        fingerprint = job.dependencies.fingerprint
        if record.is_current(target, fingerprint) and not restart and not is_begun:
            return FileResult(source, target)
        if target.exists() and not force and not restart and not is_begun:
            raise PipelineError(f"{target}: exists already: name another folder, or pass --force to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not is_begun:
            record.begin(target, fingerprint)
        if restart or not Journal.is_whole(job_folder(job.target)):
            check_places(source, job.target, force or restart)
        return FileResult(source, target, run_job(job, restart, progress))
    except FileNotFoundError:
        return FileResult(source, target, error=f"{source}: no such file")
    except (CorpusError, PipelineError) as error:
        return FileResult(source, target, error=str(error))
