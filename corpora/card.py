"""The data card: the content of a corpus, counted in one pass."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import accumulate

from corpora import label_sets
from corpora.document import Document
from corpora.findings import said

# Common blocks by first and last code point. ASCII without the control characters that no text needs.
COMMON = (
    (0x0009, 0x000A),
    (0x000D, 0x000D),
    (0x0020, 0x007E),
    (0x2000, 0x206F),
    (0x3000, 0x303F),
    (0x4E00, 0x9FFF),
    (0xFF00, 0xFFEF),
)
# The other blocks found in Chinese text (Unicode, Blocks.txt); some neighbours share a name.
BLOCKS = (
    (0x0000, 0x001F, "control characters"),
    (0x007F, 0x009F, "control characters"),
    (0x00A0, 0x00FF, "Latin-1"),
    (0x0100, 0x024F, "Latin extended"),
    (0x0250, 0x02FF, "phonetic"),
    (0x0300, 0x036F, "combining marks"),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x077F, "Arabic"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0F00, 0x0FFF, "Tibetan"),
    (0x1800, 0x18AF, "Mongolian"),
    (0x2070, 0x218F, "superscripts, currency and letter-like"),
    (0x2190, 0x21FF, "arrows"),
    (0x2200, 0x22FF, "mathematical"),
    (0x2300, 0x23FF, "technical"),
    (0x2460, 0x24FF, "enclosed numbers"),
    (0x2500, 0x259F, "box drawing"),
    (0x25A0, 0x25FF, "geometric shapes"),
    (0x2600, 0x27BF, "symbols and dingbats"),
    (0x2E80, 0x2FDF, "CJK radicals"),
    (0x3040, 0x309F, "Hiragana"),
    (0x30A0, 0x30FF, "Katakana"),
    (0x3100, 0x312F, "Bopomofo"),
    (0x31C0, 0x31EF, "CJK strokes"),
    (0x3200, 0x33FF, "enclosed CJK and CJK compatibility"),
    (0x3400, 0x4DBF, "CJK extension A"),
    (0xA000, 0xA4CF, "Yi"),
    (0xAC00, 0xD7AF, "Hangul"),
    (0xD800, 0xDFFF, "half characters"),
    (0xE000, 0xF8FF, "private use"),
    (0xF900, 0xFAFF, "CJK compatibility ideographs"),
    (0xFE00, 0xFE0F, "variation selectors"),
    (0xFE30, 0xFE4F, "CJK compatibility forms"),
    (0xFE50, 0xFE6F, "small form variants"),
    (0xFFFD, 0xFFFD, "replacement character"),
    (0x1F000, 0x1FAFF, "emoji"),
    (0x20000, 0x323AF, "CJK extension B and later"),
)
QUANTILES = {"min": 0, "5%": 5, "25%": 25, "50%": 50, "75%": 75, "95%": 95, "max": 100}
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class UnicodeBlock:
    """Characters of one Unicode block: their number, and the most frequent ones."""

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownWords:
    """Words with a letter: their number, how many the dictionary lacks, and the most frequent of these."""

    words: int
    unknown: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """Unknown words among the words, 0 to 1."""
        return self.unknown / self.words if self.words else 0.0


@dataclass(frozen=True, slots=True)
class Card:
    """The content of a corpus, in numbers.

    Args:
        rows: Documents.
        unlabelled: Documents without a label.
        labels: Rows of each label, the most frequent first.
        lengths: Characters of a text at the quantiles of `QUANTILES` (nearest rank); empty for no rows.
        characters: Characters of all texts.
        empty: Texts without any visible character.
        duplicates: Rows whose text occurs in an earlier row.
        conflicts: Distinct texts with two or more labels.
        uncommon: Characters outside the common blocks, by block, the most frequent block first.
        unknown: Words that the dictionary lacks, or None if none was given.
        findings: What a reader changed or doubts, by kind: see `corpora.findings`.
        label_sets: Different sets of labels, if a row may have several.
        joined: The separator by which the labels look like several joined, if a row has one.
    """

    rows: int
    unlabelled: int
    labels: dict[str, int]
    lengths: dict[str, int]
    characters: int
    empty: int
    duplicates: int
    conflicts: int
    uncommon: dict[str, UnicodeBlock]
    unknown: UnknownWords | None
    findings: dict[str, int] = field(default_factory=dict)
    label_sets: int | None = None
    joined: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The same as plain values for JSON, with the share of each label."""
        values = asdict(self)
        for block in values["uncommon"].values():
            block["examples"] = list(block["examples"])
        if self.unknown is not None:
            values["unknown"] |= {"share": self.unknown.share, "examples": list(self.unknown.examples)}
        for name in ("findings", "label_sets", "joined"):
            if not values[name]:
                del values[name]
        values["shares"] = {label: count / self.rows for label, count in self.labels.items()}
        return values

    def text(self) -> str:
        """The card as aligned lines; a Chinese character takes two columns."""
        sections = ["", "labels", "length in characters", "characters outside the common blocks"]
        tables = [self._counts(), self._label_rows(), self._length_rows(), self._block_rows()]
        parts = [section(title, rows) for title, rows in zip(sections, tables, strict=True) if rows]
        if self.unknown is not None:
            parts.append(_unknown_text(self.unknown))
        if doubts := [*said(self.findings), *([label_sets.advice(self.joined)] if self.joined else [])]:
            parts.append("\n".join(["to look at", *(f"  {sentence}" for sentence in doubts)]))
        return "\n\n".join(parts) + "\n"

    def _counts(self) -> list[tuple[str, ...]]:
        counts = {
            "rows": self.rows,
            "unlabelled": self.unlabelled,
            "empty texts": self.empty,
            "duplicate rows": self.duplicates,
            "texts with two labels" if self.label_sets is None else "texts with two label sets": self.conflicts,
            **({} if self.label_sets is None else {"different label sets": self.label_sets}),
            "characters": self.characters,
        }
        return [(name, f"{count:,}") for name, count in counts.items()]

    def _label_rows(self) -> list[tuple[str, ...]]:
        return [(name, f"{count:,}", f"{count / self.rows:6.1%}") for name, count in self.labels.items()]

    def _length_rows(self) -> list[tuple[str, ...]]:
        return [(name, f"{length:,}") for name, length in self.lengths.items()]

    def _block_rows(self) -> list[tuple[str, ...]]:
        return [(name, f"{block.count:,}", *block.examples) for name, block in self.uncommon.items()]


