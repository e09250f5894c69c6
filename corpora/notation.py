"""Notation: how a corpus writes the tags of a scheme (`B_PER`, `PER-B`, `b-per`, BILOU, BMEWO, IOB1), read as ours.

Ours are `O`, a letter, or a letter, a hyphen and a label, in BIO, BMES or BIOES. The notation is told from all tags of
a corpus. Tags of which most are of no scheme, such as parts of speech, are left as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

from corpora.document import Sentence
from corpora.errors import CorpusError, shown
from corpora.findings import Counts, note
from corpora.tags import OUTSIDE, scheme_of, spans, tags_of

Kind = Literal["entities", "words", "joint", "pos"]
MOST = 0.9  # share of the tokens that a notation must explain; the others are then mistakes
# What letters of other schemes are in ours: the last and the only token of BILOU, and the only one of BMEWO.
LETTERS = {"L": "E", "U": "S", "W": "S"}
_LETTER = "[BIMELSUW]"
_FIRST = re.compile(rf"({_LETTER})([^\w\s]|_)(.+)", re.IGNORECASE | re.DOTALL)
_LAST = re.compile(rf"(.+)([^\w\s]|_)({_LETTER})", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(_LETTER)


class NumberedSentences(Protocol):
    """The sentences of a file, and where their tokens stand."""

    @property
    def path(self) -> Path: ...

    def __iter__(self) -> Iterator[Sentence]: ...

    def numbered(self) -> Iterator[tuple[list[int], Sentence]]:
        """Each sentence with the numbers of its tokens' lines, from 1."""
        ...


@dataclass(frozen=True)
class Notation:
    """Our tag for each tag of a corpus.

    Args:
        tags: By the tag as it stands there.
        is_iob1: Whether B only parts neighbours of one label, and I begins all other spans.
    """

    tags: Mapping[str, str]
    is_iob1: bool = False

    @property
    def said(self) -> str:
        """What is read as what, in words; "" where the notation is ours."""
        if self.is_iob1:
            return "the tags are IOB1, in which a span begins with I: read as BIO"
        written = [(tag, ours) for tag, ours in self.tags.items() if tag != ours]
        if not written:
            return ""
        tag, ours = max(
            written, key=lambda pair: (pair[1][0] not in (pair[0][0].upper(), pair[0][-1].upper()), len(pair[0]) > 1)
        )
        return f'tags such as "{shown(tag, 20)}" are read as "{shown(ours, 20)}"'

    def sentence(self, sentence: Sentence) -> Sentence:
        """The sentence with our tags."""
        if sentence.tags is None:
            return sentence
        tags = tuple(self.tags[tag] for tag in sentence.tags)
        if self.is_iob1:
            tags = tags_of(spans(tags, "BIO").spans, len(tags), "BIO")
        return Sentence(sentence.tokens, tags)


@dataclass(frozen=True)
class CanonicalTags:
    """The sentences of a file with tags in our notation; re-iterable. The first iteration reads the file once more.

    Raises:
        CorpusError: While iterating: as the source, and where most tags are of a notation but one is not; names its
            line.
    """

    source: NumberedSentences
    place: str = "line"  # what `numbered` counts

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @cached_property
    def notation(self) -> Notation:
        """How the file writes its tags."""
        found, strange = notation_of(self.source)
        if strange:
            raise CorpusError(self._misfit(found, strange))
        return found

    def __iter__(self) -> Iterator[Sentence]:
        return (self.notation.sentence(sentence) for sentence in self.source)

    def numbered(self) -> Iterator[tuple[list[int], Sentence]]:
        """Each sentence with the numbers of its tokens' lines."""
        return ((lines, self.notation.sentence(sentence)) for lines, sentence in self.source.numbered())

    def counted(self, counts: Counts) -> Iterator[Sentence]:
        """The sentences; adds what was read as what."""
        if self.notation.said:
            note(self.notation.said, counts)
        return iter(self)

    def _misfit(self, found: Notation, strange: Mapping[str, int]) -> str:
        """Where the first tag stands that is of no scheme, and the way out."""
        line, tag = next(
            (line, tag)
            for lines, sentence in self.source.numbered()
            for line, tag in zip(lines, sentence.tags or (), strict=True)
            if tag in strange
        )
        tokens, more = sum(strange.values()), len(strange) - 1
        others = f" ({tokens:,} tokens have it or {more:,} others like it)" if more else ""
        letter = ' The letter "O" stands for no entity.' if tag in ("0", "o", "Ｏ", "OO") else ""
        known = next((tag for tag in found.tags.values() if tag != OUTSIDE), OUTSIDE)
        return (
            f'{self.path}: {self.place} {line}: the tag "{shown(tag, 20)}" is of no scheme{others}, but the other tags '
            f'of the file are, such as "{shown(known, 20)}": repair it, or name the column of the tags.{letter}'
        ).removesuffix(".")


