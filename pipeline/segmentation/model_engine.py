"""ModelEngine: a trained model that finds words, as the engine of a segmenter."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError, NotFinite
from pipeline.provenance import sha256
from pipeline.segmentation.dictionary import UserDictionary

FOLDER = "segmenter"  # in the folder of a run or model, its own copy of the model that it cuts with


@dataclass(eq=False)
class ModelEngine:
    """The model in a folder as a `pipeline.segmentation.segmenter.WordEngine`; a worker gets the path and loads it.

    Arguments:
        folder: of the model.
        load: `pipeline.models.model.Model.load`, handed in because a model folder may itself contain an engine.

    Whatever needs the model raises ModelError if it is incomplete or finds no words.
    """

    folder: Path
    load: Callable[..., Any]
    _obeying: tuple[UserDictionary, Any] | None = field(default=None, init=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        return ModelEngine, (self.folder, self.load)

    @cached_property
    def name(self) -> str:
        """`sha256:` and the checksum of the model's checksums."""
        try:
            return f"sha256:{sha256(self.folder / 'SHA256SUMS')}"
        except OSError:
            raise ModelError(f"{self.folder}: no model here: expected a folder such as runs/NAME/model") from None

    @cached_property
    def model(self) -> Any:
        """The model, on one thread, so that the result does not depend on the number of threads."""
        model = self.load(self.folder, threads=1)
        if model.answerer.word_finder is None:
            raise ModelError(
                f"{self.folder}: is {model.task.described}, and a segmenter is a tagger of words or joint: "
                "name such a model"
            )
        return model

    def words(self, texts: Sequence[str], dictionary: UserDictionary) -> list[list[tuple[int, int]]]:
        """The words of each text, in characters, half-open; the words of `dictionary` are obeyed."""
        model, finder = self.model, self._finder(dictionary)
        tokenised = [model.tokenise(text) for text in texts]
        filled = [index for index, text in enumerate(tokenised) if text.tokens]
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        try:
            answers = finder.words(model.network, model.encoder, [tokenised[index] for index in filled])
        except NotFinite as error:
            raise NotFinite(error.network, filled[error.text]) from None
        for index, words in zip(filled, answers, strict=True):
            found[index] = words
        return found

    def knows(self, word: str, /) -> bool:
        """Whether the model's train split has this word."""
        return bool(self._own.knows(word))

    def copy(self, folder: Path) -> None:
        """Copies the model's files into a folder, which is emptied first, unless they are there already."""
        if folder.resolve() == self.folder.resolve():
            return
        self.model  # noqa: B018 (only a complete model is copied)
        sums = (self.folder / "SHA256SUMS").read_text(encoding="utf-8")
        names = [line.partition("  ")[2] for line in sums.splitlines()]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in (*names, "SHA256SUMS"):
            shutil.copyfile(self.folder / name, folder / name)

    @cached_property
    def _own(self) -> Any:
        return self.model.answerer.word_finder

    def _finder(self, dictionary: UserDictionary) -> Any:
        if not dictionary.forces:
            return self._own
        if self._obeying is None or self._obeying[0] is not dictionary:
            self._obeying = dictionary, self._own.with_dictionary(dictionary)
        return self._obeying[1]
