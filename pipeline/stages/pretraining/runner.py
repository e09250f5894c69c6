"""Runner of pretraining: its stages in order, and what has to be right before the first begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.config import agreement
from pipeline.config.problems import Disagreement
from pipeline.config.settings import Settings
from pipeline.errors import PipelineError, SettingsError
from pipeline.progress import Progress, silent
from pipeline.stages import runner
from pipeline.stages.manifest import Manifest
from pipeline.stages.pretraining import direction, measure, texts
from pipeline.stages.runner import Finished
from pipeline.stages.stage import Stage

# What the card of a config has to say, and of what.
CARD = {
    "licence": 'on what terms it is given, such as "CC BY-SA 4.0", or "not given away"',
    "attribution": "whom to name when it, or a model with it, is given on",
}
STAGES: dict[str, Stage] = {stage.name: stage for stage in (texts.STAGE, *direction.STAGES, measure.STAGE)}


def pretrain(
    settings: Settings,
    *,
    runs: str | Path = "runs",
    force: bool = False,
    progress: Progress = silent,
    report: Callable[[Finished], object] = lambda finished: None,
) -> Path:
    """Trains both directions of an encoder, and returns its folder, runs/NAME/encoder.

    Interrupted, the same call goes on where it stopped. `report`: called after each stage. Raises PipelineError for
    settings that no encoder has, for a text or an encoder that can't be read, and, unless `force`, if the folder is
    there and was made from other texts or settings.
    """
    _check_settings(settings)
    measure.check_card(settings)
    folder = Path(runs) / settings.name
    if not force:
        _check_same(settings, folder)
    runner.run_stages(settings, runs=runs, force=force, progress=progress, report=report, stages=STAGES)
    return folder / "encoder"


def _check_settings(settings: Settings) -> None:
    """Raises SettingsError for settings of another task or network, or a card that does not say what it has to."""
    required: dict[str, tuple[Any, Any]] = {
        "task": (settings.task, "language"),
        "seeds": (list(settings.seeds), []),
        "segment.unit": (settings.segment.unit, "char"),
        "embed.method": (settings.embed.method, "none"),
        "language.tied": (settings.language.tied, True),
        "network.cell": (settings.network.cell, "lstm"),
    }
    try:
        agreement.check_required("zhpipe pretrain", required)
    except Disagreement as error:
        raise SettingsError(str(error)) from None
    for key, example in CARD.items():
        if not getattr(settings.card, key):
            raise SettingsError(f"card.{key} is missing: an encoder says {example}")


def _check_same(settings: Settings, folder: Path) -> None:
    """Raises PipelineError if the run has an encoder that these settings and texts would not make."""
    manifest = Manifest.open(folder)
    if measure.STAGE.name not in manifest.stages:
        return
    if not all(manifest.is_current(stage.name, stage.inputs(settings, folder)) for stage in STAGES.values()):
        raise PipelineError(
            f"{folder / 'encoder'}: exists, and was made from other texts or settings: choose another "
            "name, or pass --force to replace it"
        )
