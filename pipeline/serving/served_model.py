"""Served model: a loaded model under a name, which is loaded anew when its folder changes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpora.rows import value
from pipeline.errors import PipelineError
from pipeline.models.language_model import LanguageModel
from pipeline.models.model import Model, Precision, find_model
from pipeline.provenance import sha256
from pipeline.serving.messages import Beginning, Continuation
from pipeline.tasks import Prediction


class ServedModel:
    """A model that answers under a name.

    Arguments:
        name: In the addresses of the service.
        path: A run or a model folder, or the name of a ready-made model.
        precision: Which network answers, as of `Model.load`.

    Raises ModelError if the folder has no complete model.
    """

    def __init__(self, name: str, path: str | Path, *, precision: Precision | None = None) -> None:
        self.name = name
        self.folder = find_model(path)
        self._asked = precision
        self._sums = self._current_sums()
        self.model = self._load()

    def predict(self, texts: Sequence[str]) -> Sequence[Prediction]:
        """The prediction of each text; errors as `Model.predict`."""
        return self.model.predict(list(texts))

    def reload(self) -> bool:
        """Loads the model anew if its folder has changed; whether it has.

        A folder that is incomplete or damaged raises ModelError each time, and the model before goes on answering.
        """
        sums = self._current_sums()
        if sums == self._sums:
            return False
        self.model = self._load()
        self._sums = sums
        return True

    def rows(self, predictions: Sequence[Prediction], *, probabilities: bool) -> list[dict[str, Any]]:
        """The new columns of `zhpipe label` for each prediction, with values as in its JSON lines."""
        output = self.model.answerer.output
        columns, kinds = output.columns(probabilities), output.kinds(probabilities)
        return [
            dict.fromkeys(columns)
            if found.is_blank
            else dict(zip(columns, map(value, output.cells(found, probabilities), kinds), strict=True))
            for found in predictions
        ]

    def dictionary_parts(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """The parts of each text that obey the dictionary, in characters, half-open; none unless a tagger answers."""
        found = map(self.model.answerer.obeyed, self.model.tokenise_all(texts))
        return [[[start, end] for start, end in parts] for parts in found]

    def continued(self, asked: Beginning, seconds: float) -> list[Continuation]:
        """What the model writes after a prompt; at most so many seconds in all.

        Raises ModelError if it is no language model, and PipelineError for options out of range.
        """
        author, stop = LanguageModel.of(self.model), time.monotonic() + seconds
        found = []
        for number in range(asked.count):
            pieces = author.stream(
                asked.prompt,
                length=asked.length,
                temperature=asked.temperature,
                top_k=asked.top_k,
                top_p=asked.top_p,
                seed=(asked.seed, number),
            )
            found.append(_continuation(pieces, asked.length, stop))
        return found

    @property
    def described(self) -> dict[str, Any]:
        """What a client may want to know of the model."""
        model = self.model
        return {
            "name": self.name,
            "task": model.task.name,
            "labels": list(model.labels.names),
            "generates": model.generates,
            "label_separator": model.answerer.facts.get("label_separator"),
            "columns": list(model.answerer.output.columns(True)),
            "precision": self.model.precision,
            "version": self._sums[:12],
        }

    def _load(self) -> Model:
        model = Model.load(self.folder, precision=self._asked, threads=1)
        model.predict(["今"])  # opens the session: from now on the folder may be replaced
        return model

    def _current_sums(self) -> str:
        """The checksum of the folder's checksums; "" while there are none. Raises ModelError if they can't be read."""
        try:
            return sha256(self.folder / "SHA256SUMS")
        except FileNotFoundError:
            return ""


def _continuation(pieces: Iterator[str], length: int, stop: float) -> Continuation:
    taken: list[str] = []
    while time.monotonic() < stop:
        if (piece := next(pieces, None)) is None:
            finish = "length" if len(taken) == length else "end"
            return Continuation(text="".join(taken), tokens=len(taken), finish=finish)
        taken.append(piece)
    return Continuation(text="".join(taken), tokens=len(taken), finish="time")


def named_models(models: Sequence[str], *, precision: Precision | None = None) -> dict[str, ServedModel]:
    """The models of a service by their names, from `PATH` or `NAME=PATH`; by default the folder of the run is the name.

    Raises PipelineError if two have one name, and ModelError as `ServedModel`.
    """
    served: dict[str, ServedModel] = {}
    for given in models:
        name, path = _name_and_path(given)
        if name in served:
            raise PipelineError(f"{path}: there is a model {name!r} already: name this one, as in NAME={path}")
        served[name] = ServedModel(name, path, precision=precision)
    return served


def _name_and_path(given: str) -> tuple[str, str]:
    name, separator, path = given.partition("=")
    if not separator or Path(given).exists():
        path = given
        whole = Path(given).resolve()
        name = whole.parent.name if whole.name == "model" else whole.name
    if not name or not set("/?#%\\").isdisjoint(name) or not name.isprintable() or name in (".", ".."):
        raise PipelineError(f"{given}: {name!r} can't stand in an address: give another name, as in NAME={path}")
    return name, path
