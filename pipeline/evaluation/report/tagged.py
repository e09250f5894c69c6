"""The report of a tagger as a folder of files: scores, predictions, mistakes, and the page."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from corpora import segmented
from corpora.document import Span
from pipeline.encoding.encoder import Tokenised
from pipeline.evaluation.metrics import bootstrap, spans
from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import BARE, ERRORS, ScoredText
from pipeline.evaluation.report import frame, matrix, page, score_section, tables, text, trust
from pipeline.evaluation.report.report import Report, mended, write_whole
from pipeline.evaluation.report.summary import (
    SPAN_COLUMNS,
    judged_part,
    score_rows,
    span_sentences,
    verdict,
)
from pipeline.evaluation.report.translations import Locale, translator

ROOM = 1_000_000  # characters of the texts on the page, gold and predicted, so that it can be mailed
MARK = 30  # characters of markup that a coloured piece costs


def write(
    folder: Path,
    report: Report,
    outcomes: Mapping[str, Sequence[Outcome]],
    scheme: str | None,
    *,
    answers: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({}),
    columns: Sequence[str] = (),
    locale: Locale = "en",
    excel_safe: bool = True,
) -> None:
    """Write `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    The report gets the `intervals` of its scores and, from the `answers` of baselines to the texts of the tables, the
    comparison `against` each. `columns`: the names of the outcomes' slices; `excel_safe`: as in `tables.table`. All
    files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt, report.html
    - predictions.csv: row, text, gold, predicted (spans as text/type, words separated by spaces), confidence, leaked,
      tokens, gold_tags, predicted_tags (one a token, as segmented text), sure (the confidences of the predicted spans,
      in order, separated by spaces), unscaled (the same at the temperature 1), unknown, one `slice:COLUMN` a column
    - predictions-dev.csv: the same for dev
    - errors.csv: the rows with a mistake, with counts of `missed`, `invented`, ... spans, most confident first
    - confusion.csv: gold, and a column `predicted:TYPE` for each type, with counts of tokens

    The tables are about test, or about dev if no test row was scored.
    """
    folder.mkdir(parents=True, exist_ok=True)
    judged = {part: spans.judged(found, scheme) for part, found in outcomes.items()}
    part = judged_part(report.as_dict())
    report = replace(
        report,
        model={**report.model, "scheme": scheme},
        intervals=_intervals(judged),
        against=_against(outcomes.get(part, ()), answers, scheme),
    )
    rows, document = judged.get(part, []), report.as_dict()
    _write_predictions(folder / "predictions.csv", rows, columns, excel_safe)
    if judged.get("dev") and part != "dev":
        _write_predictions(folder / "predictions-dev.csv", judged["dev"], columns, excel_safe)
    else:
        (folder / "predictions-dev.csv").unlink(missing_ok=True)  # left by an earlier evaluation
    _write_errors(folder / "errors.csv", rows, excel_safe)
    _write_confusion(folder / "confusion.csv", rows, scheme, excel_safe)
    write_readable(folder, document, rows, judged.get("dev", ()), locale)
    write_whole(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_readable(
    folder: Path,
    document: Mapping[str, Any],
    rows: Sequence[ScoredText],
    dev: Sequence[ScoredText] = (),
    locale: Locale = "en",
) -> None:
    """Write report.txt and report.html; `document`: report.json; `rows`: those of the tables; `dev`: those of dev."""
    write_whole(folder / "report.txt", text.render(document, locale))
    write_whole(folder / "report.html", render(document, rows, dev, locale))


def scored_claims(rows: Sequence[ScoredText]) -> ScoredClaims:
    """The predicted spans that have a confidence, in the rows that did not leak, or in all if all did."""
    kept = [row for row in rows if not row.outcome.leaked] or rows
    kept = [row for row in kept if row.outcome.sure]
    return ScoredClaims(
        np.array([confidence for row in kept for confidence in row.outcome.sure], np.float64),
        np.array([confidence for row in kept for confidence in row.outcome.unscaled], np.float64),
        np.array([row.is_right(span) for row in kept for span in row.said], np.bool_),
    )


def read(path: Path, document: Mapping[str, Any]) -> list[ScoredText]:
    """The rows of a tagger's predictions.csv. Raises KeyError if it lacks a column."""
    rows, _ = tables.read(path, document)
    outcomes = [
        Outcome.of_tags(
            int(row["row"]),
            Tokenised(row["text"], segmented.split(row["tokens"])),
            segmented.split(row["gold_tags"]),
            segmented.split(row["predicted_tags"]),
            float(row["confidence"]),
            leaked=row["leaked"] == "true",
            sure=tuple(map(float, row["sure"].split())),
            unscaled=tuple(map(float, row["unscaled"].split())),
        )
        for row in rows
    ]
    return spans.judged(outcomes, document["model"]["scheme"])


class Piece(NamedTuple):
    """A piece of a text on the page: a span with its type and verdict, or the text between spans, without these.

    The verdict is "right" or one of `spans.ERRORS`.
    """

    text: str
    type: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text with a mistake: its gold and its predicted spans, its kinds of mistakes, and the types it confuses.

    `confused`: the indices of a gold and a predicted type among the names of the confusion matrix, such as "2-0".
    """

    outcome: Outcome
    gold: list[Piece]
    predicted: list[Piece]
    kinds: tuple[str, ...]
    confused: tuple[str, ...]


def render(
    document: Mapping[str, Any], rows: Sequence[ScoredText], dev: Sequence[ScoredText] = (), locale: Locale = "en"
) -> str:
    """The page of `document`, a report as in report.json, with the mistakes of `rows`."""
    from markupsafe import Markup

    _ = translator(locale)
    scheme = document["model"].get("scheme")
    scored, wrong = score_rows(document, _), _wrong(rows)
    names, counts = spans.confusion(rows, scheme)
    shown = _shown(wrong, names, scheme)
    there = {pair for one in shown for pair in one.confused}

    def chosen(gold: int, predicted: int) -> dict[str, object] | None:
        name = f"{gold}-{predicted}"
        return {"confused": name} if name in there else None

    cells, outside = matrix.cells(counts, chosen), names[:1] == ["O"]  # the place of the tokens in no span
    gold_names = [_("invented"), *names[1:]] if outside else names
    said_names = [_("missed"), *names[1:]] if outside else names
    parts = {"dev": scored_claims(dev), judged_part(document): scored_claims(rows)}
    return frame.render(
        "tagged.html",
        document,
        locale,
        scripts=("texts.js",),
        verdict=verdict(document, _),
        sentences=span_sentences(document, _, compared=False),
        rows=scored,
        columns=score_section.columns("tag", scored, SPAN_COLUMNS),
        trust=[Markup(chart) for chart in trust.drawn(document, parts, _, "spans")],
        names=names,
        gold_names=gold_names,
        said_names=said_names,
        matrix=None if len(names) > matrix.LABELS else matrix.without_right_nothing(cells) if outside else cells,
        pairs=matrix.confused(names, counts, chosen, first=int(outside)),
        per_token=scheme is None,
        kinds=[(kind, _(kind.replace("_", " "))) for kind in ERRORS],
        shown=shown,
        choices=[
            (pair, f"{gold_names[line]} → {said_names[column]}")
            for line, column in product(range(len(names)), repeat=2)
            if (pair := f"{line}-{column}") in there
        ],
        error_count=len(wrong),
        mistakes="texts" if wrong else "",
    )


def _intervals(judged: Mapping[str, Sequence[ScoredText]]) -> dict[str, Any]:
    """The intervals of each part, and of it without leaked rows if it has some."""
    clean = {part: [row for row in rows if not row.outcome.leaked] for part, rows in judged.items()}
    apart = {f"{part}_without_leaked": rows for part, rows in clean.items() if len(rows) < len(judged[part])}
    return {part: bootstrap.intervals(rows) for part, rows in {**judged, **apart}.items() if rows}


def _against(
    outcomes: Sequence[Outcome], answers: Mapping[str, Sequence[Sequence[str]]], scheme: str | None
) -> dict[str, dict[str, Any]]:
    """The comparison with each baseline, on the rows that did not leak; {} if all did."""
    if all(one.leaked for one in outcomes):
        return {}
    found = {}
    for name, said in answers.items():
        both = [
            (one, replace(one, predicted_tags=tuple(answer)))
            for one, answer in zip(outcomes, said, strict=True)
            if one.is_judged
        ]
        both = [pair for pair in both if not pair[0].leaked]
        ours, theirs = (spans.judged([pair[side] for pair in both], scheme) for side in (0, 1))
        found[name] = bootstrap.against(ours, theirs)
    return found


def _shown(wrong: Sequence[ScoredText], names: Sequence[str], scheme: str | None) -> list[Shown]:
    """The most confident mistakes, then some of each kind and each cell of the matrix, until `ROOM` is full.

    A text that would take a twentieth of the room is left out.
    """
    room, place = ROOM, {name: number for number, name in enumerate(names)}
    seen: Counter[str] = Counter()
    chosen: list[Shown] = []
    for row in wrong:
        errors = row.errors()
        kinds = tuple(kind for kind in ERRORS if errors[kind])
        pairs = {
            (place[spans.type_of(gold, scheme)], place[spans.type_of(predicted, scheme)])
            for gold, predicted in zip(row.gold_tags, row.said_tags, strict=True)
        }
        confused = tuple(f"{gold}-{predicted}" for gold, predicted in sorted(pairs) if gold != predicted)
        if len(chosen) < page.ERRORS_SHOWN or min(seen[one] for one in (*kinds, *confused, "")) < page.OF_A_CELL:
            one = Shown(row.outcome, *_sides(row, errors), kinds, confused)
            cost = sum(len(piece.text) + MARK for side in (one.gold, one.predicted) for piece in side)
            if cost < min(room, ROOM // 20):
                room -= cost
                seen.update((*kinds, *confused))
                chosen.append(one)
        if len(chosen) == page.TEXTS_SHOWN or room < ROOM // 20:
            break
    return chosen


def _sides(row: ScoredText, errors: Mapping[str, Sequence[Span]]) -> tuple[list[Piece], list[Piece]]:
    """The text in pieces, once with its gold spans and once with the predicted ones."""
    right, places = row.right, {(span.start, span.end) for span in row.gold}
    missing = {span: kind for kind, found in errors.items() if kind != "invented" for span in found}
    invented = set(errors["invented"])

    def of_gold(span: Span) -> str:
        return "right" if span in right else missing[span]

    def of_predicted(span: Span) -> str:
        if span in right or span in invented:
            return "right" if span in right else "invented"
        return "wrong_type" if (span.start, span.end) in places else "wrong_border"

    gold = [(span, of_gold(span)) for span in row.gold]
    return _pieces(row, gold), _pieces(row, [(span, of_predicted(span)) for span in row.said])


def _pieces(row: ScoredText, found: Sequence[tuple[Span, str]]) -> list[Piece]:
    pieces, end = [], 0
    for span, kind in found:
        pieces.append(Piece(mended("".join(row.outcome.tokens[end : span.start]))))
        pieces.append(Piece(mended(row.text(span)), "" if span.label == BARE else span.label, kind))
        end = span.end
    return [piece for piece in (*pieces, Piece(mended("".join(row.outcome.tokens[end:])))) if piece.text]


def _wrong(rows: Sequence[ScoredText]) -> list[ScoredText]:
    """The rows with a mistake, the most confident first."""
    wrong = [row for row in rows if row.gold_tags != row.said_tags]
    return sorted(wrong, key=lambda row: (-row.outcome.confidence, row.outcome.row))


def shown(row: ScoredText, found: Sequence[Span]) -> str:
    """Spans as a readable line, `昆明/地名 昨天/时间`; a word without a type stands alone.

    >>> outcome = Outcome.of_tags(1, Tokenised("昆明人", "昆明人"), ["B-地", "E-地", "O"], ["O", "O", "O"])
    >>> [row] = spans.judged([outcome], "BMES")
    >>> shown(row, row.gold)
    '昆明/地'
    """
    return " ".join(row.text(span) if span.label == BARE else f"{row.text(span)}/{span.label}" for span in found)


def _write_predictions(path: Path, rows: Sequence[ScoredText], slices: Sequence[str], excel_safe: bool) -> None:
    names = ("row", "text", "gold", "predicted", "confidence", "leaked", "tokens", "gold_tags", "predicted_tags")
    added = ("sure", "unscaled", "unknown", *(f"slice:{column}" for column in slices))
    with tables.table(path, (*names, *added), excel_safe=excel_safe) as out:
        for row in rows:
            one = row.outcome
            lines = [mended(segmented.join(line)) for line in (one.tokens, row.gold_tags, row.said_tags)]
            sure = [" ".join(map(str, values)) for values in (one.sure, one.unscaled)]
            is_leaked = "true" if one.leaked else "false"
            out.write((*_cells(row), is_leaked, *lines, *sure, one.unknown, *map(mended, one.slices[: len(slices)])))


def _write_errors(path: Path, rows: Sequence[ScoredText], excel_safe: bool) -> None:
    columns = ("row", "text", "gold", "predicted", "confidence", *ERRORS)
    with tables.table(path, columns, excel_safe=excel_safe) as out:
        for row in _wrong(rows):
            out.write((*_cells(row), *(len(found) for found in row.errors().values())))


def _cells(row: ScoredText) -> tuple[Any, ...]:
    outcome = row.outcome
    gold, predicted = (mended(shown(row, found)) for found in (row.gold, row.said))
    return outcome.row, mended(outcome.text), gold, predicted, float(outcome.confidence)


def _write_confusion(path: Path, rows: Sequence[ScoredText], scheme: str | None, excel_safe: bool) -> None:
    names, matrix = spans.confusion(rows, scheme)
    columns = ("gold", *(f"predicted:{name}" for name in names))
    with tables.table(path, columns, excel_safe=excel_safe) as out:
        for name, counts in zip(names, matrix, strict=True):
            out.write((name, *counts))
