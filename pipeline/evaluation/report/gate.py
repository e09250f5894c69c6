"""Gate: limits that the scores of a report must meet, so that a script can stop if a model is too bad."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PipelineError, PoorScore
from pipeline.evaluation.report.summary import PARTS, judged_part


@dataclass(frozen=True)
class Bar:
    """A limit of a score: its `name`, as in `flat`, its `value`, and whether scores `over` it fail, or under it."""

    name: str
    value: float
    over: bool = False

    def fails(self, score: float | None) -> bool:
        """Whether a score is on the wrong side of the limit; one that could not be measured fails."""
        return score is None or (score > self.value if self.over else score < self.value)


def read(text: str, *, over: bool = False) -> Bar:
    """The limit that `text` writes as NAME=NUMBER. Raises PipelineError if it does not.

    >>> read("macro_f1=0.9")
    Bar(name='macro_f1', value=0.9, over=False)
    """
    name, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise PipelineError(f"{text}: expected a score and a number, such as macro_f1=0.9")
    return Bar(name.strip(), number, over)


def check(document: Mapping[str, Any], bars: Sequence[Bar], place: str = "report") -> None:
    """Raise PoorScore if a score of `document`, a report as `Report.as_dict` returns it, fails one of `bars`.

    A bare name is a score on test, or on dev if no test row was scored; `dev.accuracy` and the like name the part.
    Raises PipelineError for a score that the report does not have.
    """
    known = dict(flat(document))
    for bar in bars:
        if bar.name not in known:
            raise PipelineError(f'{place}: no score "{bar.name}"{_nearest(bar.name, known)}')
    failed = [bar for bar in bars if bar.fails(known[bar.name])]
    if failed:
        raise PoorScore(f"{place}: {'; '.join(_failure(bar, known[bar.name]) for bar in failed)}")


def flat(document: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Every score of a report with its name, such as accuracy, per_label.LABEL.recall or dev.accuracy."""
    for part in PARTS:
        if isinstance(document.get(part), Mapping):
            for name, value in _numbers(document[part]):
                yield f"{part}.{name}", value
                if part == judged_part(document):
                    yield name, value


def _numbers(scores: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for name, value in scores.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", found) for inner, found in _numbers(value))
        elif value is None or isinstance(value, int | float):
            yield name, value


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    overall = [one for one in known if "." not in one]
    return (f'; did you mean "{found[0]}"?' if found else "") + f" (there are {', '.join(overall)})"


def _failure(bar: Bar, score: float | None) -> str:
    found = "not measured" if score is None else f"{score:.4f}"
    return f"{bar.name} is {found}, {'over' if bar.over else 'under'} {bar.value:g}"
