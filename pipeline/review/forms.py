"""Forms: what a person decides about a text, as the page has it and as corrections have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from corpora import tags
from corpora.document import Span
from corpora.errors import CorpusError, shown
from pipeline.errors import PipelineError
from pipeline.tasks import Prediction, Tag, Task

Form = Literal["label", "labels", "spans"]


def form_of(task: Task[Any]) -> Form:
    """What a text of a task has: one label, any number, or spans of its tokens.

    Raises PipelineError for a task whose answers are none of these.
    """
    if isinstance(task, Tag) and task.options.kind == "entities":
        return "spans"
    if isinstance(task, Tag) or not task.needs_labels:
        raise PipelineError(
            f"{task.described} can't be reviewed: a classifier or a tagger of entities is expected; mend words and "
            "parts of speech in the corpus itself"
        )
    return "labels" if task.several_labels else "label"


def names_of(task: Task[Any]) -> tuple[str, ...]:
    """The labels that a person can choose: those of the model, of a tagger the types of its entities."""
    names = task.labels.names
    if form_of(task) == "spans":
        return tuple(dict.fromkeys(name.partition("-")[2] for name in names if name != tags.OUTSIDE))
    return tuple(names)


def answered(task: Task[Any], prediction: Prediction) -> str:
    """A model's answer as corrections have it; "" for a blank text."""
    if prediction.is_blank:
        return ""
    if form_of(task) == "spans":
        return task.format_gold(prediction.raw_tags)
    return task.format_gold(tuple(sorted(prediction.chosen))) if task.several_labels else str(prediction.value)


def shown_value(task: Task[Any], gold: str) -> Any:
    """What corrections have of a text, as the page shows it: a label, a list of labels, or of [start, end, type].

    Spans are in tokens, half-open. "" is None, except where a text may have no label.
    """
    form = form_of(task)
    if form == "label" or (form == "spans" and not gold):
        return gold or None
    if form == "labels":
        return list(task.parse_gold(gold))
    return [[span.start, span.end, span.label] for span in tags.spans(task.parse_gold(gold), _scheme(task)).spans]


def decided(task: Task[Any], value: Any, tokens: int, names: Sequence[str]) -> str:
    """What a person decided on the page about a text of so many tokens, as corrections have it.

    Raises CorpusError for a value of another form, an unknown label, or spans that overlap or end after the text.
    """
    form = form_of(task)
    if form == "label":
        return _known(value, names)
    if not isinstance(value, list):
        raise CorpusError("a list is expected")
    if form == "labels":
        return task.format_gold(tuple(sorted({_known(name, names) for name in value})))
    spans = [_span(one, names) for one in value]
    return task.format_gold(tags.tags_of(spans, tokens, _scheme(task)))


def _scheme(task: Task[Any]) -> str:
    if not isinstance(task, Tag):
        raise TypeError(f"{task.described} has no tags")
    return task.options.scheme


def _span(value: Any, names: Sequence[str]) -> Span:
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(place, int) for place in value[:2]):
        raise CorpusError("a span is expected: [start, end, type]")
    return Span(value[0], value[1], _known(value[2], names))


def _known(name: Any, names: Sequence[str]) -> str:
    if not isinstance(name, str) or name not in names:
        raise CorpusError(f'no label "{shown(str(name), 40)}": one of the model\'s is expected')
    return name


def pieces(text: str, tokens: Sequence[str]) -> list[tuple[str, str]]:
    """For each token the text between it and the one before, and the token; at the end what follows the last one.

    >>> pieces("我 爱北京！", ["我", "爱", "北京"])
    [('', '我'), (' ', '爱'), ('', '北京'), ('！', '')]
    """
    found, place = [], 0
    for token in tokens:
        start = text.find(token, place)
        start = place if start < 0 else start
        found.append((text[place:start], token))
        place = start + len(token)
    return [*found, (text[place:], "")]
