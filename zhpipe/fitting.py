"""Fitting: trains a model in a private temporary folder, and returns it as bytes."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.config.load import from_mapping
from pipeline.errors import PipelineError
from pipeline.models.packed_model import PackedModel


def train(
    write: Callable[[Path], None], file: str, settings: Mapping[str, Any], earlier: PackedModel | None = None
) -> PackedModel:
    """Runs the stages up to train on what `write` writes into a file of the name `file`.

    `settings`: values by dotted key, such as `{"train.epochs": 3}`; `earlier`: the model that training goes on from,
    whose settings win. Raises PipelineError as the stages do, with `X` in
    place of the file's name.
    """
    from pipeline.stages.runner import run_stages

    with tempfile.TemporaryDirectory(prefix="zhpipe-") as folder:
        path = Path(folder, file)
        write(path)
        values = {
            "name": "model",
            "segment.workers": 1,
            **settings,
            "corpus.train": str(path),
            "corpus.test_share": 0.0,
            **(_of_earlier(earlier, Path(folder, "earlier")) if earlier else {}),
        }
        try:
            with _silent_tensorflow():
                run = run_stages(from_mapping(nested(values)), runs=folder, last="train")
        except PipelineError as error:
            raise type(error)(str(error).replace(str(path.resolve()), "X").replace(str(path), "X")) from None
        finally:
            _clear_keras()
        return PackedModel.read(run / "model")


def _of_earlier(model: PackedModel, folder: Path) -> dict[str, Any]:
    """The settings with which training goes on from a model, which is written into `folder`."""
    from pipeline.models.earlier_model import EarlierModel

    model.write(folder)
    return {**EarlierModel.load(folder).settings, "train.from_model": str(folder)}


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tables in tables from dotted keys.

    >>> nested({"seed": 1, "network.cell": "gru", "network.wide.words": 2})
    {'seed': 1, 'network': {'cell': 'gru', 'wide': {'words': 2}}}
    """
    made: dict[str, Any] = {}
    for key, value in values.items():
        *sections, last = key.split(".")
        table = made
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = value
    return made


@contextmanager
def _silent_tensorflow() -> Iterator[None]:
    """Without TensorFlow's advice against training several networks in one process, which a search has to do."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _clear_keras() -> None:
    """Frees what Keras keeps of the network, if it was loaded."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "utils"):  # as it has not if importing it has failed
        keras.utils.clear_session()
