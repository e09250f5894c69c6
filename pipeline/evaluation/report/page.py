"""The report of a classifier as one HTML page that loads nothing from elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import confusion
from pipeline.evaluation.report import charts, frame
from pipeline.evaluation.report.frame import TEXT_SHOWN, clip
from pipeline.evaluation.report.summary import columns_in_use, judged_part, score_rows, sentences, verdict
from pipeline.evaluation.report.translations import Locale, Translate, translator

ERRORS_SHOWN = 300
TEXTS_SHOWN = 700  # errors and other texts together
OF_A_CELL = 5  # texts of each cell of the confusion matrix
MATRIX_LABELS = 40
PAIRS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the confusion matrix: a count of rows, and its share of the rows with that gold label.

    `gold`, `predicted`: indices of the two labels.
    """

    count: int
    share: float
    gold: int
    predicted: int

    @property
    def is_right(self) -> bool:
        """Whether the two labels are the same."""
        return self.gold == self.predicted


@dataclass(frozen=True, slots=True)
class Confused:
    """Two labels that are confused: `count` of the `rows` with the label `gold` were given `predicted`."""

    gold: str
    predicted: str
    count: int
    rows: int
    places: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row on the page; `pieces`: words and their effects, divided by the strongest in the text."""

    outcome: Outcome
    pieces: Sequence[tuple[str, float]]
    gold: int
    predicted: int


def render(
    document: Mapping[str, Any],
    outcomes: Mapping[str, Sequence[Outcome]],
    labels: Sequence[str],
    *,
    explained: Mapping[int, Explained] = MappingProxyType({}),
    locale: Locale = "en",
) -> str:
    """The page of `document`, a report as `Report.as_dict` returns it, with style, charts and script included.

    Texts and confusion matrix are those of test, or of dev if no test row was scored. Texts and label names are
    escaped: none of them can become markup. Without its script the page shows the same, unfiltered.
    """
    from markupsafe import Markup

    _ = translator(locale)
    part = judged_part(document)
    judged = outcomes.get(part, ())
    names, matrix = confusion(judged, labels)
    rows = score_rows(document, _)
    return frame.render(
        "page.html",
        document,
        locale,
        script="page.js",
        verdict=verdict(document, _),
        sentences=sentences(document, _, compared=False),
        rows=rows,
        columns=columns_in_use(rows),
        trust=[Markup(chart) for chart in trust(document, {name: _claims(rows) for name, rows in outcomes.items()}, _)],
        names=names,
        matrix=shares(matrix) if len(names) <= MATRIX_LABELS else None,
        pairs=confused(names, matrix),
        shown=_shown(judged, names, explained),
        error_count=sum(outcome.is_error for outcome in judged),
        word_map=Markup(charts.word_map(placed, _)) if (placed := document.get("words", {}).get("map")) else "",
    )


def most_confident(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The errors among `outcomes`, the most confident first, then by row."""
    wrong = [outcome for outcome in outcomes if outcome.is_error]
    return sorted(wrong, key=lambda outcome: (-outcome.confidence, outcome.row))


def _claims(outcomes: Sequence[Outcome]) -> ScoredClaims:
    """The claims for the charts, which take uncalibrated confidences from the report and not from here."""
    return ScoredClaims.from_rows(outcomes, 1.0)


def trust(
    document: Mapping[str, Any], claims: Mapping[str, ScoredClaims], _: Translate, of: str = "rows"
) -> Iterator[str]:
    """The charts of confidences: reliability and coverage; `claims`: those of each part; `of`: "rows" or "spans"."""
    part = judged_part(document)
    if found := document.get("confidence", {}).get(part):
        yield charts.reliability(found, part, _, of)
        yield charts.coverage({name: one for name, one in sorted(claims.items(), reverse=True) if len(one)}, _, of)


def shares(matrix: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """The cells of a confusion matrix with their shares."""
    return [
        [Cell(count, count / (sum(row) or 1), line, column) for column, count in enumerate(row)]
        for line, row in enumerate(matrix)
    ]


def confused(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[Confused]:
    """The pairs of labels that are most often confused."""
    pairs = [
        Confused(names[line], names[column], count, sum(row), (line, column))
        for line, row in enumerate(matrix)
        for column, count in enumerate(row)
        if count and line != column
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:PAIRS_SHOWN]


def _shown(judged: Sequence[Outcome], names: Sequence[str], explained: Mapping[int, Explained]) -> list[Shown]:
    """The most confident errors, then some rows of each cell of the matrix; of right rows the least confident."""
    place = {name: number for number, name in enumerate(names)}
    errors = most_confident(judged)
    right = sorted(
        (outcome for outcome in judged if outcome.gold == outcome.predicted), key=lambda one: (one.confidence, one.row)
    )
    seen: Counter[tuple[str | None, str]] = Counter()
    chosen = errors[:ERRORS_SHOWN]
    seen.update((outcome.gold, outcome.predicted) for outcome in chosen)
    for outcome in [*errors[ERRORS_SHOWN:], *right]:
        if len(chosen) == TEXTS_SHOWN:
            break
        if seen[outcome.gold, outcome.predicted] < OF_A_CELL:
            seen[outcome.gold, outcome.predicted] += 1
            chosen.append(outcome)
    return [
        Shown(
            outcome,
            _pieces(outcome, explained.get(outcome.row)),
            place[outcome.gold or ""],
            place[outcome.predicted],
        )
        for outcome in chosen
    ]


def _pieces(outcome: Outcome, explained: Explained | None) -> list[tuple[str, float]]:
    """The text as pieces with effects; neighbouring pieces without effect are joined."""
    if explained is None or not explained.strongest:
        return [(clip(outcome.text), 0.0)]
    found: list[tuple[str, float]] = []
    left = TEXT_SHOWN
    for piece, effect in zip(explained.pieces, explained.effects, strict=True):
        if left <= 0:
            return [*found, ("…", 0.0)]
        share = round((effect or 0.0) / explained.strongest, 2)
        share = share if abs(share) >= 0.1 else 0.0
        if found and share == 0.0 == found[-1][1]:
            found[-1] = (found[-1][0] + piece, 0.0)
        else:
            found.append((piece, share))
        left -= len(piece)
    return found
