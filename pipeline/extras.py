"""Extras: the libraries that zhpipe needs only for a part of its work, and what to install where one is missing.

`pip install zhpipe` labels and evaluates; setup.cfg lists what each extra adds.
"""

from importlib.util import find_spec

from pipeline.errors import PipelineError

# The extra of each library, by the name that Python imports.
EXTRAS = {
    **dict.fromkeys(("cleanlab", "gensim", "keras", "matplotlib", "scipy", "sklearn", "tensorflow"), "train"),
    "pyarrow": "parquet",
    **dict.fromkeys(("fastapi", "prometheus_client", "uvicorn"), "serve"),
}
TRAINING = ("keras", "gensim", "sklearn")  # a machine that has them was meant to train


def is_installed(library: str) -> bool:
    """Whether Python finds a library; it is not imported."""
    return find_spec(library) is not None


def check_training() -> None:
    """Raises PipelineError if the libraries that train are not installed."""
    for library in TRAINING:
        if not is_installed(library):
            raise PipelineError(f"a run {_missing(library)}")


def explained(error: ImportError, what: str = "this command") -> str | None:
    """What to install for an import that failed, which `what` needs; None if no extra has the module."""
    library = (error.name or "").split(".")[0]
    return f"{what} {_missing(library)}" if library in EXTRAS else None


def _missing(library: str) -> str:
    return f'needs {library}, which is not installed: pip install "zhpipe[{EXTRAS[library]}]"'
