"""zhpipe: Chinese text from a labelled corpus to a recurrent network, its report, and labelled tables."""

# Nothing is imported before it is needed, not even from __future__: `python -m pipeline` runs this file while the
# working directory, which may be a stranger's folder, is still the first place where Python looks for modules.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.models.model import Model, Precision
    from pipeline.segmentation.dictionary import UserDictionary


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


def load(
    folder: "str | Path",
    *,
    precision: "Precision | None" = None,
    dictionary: "UserDictionary | str | Path | Sequence[str | Path]" = (),
) -> "Model":
    """Loads a trained model from its folder or its run's: `load("runs/mail").predict(["..."])` gives Predictions.

    `precision`: "int8", the smaller and faster network, which LSTMs have, or "float32"; None takes int8 where it has
    lost at most 0.1 point of the dev score that chose the epoch, as model.toml says. `dictionary`: more words for the
    model, as a `pipeline.segmentation.dictionary.UserDictionary` or its files, which `Model.with_dictionary` explains.
    A language model is loaded as a `pipeline.models.language_model.LanguageModel`, which also has `score`, `next` and
    `generate`. Raises ModelError if the folder has no complete model.
    """
    from pipeline.models.language_model import LanguageModel
    from pipeline.models.model import Model, find_model

    model = Model.load(find_model(folder), precision=precision, dictionary=dictionary)
    return LanguageModel.of(model) if model.generates else model
