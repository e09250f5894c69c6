"""Forms: what a person decides about a text, as the page has it and as corrections have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from corpora import tags
from corpora.document import Span
from corpora.errors import CorpusError, shown
from pipeline.errors import PipelineError
from pipeline.tasks import Prediction, Tag, Task

Form = Literal["label", "labels", "spans", "words"]


def form_of(task: Task[Any]) -> Form:
    """What a text of a task has: one label, any number, some spans of its tokens, or words that cover it.

    Raises PipelineError for a task whose answers are none of these.
    """
    if isinstance(task, Tag):
        return "spans" if task.options.kind == "entities" else "words"
    if not task.needs_labels:
        raise PipelineError(f"{task.described} can't be reviewed: a classifier or a tagger is expected")
    return "labels" if task.several_labels else "label"


def in_tokens(task: Task[Any]) -> bool:
    """Whether decisions are about the tokens of a text: spans or words."""
    return isinstance(task, Tag)


def words_are_given(task: Task[Any]) -> bool:
    """Whether each token is a word, whose tag alone is decided."""
    return isinstance(task, Tag) and task.options.kind == "pos"


def names_of(task: Task[Any]) -> tuple[str, ...]:
    """The labels that a person can choose: those of the model; of a tagger, the types of its entities or words.

    Words without types have none.
    """
    names = task.labels.names
    if not in_tokens(task) or words_are_given(task):
        return tuple(names)
    types = (name.partition("-")[2] for name in names)
    return tuple(dict.fromkeys(type_ for type_ in types if type_))


def answered(task: Task[Any], prediction: Prediction) -> str:
    """A model's answer as corrections have it; "" for a blank text."""
    if prediction.is_blank:
        return ""
    if in_tokens(task):
        return task.format_gold(prediction.raw_tags)
    return task.format_gold(tuple(sorted(prediction.chosen))) if task.several_labels else str(prediction.value)


def shown_value(task: Task[Any], gold: str) -> Any:
    """What corrections have of a text, as the page shows it: a label, a list of labels, or of [start, end, type].

    Spans and words are in tokens, half-open; the type of a word may be "". "" is None, except where a text may have no
    label.
    """
    if isinstance(task, Tag):
        return [list(stretch) for stretch in _stretches(task, task.parse_gold(gold))] if gold else None
    return list(task.parse_gold(gold)) if task.several_labels else gold or None


def types_in(task: Task[Any], value: Any) -> tuple[str, ...]:
    """The labels, or the types of spans and words, in what `shown_value` returned."""
    found = value if isinstance(value, list) else [value]
    return tuple(name for name in ([one[2] for one in found if one] if in_tokens(task) else found) if name)


def decided(task: Task[Any], value: Any, tokens: int, names: Sequence[str]) -> str:
    """What a person decided on the page about a text of so many tokens, as corrections have it.

    Raises CorpusError for a value of another form, an unknown label, spans that overlap or end after the text, or words
    that don't cover it.
    """
    if form_of(task) == "label":
        return _known(value, names)
    if not isinstance(value, list):
        raise CorpusError("a list is expected")
    if not isinstance(task, Tag):
        return task.format_gold(tuple(sorted({_known(name, names) for name in value})))
    if form_of(task) == "spans":
        spans = [Span(*_stretch(one, names)) for one in value]
        return task.format_gold(tags.tags_of(spans, tokens, task.options.scheme))
    words = [_stretch(one, names or ("",)) for one in value]
    if words_are_given(task) and any(end - start != 1 for start, end, _ in words):
        raise CorpusError("a word is one token here, and its tag alone is decided")
    return task.format_gold(_tags_of(task, words, tokens))


def _stretches(task: Tag, gold: Sequence[str]) -> Sequence[tuple[int, int, str]]:
    if words_are_given(task):
        return [(place, place + 1, tag) for place, tag in enumerate(gold)]
    if task.options.kind == "entities":
        return [(span.start, span.end, span.label) for span in tags.spans(gold, task.options.scheme).spans]
    return tags.words(gold, task.options.scheme)


def _tags_of(task: Tag, words: Sequence[tuple[int, int, str]], tokens: int) -> tuple[str, ...]:
    found = tags.tags_of_words(words, tokens, task.options.scheme)
    return tuple(type_ for _, _, type_ in sorted(words)) if words_are_given(task) else found


def _stretch(value: Any, names: Sequence[str]) -> tuple[int, int, str]:
    if not isinstance(value, list) or len(value) != 3 or not all(type(place) is int for place in value[:2]):
        raise CorpusError("a span or word is expected: [start, end, type]")
    return value[0], value[1], _known(value[2], names)


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
