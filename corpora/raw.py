"""Raw text: the files that paths and patterns stand for, and which texts of them are held out."""

import glob
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from corpora.errors import CorpusError


def files(sources: Iterable[str]) -> list[Path]:
    """The files of paths and patterns (`*`, `?`, `[...]`, and `**` for folders), in order, each once.

    Raises:
        CorpusError: A pattern matches nothing.
    """
    found: dict[Path, None] = {}
    for source in sources:
        if not is_pattern(source):
            found[Path(source)] = None
            continue
        matched = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 (absolute ones too)
        paths = [path for name in matched if (path := Path(name)).is_file()]
        if not paths:
            raise CorpusError(f"{source}: no file matches: expected text files, such as texts/*.txt.gz")
        found.update(dict.fromkeys(paths))
    return list(found)


def is_pattern(source: str) -> bool:
    """Whether a name stands for the files that match it."""
    return glob.has_magic(source) and not Path(source).exists()


def digest(text: str, seed: int = 0) -> int:
    """A number of 64 bits that depends on a text and a seed alone."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8, salt=seed.to_bytes(16, "little")).digest(), "little")


def part_of(text: str, shares: Mapping[str, float], seed: int) -> str:
    """The part of a text, by chance, "train" or a key of `shares`; the same text is always in the same part.

    >>> part_of("雪是半夜开始下的。", {"dev": 0.5, "test": 0.5}, 1)
    'dev'
    """
    place = digest(text, seed) / 2**64
    for part, share in shares.items():
        if place < share:
            return part
        place -= share
    return "train"
