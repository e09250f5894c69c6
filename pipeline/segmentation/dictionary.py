"""User dictionaries: words that are forced, weighted or split, their tags, and their occurrences in a text."""

from __future__ import annotations

import os
import re
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from itertools import accumulate, chain, pairwise
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from pipeline.errors import DictionaryError
from pipeline.segmentation import entries, whole

if TYPE_CHECKING:
    from pipeline.config.segment import SegmentSettings

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_FORBIDDEN = re.compile("[\t\r\n\ud800-\udfff\ufdd0\ufdd1]")
_LISTED = 20
# What a text gets around each run of Latin letters and digits so that no word can match a part of one, and what stands
# there for what the automaton can't hold. Both are no characters, so that no word needs them.
_EDGE, _OTHER = "\ufdd0", "\ufdd1"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_FREQUENCY = 12  # digits
_FEW = 5000  # words whose automaton may be large and fast: some hundred MB for more


class _Entry(NamedTuple):
    """What a line says, `kind` being the field of the dictionary that it belongs to."""

    word: str
    kind: str
    tag: str | None = None
    frequency: int | None = None
    parts: tuple[str, ...] = ()


_Numbered = tuple[str, str | DictionaryError]  # the place of a line, and the line or why it can't be read


@dataclass(frozen=True)
class UserDictionary:
    """What a user says about words: which are always one token, which never, and how likely others are.

    The file format is jieba's: UTF-8 (a byte order mark is skipped), one entry per line, LF or CRLF, blank lines
    skipped, `word [frequency] [tag]`, and `word => part part`; `pipeline.segmentation.entries` says how a line is read,
    and which lines are refused because their word can't be told from their tag. White space around a word or a tag is
    dropped. A file is read in one of two ways:

    - **forced**: each of its words is one token. The frequency is checked but not kept.
    - **weighted**: jieba finds its words as it finds those of its own dictionary, by their frequency; without one, by
      the lowest frequency with which the word beats what it was cut into. Its tags are not kept.

    In both, frequency 0 says that a word is never a token, as in jieba, and an arrow that it is always cut into these
    parts.

    Arguments:
        words: forced word -> tag or None, in order. Checked and copied, like the others.
        weights: weighted word -> frequency, None if none is given, 0 if it is never a token.
        splits: word -> its parts, which joined are the word.
        keep_whole: whether runs of Latin letters and digits, and the patterns of `pipeline.segmentation.whole`, stay
            whole where an entry is only a part of one: `find` then gives no place that begins or ends inside one.
        dropped: how many forced words came with a frequency, which they don't use. Doesn't count in comparisons.

    Raises:
        DictionaryError: a word or a tag is empty, begins or ends with white space, starts with a byte order mark, or
            holds a tab, a line break, a lone surrogate, or U+FDD0 or U+FDD1, which are no characters; a word is in two
            of the three mappings; parts don't join to their word; or a frequency has more than 12 digits.

    >>> dictionary = UserDictionary({"北京大学": "nt", "北京大学出版社": None})
    >>> dictionary.find("北京大学出版社在北京大学旁")
    [(0, 7), (8, 12)]
    >>> dictionary.words["北京大学"]
    'nt'
    """

    words: Mapping[str, str | None] = field(default_factory=dict)
    weights: Mapping[str, int | None] = field(default_factory=dict)
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keep_whole: bool = True
    dropped: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        checked = [("word", word) for word in chain(self.words, self.weights, self.splits)]
        checked += [("tag", tag) for tag in self.words.values() if tag is not None]
        for what, text in checked:
            if fault := _fault(text):
                raise DictionaryError(f"user dictionary: the {what} {text!r} {fault}: leave it out or change it")
        if len({*self.words, *self.weights, *self.splits}) < len(self):
            twice = next(
                word for word in self if (word in self.words) + (word in self.weights) + (word in self.splits) > 1
            )
            raise DictionaryError(f"user dictionary: {twice!r} is forced, weighted or split at once: choose one")
        for word, parts in self.splits.items():
            if len(parts) < 2 or not all(parts) or "".join(parts) != word:
                raise DictionaryError(f"user dictionary: the parts of {word!r} are {list(parts)}: they must join to it")
        for word, frequency in self.weights.items():
            if frequency is not None and not 0 <= frequency < 10**_LONGEST_FREQUENCY:
                raise DictionaryError(
                    f"user dictionary: the frequency of {word!r} is {frequency}: expected 0 to 10^12 - 1"
                )
        for name in ("words", "weights", "splits"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[object, ...]:
        return UserDictionary, (dict(self.words), dict(self.weights), dict(self.splits), self.keep_whole)

    def __len__(self) -> int:
        return len(self.words) + len(self.weights) + len(self.splits)

    def __iter__(self) -> Iterator[str]:
        return chain(self.words, self.weights, self.splits)

    def __contains__(self, word: object) -> bool:
        return word in self.words or word in self.weights or word in self.splits

    def entry(self, word: str) -> tuple[str | None, int | None, Sequence[str]]:
        """The tag, the frequency and the parts of a word."""
        return self.words.get(word), self.weights.get(word), self.splits.get(word, ())

    @classmethod
    def load(cls, paths: Paths, weighted: Paths = ()) -> UserDictionary:
        """One dictionary from files of forced words and files of weighted ones.

        If a word is repeated, the last line wins, and those of forced words come last.

        Raises:
            DictionaryError: a file can't be read, or lines are not entries; names the first 20 with file and number,
                and counts the others.
        """
        forced_lines, weighted_lines = (
            (line for path in each_path(some) for line in numbered_lines(path)) for some in (paths, weighted)
        )
        return cls._collect(forced_lines, weighted_lines)

    @classmethod
    def parse(
        cls, lines: Iterable[str], weighted: Iterable[str] = (), *, name: str = "user dictionary"
    ) -> UserDictionary:
        """The dictionary in lines of forced and of weighted words; errors use `name` for the file."""
        forced_lines, weighted_lines = (
            ((f"{name}:{number}", line) for number, line in enumerate(some, start=1)) for some in (lines, weighted)
        )
        return cls._collect(forced_lines, weighted_lines)

    @classmethod
    def _collect(cls, forced: Iterable[_Numbered], weighted: Iterable[_Numbered]) -> UserDictionary:
        found: dict[str, _Entry] = {}
        faults: list[str] = []
        for lines, is_forced in ((weighted, False), (forced, True)):
            for place, line in lines:
                try:
                    entry = _entry(line, is_forced)
                except DictionaryError as error:
                    faults.append(f"{place}: {error}")
                    continue
                if entry:
                    found.pop(entry.word, None)
                    found[entry.word] = entry
        refuse(faults)
        return cls(
            {word: entry.tag for word, entry in found.items() if entry.kind == "words"},
            {word: entry.frequency for word, entry in found.items() if entry.kind == "weights"},
            {word: entry.parts for word, entry in found.items() if entry.kind == "splits"},
            dropped=sum(entry.kind == "words" and entry.frequency is not None for entry in found.values()),
        )

    def lines(self) -> list[str]:
        """The entries in the format of a file of forced words, without words that have a frequency above 0 or none."""
        return [
            *(entries.line(word, tag) for word, tag in self.words.items()),
            *(entries.split_line(word, parts) for word, parts in self.splits.items()),
            *(entries.line(word, frequency=0) for word in self.never),
        ]

    def weighted_lines(self) -> list[str]:
        """The other entries, in the format of a file of weighted words."""
        return [entries.line(word, frequency=frequency) for word, frequency in self.weights.items() if frequency != 0]

    def save(self, path: str | os.PathLike[str], weighted: str | os.PathLike[str] | None = None) -> None:
        """Writes files that `load` reads as an equal dictionary: UTF-8, LF, no byte order mark.

        `weighted`: the file of the weighted words, which is written only if there are any.
        """
        write_lines(path, self.lines())
        if weighted is not None and (lines := self.weighted_lines()):
            write_lines(weighted, lines)

    def updated(self, other: UserDictionary) -> UserDictionary:
        """With the entries of another dictionary, which win where both have the word; `keep_whole` stays as it is."""
        new = {*other.words, *other.weights, *other.splits}
        return UserDictionary(
            {**{word: tag for word, tag in self.words.items() if word not in new}, **other.words},
            {**{word: weight for word, weight in self.weights.items() if word not in new}, **other.weights},
            {**{word: parts for word, parts in self.splits.items() if word not in new}, **other.splits},
            self.keep_whole,
        )

    def normalised(self, normalise: Callable[[str], str]) -> UserDictionary:
        """With words as they are in normalised text; of words that become the same, the last one counts."""
        return UserDictionary(
            {normalise(word): tag for word, tag in self.words.items()},
            {normalise(word): weight for word, weight in self.weights.items()},
            {normalise(word): tuple(map(normalise, parts)) for word, parts in self.splits.items()},
            self.keep_whole,
            self.dropped,
        )

    def keeping_whole(self, keep_whole: bool) -> UserDictionary:
        """The same with this `keep_whole`."""
        return self if keep_whole == self.keep_whole else replace(self, keep_whole=keep_whole)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of its entries."""
        return sha256("\n".join([*self.lines(), "", *self.weighted_lines()]).encode()).hexdigest()

    @property
    def forces(self) -> bool:
        """Whether it has words that are one token whatever a segmenter finds, or that are cut into parts."""
        return bool(self.words or self.splits)

    @cached_property
    def never(self) -> frozenset[str]:
        """The words that are never a token."""
        return frozenset(word for word, frequency in self.weights.items() if frequency == 0)

    def find(self, text: str) -> list[tuple[int, int]]:
        """The places of forced words in `text`, and of the parts of words that are always split.

        Words are taken leftmost first and of these the longest, without overlap. Returns half-open (start, end)
        offsets in characters (code points), in order. The time grows with the length of the text, not with the number
        of words.
        """
        found = self._occurrences(text)
        if not self.splits:
            return found
        return [part for start, end in found for part in self._parts(text, start, end)]

    def occurring(self, text: str, tokens: Iterable[str] = ()) -> set[str]:
        """The words that occur in `text`: of the weighted ones those among its tokens, if they may be tokens."""
        if not len(self):
            return set()
        found = {text[start:end] for start, end in self._occurrences(text)}
        found.update(word for word in self.never if word in text)
        return found | self._weighted.intersection(tokens)

    @cached_property
    def _weighted(self) -> frozenset[str]:
        return frozenset(self.weights) - self.never

    def _parts(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        parts = self.splits.get(text[start:end], (text[start:end],))
        return pairwise(accumulate(map(len, parts), initial=start))

    def _occurrences(self, text: str) -> list[tuple[int, int]]:
        if not self.forces:
            return []
        found = self._matches(text)
        if not (found and self.keep_whole):
            return found
        kept = [place for place in whole.patterns(text) if not _is_in(place, found)]
        if not kept:
            return found
        # No word is a part of a pattern: search what lies between the patterns that no word covers.
        edges = [0, *chain.from_iterable(kept), len(text)]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        return [(gap + start, gap + end) for gap, stop in gaps for start, end in self._matches(text[gap:stop])]

    def _matches(self, text: str) -> list[tuple[int, int]]:
        """Leftmost-longest; words that cut a run are passed over if `keep_whole`."""
        text = text.replace(_EDGE, _OTHER)
        marked = _with_edges(text) if self.keep_whole else text
        try:
            found = self._automaton.find_matches_as_indexes(marked)
        except UnicodeEncodeError:
            return self._matches(_SURROGATE.sub(_OTHER, text))
        if not found or len(marked) == len(text):
            return [(start, end) for _, start, end in found]
        edges = [edge.start() for edge in re.finditer(_EDGE, marked)]
        return [(start - bisect_left(edges, start), end - bisect_left(edges, end)) for _, start, end in found]

    @cached_property
    def _automaton(self) -> AhoCorasick:
        words = [*self.words, *self.splits]
        kind = Implementation.ContiguousNFA if len(words) > _FEW else Implementation.DFA
        marked = [_with_edges(word) for word in words] if self.keep_whole else words
        return AhoCorasick(marked, MatchKind.LeftmostLongest, store_patterns=False, implementation=kind)


def load_dictionary(settings: SegmentSettings, normalise: Callable[[str], str] = str) -> UserDictionary:
    """The dictionary of the section [segment], whose words are normalised as the texts are. Raises DictionaryError."""
    if not (settings.dictionaries or settings.weighted_dictionaries):
        return UserDictionary(keep_whole=settings.keep_whole)
    found = UserDictionary.load(settings.dictionaries, settings.weighted_dictionaries)
    return found.normalised(normalise).keeping_whole(settings.keep_whole)


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


def write_lines(path: str | os.PathLike[str], lines: Iterable[str]) -> None:
    """Writes lines as UTF-8 with LF."""
    Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _entry(line: str | DictionaryError, is_forced: bool) -> _Entry | None:
    """The entry of a line; None for a blank line."""
    if isinstance(line, DictionaryError):
        raise line
    if not line.strip():
        return None
    word, frequency, tag, parts = entries.parse(line)
    if fault := _fault(word):
        raise DictionaryError(f"the word {word!r} {fault}")
    if tag and (fault := _fault(tag)):
        raise DictionaryError(f"the tag {tag!r} {fault}")
    if frequency and not (frequency.isascii() and frequency.isdigit()):
        raise DictionaryError(f"expected a whole number as the frequency of {word!r}, found {frequency!r}")
    if len(frequency.lstrip("0")) > _LONGEST_FREQUENCY:
        raise DictionaryError(
            f"the frequency of {word!r} has {len(frequency)} digits: expected at most {_LONGEST_FREQUENCY}"
        )
    if parts:
        return _Entry(word, "splits", parts=parts)
    if frequency and not frequency.strip("0"):
        return _Entry(word, "weights", frequency=0)
    if is_forced:
        return _Entry(word, "words", tag or None, int(frequency) if frequency else None)
    return _Entry(word, "weights", frequency=int(frequency) if frequency else None)


def _with_edges(text: str) -> str:
    return _EDGE.join(whole.RUN.split(text))


def _is_in(place: tuple[int, int], found: Sequence[tuple[int, int]]) -> bool:
    """Whether a place lies in one of some places, which are in order and don't overlap."""
    before = bisect(found, place[0], key=itemgetter(0)) - 1
    return before >= 0 and place[1] <= found[before][1]


def _fault(text: str) -> str:
    """Why `text` can be no word or tag; "" if it can."""
    if not text:
        return "is empty"
    if text != text.strip() or text.startswith("\ufeff"):
        return "has white space or a byte order mark at its end or start"
    if _FORBIDDEN.search(text):
        return "holds a tab, a line break, a lone surrogate or what is no character"
    return ""
