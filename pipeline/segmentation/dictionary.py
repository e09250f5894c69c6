"""User dictionaries: the words a user forces, their tags, and where they occur in a text."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from pipeline.errors import DictionaryError

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_SPACED = re.compile(r"\A(.+?)(?: +([0-9]+))?(?: +([a-z]+))?\Z", re.DOTALL)
_FORBIDDEN = re.compile("[\t\r\n\ud800-\udfff]")
_LISTED = 20


@dataclass(frozen=True)
class UserDictionary:
    """The words a user forces, each with a tag or None.

    The file format is the one jieba reads: UTF-8 (a byte order mark is skipped), one entry a line, LF or
    CRLF, blank lines skipped, `word [frequency] [tag]`. A line is read in one of two ways:

    - **Without a tab**, from the right, by jieba's own rule: a last field of lowercase ASCII letters alone is
      the tag; a field before it (or the last one) of ASCII digits alone is the frequency; everything to the
      left is the word, spaces included. A first field is always (part of) the word. `云计算 5 n`, `New York
      5`, `iPhone 15 Pro`, `123`.
    - **With a tab**, tabs alone separate, and nothing is guessed about the word: `word⇥frequency⇥tag`,
      `word⇥tag`, `word⇥frequency` or `word⇥`. Frequency and tag may be empty. Only so can a word end in
      digits or in a lowercase word (`iPhone 15⇥`, `machine learning⇥n`), and only so can a tag hold capitals
      or digits (`张三丰⇥PER`).

    The frequency is checked and not kept: a forced word needs none. Frequency 0, by which jieba takes a word
    out, is an error here. White space around a word or a tag is dropped.

    Arguments:
        words: word -> tag or None, in order. Checked and copied.

    Raises:
        DictionaryError: a word is empty, is surrounded by white space, starts with a byte order mark, or
            holds a tab, a line break or a lone surrogate; or a tag is empty or does so.

    >>> dictionary = UserDictionary({"北京大学": "nt", "北京大学出版社": None})
    >>> dictionary.find("北京大学出版社在北京大学旁")
    [(0, 7), (8, 12)]
    >>> dictionary.words["北京大学"]
    'nt'
    """

    words: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word, tag in self.words.items():
            for what, text in (("word", word), ("tag", tag)):
                if text is not None and (fault := _fault(text)):
                    raise DictionaryError(f"user dictionary: the {what} {text!r} {fault}: leave it out or change it")
        object.__setattr__(self, "words", MappingProxyType(dict(self.words)))

    def __reduce__(self) -> tuple[object, ...]:
        return UserDictionary, (dict(self.words),)

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def load(cls, paths: Paths) -> "UserDictionary":
        """One dictionary from one or several files; of a word given twice the later line or file wins.

        Raises:
            DictionaryError: a file can't be read, or lines aren't entries: all are counted, the first 20
                named with file and number.
        """
        lines = (line for path in each_path(paths) for line in numbered_lines(path))
        return cls._collect(lines)

    @classmethod
    def parse(cls, lines: Iterable[str], *, name: str = "user dictionary") -> "UserDictionary":
        """The dictionary that these lines of the file format hold; `name` stands for the file in errors."""
        return cls._collect((f"{name}:{number}", line) for number, line in enumerate(lines, start=1))

    @classmethod
    def _collect(cls, lines: Iterable[tuple[str, str | DictionaryError]]) -> "UserDictionary":
        words: dict[str, str | None] = {}
        faults: list[str] = []
        for place, line in lines:
            try:
                entry = _entry(line)
            except DictionaryError as error:
                faults.append(f"{place}: {error}")
            else:
                words.update(entry)
        refuse(faults)
        return cls(words)

    def lines(self) -> list[str]:
        """The entries in the file format: with a space where it is unambiguous, else with a tab."""
        return [_line(word, tag) for word, tag in self.words.items()]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file that `load` reads back as an equal dictionary: UTF-8, LF, no byte order mark."""
        Path(path).write_text("".join(f"{line}\n" for line in self.lines()), encoding="utf-8", newline="\n")

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand in `text`, leftmost first and the longest of those, without overlap.

        Returns half-open (start, end) offsets in characters (code points), in order. The time grows with the
        text and the number of different lengths of words that share two characters, not with the number of
        words.
        """
        if not self.words:
            return []
        words, lengths = self._lookup, self._lengths
        found, end = [], 0
        for candidate in self._first_characters.finditer(text):
            start = candidate.start()
            if start < end:
                continue
            for length in lengths.get(text[start : start + 2]) or lengths.get(text[start], ()):
                word = text[start : start + length]
                if word in words:
                    end = start + len(word)
                    found.append((start, end))
                    break
        return found

    @cached_property
    def _lookup(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def _lengths(self) -> dict[str, Sequence[int]]:
        """First two characters -> the lengths of the words that can start there, the longest first.

        A word of one character stands under itself, and under every pair that starts with it.
        """
        lengths: dict[str, set[int]] = {}
        for word in self.words:
            lengths.setdefault(word[:2], set()).add(len(word))
        return {
            start: sorted(several | lengths.get(start[0], set()), reverse=True) for start, several in lengths.items()
        }

    @cached_property
    def _first_characters(self) -> re.Pattern[str]:
        characters = sorted({word[0] for word in self.words})
        return re.compile("[" + "".join(map(re.escape, characters)) + "]")


def each_path(paths: Paths) -> list[Path]:
    """The paths as a list, whether one was given or several."""
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]


def numbered_lines(path: Path) -> Iterator[tuple[str, str | DictionaryError]]:
    """The lines of a UTF-8 file that aren't blank, each as its place "file:number" and its text or its error.

    Raises:
        DictionaryError: the file can't be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DictionaryError(f"{path}: can't be read ({error.strerror}): check the path") from error
    for number, line in enumerate(re.split(rb"\r\n|\r|\n", content), start=1):
        place = f"{path}:{number}"
        try:
            text = line.decode("utf-8").lstrip("\ufeff")
        except UnicodeDecodeError as error:
            yield (
                place,
                DictionaryError(f"not UTF-8 (byte {error.start + 1} of the line): save the file as UTF-8"),
            )
        else:
            if text.strip():
                yield place, text