def notation_of(sentences: Iterable[Sentence]) -> tuple[Notation, dict[str, int]]:
    """The notation of a corpus, and the tags that are not of it, with their counts.

    >>> notation_of([Sentence(("小", "明", "来"), ("PER_B", "PER_L", "o"))])[0].tags
    {'PER_B': 'B-PER', 'PER_L': 'E-PER', 'o': 'O'}
    """
    counts: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for sentence in sentences:
        counts.update(sentence.tags or ())
        pairs.update(pairwise((OUTSIDE, *(sentence.tags or ()))))
    found = _best(counts)
    strange = {tag: count for tag, count in counts.items() if tag not in found}
    if sum(strange.values()) > (1 - MOST) * counts.total() or set(found.values()) <= {OUTSIDE}:
        return Notation({tag: tag for tag in counts}), {}
    return Notation(found, not strange and _is_iob1(found, pairs)), strange


def kind_of(tags: Iterable[str]) -> Kind:
    """What tags in our notation are about; a corpus of entities without any `O` looks like tagged words.

    >>> kind_of(["O", "B-地点"]), kind_of(["B", "E", "S"]), kind_of(["B-名", "E-名", "S-动"]), kind_of(["名", "动"])
    ('entities', 'words', 'joint', 'pos')
    """
    known = set(tags)
    try:
        scheme_of(known)
    except CorpusError:
        return "pos"
    if not known - {OUTSIDE} or (OUTSIDE in known and any("-" in tag for tag in known)):
        return "entities"
    if not any("-" in tag for tag in known):
        return "words"
    return "entities" if {tag[0] for tag in known} <= {"B", "I"} else "joint"


def _best(counts: Counter[str]) -> dict[str, str]:
    """Our tags by those of the corpus, in the notation that explains most tokens; of equal ones the first."""
    separators = Counter(found[2] for tag in counts for pattern in (_FIRST, _LAST) if (found := pattern.fullmatch(tag)))
    ways = [(pattern, mark) for pattern in (_FIRST, _LAST) for mark in sorted(separators, key=lambda mark: mark != "-")]
    tables = [_table(counts, pattern, mark) for pattern, mark in ways] or [_table(counts, _FIRST, "-")]
    return max(tables, key=lambda table: sum(counts[tag] for tag in table))


def _table(counts: Counter[str], pattern: re.Pattern[str], mark: str) -> dict[str, str]:
    """Our tags by those that are written so, with `mark` between letter and label."""
    table: dict[str, str] = {}
    for tag in counts:
        if tag in (OUTSIDE, OUTSIDE.lower()):
            table[tag] = OUTSIDE
        elif _BARE.fullmatch(tag):
            table[tag] = LETTERS.get(tag, tag)
        elif parts := _parted(tag, pattern, mark):
            letter, label = parts
            table[tag] = f"{LETTERS.get(letter.upper(), letter.upper())}-{label}"
    bare = {tag for tag in table if len(tag) == 1 and tag.upper() != OUTSIDE}
    if bare and len(bare) + len({tag for tag in table if tag.upper() == OUTSIDE}) < len(table):
        return {tag: ours for tag, ours in table.items() if tag not in bare}  # a label is missing
    return table


def _parted(tag: str, pattern: re.Pattern[str], mark: str) -> tuple[str, str] | None:
    found = pattern.fullmatch(tag)
    if found is None or found[2] != mark:
        return None
    return (found[1], found[3]) if pattern is _FIRST else (found[3], found[1])


def _is_iob1(table: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether I begins spans of a label, and B does only behind a span of the same label."""
    if not {ours[0] for ours in table.values()} <= {"O", "I", "B"} or not any("-" in ours for ours in table.values()):
        return False
    ours = [(table.get(before, OUTSIDE), table[tag]) for before, tag in pairs]
    begins = {tag[0] for before, tag in ours if before[1:] != tag[1:] and tag != OUTSIDE}
    return begins == {"I"}
