"""Corrected: labels that people have mended take the place of those in the corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora import corrections
from corpora.corrections import Correction
from corpora.document import Document
from corpora.errors import CorpusError, shown
from corpora.labels import bare
from pipeline.config.corpus import CorpusSettings
from pipeline.errors import PipelineError
from pipeline.tasks import Task

EXAMPLES = 20  # conflicts that are listed
KEPT = "kept"  # in counts: rows of test that keep their label


@dataclass
class Corrector:
    """Applies `corpus.corrections` to the documents of a corpus, and counts what became of them.

    A correction is applied to each row whose text has its fingerprint and whose label is its `old`. Two corrections of
    one text from the same label to different ones are a conflict, and so is a correction that finds its text with
    another label than `old` and `new`; such rows keep their label. Labels are followed: corrected from one to a second,
    and later to a third, a text gets the third.

    `known`: for each fingerprint, by the old label, the new ones. `counts`: rows by part and outcome. `found`: the
    fingerprints of the texts that were read; `filled`: of those that had no label and got one.
    """

    task: Task[Any]
    files: Sequence[str] = ()
    correct_test: bool = True
    known: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)

    @classmethod
    def from_settings(cls, corpus: CorpusSettings, task: Task[Any]) -> Corrector:
        """With the corrections of these files, whose labels are renamed by `corpus.label_map`.

        Raises PipelineError for a file that can't be read, or a correction to no label.
        """
        made = cls(task, corpus.corrections, corpus.correct_test)
        known: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for path in corpus.corrections:
            for number, one in enumerate(_read(path), start=1):
                old, new = (made._written(label, corpus.label_map) for label in (one.old, one.new))
                if not new and not task.several_labels:
                    raise PipelineError(f"{path}: row {number}: new is empty: a label is expected")
                if new not in known[one.fingerprint][old]:
                    known[one.fingerprint][old].append(new)
        made.known = {mark: dict(labels) for mark, labels in known.items()}
        return made

    def labelled(self, documents: Iterable[Document], part: str) -> Iterator[Document]:
        """The documents; those that have no label get the one that people gave them."""
        for document in documents:
            if self.known and self.task.gold(document) is None:
                mark, document = corrections.fingerprint(document.text), self._corrected(document, part)
                if self.task.gold(document) is not None:
                    self.filled.add(mark)
            yield document

    def corrected(self, documents: Sequence[Document], part: str) -> list[Document]:
        """The documents of a part with their corrected labels."""
        return [self._corrected(document, part) for document in documents] if self.known else list(documents)

    def audit(self, before: Iterable[Document], after: Iterable[Document]) -> dict[str, Any]:
        """What became of the corrections, as plain values for JSON; {} if there are none.

        `before`, `after`: all documents, without and with corrections.
        """
        if not self.files:
            return {}
        outcomes = {
            name: {part: count for (part, outcome), count in sorted(self.counts.items()) if outcome == name}
            for name in ("corrected", "labelled", "confirmed", "already", KEPT)
        }
        added = _labels(self.task, after) - _labels(self.task, before)
        return {
            "files": [Path(path).name for path in self.files],
            "corrections": sum(len(new) for labels in self.known.values() for new in labels.values()),
            **{name: parts for name, parts in outcomes.items() if parts},
            "not_found": len(self.known.keys() - self.found),
            "conflicts": sum(count for (_, outcome), count in self.counts.items() if outcome == "conflict"),
            **({"conflict_examples": self.conflicts} if self.conflicts else {}),
            **({"new_labels": sorted(added)} if added else {}),
        }

    def _corrected(self, document: Document, part: str) -> Document:
        mark, gold = corrections.fingerprint(document.text), self.task.gold(document)
        labels = self.known.get(mark)
        if labels is None:
            return document
        self.found.add(mark)
        label = "" if gold is None else self.task.format_gold(gold)
        if gold is None and "" not in labels:
            return document  # it has no label, and was corrected when it had one
        try:
            new = _followed(labels, label)
            changed = self.task.with_gold(document, self.task.parse_gold(new)) if new != label else document
        except CorpusError as error:
            return self._conflict(document, part, label, str(error))
        if gold is None:
            return changed  # it is counted when its part is corrected
        if part == "test" and not self.correct_test and new != label:
            self.counts[part, KEPT] += 1
            return document
        self.counts[part, self._outcome(mark, labels, label, new)] += 1
        return changed

    def _outcome(self, mark: str, labels: Mapping[str, Sequence[str]], label: str, new: str) -> str:
        if new != label:
            return "corrected"
        if mark in self.filled:
            return "labelled"
        return "confirmed" if label in labels else "already"

    def _conflict(self, document: Document, part: str, label: str, reason: str) -> Document:
        self.counts[part, "conflict"] += 1
        if len(self.conflicts) < EXAMPLES:
            self.conflicts.append({"part": part, "row": document.row, "label": label, "reason": reason})
        return document

    def _written(self, label: str, names: Mapping[str, str]) -> str:
        """A label of a correction as the task writes it."""
        label = bare(label)
        if self.task.several_labels:
            gold = {names.get(name, name) for name in self.task.parse_gold(label)}
            return self.task.format_gold(tuple(sorted(gold)))
        return names.get(label, label)


def _read(path: str) -> list[Correction]:
    try:
        return corrections.read(path)
    except CorpusError as error:
        raise PipelineError(str(error)) from None


def _followed(labels: Mapping[str, Sequence[str]], label: str) -> str:
    """The label that the corrections of a text, from old labels to new ones, lead to from this one.

    Raises CorpusError, with the reason, if they disagree or none is about this label.
    """
    if label not in labels and not any(label in new for new in labels.values()):
        expected = " or ".join(f'"{shown(old, 40)}"' for old in labels)
        raise CorpusError(f"the corrections are of the label {expected}")
    passed = {label}
    while label in labels:
        if len(labels[label]) > 1:
            raise CorpusError("corrected to " + " and to ".join(f'"{shown(new, 40)}"' for new in labels[label]))
        label = labels[label][0]
        if label in passed:
            break
        passed.add(label)
    return label


def _labels(task: Task[Any], documents: Iterable[Document]) -> set[str]:
    """All single labels, or tags, of documents."""
    found: set[str] = set()
    for document in documents:
        gold = task.gold(document)
        found.update([gold] if isinstance(gold, str) else gold or ())
    return found


def said(audit: Mapping[str, Any]) -> list[str]:
    """What became of the corrections, in a note for the summary of the stage; none without corrections.

    >>> said({"corrected": {"test": 1, "train": 11}, "not_found": 1, "conflicts": 0})
    ['labels corrected: 12 (test 1, train 11); corrections whose text is no longer found: 1']
    """
    if not audit:
        return []
    notes = []
    titles = {
        "corrected": "labels corrected",
        "labelled": "rows without a label that got one",
        KEPT: "test rows that keep a label that people corrected (corpus.correct_test)",
    }
    for name, title in titles.items():
        if parts := audit.get(name):
            each = ", ".join(f"{part} {count:,}" for part, count in parts.items())
            notes.append(f"{title}: {sum(parts.values()):,} ({each})")
    if audit["not_found"]:
        notes.append(f"corrections whose text is no longer found: {audit['not_found']:,}")
    if audit["conflicts"]:
        first = (audit.get("conflict_examples") or [{}])[0]
        notes.append(
            f"corrections in conflict, not applied: {audit['conflicts']:,}, the first in {first.get('part')} row "
            f"{first.get('row')}, {first.get('reason')}"
        )
    if audit.get("new_labels"):
        notes.append(f"labels that only corrections have: {', '.join(audit['new_labels'])}")
    return ["; ".join(notes or ["no label corrected"])]
