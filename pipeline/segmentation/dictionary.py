"""User dictionaries: the words that a user forces, their tags, and their occurrences in a text."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from pipeline.errors import DictionaryError
from pipeline.segmentation import entries

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_FORBIDDEN = re.compile("[\t\r\n\ud800-\udfff]")
_LISTED = 20


@dataclass(frozen=True)
class UserDictionary:
    """The words that a user forces, each with a tag or None.

    The file format is jieba's: UTF-8 (a byte order mark is skipped), one entry per line, LF or CRLF, blank lines
    skipped, `word [frequency] [tag]`; `pipeline.segmentation.entries` says how a line is read, and which lines are
    refused because their word can't be told from their tag.

    The frequency is checked but not kept: a forced word needs none. Frequency 0, with which jieba removes a word, is
    an error here. White space around a word or a tag is dropped.

    Arguments:
        words: word -> tag or None, in order. Checked and copied.

    Raises:
        DictionaryError: a word or a tag is empty, begins or ends with white space, starts with a byte order mark, or
            holds a tab, a line break or a lone surrogate.

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
        """One dictionary from one or several files; if a word is repeated, the last line wins.

        Raises:
            DictionaryError: a file can't be read, or lines are not entries; names the first 20 with file and number,
                and counts the others.
        """
        lines = (line for path in each_path(paths) for line in numbered_lines(path))
        return cls._collect(lines)

    @classmethod
    def parse(cls, lines: Iterable[str], *, name: str = "user dictionary") -> "UserDictionary":
        """The dictionary in lines of the file format; errors use `name` for the file."""
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
        """The entries in the file format, separated by a space where this is unambiguous, else by a tab."""
        return [entries.line(word, tag) for word, tag in self.words.items()]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file that `load` reads as an equal dictionary: UTF-8, LF, no byte order mark."""
        Path(path).write_text("".join(f"{line}\n" for line in self.lines()), encoding="utf-8", newline="\n")

    def find(self, text: str) -> list[tuple[int, int]]:
        """The occurrences of the words in `text`: leftmost first and of these the longest, without overlap.

        Returns half-open (start, end) offsets in characters (code points), in order. The time grows with the length
        of the text and with the number of distinct lengths of words that share their first two characters, not with
        the number of words.
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

    def occurring(self, text: str, tokens: Iterable[str] | None = None) -> set[str]:
        """The words that occur in `text`; of its `tokens` if a segmenter that obeys this dictionary made some."""
        if not self.words:
            return set()
        if tokens is not None:
            return set(self._lookup.intersection(tokens))
        return {text[start:end] for start, end in self.find(text)}

    @cached_property
    def _lookup(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def _lengths(self) -> dict[str, Sequence[int]]:
        """First two characters -> the lengths of the words that can start there, the longest first.

        A word of one character is listed under itself and under every pair that starts with it.
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
    """One path or several, as a list."""
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]


def numbered_lines(path: Path) -> Iterator[tuple[str, str | DictionaryError]]:
    """The lines of a UTF-8 file that are not blank, each as its place "file:number" and its text or an error.

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
    """Raises one DictionaryError for all faults, if there are any: the first 20, and the number of the others."""
    if not faults:
        return
    more = [f"and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    raise DictionaryError("\n".join(faults[:_LISTED] + more))


def _entry(line: str | DictionaryError) -> dict[str, str | None]:
    """The entry of a line as {word: tag}; {} for a blank line."""
    if isinstance(line, DictionaryError):
        raise line
    if not line.strip():
        return {}
    word, frequency, tag = entries.parse(line)
    if fault := _fault(word):
        raise DictionaryError(f"the word {word!r} {fault}")
    if tag and (fault := _fault(tag)):
        raise DictionaryError(f"the tag {tag!r} {fault}")
    if frequency and not (frequency.isascii() and frequency.isdigit()):
        raise DictionaryError(f"expected a whole number as the frequency of {word!r}, found {frequency!r}")
    if frequency and not frequency.strip("0"):
        raise DictionaryError(f"frequency 0 would split {word!r}, which a forced word never is: take the line out")
    return {word: tag or None}


def _fault(text: str) -> str:
    """Why `text` can be no word or tag; "" if it can."""
    if not text:
        return "is empty"
    if text != text.strip() or text.startswith("\ufeff"):
        return "has white space or a byte order mark at its end or start"
    if _FORBIDDEN.search(text):
        return "holds a tab, a line break or a lone surrogate"
    return ""
