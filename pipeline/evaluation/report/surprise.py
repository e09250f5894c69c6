"""The report of a language model as a folder of files: perplexities, and the most surprising tokens."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.perplexity import LN2, Surprise, exp, interval, surprises
from pipeline.evaluation.report import likelihood, tables, text
from pipeline.evaluation.report.outline import TextTable
from pipeline.evaluation.report.report import Report, mended, write_whole
from pipeline.evaluation.report.summary import judged_part
from pipeline.evaluation.report.translations import N_, Locale, Translate, translator

LISTED = 1000  # most surprising tokens in the table
GENERATED = "generated.jsonl"
SHOWN = 20  # most surprising tokens in the text
COLUMNS = (
    "row",
    "text",
    "tokens",
    "log_probability",
    "perplexity",
    "bits_per_character",
    "leaked",
    "surprisal",
    "unknown",
)


def write(
    folder: Path,
    report: Report,
    outcomes: Mapping[str, Sequence[Outcome]],
    *,
    columns: Sequence[str] = (),
    locale: Locale = "en",
    excel_safe: bool = True,
    generated: Sequence[str] = (),
) -> None:
    """Write `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    The folder is created if it does not exist. All files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt, report.html (in the language of `locale`)
    - predictions.csv, of test, or of dev if no test row was scored: row, text (`report.mended`), tokens (the end
      included), log_probability (natural), perplexity, bits_per_character, leaked (true or false), surprisal (JSON:
      [start, end, bits] of each token and of the end, in characters), unknown (tokens), one `slice:COLUMN` for each of
      `columns`
    - surprises.csv: the 1,000 most surprising tokens of these texts: row, start, end (characters), token, bits, before
    - predictions-dev.csv: the same for dev
    - generated.jsonl: the texts that the model wrote, `generated`
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = replace(report, intervals=_intervals(outcomes)).as_dict()
    part = judged_part(document)
    judged, dev = outcomes.get(part, ()), outcomes.get("dev", ())
    listed = heapq.nsmallest(LISTED, surprises(judged), key=lambda one: (-one.bits, one.row, one.start))
    _write_texts(folder / "predictions.csv", judged, columns, excel_safe)
    _write_surprises(folder / "surprises.csv", listed, excel_safe)
    if dev and part != "dev":
        _write_texts(folder / "predictions-dev.csv", dev, columns, excel_safe)
    else:
        (folder / "predictions-dev.csv").unlink(missing_ok=True)  # left by an earlier evaluation
    write_whole(folder / GENERATED, "".join(json.dumps(mended(text), ensure_ascii=False) + "\n" for text in generated))
    write_readable(folder, document, [_as_kept(outcome) for outcome in judged], listed, locale)
    write_whole(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def write_readable(
    folder: Path,
    document: Mapping[str, Any],
    judged: Sequence[Outcome],
    listed: Sequence[Surprise],
    locale: Locale = "en",
) -> None:
    """Write report.txt and report.html; `judged` and `listed`: as `read` returns them."""
    more = {N_("Most surprising tokens"): _listed(listed[:SHOWN], translator(locale))} if listed else {}
    write_whole(folder / "report.txt", text.render(document, locale, more))
    path = folder / GENERATED
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    generated = [json.loads(line) for line in lines if line]
    write_whole(folder / "report.html", likelihood.render(document, judged, listed, locale, generated=generated))


def read(folder: Path, document: Mapping[str, Any]) -> tuple[list[Outcome], list[Surprise]]:
    """The outcomes in a report's predictions.csv, and the tokens in its surprises.csv; `document`: its report.json."""
    listed = [
        Surprise(int(row["row"]), int(row["start"]), int(row["end"]), row["token"], float(row["bits"]), row["before"])
        for row in tables.read(folder / "surprises.csv", document)[0]
    ]
    return read_texts(folder / "predictions.csv", document), listed


def read_texts(path: Path, document: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes in a predictions.csv. Raises KeyError if it lacks a column."""
    judged = []
    for row in tables.read(path, document)[0]:
        places = json.loads(row["surprisal"])
        tokens = tuple(row["text"][start:end] for start, end, _ in places[:-1])
        logs = tuple(-bits * LN2 for *_, bits in places)
        judged.append(
            Outcome(int(row["row"]), row["text"], "", "", 0.0, logs, leaked=row["leaked"] == "true", tokens=tokens)
        )
    return judged


def _as_kept(outcome: Outcome) -> Outcome:
    """The outcome as `read_texts` returns it from predictions.csv."""
    logs = tuple(-bits * LN2 for *_, bits in _surprisal(outcome))
    return replace(outcome, text=mended(outcome.text), tokens=tuple(map(mended, outcome.tokens)), probabilities=logs)


def _surprisal(outcome: Outcome) -> list[tuple[int, int, float]]:
    return [(one.start, one.end, round(one.bits, 4)) for one in surprises([outcome])]


def _intervals(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """The intervals of the perplexity on each part, and on it without leaked texts if it has some."""
    clean = {
        f"{part}_without_leaked": [one for one in rows if not one.leaked]
        for part, rows in outcomes.items()
        if any(one.leaked for one in rows)
    }
    parts = {**outcomes, **clean}
    return {part: {"perplexity": found} for part, rows in parts.items() if (found := interval(rows))}


def _listed(listed: Sequence[Surprise], _: Translate) -> TextTable:
    """A table of tokens, each with the text before it."""
    end = _("end")
    rows = [
        [
            f"{' '.join(mended(one.before).split())}[{mended(one.token) if one.token else end}]",
            f"{one.bits:.1f}",
            str(one.row),
        ]
        for one in listed
    ]
    return [["", _("bits"), _("row")], *rows]


def _write_texts(path: Path, outcomes: Sequence[Outcome], slices: Sequence[str], excel_safe: bool) -> None:
    columns = (*COLUMNS, *(f"slice:{column}" for column in slices))
    with tables.table(path, columns, excel_safe=excel_safe) as rows:
        for outcome in outcomes:
            total, tokens = math.fsum(outcome.probabilities), len(outcome.probabilities)
            bits = -total / LN2 / len(outcome.text) if outcome.text else None
            leaked = "true" if outcome.leaked else "false"
            surprisal = json.dumps(_surprisal(outcome))
            scores = (tokens, total, exp(-total / tokens), bits, leaked, surprisal, outcome.unknown)
            rows.write((outcome.row, mended(outcome.text), *scores, *map(mended, outcome.slices[: len(slices)])))


def _write_surprises(path: Path, listed: Sequence[Surprise], excel_safe: bool) -> None:
    with tables.table(path, ("row", "start", "end", "token", "bits", "before"), excel_safe=excel_safe) as rows:
        for one in listed:
            rows.write((one.row, one.start, one.end, mended(one.token), one.bits, mended(one.before)))
