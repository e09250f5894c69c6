"""The section of scores: the score that decides on one axis, and the columns of its tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.evaluation.report import charts
from pipeline.evaluation.report.charts import Dot
from pipeline.evaluation.report.headline import shown_score
from pipeline.evaluation.report.summary import (
    BASELINE_TITLES,
    COLUMNS,
    DECIDES,
    ScoreRow,
    all_leaked,
    compared_part,
    model_title,
)
from pipeline.evaluation.report.translations import Translate

# Measures that few readers need; they stand in a table of their own.
RARE = frozenset({"matthews", "roc_auc", "average_precision", "hamming_loss", "token_accuracy", "iv_recall"})


class ScoreColumns(NamedTuple):
    """The columns of the tables, key to heading: those of every day, the score that decides first, and the rest."""

    daily: Mapping[str, str]
    rest: Mapping[str, str]


def columns(task: str, rows: Sequence[ScoreRow], titles: Mapping[str, str] = COLUMNS) -> ScoreColumns:
    """The columns in which some row has a value."""
    used = {key: title for key, title in titles.items() if any(row.scores.get(key) is not None for row in rows)}
    decides, _title = DECIDES[task]
    order = sorted(used, key=lambda key: key != decides)
    daily = {key: used[key] for key in order if key not in RARE}
    return ScoreColumns(daily, {key: used[key] for key in order if key in RARE})


def drawn(document: Mapping[str, Any], _: Translate) -> str:
    """The chart, as SVG; "" for a model without baselines, or if every row leaked.

    Around the model is the interval of its score. Around a baseline is that of its distance from the model, which
    counts the same rows for both: chance hardly explains the distance if the model lies outside.
    """
    key, title = DECIDES[document["task"]]
    part = compared_part(document)
    found = list(_dots(document, part, key, _))
    if len(found) < 2 or all_leaked(document, part.removesuffix("_without_leaked")):
        return ""
    rows = document[part]["rows"]
    axis = _("{score}, {rows} rows", score=_(title, part=_(part.partition("_")[0])), rows=f"{rows:,}")
    return charts.dots(_("the model and its baselines"), found, axis, _, logarithmic=document["task"] == "language")


def _dots(document: Mapping[str, Any], part: str, key: str, _: Translate) -> Iterator[Dot]:
    """The model first, then the baselines, the best first."""
    ours = (document.get(part) or {}).get(key)
    if ours is None:
        return
    scale = 1.0 if document["task"] == "language" else 100.0
    low_high = document.get("intervals", {}).get(part, {}).get(key)
    yield _dot(document, model_title(document, _), ours, low_high, scale, is_ours=True)
    others = {
        name: found[part][key]
        for name, found in document.get("baselines", {}).items()
        if (found.get(part) or {}).get(key) is not None
    }
    for name in sorted(others, key=lambda one: others[one], reverse=document["task"] != "language"):
        against = document.get("against", {}).get(name)
        around = [ours - end for end in reversed(against["interval"])] if against else None
        yield _dot(document, _(BASELINE_TITLES.get(name, name)), others[name], around, scale)


def _dot(
    document: Mapping[str, Any], name: str, value: float, low_high: Any, scale: float, *, is_ours: bool = False
) -> Dot:
    interval = (scale * low_high[0], scale * low_high[1]) if low_high else None
    return Dot(name, scale * value, shown_score(document, value), interval, is_ours)
