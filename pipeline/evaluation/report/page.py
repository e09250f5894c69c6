"""The report of a classifier as one HTML page that loads nothing from elsewhere."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import confusion
from pipeline.evaluation.report import frame, matrix, score_section, trust
from pipeline.evaluation.report.frame import TEXT_SHOWN, clip
from pipeline.evaluation.report.summary import judged_part, score_rows, sentences, verdict
from pipeline.evaluation.report.translations import Locale, Translate, translator
from pipeline.evaluation.report.wordmap_chart import FEWEST, word_map

ERRORS_SHOWN = 300
TEXTS_SHOWN = 700  # errors and other texts together
OF_A_CELL = 5  # texts of each cell of the confusion matrix
ALIKE = 0.9  # median cosine of neighbours from which all words are neighbours


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
    judged = outcomes.get(judged_part(document), ())
    names, counts = confusion(judged, labels)
    rows = score_rows(document, _)
    claims = {name: _claims(rows) for name, rows in outcomes.items()}
    return frame.render(
        "page.html",
        document,
        locale,
        scripts=("texts.js",),
        verdict=verdict(document, _),
        sentences=sentences(document, _, compared=False),
        rows=rows,
        columns=score_section.columns("classify", rows),
        trust=[Markup(chart) for chart in trust.drawn(document, claims, _)],
        names=names,
        matrix=matrix.cells(counts, _chosen) if len(names) <= matrix.LABELS else None,
        mistakes="texts" if any(outcome.is_error for outcome in judged) else "",
        pairs=matrix.confused(names, counts, _chosen),
        shown=_shown(judged, names, explained),
        error_count=sum(outcome.is_error for outcome in judged),
        word_map=Markup(_word_map(document, _)),
        tells_apart=_tells_apart(document),
    )


def _chosen(gold: int, predicted: int) -> Mapping[str, object]:
    return {"gold": gold, "predicted": predicted}


def _word_map(document: Mapping[str, Any], _: Translate) -> str:
    """The map of words, "" if there are too few for one."""
    words = document.get("words", {})
    known = (words.get("coverage") or {}).get("words", 0)
    return word_map(words["map"], _) if words.get("map") and known >= FEWEST else ""


def _tells_apart(document: Mapping[str, Any]) -> bool:
    """Whether the neighbours of keywords say something: not all words lie in one direction."""
    listed = [one["neighbours"] for one in document.get("words", {}).get("keywords", ()) if one["neighbours"]]
    cosines = [cosine for found in listed for _word, cosine in found]
    return not cosines or statistics.median(cosines) < ALIKE


def most_confident(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The errors among `outcomes`, the most confident first, then by row."""
    wrong = [outcome for outcome in outcomes if outcome.is_error]
    return sorted(wrong, key=lambda outcome: (-outcome.confidence, outcome.row))


def _claims(outcomes: Sequence[Outcome]) -> ScoredClaims:
    """The claims for the charts, which take uncalibrated confidences from the report and not from here."""
    return ScoredClaims.from_rows(outcomes, 1.0)


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
