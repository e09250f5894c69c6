"""Trained: a model that finds words, trained by ourselves, as the engine of a segmenter."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.provenance import sha256
from pipeline.segmentation.dictionary import UserDictionary

FOLDER = "segmenter"  # in a run's or model's folder, the copy of the model that it cuts with
KINDS = ("words", "joint")


@dataclass(eq=False)
class ModelEngine:
    """The model in a folder, as `pipeline.segmentation.segmenter.Trained`; sent to a worker it is the path, and is loaded there.

    Arguments:
        folder: of the model.
        load: `pipeline.models.model.Model.load`, which reads folders that have such a folder in them.

    Raises ModelError from whatever needs the model, if it is not whole or finds no words.
    """

    folder: Path
    load: Callable[..., Any]
    _told: tuple[UserDictionary, Any] | None = field(default=None, init=False, repr=False)

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
        """The model, on one thread, as every number of threads has to give one result."""
        model = self.load(self.folder, threads=1)
        kind = model.about.get("options", {}).get("tag", {}).get("kind") if model.about["task"] == "tag" else None
        if kind not in KINDS:
            what = f"a tagger of {kind}" if kind else f"a model whose task is {model.about['task']}"
            raise ModelError(
                f"{self.folder}: is {what}, and a segmenter is a tagger of {' or '.join(KINDS)}: name such a model"
            )
        return model

    def words(self, texts: Sequence[str], dictionary: UserDictionary) -> list[list[tuple[int, int]]]:
        """As `pipeline.segmentation.segmenter.Trained.words`."""
        model = self._with(dictionary)
        tokenised = [model.tokenise(text) for text in texts]
        filled = [index for index, text in enumerate(tokenised) if text.tokens]
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        answers = model.task.stretches(model.network, model.encoder, [tokenised[index] for index in filled])
        for index, words in zip(filled, answers, strict=True):
            found[index] = words
        return found

    def knows(self, word: str, /) -> bool:
        """As `pipeline.segmentation.segmenter.Trained.knows`."""
        return word in self.model.task.words

    def copy(self, folder: Path) -> None:
        """Copies the model's files into a folder, which is made anew, unless they are there already."""
        if folder.resolve() == self.folder.resolve():
            return
        self.model  # noqa: B018 (nothing is copied that is not whole)
        sums = (self.folder / "SHA256SUMS").read_text(encoding="utf-8")
        names = [line.partition("  ")[2] for line in sums.splitlines()]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in (*names, "SHA256SUMS"):
            shutil.copyfile(self.folder / name, folder / name)

    def _with(self, dictionary: UserDictionary) -> Any:
        if not dictionary.words:
            return self.model
        if self._told is None or self._told[0] is not dictionary:
            self._told = dictionary, replace(self.model, task=self.model.task.forcing(dictionary))
        return self._told[1]
