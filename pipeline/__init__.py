"""zhpipe: Chinese text from a labelled corpus to a recurrent network, its report, and labelled tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.provenance import version

if TYPE_CHECKING:
    from pipeline.models.model import Model

__version__ = version()


def run(
    config: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = "runs",
    first: str | None = None,
    last: str | None = None,
    force: bool = False,
) -> Path:
    """Runs an experiment and returns its folder, runs/NAME; what `zhpipe run` does.

    With `seeds` there is a run for each, in that folder, beside their comparison.
    `overrides` such as `["train.epochs=3"]`; `first` and `last` name stages. Raises ValueError
    (CorpusError, EmbeddingError or PipelineError) with one sentence for whatever a user can put right.
    """
    from pipeline.config.load import load
    from pipeline.stages.runner import run_seeds, run_stages

    loaded = load(config, overrides)
    run_all = run_seeds if loaded.seeds else run_stages
    return run_all(loaded, runs=runs, first=first, last=last, force=force)


def load(folder: str | Path, *, int8: bool = False) -> Model:
    """A trained model from its folder (or its run's): `load("runs/mail/model").predict(["..."])` gives Predictions.

    With `int8` the smaller and faster network, where the cell is an LSTM. A language model comes as a
    `pipeline.models.language_model.LanguageModel`, which also has `score`, `next` and `generate`. Raises ModelError for
    anything but a whole model.
    """
    from pipeline.models.language_model import LanguageModel
    from pipeline.models.model import Model, find_model

    model = Model.load(find_model(Path(folder)), precision="int8" if int8 else "float32")
    return LanguageModel.of(model) if model.about["task"] == "language" else model
