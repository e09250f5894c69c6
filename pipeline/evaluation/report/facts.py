"""Facts: nested values of a report as pairs of name and text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ITEMS_SHOWN = 20


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested values as pairs of name and text; nested names are joined by `›`, long lists are cut.

    >>> facts({"rows": {"train": 9600, "test": 1200}, "labels": ["差评", "好评"]})
    [('rows › train', '9,600'), ('rows › test', '1,200'), ('labels', '差评, 好评')]
    """
    return list(_facts(values, ()))


def _facts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _facts(inner, (*path, str(key).replace("_", " ")))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, item in enumerate(value[:ITEMS_SHOWN], start=1):
            yield from _facts(item, (*path, str(number)))
        if len(value) > ITEMS_SHOWN:
            yield " › ".join(path), f"and {len(value) - ITEMS_SHOWN:,} more"
    else:
        yield " › ".join(path), _fact(value)


def _fact(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(values: Sequence[Any]) -> str:
    more = len(values) - ITEMS_SHOWN
    return ", ".join(map(_fact, values[:ITEMS_SHOWN])) + (f" and {more:,} more" if more > 0 else "")
