"""Findings: what a reader changed in a corpus or doubts, counted by kind while the corpus is read."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from corpora.document import Sentence
from corpora.errors import shown
from corpora.label_sets import LabelSet
from corpora.labels import is_deceptive

Counts = MutableMapping[str, int]
NOTE = "note: "  # in counts, before a sentence that says itself what was found
# Each kind, and the sentence that follows its count.
SAID = {
    "deceptive_labels": "labels or tags with an invisible character inside, which makes them differ from others that "
    "look the same",
    "long_tokens": "tokens that look like whole sentences: is the text in the column of the token, one token per line?",
    "offsets_converted": "texts whose spans were counted in UTF-16 units, as their words show, and converted",
    "offsets_unclear": "texts with an emoji or a rare character before the end of a span, which does not tell whether "
    'its offsets count characters or UTF-16 units: set offsets = "characters" or "utf-16"',
    "overlaps_dropped": "spans dropped because they overlap others that are kept",
    "discontinuous": "discontinuous entities left out, since an entity is one stretch of text",
    "bad_rows": "rows that cannot be read, set aside",
    "hidden_rows": "rows that are hidden in the sheet, and read like the others",
    "merged_cells": "empty cells of text or label that belong to a merged cell, which has its value in the first alone",
    "no_cached_value": "formulas of text or label without a computed value, read as empty: open the file in a "
    "spreadsheet and save it",
    "across_lines": "entities left out that go on over the end of a line, since each line is a text",
    "relations": "relations, events, attributes and notes left out",
    "no_labels": "rows without any label, read as texts that have none",
    "repeated_labels": "labels that their row names twice, counted once",
    "blank_labels": "blank places between label separators, left out",
}
FIELD = "field: "  # in counts, before the key of a record that is left out; said only where a file is converted
LONG = 4  # Chinese characters of the longest token that is not suspicious where tokens are characters
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]")
# Two stretches of Chinese with punctuation between them, or Chinese with a full stop behind it.
_SENTENCE = re.compile(r"[\u3400-\u9fff][，；：。！？][”’」』]?[\u3400-\u9fff]|[\u3400-\u9fff]{2}[。！？；]")
_CHARACTER_DATA = 0.8  # share of single characters among Chinese tokens from which tokens are characters


@dataclass
class TokenCheck:
    """Looks for whole sentences in the place of tokens.

    A token is suspicious if it has Chinese punctuation behind or between Chinese characters. Where tokens are
    characters, which is known at the end, one of more than `LONG` Chinese characters is suspicious too.

    >>> check, counts = TokenCheck(), {}
    >>> check.add(("本车在路口撞了护栏。",))
    >>> check.finish(counts)
    >>> counts
    {'long_tokens': 1}
    """

    sentences: int = 0
    long: int = 0
    single: int = 0
    chinese: int = 0

    def add(self, tokens: tuple[str, ...]) -> None:
        """Counts the tokens of one sentence."""
        for token in tokens:
            if len(token) == 1:
                self.single += 1
                self.chinese += 1
                continue
            if han := len(_HAN.findall(token)):
                self.chinese += 1
                if _SENTENCE.search(token):
                    self.sentences += 1
                elif han > LONG:
                    self.long += 1

    def finish(self, counts: Counts) -> None:
        """Adds what was found, if anything, to `counts`."""
        is_characters = self.single >= _CHARACTER_DATA * self.chinese
        if found := self.sentences + (self.long if is_characters else 0):
            counts["long_tokens"] = counts.get("long_tokens", 0) + found


def count_tags(sentence: Sentence, counts: Counts) -> None:
    """Adds the tags of a sentence that have an invisible character inside."""
    for tag in sentence.tags or ():
        count_label(tag, counts)


def count_label(label: str | None, counts: Counts) -> None:
    """Adds a label that has an invisible character inside."""
    if label is not None and is_deceptive(label):
        counts["deceptive_labels"] = counts.get("deceptive_labels", 0) + 1


def count_label_set(found: LabelSet, counts: Counts) -> None:
    """Adds a row without labels, and labels that are repeated or blank."""
    kinds = {"no_labels": int(not found.labels), "repeated_labels": found.repeated, "blank_labels": found.blank}
    for kind, number in kinds.items():
        count(kind, counts, number)


def count(kind: str, counts: Counts, more: int = 1) -> None:
    """Adds to the number of findings of a kind."""
    if more:
        counts[kind] = counts.get(kind, 0) + more


def note_similar(labels: Mapping[str, int], counts: Counts) -> None:
    """Notes labels that differ in case, width or white space alone, with their counts.

    >>> counts = {}
    >>> note_similar({"好评": 7, "好 评": 1, "ＯＫ": 2, "ok": 3, "差评": 4}, counts)
    >>> said(counts)[0]
    'labels that differ in case, width or white space alone: "好评" (7) and "好 评" (1): see corpus.label_map'
    """
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike["".join(unicodedata.normalize("NFKC", label).casefold().split())].append(label)
    for names in alike.values():
        if len(names) > 1:
            each = " and ".join(f'"{shown(name, 30)}" ({labels[name]:,})' for name in names)
            note(
                f"labels that differ in case, width or white space alone: {each}: see corpus.label_map",
                counts,
            )


def types_of(tags: Mapping[str, int]) -> Counter[str]:
    """The labels of tags in our notation, with their counts; parts of speech are taken as they are."""
    types: Counter[str] = Counter()
    for tag, count_ in tags.items():
        types[tag[2:] if tag[1:2] == "-" else tag] += count_
    return types


def note(sentence: str, counts: Counts) -> None:
    """Adds a sentence that says what was found, once."""
    counts[f"{NOTE}{sentence}"] = 1


def found(counts: Mapping[str, int]) -> dict[str, int]:
    """The findings among counts of all sorts."""
    return {kind: count for kind, count in counts.items() if count and (kind in SAID or kind.startswith(NOTE))}


def said(counts: Mapping[str, int]) -> list[str]:
    """A sentence for each kind of finding that was counted.

    >>> said({"overlaps_dropped": 2, "rows": 7})
    ['2 spans dropped because they overlap others that are kept']
    """
    notes = [kind.removeprefix(NOTE) for kind in counts if kind.startswith(NOTE)]
    return [*(f"{counts[kind]:,} {sentence}" for kind, sentence in SAID.items() if counts.get(kind)), *notes]
