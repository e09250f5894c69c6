"""Memory: what earlier evaluations fitted, found again by the fingerprint of what it was fitted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from corpora.files import replace_when_done
from pipeline.provenance import versions

T = TypeVar("T")

FOLDER = "remembered"  # in the folder of an evaluation
TOGETHER = 1000  # values that are written as JSON at a time
Basis = Mapping[str, Any]  # JSON-ready: all that an answer depends on


@dataclass(frozen=True)
class Memory:
    """Answers of fitted models as JSON files, one per model and basis; nothing is kept or found by default.

    A file is named after the model and the SHA-256 of its basis, and holds the basis, the content and the SHA-256 of
    both. So another split, another setting that matters or another version is another file, and a damaged or altered
    file is told apart. What is recalled from an `earlier` folder is also kept in the new one.

    Arguments:
        kept: Folder to keep answers in, made if needed.
        earlier: Folders to look in, the first that has a file counts.
        notify: Called with a sentence for each file that can't be used.
    """

    kept: Path | None = None
    earlier: Sequence[Path] = ()
    notify: Callable[[str], object] = lambda note: None

    def recall(self, name: str, basis: Basis, read: Callable[[Any], T]) -> T | None:
        """What was kept for a model on a basis, as `read` makes it of the content; None if there is nothing.

        `read` may raise KeyError, TypeError or ValueError for a content that it doesn't understand, which then counts
        as damaged.
        """
        for folder in self.earlier:
            path = folder / _file_name(name, basis)
            if not path.is_file():
                continue
            try:
                content = _content(path, basis)
                found = read(content)
            except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
                why = f"it has no {error}" if isinstance(error, KeyError) else error
                self.notify(f"{path} can't be used ({why}): {name} is fitted again")
                continue
            self.keep(name, basis, content)
            return found
        return None

    def keep(self, name: str, basis: Basis, content: Any) -> None:
        """Keeps a content, JSON-ready, for a model on a basis."""
        if self.kept is None:
            return
        self.kept.mkdir(parents=True, exist_ok=True)
        text = _canonical({"basis": basis, "content": content, "sha256": _digest([basis, content])})
        with replace_when_done(self.kept / _file_name(name, basis)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


FORGETFUL = Memory()


def libraries(*packages: str) -> dict[str, str]:
    """The part of a basis that names the installed versions of libraries."""
    return versions(packages)


def fingerprint(values: Iterable[Any]) -> str:
    """The SHA-256 of JSON-ready values in their order, in hexadecimal.

    >>> fingerprint([["春", "天"], "a"]) == fingerprint([["春天"], "a"])
    False
    """
    digest, left = hashlib.sha256(), iter(values)
    while part := list(islice(left, TOGETHER)):
        digest.update(_canonical(part).encode("ascii"))
    return digest.hexdigest()


def _content(path: Path, basis: Basis) -> Any:
    """What a file holds. Raises ValueError if it is damaged, or is about another basis."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["sha256"] != _digest([found["basis"], found["content"]]):
        raise ValueError("its content differs from its checksum")
    if _canonical(found["basis"]) != _canonical(basis):
        raise ValueError("it is about another split or version")
    return found["content"]


def _file_name(name: str, basis: Basis) -> str:
    return f"{name}-{_digest(basis)[:16]}.json"


def _digest(value: Any) -> str:
    return fingerprint([value])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
