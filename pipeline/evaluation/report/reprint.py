"""Reprint: the page, text and Markdown of a report, rendered again from its tables and report.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.report import markdown, multilabel, report, surprise, tables, tagged
from pipeline.evaluation.report.summary import judged_part
from pipeline.evaluation.report.translations import Locale


def reprint(folder: str | Path, locale: Locale = "en") -> list[Path]:
    """Write report.html, report.txt and report.md again, and return their paths. Nothing is computed again.

    `folder`: of a run or of a report. Raises PipelineError if it has no report, or one of another version.
    """
    made = Path(folder) / "evaluate" if (Path(folder) / "evaluate").is_dir() else Path(folder)
    try:
        document = json.loads((made / "report.json").read_text(encoding="utf-8"))
        if document["format_version"] != report.FORMAT_VERSION:
            raise ValueError(f"it is of version {document['format_version']}, not {report.FORMAT_VERSION}")
        READABLE[document["task"]](made, document, locale)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PipelineError(
            f"{folder}: no report can be read here ({error}): name the folder of a run that was evaluated"
        ) from None
    markdown.write(made, document, locale)
    return [path for name in ("report.html", "report.txt", "report.md") if (path := made / name).is_file()]


def read_outcomes(path: Path, document: Mapping[str, Any]) -> tuple[list[Outcome], list[str]]:
    """The outcomes in a classifier's predictions.csv, and the label names."""
    rows, columns = tables.read(path, document)
    labels = [name.removeprefix("p:") for name in columns if name.startswith("p:")]
    slices = [name for name in columns if name.startswith("slice:")]
    outcomes = [
        Outcome(
            int(row["row"]),
            row["text"],
            row["gold"] or None,
            row["predicted"],
            float(row["confidence"]),
            tuple(float(row[f"p:{label}"]) for label in labels),
            row["leaked"] == "true",
            length=int(row["tokens"]),
            unknown=int(row["unknown"]),
            slices=tuple(row[name] for name in slices),
        )
        for row in rows
    ]
    return outcomes, labels


def _classifier(made: Path, document: Mapping[str, Any], locale: Locale) -> None:
    judged, labels = read_outcomes(made / "predictions.csv", document)
    outcomes = {judged_part(document): judged}
    if (made / "predictions-dev.csv").is_file():
        outcomes["dev"], _ = read_outcomes(made / "predictions-dev.csv", document)
    report.write_readable(made, document, outcomes, labels, explained=_explained(made), locale=locale)


def _tagger(made: Path, document: Mapping[str, Any], locale: Locale) -> None:
    path = made / "predictions-dev.csv"
    dev = tagged.read(path, document) if path.is_file() else []
    tagged.write_readable(made, document, tagged.read(made / "predictions.csv", document), dev, locale)


def _language_model(made: Path, document: Mapping[str, Any], locale: Locale) -> None:
    surprise.write_readable(made, document, *surprise.read(made, document), locale)


def _multilabel(made: Path, document: Mapping[str, Any], locale: Locale) -> None:
    judged, labels = multilabel.read(made / "predictions.csv", document)
    path = made / "predictions-dev.csv"
    dev = multilabel.read(path, document)[0] if path.is_file() else []
    multilabel.write_readable(made, document, judged, dev, labels, locale)


READABLE = {"classify": _classifier, "multilabel": _multilabel, "tag": _tagger, "language": _language_model}


def _explained(made: Path) -> dict[int, Explained]:
    path = made / "explained.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = map(json.loads, lines)
    return {one["row"]: Explained(tuple(one["words"]), tuple(one["effects"])) for one in found}