def card(
    documents: Iterable[Document],
    is_known: Callable[[str], bool] | None = None,
    words: Callable[[str], Sequence[str]] | None = None,
    advance: Callable[[int], object] = lambda finished: None,
    findings: Mapping[str, int] | None = None,
) -> Card:
    """Reads a corpus once and counts its content; texts are remembered by a hash of 16 bytes.

    Args:
        documents: Labelled or not.
        is_known: Tells whether the dictionary has a word; called once for each. Needs `words`.
        words: From a text to its words. Needs `is_known`.
        advance: Called with 1 after each document.
        findings: What the documents' reader counts while they are read, as by `corpora.formats.Corpus.counted`.

    >>> card([Document("很好", "好评"), Document("太差了", "差评"), Document("很好", "好评")]).labels
    {'好评': 2, '差评': 1}
    """
    tally = _Tally(words if is_known else None)
    for document in documents:
        tally.add(document)
        advance(1)
    return Card(
        rows=sum(tally.lengths.values()),
        unlabelled=tally.unlabelled,
        labels=dict(tally.labels.most_common()),
        lengths=quantiles(tally.lengths),
        characters=sum(length * rows for length, rows in tally.lengths.items()),
        empty=tally.empty,
        duplicates=sum(tally.lengths.values()) - len(tally.first),
        conflicts=len(tally.conflicts),
        uncommon=_blocks(tally.uncommon),
        unknown=_missing(tally.vocabulary, is_known) if is_known and words else None,
        findings={kind: count for kind, count in (findings or {}).items() if count},
        label_sets=len(tally.sets) or None,
        joined=None if tally.sets else label_sets.joined_by(tally.labels),
    )


