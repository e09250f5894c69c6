"""The report as one HTML page that needs nothing from outside."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics.calibration import Claimed
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import confusion
from pipeline.evaluation.report import charts, frame
from pipeline.evaluation.report.frame import TEXT_SHOWN, clip
from pipeline.evaluation.report.summary import columns_in_use, judged_part, score_rows, sentences, verdict
from pipeline.evaluation.report.translations import Locale, Translate, translator

ERRORS_SHOWN = 300
TEXTS_SHOWN = 700  # errors and others together
OF_A_CELL = 5  # texts of a cell of the confusion matrix
MATRIX_LABELS = 40
PAIRS_SHOWN = 20
LABELS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the confusion matrix: a count of rows, and its share of the rows of that gold label.

    `gold`, `predicted`: places of the two labels.
    """

    count: int
    share: float
    gold: int
    predicted: int

    @property
    def is_right(self) -> bool:
        """Whether the two labels are one."""
        return self.gold == self.predicted


@dataclass(frozen=True, slots=True)
class Confused:
    """Two labels that are mixed up: how many rows of `gold` were taken for `predicted`, and of how many."""

    gold: str
    predicted: str
    count: int
    rows: int
    places: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row on the page; `pieces`: words and their effect, as a share of the strongest one in the text."""

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
    """The page for `document`, a report as `Report.as_dict` gives it, style, charts and script included.

    Texts and confusion matrix are of the outcomes of test, or of dev where no test row was scored. Texts and
    label names are escaped: none of them can become markup. Without its script the page shows the same, unfiltered.
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
        sentences=sentences(document, _),
        rows=rows,
        columns=columns_in_use(rows),
        trust=[
            Markup(chart) for chart in trust(document, {name: _claimed(rows) for name, rows in outcomes.items()}, _)
        ],
        names=names,
        matrix=shares(matrix) if len(names) <= MATRIX_LABELS else None,
        pairs=confused(names, matrix),
        shown=_shown(judged, names, explained),
        error_count=sum(outcome.is_error for outcome in judged),
        offer=offer(document),
        word_map=Markup(charts.word_map(placed, _)) if (placed := document.get("words", {}).get("map")) else "",
    )


def most_confident(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The wrong ones of `outcomes`, the most confident first; equally confident ones by row."""
    wrong = [outcome for outcome in outcomes if outcome.is_error]
    return sorted(wrong, key=lambda outcome: (-outcome.confidence, outcome.row))


def _claimed(outcomes: Sequence[Outcome]) -> Claimed:
    """As the charts need them, which show nothing of another temperature but what report.json has of it."""
    return Claimed.of_rows(outcomes, 1.0)


def trust(document: Mapping[str, Any], claimed: Mapping[str, Claimed], _: Translate, of: str = "rows") -> Iterator[str]:
    """The charts of how far to trust a confidence, of what was claimed of the parts."""
    part = judged_part(document)
    if found := document.get("confidence", {}).get(part):
        yield charts.reliability(found, part, _, of)
        yield charts.coverage({name: one for name, one in sorted(claimed.items(), reverse=True) if len(one)}, _, of)


def offer(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The highest promised precision that can be had for at least half of the claims, or else for most of them."""
    part = judged_part(document)
    reached = [row for row in document.get("confidence", {}).get("thresholds", []) if row["threshold"] is not None]
    reached = [row for row in reached if row.get(part, {}).get("precision") is not None]
    half = [row for row in reached if row["dev"]["coverage"] >= 0.5]
    return max(half, key=lambda row: row["target"]) if half else (reached[0] if reached else None)


def shares(matrix: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """The cells of a confusion matrix."""
    return [
        [Cell(count, count / (sum(row) or 1), line, column) for column, count in enumerate(row)]
        for line, row in enumerate(matrix)
    ]


def confused(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[Confused]:
    """The label pairs most often mixed up."""
    pairs = [
        Confused(names[line], names[column], count, sum(row), (line, column))
        for line, row in enumerate(matrix)
        for column, count in enumerate(row)
        if count and line != column
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:PAIRS_SHOWN]


def _shown(judged: Sequence[Outcome], names: Sequence[str], explained: Mapping[int, Explained]) -> list[Shown]:
    """The most confident errors, then some rows of each cell of the matrix, of right ones the least confident."""
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
    """Neighbouring pieces of no effect are one; a text that was not explained is one piece."""
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
