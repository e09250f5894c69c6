"""Exchange: a queue for Label Studio or doccano, and the decisions of people who worked there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from corpora import spans
from corpora.annotated import AnnotatedText
from corpora.annotations import choices
from corpora.annotations.choices import TOOLS, Offered
from corpora.corrections import fingerprint
from corpora.document import Span
from corpora.errors import CorpusError
from pipeline.errors import PipelineError
from pipeline.evaluation.report.report import mended
from pipeline.review.decisions import Decisions
from pipeline.review.forms import decided, form_of, in_tokens, names_of, pieces, shown_value, types_in
from pipeline.review.queue import Item
from pipeline.tasks import Task

SUFFIXES = dict(zip((".json", ".jsonl"), TOOLS, strict=True))


class Imported(NamedTuple):
    """What became of the records of a file: decisions, and records that are undecided, of unknown texts, or misfits.

    `first`: what is wrong with the first misfit.
    """

    decided: int
    undecided: int
    unknown: int
    misfits: int
    first: str


def tool_of(path: Path) -> str:
    """The tool that writes and reads files with this suffix. Raises PipelineError if none does."""
    if path.suffix not in SUFFIXES:
        raise PipelineError(f"{path}: Label Studio reads and writes .json, doccano .jsonl: name such a file")
    return SUFFIXES[path.suffix]


def export(path: Path, task: Task[Any], items: Sequence[Item]) -> int:
    """Writes texts for people to label elsewhere, and returns their number."""
    tool = tool_of(path)
    _check(task)
    if not in_tokens(task):
        offered = (
            Offered(mended(one.text.text), _labels(task, one.old), _labels(task, one.answer), one.confidence)
            for one in items
        )
        return choices.write(path, tool, offered)
    suggested = tool == "label-studio"
    texts = (
        AnnotatedText(one.text.text, _in_characters(task, one) if suggested else None, row)
        for row, one in enumerate(items, start=1)
    )
    return spans.write(path, texts, "label-studio-predictions" if suggested else "doccano")


def import_(path: Path, task: Task[Any], items: Iterable[Item], decisions: Decisions) -> Imported:
    """Writes the decisions in a file about texts among `items`, found by their fingerprints.

    Records that can't be taken over are counted. Raises CorpusError for a file that can't be read; decisions before
    that record are kept.
    """
    _check(task)
    tool, counts, first = tool_of(path), Counter[str](), ""
    known: dict[str, list[Item]] = {}
    for item in items:
        known.setdefault(item.fingerprint, []).append(item)
    found: list[tuple[Item, str]] = []
    for text, value in _records(path, tool, task):
        same = known.get(fingerprint(text), [])
        outcome = "undecided" if value is None else "decided" if same else "unknown"
        for item in same if value is not None else ():
            try:
                found.append((item, _decided(task, value, item)))
            except CorpusError as error:
                outcome, first = "misfits", first or str(error)
        counts[outcome] += 1
    decisions.decide_all(found)
    return Imported(counts["decided"], counts["undecided"], counts["unknown"], counts["misfits"], first)


def _check(task: Task[Any]) -> None:
    if form_of(task) == "words" and not names_of(task):
        raise PipelineError("Label Studio and doccano mark no words without tags: mend them on the page of the review")


def _records(path: Path, tool: str, task: Task[Any]) -> Iterator[tuple[str, Any]]:
    """The texts of a file with their labels or spans; None where nobody has decided."""
    if not in_tokens(task):
        yield from choices.read(path, tool, several=task.several_labels)
        return
    for document in spans.read(path, tool):
        # doccano has no mark for a text that somebody has looked at and found without entities.
        is_open = document.spans is None or (tool == "doccano" and not document.spans)
        yield document.text, None if is_open else document.spans


def _decided(task: Task[Any], value: Any, item: Item) -> str:
    names = (*names_of(task), *types_in(task, shown_value(task, item.old)))
    if form_of(task) == "label":
        return decided(task, value[0], 0, names)
    if form_of(task) == "labels":
        return decided(task, list(value), 0, names)
    return decided(task, _in_tokens(value, item), len(item.text.tokens), names)


def _labels(task: Task[Any], gold: str) -> tuple[str, ...]:
    value = shown_value(task, gold)
    return tuple(value) if isinstance(value, list) else (value,) if value else ()


def _bounds(item: Item) -> tuple[list[int], list[int]]:
    """The first character of each token, and the one after its last."""
    lengths = [(len(between), len(token)) for between, token in pieces(item.text.text, item.text.tokens)[:-1]]
    ends = list(accumulate(between + token for between, token in lengths))
    return [end - token for end, (_, token) in zip(ends, lengths, strict=True)], ends


def _in_characters(task: Task[Any], item: Item) -> tuple[Span, ...]:
    starts, ends = _bounds(item)
    found = shown_value(task, item.answer) or ()
    return tuple(Span(starts[start], ends[end - 1], label) for start, end, label in found)


def _in_tokens(found: Sequence[Span], item: Item) -> list[list[Any]]:
    """Spans in characters as the page has them. Raises CorpusError for one that begins or ends inside a token."""
    starts, ends = _bounds(item)
    for span in found:
        if span.start not in starts or span.end not in ends:
            raise CorpusError(f'the span {span.start}:{span.end} "{span.label}" begins or ends inside a token')
    return [[starts.index(span.start), ends.index(span.end) + 1, span.label] for span in found]
