"""The Ray engine: many inputs, part by part, on the machines of a Ray cluster, into folders of part files."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from corpora.table_options import SUFFIXES
from pipeline import locks
from pipeline.errors import PipelineError
from pipeline.jobs.folder_record import FolderRecord
from pipeline.jobs.input_state import InputState
from pipeline.jobs.inputs import targets
from pipeline.jobs.job import Job
from pipeline.jobs.results import FileResult
from pipeline.jobs.scheduler import Scheduler
from pipeline.parallel import ROOT
from pipeline.progress import Progress, silent
from pipeline.workplace import is_begun


def run(
    job: Job,
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    address: str | None = None,
    workers: int = 0,
    output_format: str | None = None,
    suffixes: Collection[str] = SUFFIXES,
    force: bool = False,
    restart: bool = False,
    progress: Progress = silent,
) -> list[FileResult]:
    """Does a job with files, patterns and all tables in folders; each becomes a folder of its name in `folder`.

    Its files are `part-00000.csv` and so on, 32,768 rows each (fewer if rows are long) in the order of the rows, and
    bad rows in `rejected-00000.csv`. A folder appears under its name when it is whole; until then its parts are in
    `NAME.job`, and the same call resumes them after an interrupt. If a machine dies, others make its parts. Inputs,
    model and `folder` must have the same absolute paths on all machines.

    Arguments:
        address: Of a running cluster, or `auto` on one of its machines; None for the one that RAY_ADDRESS names, or
            else a cluster on this machine alone, which ends with the call.
        workers: Processes, one core each; 0 for all cores of the cluster.
        output_format, suffixes: As in `pipeline.jobs.inputs.targets`.

    Raises PipelineError if Ray isn't installed, no cluster answers or it starts no worker, another process works on
    `folder`, somebody else's folder has the name of its lock, or machines have different versions installed. Errors of
    one input are in its result.
    """
    folder = Path(folder).absolute()
    found = targets(sources, folder, output_format, suffixes)
    job.prepare()
    folder.mkdir(parents=True, exist_ok=True)
    is_begun(folder / ".zhpipe.job")
    lock = locks.locked(folder / ".zhpipe.job")
    try:
        record = FolderRecord(folder)
        inputs = [
            InputState.begin(job, Path(source), target, record, force=force, restart=restart)
            for source, target in found
        ]
        waiting = [each for each in inputs if not each.is_done]
        if waiting:
            with _cluster(address) as ray, progress("ray", total=None, unit="rows") as advance:
                advance(sum(each.resumed for each in waiting))
                cores = workers or int(ray.cluster_resources().get("CPU", 1))
                Scheduler(ray, job, waiting, cores, advance).perform()
        return [each.result for each in inputs]
    finally:
        locks.remove_locked(folder / ".zhpipe.job", lock)


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """The module `ray`, connected to a cluster; without an address to one that only this process can use."""
    place = address or os.environ.get("RAY_ADDRESS") or "local"
    own: AbstractContextManager[dict[str, Any]] = _own_cluster() if place == "local" else nullcontext({})
    with _environment({"RAY_USAGE_STATS_ENABLED": "0"}), own as options:
        try:
            import ray
        except ImportError:
            raise PipelineError("the engine ray needs Ray: pip install zhpipe[ray]") from None
        try:
            _knock(place)
            with _outside_working_directory():
                ray.init(place, log_to_driver=False, logging_level="ERROR", **options)  # type: ignore[arg-type]
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise PipelineError(f"--address {place}: can't be reached ({reason}): ask `ray status` there") from None
        with redirect_stdout(sys.stderr):  # Ray prints which machines died, which is no output of ours
            try:
                yield ray
            finally:
                ray.shutdown()


@contextmanager
def _own_cluster() -> Iterator[dict[str, Any]]:
    """The options of a cluster on this machine alone: without dashboard, on the loopback, with a token.

    Its session's folder, which only this user can read, is removed afterwards.
    """
    # Ray listens on all addresses unless clusters are switched off, by a variable named after other systems.
    environment = {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    # The paths of sockets must be short. Ray lets everybody read the folder that it is given, so it gets one inside.
    folder = tempfile.mkdtemp(prefix=f"zhpipe-{os.getpid()}-", dir="/tmp" if os.name == "posix" else None)
    try:
        with _environment(environment):
            yield {"include_dashboard": False, "object_store_memory": 100 << 20, "_temp_dir": f"{folder}/ray"}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables while the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _outside_working_directory() -> Iterator[None]:
    """Works in the folder of these packages: Ray's workers import from their driver's working directory first."""
    # Site packages are no such folder: there they would shadow the standard library.
    is_installed = ROOT.name in ("site-packages", "dist-packages")
    with chdir(ROOT.anchor if is_installed else ROOT):
        yield


def _knock(place: str) -> None:
    """Raises OSError if nothing listens at HOST:PORT; Ray itself would try for minutes."""
    host, _, port = place.rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