def refuse(faults: list[str]) -> None:
    """Raises one DictionaryError over the faults, if there are any: the first 20, and how many more."""
    if not faults:
        return
    more = [f"and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    raise DictionaryError("\n".join(faults[:_LISTED] + more))


def _entry(line: str | DictionaryError) -> dict[str, str | None]:
    """The entry of a line as {word: tag}, or nothing for a blank line."""
    if isinstance(line, DictionaryError):
        raise line
    if not line.strip():
        return {}
    word, frequency, tag = _tabbed(line) if "\t" in line else _spaced(line)
    if fault := _fault(word):
        raise DictionaryError(f"the word {word!r} {fault}")
    if tag and (fault := _fault(tag)):
        raise DictionaryError(f"the tag {tag!r} {fault}")
    if frequency and not (frequency.isascii() and frequency.isdigit()):
        raise DictionaryError(f"expected a whole number as the frequency of {word!r}, found {frequency!r}")
    if frequency and not frequency.strip("0"):
        raise DictionaryError(f"frequency 0 would split {word!r}, which a forced word never is: take the line out")
    return {word: tag or None}


def _spaced(line: str) -> tuple[str, str, str]:
    [(word, frequency, tag)] = _SPACED.findall(line.strip())
    return word.strip(), frequency, tag


def _tabbed(line: str) -> tuple[str, str, str]:
    word, *rest = (part.strip() for part in line.split("\t"))
    match rest:
        case [frequency, tag]:
            return word, frequency, tag
        case [number] if number.isascii() and number.isdigit():
            return word, number, ""
        case [tag]:
            return word, "", tag
    raise DictionaryError(f"expected at most word, frequency and tag between tabs, found {len(rest) + 1} fields")


def _line(word: str, tag: str | None) -> str:
    plain = word if tag is None else f"{word} {tag}"
    return plain if _spaced(plain) == (word, "", tag or "") else f"{word}\t\t{tag or ''}"


def _fault(text: str) -> str:
    """What forbids `text` as a word or tag, or nothing."""
    if not text:
        return "is empty"
    if text != text.strip() or text.startswith("\ufeff"):
        return "has white space or a byte order mark at its end or start"
    if _FORBIDDEN.search(text):
        return "holds a tab, a line break or a lone surrogate"
    return ""
