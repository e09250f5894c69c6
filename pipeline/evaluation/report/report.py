"""The report of an evaluation: its content, and the folder of files that it is written to."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from corpora.files import replace_when_done
from pipeline.evaluation.analysis.occlusion import Explained
from pipeline.evaluation.analysis.suspects import Suspect
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import Scores, check_probabilities, confusion
from pipeline.evaluation.report import page, tables, text
from pipeline.evaluation.report.summary import judged_part
from pipeline.evaluation.report.translations import Locale

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation, in plain values.

    Fields, with the functions that return them:

    - `counts`: how many rows were scored, skipped, truncated, leaked
    - `test`, `dev`: `scores.classification` or that of the task; `..._without_leaked`: the same without the rows whose
      text was trained on
    - `baselines`: `linear.run` and the like; their parts have the same four names
    - `intervals`: `significance.intervals` of each of these parts; `against`: `significance.against` of each baseline
    - `confidence`: `calibration.measured`; `slices`: `slices.scored`; `suspects`: `suspects.summary`
    - `confused`: sets of labels that a multi-label classifier mistakes for another: `gold`, `predicted`, `rows`
    - `words`: the `coverage` of the vectors, and the `keywords` with their neighbours
    - `history`: a mapping for each epoch with `epoch`, `loss`, `seconds` and the metrics on dev
    - `corpus`: the audit of the splits
    - `made`: versions, seed, `commands`, and `name`, which is in the title of the page
    """

    task: str
    model: Mapping[str, Any]
    counts: Mapping[str, Any]
    test: Scores
    dev: Scores | None = None
    test_without_leaked: Scores | None = None
    dev_without_leaked: Scores | None = None
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    confidence: Mapping[str, Any] = field(default_factory=dict)
    intervals: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)
    slices: Sequence[Mapping[str, Any]] = ()
    confused: Sequence[Mapping[str, Any]] = ()
    words: Mapping[str, Any] = field(default_factory=dict)
    suspects: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    corpus: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of report.json: `format_version`, the first four fields, and those of the others not empty.

        All values are of JSON's types; a number that is not finite becomes None.

        >>> list(Report("classify", {}, {"scored": 0}, {"rows": 0, "accuracy": float("nan")}).as_dict())
        ['format_version', 'task', 'model', 'counts', 'test']
        """
        always = ("task", "model", "counts", "test")
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        kept = {name: plain(value) for name, value in values.items() if name in always or value}
        return {"format_version": FORMAT_VERSION, **kept}


@dataclass(frozen=True)
class Detail:
    """The content of a report besides scores and outcomes: the optional arguments of `write`, described there."""

    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    explained: Mapping[int, Explained] = field(default_factory=dict)
    doubtful: Sequence[Suspect] = ()
    locale: Locale = "en"
    columns: Sequence[str] = ()
    excel_safe: bool = True
    generated: Sequence[str] = ()


def write(
    folder: str | Path,
    report: Report,
    outcomes: Mapping[str, Sequence[Outcome]],
    labels: Sequence[str],
    *,
    answers: Mapping[str, Sequence[str]] = MappingProxyType({}),
    explained: Mapping[int, Explained] = MappingProxyType({}),
    doubtful: Sequence[Suspect] = (),
    locale: Locale = "en",
    columns: Sequence[str] = (),
    excel_safe: bool = True,
) -> None:
    """Write `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    The folder is created if it does not exist. `labels`: the model's label names in the order of the probabilities;
    `answers`: the answers of each baseline to the rows of the tables; `explained`: by row number the words that moved
    the answer; `doubtful`: the possible label errors; `locale`: the language of page and text; `columns`: the names of
    the outcomes' slices; `excel_safe`: as in `tables.table`. All files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt, report.html
    - predictions.csv: row, text (`mended`), gold, predicted, confidence, a `p:LABEL` for each label, leaked
      (true or false), tokens, unknown, a `slice:COLUMN` for each of `columns`
    - errors.csv: the wrong rows of predictions.csv, the most confident first
    - confusion.csv: gold, and a column `predicted:LABEL` for each label, with counts of rows
    - predictions-dev.csv: the same for dev
    - baselines.csv: row, gold, predicted, and a column for each baseline, if there are any
    - explained.jsonl: row, words, effects, if there are any
    - suspects.csv: part, row, text, given, expected, confidence, given_confidence, if there are any

    The tables are about test, or about dev if no test row was scored. Raises PipelineError for an outcome that does not
    have one probability per label.
    """
    folder = Path(folder)
    document = report.as_dict()
    for part in outcomes.values():
        check_probabilities(part, labels)
    folder.mkdir(parents=True, exist_ok=True)
    judged = outcomes.get(judged_part(document), ())
    _write_tables(folder, outcomes, labels, judged_part(document), columns, excel_safe)
    _write_answers(folder / "baselines.csv", judged, answers, excel_safe)
    _write_explained(folder / "explained.jsonl", explained)
    _write_suspects(folder / "suspects.csv", doubtful, excel_safe)
    write_readable(folder, document, outcomes, labels, explained=explained, locale=locale)
    write_whole(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_readable(
    folder: Path,
    document: Mapping[str, Any],
    outcomes: Mapping[str, Sequence[Outcome]],
    labels: Sequence[str],
    *,
    explained: Mapping[int, Explained] = MappingProxyType({}),
    locale: Locale = "en",
) -> None:
    """Write report.txt and report.html of `document`, a report as `Report.as_dict` returns it."""
    write_whole(folder / "report.txt", text.render(document, locale))
    write_whole(folder / "report.html", page.render(document, outcomes, labels, explained=explained, locale=locale))


def plain(value: Any) -> Any:
    """`value` in JSON's types: mappings as dict, sequences as list, numbers that are not finite as None.

    >>> plain({"loss": (0.5, float("nan")), 1: Path("mail.csv")})
    {'loss': [0.5, None], '1': 'mail.csv'}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def mended(text: str) -> str:
    """`text` with lone surrogates, which JSON may contain and UTF-8 cannot encode, replaced by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _write_tables(
    folder: Path,
    outcomes: Mapping[str, Sequence[Outcome]],
    labels: Sequence[str],
    part: str,
    columns: Sequence[str],
    excel_safe: bool,
) -> None:
    judged, dev = outcomes.get(part, ()), outcomes.get("dev", ())
    _write_outcomes(folder / "predictions.csv", judged, labels, columns, excel_safe)
    _write_outcomes(folder / "errors.csv", page.most_confident(judged), labels, columns, excel_safe)
    _write_confusion(folder / "confusion.csv", judged, labels, excel_safe)
    if dev and part != "dev":
        _write_outcomes(folder / "predictions-dev.csv", dev, labels, columns, excel_safe)
    else:
        # A file left by an earlier evaluation would be taken for part of this one.
        (folder / "predictions-dev.csv").unlink(missing_ok=True)


def _write_outcomes(
    path: Path, outcomes: Sequence[Outcome], labels: Sequence[str], slices: Sequence[str], excel_safe: bool
) -> None:
    columns = (
        "row",
        "text",
        "gold",
        "predicted",
        "confidence",
        *(f"p:{label}" for label in labels),
        "leaked",
        "tokens",
        "unknown",
        *(f"slice:{column}" for column in slices),
    )
    with tables.table(path, columns, excel_safe=excel_safe) as rows:
        for outcome in outcomes:
            rows.write(
                (
                    outcome.row,
                    mended(outcome.text),
                    outcome.gold,
                    outcome.predicted,
                    float(outcome.confidence),
                    *map(float, outcome.probabilities),
                    "true" if outcome.leaked else "false",
                    outcome.length,
                    outcome.unknown,
                    *map(mended, outcome.slices[: len(slices)]),
                )
            )


def _write_answers(
    path: Path, outcomes: Sequence[Outcome], answers: Mapping[str, Sequence[str]], excel_safe: bool
) -> None:
    path.unlink(missing_ok=True)
    if not answers:
        return
    with tables.table(path, ("row", "gold", "predicted", *answers), excel_safe=excel_safe) as table:
        for outcome, *others in zip(outcomes, *answers.values(), strict=True):
            table.write((outcome.row, outcome.gold, outcome.predicted, *others))


def _write_suspects(path: Path, doubtful: Sequence[Suspect], excel_safe: bool) -> None:
    path.unlink(missing_ok=True)
    if not doubtful:
        return
    columns = ("part", "row", "text", "given", "expected", "confidence", "given_confidence")
    with tables.table(path, columns, excel_safe=excel_safe) as table:
        for one in doubtful:
            row = one.labelled
            confidences = (f"{one.confidence:.4f}", f"{one.given_confidence:.4f}")
            table.write((row.part, row.row, mended(row.text), row.label, one.expected, *confidences))


def _write_explained(path: Path, explained: Mapping[int, Explained]) -> None:
    path.unlink(missing_ok=True)
    lines = [
        json.dumps({"row": row, "words": found.pieces, "effects": found.effects}, ensure_ascii=False) + "\n"
        for row, found in explained.items()
    ]
    if lines:
        write_whole(path, "".join(lines))


def _write_confusion(path: Path, outcomes: Sequence[Outcome], labels: Sequence[str], excel_safe: bool) -> None:
    names, matrix = confusion(outcomes, labels)
    columns = ("gold", *(f"predicted:{name}" for name in names))
    with tables.table(path, columns, excel_safe=excel_safe) as table:
        for name, counts in zip(names, matrix, strict=True):
            table.write((name, *counts))


def write_whole(path: Path, content: str) -> None:
    """Write a text file that appears whole or not at all."""
    with replace_when_done(path) as temporary:
        # UTF-8 cannot encode a lone surrogate; its escape is valid JSON.
        temporary.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")
