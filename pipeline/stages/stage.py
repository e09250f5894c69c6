"""Stage: one step of a run, as the runner sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.config.settings import Settings
from pipeline.progress import Progress
from pipeline.stages.manifest import Inputs


class Perform(Protocol):
    """Does the work: reads from the folder of the run, writes into the folders `made`, returns a one-line summary."""

    def __call__(self, settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str: ...


@dataclass(frozen=True)
class Stage:
    """A step of a run.

    `makes`: the folders in the run that it writes; the first one is called `name`; `inputs`: of settings and a run's
    folder, what the stage depends on; `perform`: the work.
    """

    name: str
    makes: tuple[str, ...]
    inputs: Callable[[Settings, Path], Inputs]
    perform: Perform
