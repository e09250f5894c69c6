"""zhpipe: the public names of the project, each loaded when it is first used.

>>> import zhpipe
>>> model = zhpipe.load("runs/sample-mail")                        # doctest: +SKIP
>>> model.predict("您好，我正在休假，下周一回复您。").value             # doctest: +SKIP
'自动回复'
"""

import os
import sys

if sys.argv[:1] == ["-m"] and sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):  # noqa: PTH109, PTH120
    # `python -m zhpipe` looks for modules in the working directory first, which may be a stranger's folder. The two
    # modules above are part of Python's start; all others are imported without that folder.
    del sys.path[0]

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corpora.errors import CorpusError
    from embeddings.errors import EmbeddingError
    from pipeline import __version__, load, run
    from pipeline.errors import DictionaryError, Diverged, ModelError, PipelineError, PoorScore, SettingsError
    from pipeline.jobs.label import label_file
    from pipeline.models.model import Model
    from pipeline.stages.evaluate import evaluate_file
    from pipeline.stages.segment import segment_file
    from pipeline.tasks.prediction import PredictedSpan, Prediction
    from zhpipe.estimators import Tagger, TextClassifier
    from zhpipe.language_model import LanguageModel
    from zhpipe.multilabel import MultilabelTextClassifier

__all__ = [
    "CorpusError",
    "DictionaryError",
    "Diverged",
    "EmbeddingError",
    "LanguageModel",
    "Model",
    "ModelError",
    "MultilabelTextClassifier",
    "PipelineError",
    "PoorScore",
    "PredictedSpan",
    "Prediction",
    "SettingsError",
    "Tagger",
    "TextClassifier",
    "__version__",
    "evaluate_file",
    "label_file",
    "load",
    "run",
    "segment_file",
]
# The module of each public name.
HOMES = {
    "CorpusError": "corpora.errors",
    "EmbeddingError": "embeddings.errors",
    **dict.fromkeys(("__version__", "load", "run"), "pipeline"),
    **dict.fromkeys(
        ("DictionaryError", "Diverged", "ModelError", "PipelineError", "PoorScore", "SettingsError"), "pipeline.errors"
    ),
    "label_file": "pipeline.jobs.label",
    "Model": "pipeline.models.model",
    "evaluate_file": "pipeline.stages.evaluate",
    "segment_file": "pipeline.stages.segment",
    **dict.fromkeys(("PredictedSpan", "Prediction"), "pipeline.tasks.prediction"),
    **dict.fromkeys(("Tagger", "TextClassifier"), "zhpipe.estimators"),
    "MultilabelTextClassifier": "zhpipe.multilabel",
    "LanguageModel": "zhpipe.language_model",
}
ROOMS = ("corpora", "embeddings", "pipeline")


def __getattr__(name: str) -> Any:
    """Loads a public name (PEP 562). Raises ImportError if a package hides one of ours, or a library is missing."""
    if name not in HOMES:
        raise AttributeError(f"module 'zhpipe' has no attribute {name!r}")
    check_rooms()
    globals()[name] = found = getattr(_imported(name), name)
    return found


def _imported(name: str) -> ModuleType:
    """The module of a public name. Raises ImportError, with what to install, if a library is missing."""
    try:
        return import_module(HOMES[name])
    except ModuleNotFoundError as error:
        from pipeline.extras import explained

        said = explained(error, f"zhpipe.{name}")
        if said is None:
            raise
        raise ImportError(said, name=error.name) from None


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)


def check_rooms() -> None:
    """Raises ImportError if Python finds a stranger under the name of one of our packages."""
    installed = Path(__file__).resolve().parents[1]
    for room in ROOMS:
        found = _place(room)
        if found is not None and found.resolve().parent != installed:
            raise ImportError(
                f"{found}: hides zhpipe's own package {room!r}, which is in {installed / room}: "
                "rename it, or start Python in another folder"
            )


def _place(room: str) -> Path | None:
    """The folder or file that Python imports as `room`; None if it finds none. A stranger's code is not run."""
    found = find_spec(room)
    if found is None:
        return None
    if found.origin is None:
        return next(map(Path, found.submodule_search_locations or ()), None)
    place = Path(found.origin)
    return place.parent if place.name == "__init__.py" else place
