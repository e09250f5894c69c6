"""Stage: one step of a run, as the runner sees it; and the folders that stages meet in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.config.settings import Settings
from pipeline.progress import Progress
from pipeline.stages.manifest import Inputs


class Perform(Protocol):
    """Does the work: reads the run's folder, writes into the folders `made`, returns a sentence on what came out."""

    def __call__(self, settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str: ...


@dataclass(frozen=True)
class Stage:
    """A step of a run.

    `name`; `makes`: the folders in the run that it writes, the first of which bears its name;
    `inputs(settings, run)`: what it depends on; `perform`: the work.
    """

    name: str
    makes: tuple[str, ...]
    inputs: Callable[[Settings, Path], Inputs]
    perform: Perform
