"""zhpipe: Chinese text from a labelled corpus to a recurrent network, its report, and labelled tables."""

# Nothing is imported before it is needed, not even from __future__: `python -m pipeline` runs this file while the
# working directory, which may be a stranger's folder, is still the first place where Python looks for modules.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.models.model import Model


def __getattr__(name: str) -> str:
    """The version, as `__version__`."""
    if name != "__version__":
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    from pipeline.provenance import version

    return version()


def run(
    config: "str | Path",
    *,
    overrides: "Sequence[str]" = (),
    runs: "str | Path" = "runs",
    first: "str | None" = None,
    last: "str | None" = None,
    force: bool = False,
) -> "Path":
    """Runs an experiment as `zhpipe run` does, and returns its folder, runs/NAME.

    `overrides`: settings such as `["train.epochs=3"]`; `first`, `last`: names of stages. With the setting `seeds` the
    folder has a run for each seed, and their comparison. Raises ValueError (CorpusError, EmbeddingError or
    PipelineError) with one sentence for anything that a user can put right.
    """
    from pipeline.config.load import load
    from pipeline.extras import check_training
    from pipeline.stages.runner import run_seeds, run_stages

    loaded = load(config, overrides)
    if last != "segment":
        check_training()
    run_all = run_seeds if loaded.seeds else run_stages
    return run_all(loaded, runs=runs, first=first, last=last, force=force)


def load(folder: "str | Path", *, int8: bool = False) -> "Model":
    """Loads a trained model from its folder or its run's: `load("runs/mail").predict(["..."])` gives Predictions.

    `int8`: take the smaller and faster network, which LSTMs have. A language model is loaded as a
    `pipeline.models.language_model.LanguageModel`, which also has `score`, `next` and `generate`. Raises ModelError if
    the folder has no complete model.
    """
    from pathlib import Path

    from pipeline.models.language_model import LanguageModel
    from pipeline.models.model import Model, find_model

    model = Model.load(find_model(Path(folder)), precision="int8" if int8 else "float32")
    return LanguageModel.of(model) if model.generates else model
