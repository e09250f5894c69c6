"""Scores of a tagger: exact spans, words or tags against the gold ones, in plain numbers that JSON can hold."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from corpora.document import Span
from pipeline.encoding.labels import Labels
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.tagging.tagset import Tagset

Scores = dict[str, Any]
ERRORS = ("missed", "invented", "wrong_type", "wrong_border")
# What a span without a label has in place of one: the words of a segmentation.
BARE = "word"


@dataclass(frozen=True, slots=True)
class ScoredText:
    """One text: its tokens, and what was expected and what was said of them, as tags and as spans in tokens.

    A span is an entity, a word or, without a scheme, a token.
    """

    outcome: Outcome
    gold_tags: tuple[str, ...]
    said_tags: tuple[str, ...]
    gold: tuple[Span, ...]
    said: tuple[Span, ...]

    @property
    def right(self) -> set[Span]:
        """The spans that are exactly as they should be."""
        return {*self.gold} & {*self.said}

    def is_right(self, span: Span) -> bool:
        """Whether a predicted span is exactly as it should be."""
        return span in self.gold

    def text(self, span: Span) -> str:
        """The characters of a span."""
        return "".join(self.outcome.tokens[span.start : span.end])

    def errors(self) -> dict[str, list[Span]]:
        """The wrong spans by what is wrong with them, gold ones but for the invented, see `ERRORS`.

        A gold span that was not found has the wrong type if a span of another type stands there, the wrong border if
        one overlaps it, and is missed otherwise; an invented one overlaps no gold span.
        """
        found: dict[str, list[Span]] = {name: [] for name in ERRORS}
        right = self.right
        for span in self.gold:
            if span not in right:
                touched = [other for other in self.said if other.start < span.end and span.start < other.end]
                same = any((other.start, other.end) == (span.start, span.end) for other in touched)
                found["wrong_type" if same else "wrong_border" if touched else "missed"].append(span)
        covered = {place for span in self.gold for place in range(span.start, span.end)}
        found["invented"] = [span for span in self.said if covered.isdisjoint(range(span.start, span.end))]
        return found


def judged(outcomes: Iterable[Outcome], scheme: str | None) -> list[ScoredText]:
    """The outcomes that have gold tags. Raises PipelineError unless there is one tag a token."""
    pairs = [
        (outcome, outcome.gold_tags, outcome.predicted_tags) for outcome in outcomes if outcome.gold_tags is not None
    ]
    for outcome, gold, said in pairs:
        if not len(outcome.tokens) == len(gold) == len(said):
            raise PipelineError(
                f"row {outcome.row}: {len(outcome.tokens)} tokens, {len(gold)} gold tags, {len(said)} predicted ones: "
                "one tag a token is expected"
            )
    tagset = Tagset(Labels.build(tag for _, gold, said in pairs for tag in (*gold, *said)), scheme)
    return [
        ScoredText(outcome, gold, said, _spans(gold, tagset), _spans(said, tagset)) for outcome, gold, said in pairs
    ]


def tagging(outcomes: Iterable[Outcome], scheme: str | None, known: Collection[str] = ()) -> Scores:
    """Every score of a tagger's outcomes.

    `rows`, `tokens`; `precision`, `recall`, `f1` of exact spans, micro; `macro_f1`, over the types that occur;
    `per_label`: {type: {precision, recall, f1, support}}; `token_accuracy`; `row_accuracy`, the share of texts without
    a mistake; `errors`, how many of each kind, see `ScoredText.errors`; `illegal`, how many neighbouring predicted tags
    the scheme forbids. With the words of the training split as `known`: `oov_recall` and `iv_recall` of gold words that
    are not, or are, among them, and `oov_rate` (Emerson, SIGHAN bakeoff, 2005). Where words have tags: `word_f1`, of
    words whatever their tag. Without a scheme each token is a span, and `f1` the accuracy.

    >>> from pipeline.encoding.encoder import Tokenised
    >>> tags = ["B-地", "E-地", "O"]
    >>> outcome = Outcome.of_tags(1, Tokenised("昆明人", "昆明人"), tags, tags)
    >>> scores = tagging([outcome], "BMES")
    >>> scores["f1"], scores["per_label"]["地"]["support"], scores["errors"]["missed"]
    (1.0, 1, 0)
    """
    rows = judged(outcomes, scheme)
    tokens = sum(len(row.gold_tags) for row in rows)
    scores: Scores = {"rows": len(rows), "tokens": tokens}
    if not rows:
        return scores | dict.fromkeys(("precision", "recall", "f1", "macro_f1", "token_accuracy", "row_accuracy"))
    gold, said, right = (
        Counter(span.label for row in rows for span in getattr(row, name)) for name in ("gold", "said", "right")
    )
    per_label = {name: _scores(right[name], gold[name], said[name]) for name in sorted({*gold, *said})}
    hits = sum(a == b for row in rows for a, b in zip(row.gold_tags, row.said_tags, strict=True))
    overall = _scores(right.total(), gold.total(), said.total())
    errors = [row.errors() for row in rows]
    scores |= {
        **{name: overall[name] for name in ("precision", "recall", "f1")},
        "macro_f1": float(np.mean([each["f1"] for each in per_label.values()])) if per_label else 0.0,
        "token_accuracy": hits / tokens,
        "row_accuracy": sum(row.gold_tags == row.said_tags for row in rows) / len(rows),
        "spans": gold.total(),
        "errors": {name: sum(len(each[name]) for each in errors) for name in ERRORS},
        "illegal": _illegal(rows, scheme),
        "per_label": per_label,
    }
    if known:
        scores |= _known_and_unknown(rows, known)
        if scheme is not None and set(per_label) != {BARE}:
            scores["word_f1"] = _word_f1(rows)
    return scores


def confusion(rows: Sequence[ScoredText], scheme: str | None) -> tuple[list[str], list[list[int]]]:
    """The types of tags, `O` first, and counts of tokens (types, types): a row a gold type, a column a said one."""
    counts = Counter(
        (type_of(gold, scheme), type_of(said, scheme))
        for row in rows
        for gold, said in zip(row.gold_tags, row.said_tags, strict=True)
    )
    names = sorted({name for pair in counts for name in pair}, key=lambda name: (name != "O", name))
    return names, [[counts[gold, said] for said in names] for gold in names]


def type_of(tag: str, scheme: str | None) -> str:
    """What the confusion matrix counts a tag as: itself, or with a scheme its type, without one `O` and the like.

    >>> type_of("B-地名", "BMES"), type_of("O", "BMES"), type_of("n-s", None)
    ('地名', 'O', 'n-s')
    """
    return tag if scheme is None else tag.partition("-")[2] or tag


def _spans(tags: Sequence[str], tagset: Tagset) -> tuple[Span, ...]:
    ids = np.array([[tagset.labels.id(tag) for tag in tags]], np.int32)
    found = tagset.spans(ids, np.array([len(tags)]))
    types = [tagset.types[tag] or BARE for tag in found.tags.tolist()]
    return tuple(map(Span, found.starts.tolist(), found.stops.tolist(), types))


def _scores(right: int, gold: int, said: int) -> Scores:
    precision, recall = right / said if said else 0.0, right / gold if gold else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "support": gold}


def _known_and_unknown(rows: Sequence[ScoredText], known: Collection[str]) -> Scores:
    gold, right = Counter[bool](), Counter[bool]()
    for row in rows:
        found = row.right
        for span in row.gold:
            is_known = row.text(span) in known
            gold[is_known] += 1
            right[is_known] += span in found
    return {
        "oov_rate": gold[False] / gold.total() if gold else None,
        "oov_recall": right[False] / gold[False] if gold[False] else None,
        "iv_recall": right[True] / gold[True] if gold[True] else None,
    }


def _word_f1(rows: Sequence[ScoredText]) -> float:
    gold = [{(span.start, span.end) for span in row.gold} for row in rows]
    said = [{(span.start, span.end) for span in row.said} for row in rows]
    right = sum(len(a & b) for a, b in zip(gold, said, strict=True))
    return float(_scores(right, sum(map(len, gold)), sum(map(len, said)))["f1"])


def _illegal(rows: Sequence[ScoredText], scheme: str | None) -> int:
    tagset = Tagset(Labels.build(tag for row in rows for tag in row.said_tags), scheme)
    allowed, count = tagset.allowed, 0
    for row in rows:
        ids = [tagset.labels.id(tag) for tag in row.said_tags]
        if ids:
            count += int(not allowed.start[ids[0]]) + int(not allowed.end[ids[-1]])
        count += sum(not allowed.transitions[pair] for pair in pairwise(ids))
    return count
