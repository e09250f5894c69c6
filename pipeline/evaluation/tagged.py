"""The report of a tagger as a folder of files: scores, what was said of each text, and the mistakes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corpora.document import Span
from corpora.files import replace_when_done
from corpora.table import TableWriter
from pipeline.evaluation import page, spans
from pipeline.evaluation.charts import learning_curve
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.report import Report, mended
from pipeline.evaluation.spans import BARE, ERRORS, Judged
from pipeline.evaluation.summary import ScoreRow, facts, judged_part, model_title, percent, score_rows
from pipeline.evaluation.text import table

COLUMNS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "macro_f1": "macro F1",
    "word_f1": "words F1",
    "token_accuracy": "token accuracy",
    "oov_recall": "unknown words",
    "iv_recall": "known words",
    "row_accuracy": "whole texts",
}


def write(folder: Path, report: Report, outcomes: Mapping[str, Sequence[Outcome]], scheme: str | None) -> None:
    """Writes `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    All files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt, report.html
    - predictions.csv: row, text, gold, predicted (spans as text/type, words separated by spaces), confidence, leaked
    - errors.csv: of these the wrong rows with their numbers of `missed`, `invented`, ... spans, most confident first
    - confusion.csv: gold, and a column `predicted:TYPE` a type, with counts of tokens

    The tables are of test; of dev where no test row was scored.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = report.as_dict()
    rows = spans.judged(outcomes.get(judged_part(document), ()), scheme)
    _write_predictions(folder / "predictions.csv", rows)
    _write_errors(folder / "errors.csv", rows)
    _write_confusion(folder / "confusion.csv", rows, scheme)
    _write_text(folder / "report.txt", text(document))
    _write_text(folder / "report.html", render(document, rows, scheme))
    _write_text(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def text(document: Mapping[str, Any]) -> str:
    """The report as plain text that ends in a line feed."""
    part = judged_part(document)
    scores = document.get(part) or {}
    sections = [
        (None, _sentence(document, part, scores)),
        ("Scores, in per cent", _score_table(document)),
        (f"By type, {part}", _type_table(scores)),
        (f"Mistakes, {part}", _facts(scores.get("errors", {}))),
        ("Counts", _facts(document.get("counts", {}))),
        ("Model", _facts(document.get("model", {}))),
        ("Corpus", _facts(document.get("corpus", {}))),
        ("Made", _facts(document.get("made", {}))),
    ]
    blocks = [body if title is None else f"{title}\n{'-' * len(title)}\n{body}" for title, body in sections if body]
    return "\n\n".join(blocks) + "\n"


class Piece(NamedTuple):
    """A stretch of a text on the page: a span with its type and "right" or "wrong", or what lies between, without."""

    text: str
    type: str = ""
    verdict: str = ""


class Shown(NamedTuple):
    """A text with a mistake, as it should be and as it was answered."""

    row: int
    gold: list[Piece]
    said: list[Piece]
    confidence: float
    leaked: bool


def render(document: Mapping[str, Any], rows: Sequence[Judged], scheme: str | None) -> str:
    """The page for `document`, a report as `Report.as_dict` gives it; its mistakes are those of `rows`."""
    from markupsafe import Markup

    part, scored = judged_part(document), score_rows(document)
    scores = document.get(part) or {}
    names, matrix = spans.confusion(rows, scheme)
    name, wrong = document.get("made", {}).get("name"), _wrong(rows)
    return page.template("tagged.html").render(
        document=document,
        part=part,
        scores=scores,
        title=f"{name}: {model_title(document)}" if name else f"Evaluation of the {model_title(document)}",
        sentence=_sentence(document, part, scores),
        rows=scored,
        columns=_columns(scored),
        charts=[Markup(chart) for chart in learning_curve(document.get("history", []))],
        names=names,
        matrix=matrix,
        most_names=page.MATRIX_LABELS,
        counted="words with the tag" if scheme is None else "gold spans of the type",
        mistaken=[_mistaken(row) for row in wrong[: page.ERRORS_SHOWN]],
        mistaken_rows=len(wrong),
    )


def _mistaken(row: Judged) -> Shown:
    outcome = row.outcome
    return Shown(outcome.row, _pieces(row, row.gold), _pieces(row, row.said), outcome.confidence, outcome.leaked)


def _pieces(row: Judged, found: Sequence[Span]) -> list[Piece]:
    pieces, end, right = [], 0, row.right
    for span in found:
        pieces.append(Piece(mended("".join(row.outcome.tokens[end : span.start]))))
        label = "" if span.label == BARE else span.label
        pieces.append(Piece(mended(row.text(span)), label, "right" if span in right else "wrong"))
        end = span.end
    return [*pieces, Piece(mended("".join(row.outcome.tokens[end:])))]


def _wrong(rows: Sequence[Judged]) -> list[Judged]:
    """Those with a mistake, the most confident first."""
    wrong = [row for row in rows if row.gold_tags != row.said_tags]
    return sorted(wrong, key=lambda row: (-row.outcome.confidence, row.outcome.row))


def shown(row: Judged, found: Sequence[Span]) -> str:
    """Spans as a line to read: `昆明/地名 昨天/时间`, words without types as they are.

    >>> from pipeline.evaluation.outcome import Outcome
    >>> [row] = spans.judged([Outcome(1, "昆明人", "B-地 E-地 O", "O O O", 0.9, tokens=tuple("昆明人"))], "BMES")
    >>> shown(row, row.gold)
    '昆明/地'
    """
    return " ".join(row.text(span) if span.label == BARE else f"{row.text(span)}/{span.label}" for span in found)


def _write_predictions(path: Path, rows: Sequence[Judged]) -> None:
    with TableWriter(path, ("row", "text", "gold", "predicted", "confidence", "leaked")) as out:
        for row in rows:
            out.write((*_cells(row), "true" if row.outcome.leaked else "false"))


def _write_errors(path: Path, rows: Sequence[Judged]) -> None:
    with TableWriter(path, ("row", "text", "gold", "predicted", "confidence", *ERRORS)) as out:
        for row in _wrong(rows):
            out.write((*_cells(row), *(len(found) for found in row.errors().values())))


def _cells(row: Judged) -> tuple[Any, ...]:
    outcome = row.outcome
    gold, said = (mended(shown(row, found)) for found in (row.gold, row.said))
    return outcome.row, mended(outcome.text), gold, said, float(outcome.confidence)


def _write_confusion(path: Path, rows: Sequence[Judged], scheme: str | None) -> None:
    names, matrix = spans.confusion(rows, scheme)
    with TableWriter(path, ("gold", *(f"predicted:{name}" for name in names))) as out:
        for name, counts in zip(names, matrix, strict=True):
            out.write((name, *counts))


def _write_text(path: Path, content: str) -> None:
    with replace_when_done(path) as temporary:
        temporary.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")


def _sentence(document: Mapping[str, Any], part: str, scores: Mapping[str, Any]) -> str:
    if not scores.get("rows"):
        return "No row with tags was scored."
    return (
        f"On {scores['rows']:,} {part} rows the {model_title(document)} gets F1 {percent(scores['f1'])} "
        f"(precision {percent(scores['precision'])}, recall {percent(scores['recall'])}; "
        f"{percent(scores['token_accuracy'])}% of the tokens right)."
    )


def _score_table(document: Mapping[str, Any]) -> str:
    rows = score_rows(document)
    columns = _columns(rows)
    lines = [
        [f"{row.who}, {row.part}", f"{row.scores['rows']:,}", *(percent(row.scores.get(key)) for key in columns)]
        for row in rows
    ]
    return table([["", "rows", *columns.values()], *lines])


def _columns(rows: Sequence[ScoreRow]) -> dict[str, str]:
    """Of `COLUMNS` those in which some row has a value."""
    return {key: title for key, title in COLUMNS.items() if any(row.scores.get(key) is not None for row in rows)}


def _type_table(scores: Mapping[str, Any]) -> str:
    per_label = scores.get("per_label") or {}
    lines = [
        [name, *(percent(each[key]) for key in ("precision", "recall", "f1")), f"{each['support']:,}"]
        for name, each in per_label.items()
    ]
    return table([["", "precision", "recall", "F1", "support"], *lines]) if lines else ""


def _facts(values: Mapping[str, Any]) -> str:
    found = facts(values)
    return table([[name, " ".join(value.split())] for name, value in found]) if found else ""
