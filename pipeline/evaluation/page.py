"""The report as one HTML page that needs nothing from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.charts import learning_curve
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.scores import confusion
from pipeline.evaluation.summary import (
    columns_in_use,
    facts,
    judged_part,
    model_title,
    percent,
    score_rows,
    sentences,
)

if TYPE_CHECKING:
    from jinja2 import Template

ERRORS_SHOWN = 50
TEXT_SHOWN = 400
MATRIX_LABELS = 40
PAIRS_SHOWN = 20
SECTIONS: dict[str, Any] = {"counts": {}, "model": {}, "history": [], "corpus": {}, "made": {}}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the confusion matrix: a count of rows, and its share of the rows of that gold label."""

    count: int
    share: float
    is_right: bool


def render(document: Mapping[str, Any], outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[str]) -> str:
    """The page for `document`, a report as `Report.as_dict` gives it, style and charts included.

    Errors and confusion matrix are of the outcomes of test, or of dev where no test row was scored. Texts and
    label names are escaped: none of them can become markup.
    """
    from markupsafe import Markup

    part = judged_part(document)
    judged = outcomes.get(part, ())
    names, matrix = confusion(judged, labels)
    rows = score_rows(document)
    return template("page.html").render(
        document=SECTIONS | dict(document),
        part=part,
        title=heading(document),
        sentences=sentences(document),
        rows=rows,
        columns=columns_in_use(rows),
        charts=[Markup(chart) for chart in learning_curve(document.get("history", []))],
        names=names,
        matrix=shares(matrix) if len(names) <= MATRIX_LABELS else None,
        pairs=confused(names, matrix),
        errors=most_confident(judged)[:ERRORS_SHOWN],
        error_count=sum(outcome.is_error for outcome in judged),
    )


def most_confident(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The wrong ones of `outcomes`, the most confident first; equally confident ones by row."""
    wrong = [outcome for outcome in outcomes if outcome.is_error]
    return sorted(wrong, key=lambda outcome: (-outcome.confidence, outcome.row))


def clip(text: str, length: int = TEXT_SHOWN) -> str:
    """`text`, cut to `length` characters and an ellipsis where it is longer."""
    return text if len(text) <= length else text[:length] + "…"


def template(name: str) -> "Template":
    """A template of this package, in which everything is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    loader = FunctionLoader(lambda name: files(__package__).joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader
    )
    environment.filters |= {
        "percent": percent,
        "count": "{:,}".format,
        "facts": facts,
        "clip": clip,
        "by_part": lambda rows: groupby(rows, key=lambda row: row.part),
    }
    return environment.get_template(name)


def heading(document: Mapping[str, Any]) -> str:
    """What stands above the page."""
    name = document.get("made", {}).get("name")
    return f"{name}: {model_title(document)}" if name else f"Evaluation of the {model_title(document)}"


def shares(matrix: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """Counts with their share of their row."""
    return [
        [Cell(count, count / (sum(row) or 1), line == column) for column, count in enumerate(row)]
        for line, row in enumerate(matrix)
    ]


def confused(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[tuple[str, str, int]]:
    """The label pairs most often mixed up: gold, predicted, rows."""
    pairs = [
        (names[line], names[column], count)
        for line, row in enumerate(matrix)
        for column, count in enumerate(row)
        if count and line != column
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:PAIRS_SHOWN]
