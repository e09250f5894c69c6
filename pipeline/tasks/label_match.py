"""Label match: the labels of a file beside those of a model, some of which may be the same number written otherwise."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from pipeline.errors import PipelineError

SHOWN = 10  # labels that a message names


def known_labels(golds: Sequence[str], names: Sequence[str], source: str, notify: Callable[[str], object]) -> list[str]:
    """The gold labels of a file, in the model's own writing where all those that it lacks are numbers that it knows.

    A table that pandas wrote has 0.0 and 1.0 for 0 and 1 if some cells are empty. Labels that stay unknown are named
    with their rows. Raises PipelineError if the model knows none of the labels.

    >>> known_labels(["1.0", "0", "1.0"], ["0", "1"], "a.csv", print)
    labels were matched as numbers: 1.0 (2 rows) is 1
    ['1', '0', '1']
    """
    unknown = Counter(gold for gold in golds if gold not in names)
    matches = numeric_matches(list(unknown), names)
    if len(matches) == len(unknown):
        if matches:
            said = ", ".join(f"{_counted(name, unknown[name])} is {known}" for name, known in _first(matches).items())
            notify(f"labels were matched as numbers: {said}{_more(len(matches))}")
        return [matches.get(gold, gold) for gold in golds]
    said = ", ".join(_counted(name, rows) for name, rows in unknown.most_common(SHOWN)) + _more(len(unknown))
    if unknown.total() == len(golds):
        raise PipelineError(
            f"{source}: the model knows none of the labels: {said}; it knows {', '.join(names[:SHOWN])}"
            f"{_more(len(names))}: name the label column with --label, or rename the labels with "
            "--set corpus.label_map"
        )
    notify(f"labels that the model does not know, scored as errors: {said}")
    return list(golds)


def numeric_matches(unknown: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """For each unknown label that equals exactly one known label as a number, that one.

    >>> numeric_matches(["1.0", "好"], ["0", "1"])
    {'1.0': '1'}
    """
    known = defaultdict(list)
    for name in names:
        if (number := _number(name)) is not None:
            known[number].append(name)
    numbers = {name: _number(name) for name in unknown}
    return {
        name: known[number][0] for name, number in numbers.items() if number is not None and len(known[number]) == 1
    }


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _first(matches: Mapping[str, str]) -> dict[str, str]:
    return dict(list(matches.items())[:SHOWN])


def _counted(name: str, rows: int) -> str:
    return f"{name} ({rows:,} {'row' if rows == 1 else 'rows'})"


def _more(count: int) -> str:
    return f", and {count - SHOWN} more" if count > SHOWN else ""
