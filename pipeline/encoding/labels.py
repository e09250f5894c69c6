"""Labels: the names of the targets and their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from embeddings import wordlist


@dataclass(frozen=True)
class Labels:
    """Unique target names in a fixed order; the id of a name is its place, from 0.

    >>> labels = Labels.build(["通知", "垃圾邮件", "通知"])
    >>> labels.names, labels.id("通知")
    (('垃圾邮件', '通知'), 1)

    Raises ValueError for an empty or repeated name.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names) or "" in self.names:
            raise ValueError(f"label names must be unique and not empty, received {self.names}")
        object.__setattr__(self, "_ids", {name: index for index, name in enumerate(self.names)})

    @classmethod
    def build(cls, names: Iterable[str]) -> Labels:
        """The distinct names, sorted by code point; pass the labels of the train split only."""
        return cls(tuple(sorted(set(names))))

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._ids  # type: ignore[attr-defined]

    def id(self, name: str) -> int:
        """The id of a name; raises KeyError for a name that the train split did not have."""
        return self._ids[name]  # type: ignore[attr-defined, no-any-return]

    def save(self, path: Path) -> None:
        """Writes one escaped name per line, UTF-8."""
        wordlist.write(path, self.names)

    @classmethod
    def load(cls, path: Path) -> Labels:
        """The labels that `save` wrote; raises EmbeddingError with file and line for a broken file."""
        return cls(tuple(wordlist.read(path)))


NO_LABELS = Labels(())