class _Tally:
    """The counts while documents are read."""

    def __init__(self, words: Callable[[str], Sequence[str]] | None) -> None:
        self.words = words
        self.outside = re.compile("[^" + "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in COMMON) + "]")
        self.labels: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.uncommon: Counter[str] = Counter()
        self.vocabulary: Counter[str] = Counter()
        self.sets: set[tuple[str, ...]] = set()
        self.first: dict[bytes, tuple[str, ...] | None] = {}
        self.conflicts: set[bytes] = set()
        self.unlabelled = 0
        self.empty = 0

    def add(self, document: Document) -> None:
        text = document.text
        self.lengths[len(text)] += 1
        self.empty += not text.strip()
        self.uncommon.update(self.outside.findall(text))
        if self.words is not None:
            self.vocabulary.update(self.words(text))
        if document.labels is not None:
            self.sets.add(document.labels)
        self._compare(text, document.label_set)

    def _compare(self, text: str, labels: tuple[str, ...] | None) -> None:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self.first.setdefault(digest, labels)
        if labels is None:
            self.unlabelled += 1
            return
        self.labels.update(labels)
        if known is None:
            self.first[digest] = labels
        elif known != labels:
            self.conflicts.add(digest)


def quantiles(lengths: Counter[int]) -> dict[str, int]:
    rows = sum(lengths.values())
    ordered = [(length, lengths[length]) for length in sorted(lengths)]
    return {name: _at_rank(ordered, -(-rows * percent // 100)) for name, percent in QUANTILES.items() if rows}


def _at_rank(ordered: Sequence[tuple[int, int]], rank: int) -> int:
    """The first length that at least `rank` rows do not exceed; lengths ascend, each with its rows."""
    reached = accumulate(rows for _, rows in ordered)
    return next(length for (length, _), rows in zip(ordered, reached, strict=True) if rows >= rank)


def _blocks(characters: Counter[str]) -> dict[str, UnicodeBlock]:
    members: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for character, count in characters.most_common():
        members[block_name(character)].append((character, count))
    blocks = {
        name: UnicodeBlock(sum(count for _, count in found), tuple(character for character, _ in found[:EXAMPLES]))
        for name, found in members.items()
    }
    return dict(sorted(blocks.items(), key=lambda item: -item[1].count))


def block_name(character: str) -> str:
    """The name in `BLOCKS` for a character, or "other".

    >>> block_name("の"), block_name("😀"), block_name("𠮷"), block_name("ʘ")
    ('Hiragana', 'emoji', 'CJK extension B and later', 'phonetic')
    """
    code = ord(character)
    return next((name for start, end, name in BLOCKS if start <= code <= end), "other")


def _missing(vocabulary: Counter[str], is_known: Callable[[str], bool]) -> UnknownWords:
    lettered = [(word, count) for word, count in vocabulary.most_common() if any(map(str.isalpha, word))]
    missing = [(word, count) for word, count in lettered if not is_known(word)]
    examples = tuple(word for word, _ in missing[:EXAMPLES])
    return UnknownWords(sum(count for _, count in lettered), sum(count for _, count in missing), examples)


def columns_wide(text: str) -> int:
    """Columns of a terminal that a text takes: wide characters two, combining ones none.

    >>> columns_wide("好评 ok")
    7
    """
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def section(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    """One line per row: the first cell aligned left, the second right, the others as they come."""
    shown = [tuple(map(_printable, row)) for row in rows]
    names, numbers = (max(columns_wide(row[index]) for row in shown) for index in (0, 1))
    indent = "  " if title else ""
    lines = [
        f"{indent}{name}{' ' * (names - columns_wide(name))}  {number:>{numbers}}  {'  '.join(rest)}".rstrip()
        for name, number, *rest in shown
    ]
    return "\n".join([title, *lines] if title else lines)


def _printable(text: str) -> str:
    """The text with line ends, control characters and the like as U+ codes, so that a cell stays on one line."""
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text)


def _unknown_text(unknown: UnknownWords) -> str:
    found = f"{unknown.unknown:,} of {unknown.words:,} ({unknown.share:.1%})"
    return f"words unknown to the dictionary: {found}\n  {'  '.join(map(_printable, unknown.examples))}".rstrip()
