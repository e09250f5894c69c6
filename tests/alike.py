"""Whether two texts say the same: what a command printed or wrote, with a model trained on this CPU and on another."""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?")
DECIMAL = re.compile(r"\d+\.\d+(?:e-?\d+)?")


def same_wording(old: str, new: str) -> bool:
    """Whether all but the numbers is the same, apart from the widths of columns, and the numbers are close.

    >>> same_wording("accuracy  0.81 of 9 rows", "accuracy 0.82 of 10 rows")
    True
    >>> same_wording("accuracy 0.81", "accuracy 0.91"), same_wording("accuracy 0.81", "precision 0.81")
    (False, False)
    """
    wording, other = (re.sub(r"[ -]+", " ", NUMBER.sub("#", text)) for text in (old, new))
    return wording == other and _all_close(NUMBER.findall(old), NUMBER.findall(new))


def same_lines(old: str, new: str) -> bool:
    """Whether the first line is the same, and nearly all others are, in the same order: all but one, or 97 %.

    Numbers with decimals may differ a little.

    >>> same_lines("label,confidence\\n通知,0.91\\n", "label,confidence\\n通知,0.9\\n")
    True
    >>> same_lines("label,confidence\\n", "label,score\\n")
    False
    """
    return old.split("\n", 1)[0] == new.split("\n", 1)[0] and _share(old, new, DECIMAL) >= 0.97


def same_report(old: str, new: str) -> bool:
    """Whether nine of ten lines say the same, in the same order; all numbers may differ a little.

    A row that is answered otherwise shows in several lines, and in what the first ones conclude.
    """
    return _share(old, new, NUMBER) >= 0.9


def same_keys(old: str, new: str) -> bool:
    """Whether two JSON texts have the same keys in the same order, wherever they have an object.

    >>> same_keys('[{"a": 1}]', '[{"a": 2}, {"a": 3}]'), same_keys('{"a": 1, "b": 2}', '{"b": 2, "a": 1}')
    (True, False)
    """
    return list(dict.fromkeys(_keys(json.loads(old)))) == list(dict.fromkeys(_keys(json.loads(new))))


def _keys(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}.{key}"
            yield from _keys(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, f"{place}[]")


def _share(old: str, new: str, number: re.Pattern[str]) -> float:
    """The share of lines that are alike; 1 where only one is not."""
    before, after = (re.sub(r"[ -]+", " ", text).splitlines() for text in (old, new))
    matcher = SequenceMatcher(None, *([number.sub("#", line) for line in lines] for lines in (before, after)), False)
    alike = sum(
        _all_close(number.findall(before[one + place]), number.findall(after[other + place]))
        for one, other, size in matcher.get_matching_blocks()
        for place in range(size)
    )
    longest = max(len(before), len(after))
    return 1 if longest - alike <= 1 else alike / longest


def _all_close(old: list[str], new: list[str]) -> bool:
    return len(old) == len(new) and all(map(_close, old, new))


def _close(old: str, new: str) -> bool:
    """Scores within 0.02, counts within 1, whatever is larger within 5 %."""
    one, other = (float(number.replace(",", "")) for number in (old, new))
    slack = 0.02 if "." in old + new else 1
    return abs(one - other) <= max(slack, 0.05 * max(one, other))
