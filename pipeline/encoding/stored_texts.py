"""Stored texts: any number of texts on the disk, written once as code points and read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import FIRST, UNKNOWN, Vocabulary
from pipeline.encoding.batch import Ids

CHARACTERS = 0x110000  # code points of Unicode
PIECE = 1 << 20  # characters that are looked at together
Codes = NDArray[np.uint32]


class TextWriter:
    """Writes texts, as they come, into NAME.codes and NAME.ends of a folder.

    `texts`, `characters`: how many have been written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.texts = self.characters = 0
        self._stack = ExitStack()
        self._codes, self._ends = (self._stack.enter_context(path.open("wb")) for path in _paths(folder, name))

    def write(self, text: str) -> None:
        """Adds a text, which may have any character."""
        self._codes.write(text.encode("utf-32-le", "surrogatepass"))
        self.texts, self.characters = self.texts + 1, self.characters + len(text)
        self._ends.write(self.characters.to_bytes(8, "little"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class StoredTexts(Sequence[Ids]):
    """The ids of each text's characters, int32 (characters,), read from the files of a `TextWriter`.

    Arguments:
        folder, name: where they are; at least one text.
        vocabulary: the characters with an id of their own.
        backwards: whether the last character comes first.
    """

    def __init__(self, folder: Path, name: str, vocabulary: Vocabulary, *, backwards: bool = False) -> None:
        self.vocabulary = vocabulary
        codes, ends = _paths(folder, name)
        self._codes: Codes = np.memmap(codes, "<u4", "r")
        self._ends: NDArray[np.int64] = np.memmap(ends, "<i8", "r")
        self._table = np.full(CHARACTERS, UNKNOWN, np.int32)
        for place, token in enumerate(vocabulary.tokens, start=FIRST):
            if len(token) == 1:
                self._table[ord(token)] = place
        self._step = -1 if backwards else 1

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, place: int) -> Ids:  # type: ignore[override]  # no slices
        if not 0 <= place < len(self):
            raise IndexError(place)
        start, end = self._ends[place - 1] if place else 0, self._ends[place]
        return self._table[self._codes[start:end]][:: self._step]

    @property
    def characters(self) -> int:
        """Characters of all texts."""
        return len(self._codes)

    def unknown(self) -> Iterator[str]:
        """Each occurrence of a character that the vocabulary lacks."""
        for start in range(0, len(self._codes), PIECE):
            codes = self._codes[start : start + PIECE]
            yield from map(chr, codes[self._table[codes] == UNKNOWN].tolist())


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.codes", folder / f"{name}.ends"
