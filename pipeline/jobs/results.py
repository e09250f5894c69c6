"""Results: row counts, and what a job reports of one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.models import drift
from pipeline.models.model import Model
from pipeline.tasks.tag.answerer import TagAnswerer

FORCED = "forced:"  # in a tally, before each word of the user's dictionary that occurs


@dataclass(frozen=True)
class RowCounts:
    """Rows read, and what became of them: `read` = `labelled` + `blank` + `rejected`.

    `blank`: rows whose text is empty or white space; `rejected`: rows that can't be read or written; `tally`: figures
    of the answers, summed (`pipeline.models.drift.tally`).

    >>> RowCounts(read=2, labelled=2) + RowCounts(read=1, blank=1)
    RowCounts(read=3, labelled=2, blank=1, rejected=0, tally={})
    """

    read: int = 0
    labelled: int = 0
    blank: int = 0
    rejected: int = 0
    tally: drift.Tally = field(default_factory=dict)

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.read + other.read,
            self.labelled + other.labelled,
            self.blank + other.blank,
            self.rejected + other.rejected,
            drift.added(self.tally, other.tally),
        )


@dataclass(frozen=True)
class LabelResult:
    """The outcome of labelling one file.

    `counts`: all rows of the file; `seconds`: time taken, without loading the model; `resumed`: rows that an earlier
    attempt had done; `reason`: what is wrong with the first rejected row; `claimed`: what one claim of the model is
    called, and several: labelled rows, entities or words; `warnings`: how the texts differ from those of training;
    `dictionary`: the number of words in the user's dictionary; `unused_tags`: its tags that the tagger does not have,
    each with the number of words. Of a dictionary that was added to the model, `overriding`: words that the model's own
    dictionary has otherwise; `unknown`: those that a model of words has not seen in training, and how many it added.
    """

    counts: RowCounts
    seconds: float
    resumed: int = 0
    reason: str = ""
    claimed: tuple[str, str] = ("", "")
    warnings: tuple[str, ...] = ()
    dictionary: int = 0
    unused_tags: Mapping[str, int] = field(default_factory=dict)
    overriding: Sequence[str] = ()
    unknown: tuple[int, int] = (0, 0)

    @property
    def with_added(self) -> int:
        """Rows with a word of the added dictionary."""
        return int(self.counts.tally.get("added", 0))

    @property
    def changed(self) -> int:
        """Those of them that the model alone would have answered otherwise."""
        return int(self.counts.tally.get("changed", 0))

    @property
    def occurring(self) -> int:
        """Words of the user's dictionary that occur in the texts."""
        return sum(key.startswith(FORCED) for key in self.counts.tally)

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.counts.read

    @property
    def labelled(self) -> int:
        """Rows with an answer."""
        return self.counts.labelled

    @property
    def blank(self) -> int:
        """Rows without text."""
        return self.counts.blank

    @property
    def rejected(self) -> int:
        """Rows that could not be read or written."""
        return self.counts.rejected

    @property
    def claims(self) -> int:
        """Answers that are right or wrong by themselves, such as entities."""
        return int(self.counts.tally.get("claims", 0))

    @property
    def expected_right(self) -> float | None:
        """Mean confidence: the share of the claims that should be right. None if there are no claims."""
        return self.counts.tally["confidence"] / self.counts.tally["claims"] if self.claims else None

    @property
    def needs_review(self) -> int:
        """Rows with a claim whose confidence is below `review_below`."""
        return int(self.counts.tally.get("review", 0))


@dataclass(frozen=True)
class FileResult:
    """The outcome of one of several files.

    `result` is None if the file was done before or failed; `error`: what went wrong, in a sentence.
    """

    source: Path
    target: Path
    result: LabelResult | None = None
    error: str = ""


def label_result(model: Model, counts: RowCounts, *, seconds: float, resumed: int = 0, reason: str = "") -> LabelResult:
    """The outcome of labelling with a model: the counts, and warnings if the texts look unlike the training data."""
    warnings = tuple(drift.warnings(counts.tally, model.about.get("drift", {})))
    return LabelResult(
        counts,
        seconds,
        resumed,
        reason,
        claimed=model.answerer.claimed or ("", ""),
        warnings=warnings,
        dictionary=len(model.segmenter.dictionary),
        unused_tags=_unused_tags(model),
        overriding=_overriding(model),
        unknown=_unknown(model),
    )


def _overriding(model: Model) -> list[str]:
    """The words that an added dictionary takes otherwise than the model's own dictionary does."""
    if not model.extended:
        return []
    added, own = model.extended.added, model.extended.alone.segmenter.dictionary
    return [word for word in added if word in own and added.entry(word) != own.entry(word)]


def _unknown(model: Model) -> tuple[int, int]:
    """How many of the added words a model that reads words has not seen in training, and their number."""
    vocabulary = model.encoder.vocabularies.get("word")
    if not model.extended or vocabulary is None or model.segmenter.unit != "word":
        return 0, 0
    added = model.extended.added
    tokens = {*added.words, *(part for parts in added.splits.values() for part in parts)}
    tokens |= added.weights.keys() - added.never
    return sum(token not in vocabulary for token in tokens), len(tokens)


def _unused_tags(model: Model) -> dict[str, int]:
    """The tags of the dictionary that are no type of a tagger, the most frequent first; a tagger of words has none."""
    answerer = model.answerer
    if not isinstance(answerer, TagAnswerer):
        return {}
    types = set(answerer.tagset.types)
    found = Counter(tag for tag in answerer.dictionary.words.values() if tag is not None and tag not in types)
    return dict(found.most_common())
