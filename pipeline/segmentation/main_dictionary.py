"""Main dictionaries: the words with their frequencies that jieba cuts with, its own or one that stands in for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import DictionaryError
from pipeline.segmentation.dictionary import numbered_lines, refuse, write_lines

Frequencies = dict[str, int]


@dataclass(frozen=True)
class MainDictionary:
    """A dictionary in place of jieba's own, such as one of traditional words, or jieba's `dict.txt.big`.

    Its file has a line `word frequency [tag]` for each word: UTF-8, separated by blanks. The tag is not kept. If a word
    is repeated, the last line wins.

    Arguments:
        frequencies: word -> frequency, 1 or more.
    """

    frequencies: Mapping[str, int] = field(repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MainDictionary:
        """The dictionary in a file.

        Raises:
            DictionaryError: the file can't be read or has no word, or a line is no word with a frequency; names the
                first 20 with file and number, and counts the others.
        """
        frequencies: Frequencies = {}
        faults: list[str] = []
        for place, line in numbered_lines(Path(path)):
            fields = [] if isinstance(line, DictionaryError) else line.split()
            if len(fields) in (2, 3) and fields[1].isascii() and fields[1].isdigit() and len(fields[1]) <= 12:
                frequencies[fields[0]] = int(fields[1])
            elif isinstance(line, DictionaryError):
                faults.append(f"{place}: {line}")
            else:
                faults.append(f"{place}: expected a word, its frequency and perhaps a tag, found {line.strip()!r}")
        refuse(faults)
        found = {word: frequency for word, frequency in frequencies.items() if frequency}
        if not found:
            raise DictionaryError(f"{path}: has no word with a frequency: name a dictionary such as jieba's dict.txt")
        return cls(found)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file that `load` reads as an equal dictionary."""
        write_lines(path, self._lines())

    @cached_property
    def name(self) -> str:
        """`sha256:` and the checksum of its words and frequencies: a name that no other dictionary has."""
        return f"sha256:{sha256(''.join(self._lines()).encode()).hexdigest()}"

    def _lines(self) -> list[str]:
        return [f"{word} {frequency}" for word, frequency in self.frequencies.items()]


def jieba_frequencies() -> Frequencies:
    """The words of jieba's own dictionary, which rjieba has too, with their frequencies; imports neither."""
    spec = find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        raise DictionaryError("jieba is not installed, whose dictionary is needed: pip install jieba")
    lines = (Path(spec.submodule_search_locations[0]) / "dict.txt").read_text(encoding="utf-8").splitlines()
    return {word: int(frequency) for word, frequency, *_ in map(str.split, lines)}


def suggested(
    words: Iterable[str], cut: Callable[[str], list[str]], frequencies: Mapping[str, int], total: int
) -> Frequencies:
    """For each word the lowest frequency with which it beats its parts, as jieba's `suggest_freq` finds it.

    `cut`: the words of a text without the hidden Markov model; `total`: the sum of the frequencies.
    """
    found = {}
    for word in words:
        likelihood = 1.0
        for part in cut(word):
            likelihood *= (frequencies.get(part) or 1) / total
        found[word] = max(int(likelihood * total) + 1, frequencies.get(word) or 1)
    return found
