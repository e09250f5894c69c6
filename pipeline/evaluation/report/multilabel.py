"""The report of a multi-label classifier as a folder of files: scores, predictions, errors, confused sets, the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.encoding.encoder import Tokenised
from pipeline.evaluation.metrics import multilabel
from pipeline.evaluation.metrics.multilabel import LabelTable
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.report import label_sets, page, tables, text
from pipeline.evaluation.report.report import Report, mended, write_whole
from pipeline.evaluation.report.summary import judged_part
from pipeline.evaluation.report.translations import Locale

CONFUSED = 20  # pairs of sets in report.json; all of them are in confusion.csv
Names = tuple[str, ...]


def write(
    folder: Path,
    report: Report,
    outcomes: Mapping[str, Sequence[Outcome]],
    labels: Sequence[str],
    *,
    answers: Mapping[str, Sequence[Names]] = MappingProxyType({}),
    columns: Sequence[str] = (),
    locale: Locale = "en",
    excel_safe: bool = True,
) -> None:
    """Write `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    The report gets the `intervals` of its scores, the sets most often `confused` and, from the `answers` of baselines
    to the rows of the tables, the comparison `against` each. `labels`: the model's, in the order of the probabilities;
    `columns`: the names of the outcomes' slices; `excel_safe`: as in `tables.table`. Labels are joined by the separator
    in the report's `model`. All files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt, report.html
    - predictions.csv: row, text, gold, predicted (labels), confidence, a `p:LABEL` for each label, leaked, tokens,
      unknown, unscaled (the confidence at the temperature 1), one `slice:COLUMN` a column
    - predictions-dev.csv: the same for dev
    - errors.csv: the wrong rows, most confident first, with the labels that are `missed` and `added`
    - confusion.csv: gold, predicted, rows: each pair of different sets, the most frequent first
    - baselines.csv: row, gold, predicted, and a column for each baseline, if there are any

    The tables are about test, or about dev if no test row was scored.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part, separator = judged_part(report.as_dict()), str(report.model["label_separator"])
    judged, dev = outcomes.get(part, ()), outcomes.get("dev", ())
    report = replace(
        report,
        intervals=_intervals(outcomes, labels),
        against=_against(judged, answers, labels),
        confused=_confused(judged)[:CONFUSED],
    )
    document = report.as_dict()
    _write_outcomes(folder / "predictions.csv", judged, labels, separator, columns, excel_safe)
    if dev and part != "dev":
        _write_outcomes(folder / "predictions-dev.csv", dev, labels, separator, columns, excel_safe)
    else:
        (folder / "predictions-dev.csv").unlink(missing_ok=True)  # left by an earlier evaluation
    _write_errors(folder / "errors.csv", judged, separator, excel_safe)
    _write_confused(folder / "confusion.csv", judged, separator, excel_safe)
    _write_answers(folder / "baselines.csv", judged, answers, separator, excel_safe)
    write_readable(folder, document, judged, dev, labels, locale)
    write_whole(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_readable(
    folder: Path,
    document: Mapping[str, Any],
    judged: Sequence[Outcome],
    dev: Sequence[Outcome],
    labels: Sequence[str],
    locale: Locale = "en",
) -> None:
    """Write report.txt and report.html; `document`: report.json; `judged`: the rows of the tables; `dev`: of dev."""
    write_whole(folder / "report.txt", text.render(document, locale))
    write_whole(folder / "report.html", label_sets.render(document, judged, dev, labels, locale))


def read(path: Path, document: Mapping[str, Any]) -> tuple[list[Outcome], list[str]]:
    """The outcomes in a predictions.csv, and the label names. Raises KeyError if it lacks a column."""
    rows, columns = tables.read(path, document)
    labels = [name.removeprefix("p:") for name in columns if name.startswith("p:")]
    separator = document["model"]["label_separator"]
    outcomes = [
        Outcome.of_labels(
            int(row["row"]),
            Tokenised(row["text"], ()),
            split(row["gold"], separator),
            split(row["predicted"], separator),
            float(row["confidence"]),
            probabilities=tuple(float(row[f"p:{label}"]) for label in labels),
            leaked=row["leaked"] == "true",
            unscaled=(float(row["unscaled"]),),
        )
        for row in rows
    ]
    return outcomes, labels


def split(labels: str, separator: str) -> Names:
    """The names in joined labels."""
    return tuple(labels.split(separator)) if labels else ()


def _intervals(outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[str]) -> dict[str, Any]:
    """The intervals of each part, and of it without leaked rows if it has some."""
    clean = {
        f"{part}_without_leaked": [one for one in rows if not one.leaked]
        for part, rows in outcomes.items()
        if any(one.leaked for one in rows)
    }
    found = {part: LabelTable.of_outcomes(rows, labels) for part, rows in {**outcomes, **clean}.items()}
    return {part: multilabel.intervals(table) for part, table in found.items() if len(table)}


def _against(
    judged: Sequence[Outcome], answers: Mapping[str, Sequence[Names]], labels: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The comparison with each baseline, on the rows that did not leak; {} if all did."""
    kept = [place for place, one in enumerate(judged) if one.is_judged and not one.leaked]
    if not kept:
        return {}
    gold = [judged[place].gold_labels or () for place in kept]
    ours = LabelTable.of(gold, [judged[place].predicted_labels for place in kept], labels)
    return {
        name: multilabel.against(ours, LabelTable.of(gold, [found[place] for place in kept], labels))
        for name, found in answers.items()
    }


def _confused(judged: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Each pair of a gold set and another predicted one, the most frequent first."""
    pairs = sorted(multilabel.confused(judged).items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"gold": list(gold), "predicted": list(said), "rows": rows} for (gold, said), rows in pairs]


def _write_outcomes(
    path: Path,
    outcomes: Sequence[Outcome],
    labels: Sequence[str],
    separator: str,
    slices: Sequence[str],
    excel_safe: bool,
) -> None:
    names = ("row", "text", "gold", "predicted", "confidence", *(f"p:{label}" for label in labels))
    added = ("leaked", "tokens", "unknown", "unscaled", *(f"slice:{column}" for column in slices))
    with tables.table(path, (*names, *added), excel_safe=excel_safe) as rows:
        for one in outcomes:
            rows.write(
                (
                    *_cells(one, separator),
                    *map(float, one.probabilities),
                    "true" if one.leaked else "false",
                    one.length,
                    one.unknown,
                    float(one.unscaled[0] if one.unscaled else one.confidence),
                    *map(mended, one.slices[: len(slices)]),
                )
            )


def _cells(one: Outcome, separator: str) -> tuple[Any, ...]:
    gold, said = (separator.join(labels) for labels in (one.gold_labels or (), one.predicted_labels))
    return one.row, mended(one.text), gold, said, float(one.confidence)


def _write_errors(path: Path, judged: Sequence[Outcome], separator: str, excel_safe: bool) -> None:
    columns = ("row", "text", "gold", "predicted", "confidence", "missed", "added")
    with tables.table(path, columns, excel_safe=excel_safe) as rows:
        for one in page.most_confident(judged):
            gold, said = set(one.gold_labels or ()), set(one.predicted_labels)
            rows.write(
                (*_cells(one, separator), *(separator.join(sorted(apart)) for apart in (gold - said, said - gold)))
            )


def _write_confused(path: Path, judged: Sequence[Outcome], separator: str, excel_safe: bool) -> None:
    with tables.table(path, ("gold", "predicted", "rows"), excel_safe=excel_safe) as rows:
        for one in _confused(judged):
            rows.write((separator.join(one["gold"]), separator.join(one["predicted"]), one["rows"]))


def _write_answers(
    path: Path, judged: Sequence[Outcome], answers: Mapping[str, Sequence[Names]], separator: str, excel_safe: bool
) -> None:
    path.unlink(missing_ok=True)
    if not answers:
        return
    with tables.table(path, ("row", "gold", "predicted", *answers), excel_safe=excel_safe) as rows:
        for one, *others in zip(judged, *answers.values(), strict=True):
            row, _, gold, said, _ = _cells(one, separator)
            rows.write((row, gold, said, *(separator.join(labels) for labels in others)))
