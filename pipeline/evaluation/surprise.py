"""The report of a language model: perplexities beside those of n-grams, and the tokens that surprised it most."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from corpora.table import TableWriter
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.perplexity import LN2, Surprise, exp, relative, surprises
from pipeline.evaluation.report import Report, mended
from pipeline.evaluation.summary import PARTS, facts, judged_part, model_title
from pipeline.evaluation.text import table

TITLES = {"unigram": "unigram", "kneser_ney": "Kneser-Ney n-grams"}
LISTED = 1000  # most surprising tokens, in the table
SHOWN = 20  # in the report
COLUMNS = ("row", "text", "tokens", "log_probability", "perplexity", "bits_per_character", "leaked")


def write(folder: Path, report: Report, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Write `report`, and the `outcomes` of "test" and "dev" (either may be missing), into `folder`.

    The folder is made if need be. All files are UTF-8, and each appears whole or not at all:

    - report.json, report.txt
    - predictions.csv: row, text (`report.mended`), tokens (the end counted), log_probability (natural), perplexity,
      bits_per_character, leaked (true or false); of test, or of dev where no test row was scored
    - surprises.csv: of these the 1,000 most surprising tokens: row, start, end (characters), token, bits, before
    - predictions-dev.csv: dev in the same way
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = report.as_dict()
    part = judged_part(document)
    judged, dev = outcomes.get(part, ()), outcomes.get("dev", ())
    listed = heapq.nsmallest(LISTED, surprises(judged), key=lambda one: (-one.bits, one.row, one.start))
    _write_texts(folder / "predictions.csv", judged)
    _write_surprises(folder / "surprises.csv", listed)
    if dev and part != "dev":
        _write_texts(folder / "predictions-dev.csv", dev)
    else:
        (folder / "predictions-dev.csv").unlink(missing_ok=True)  # one of an earlier evaluation
    _write(folder / "report.txt", render(document, listed[:SHOWN]))
    _write(folder / "report.json", json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def render(document: Mapping[str, Any], listed: Sequence[Surprise]) -> str:
    """`document`, a report as `Report.as_dict` gives it, and surprising tokens, as text that ends in a line feed."""
    part = judged_part(document)
    scores = document.get(part) or {}
    sections = [
        (None, "\n".join(sentences(document))),
        ("Scores", table(_score_rows(document))),
        (f"By length in characters, {part}", _groups(scores.get("by_length", {}))),
        (f"By rank of the token in train, {part}", _groups(scores.get("by_rank", {}))),
        (f"Most surprising tokens, {part}", _listed(listed)),
        *((name.capitalize(), _facts(document.get(name, {}))) for name in ("counts", "model", "corpus", "made")),
    ]
    blocks = [f"{title}\n{'-' * len(title)}\n{body}" if title else body for title, body in sections if body]
    return "\n\n".join(block.rstrip() for block in blocks) + "\n"


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The result in two sentences: the perplexity, and the distance to each model of n-grams."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("perplexity"):
        return ["No text was scored."]
    per_character = scores["bits_per_character"]
    said = [
        f"On {scores['rows']:,} {part} texts ({scores['tokens']:,} tokens, ends counted) the {model_title(document)} "
        f"has perplexity {_number(scores['perplexity'])}: {scores['bits_per_token']:.3f} bits a token, "
        f"{'–' if per_character is None else f'{per_character:.3f}'} a character."
    ]
    against = [
        f"{abs(100 * share):.1f}% {'below' if share >= 0 else 'above'} {TITLES.get(name, name)} "
        f"({_number(found[part]['perplexity'])})"
        for name, found in document.get("baselines", {}).items()
        if part in found and (share := relative(scores, found[part])) is not None
    ]
    return [*said, f"That is {', '.join(against)}."] if against else said


def _score_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """Part by part the model and then each model of n-grams."""
    rows = [["", "texts", "tokens", "perplexity", "bits a token", "a character"]]
    scored = [(model_title(document), document), *document.get("baselines", {}).items()]
    for part, title in PARTS.items():
        for name, parts in scored:
            if (found := parts.get(part)) and found["rows"]:
                rows.append([f"{TITLES.get(name, name)}, {title}", f"{found['rows']:,}", *_numbers(found)])
    return rows


def _groups(groups: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [[name, *_numbers(found)] for name, found in groups.items()]
    return table([["", "tokens", "perplexity", "bits a token", "a character"], *rows]) if rows else ""


def _numbers(found: Mapping[str, Any]) -> list[str]:
    bits = (found[name] for name in ("bits_per_token", "bits_per_character"))
    shown = ("–" if value is None else f"{value:.3f}" for value in bits)
    return [f"{found['tokens']:,}", _number(found["perplexity"]), *shown]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 1e6 else f"{value:.3g}"


def _listed(listed: Sequence[Surprise]) -> str:
    rows = [
        [
            f"{' '.join(mended(one.before).split())}[{mended(one.token) if one.token else 'end'}]",
            f"{one.bits:.1f}",
            f"row {one.row}",
        ]
        for one in listed
    ]
    return table([["", "bits", ""], *rows]) if rows else ""


def _facts(values: Mapping[str, Any]) -> str:
    rows = [[name, " ".join(text.split())] for name, text in facts(values)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name.ljust(width)}  {text}" for name, text in rows)


def _write_texts(path: Path, outcomes: Sequence[Outcome]) -> None:
    with TableWriter(path, COLUMNS) as rows:
        for outcome in outcomes:
            total, tokens = math.fsum(outcome.probabilities), len(outcome.probabilities)
            bits = -total / LN2 / len(outcome.text) if outcome.text else None
            leaked = "true" if outcome.leaked else "false"
            rows.write((outcome.row, mended(outcome.text), tokens, total, exp(-total / tokens), bits, leaked))


def _write_surprises(path: Path, listed: Sequence[Surprise]) -> None:
    with TableWriter(path, ("row", "start", "end", "token", "bits", "before")) as rows:
        for one in listed:
            rows.write((one.row, one.start, one.end, mended(one.token), one.bits, mended(one.before)))


def _write(path: Path, content: str) -> None:
    with replace_when_done(path) as temporary:
        temporary.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")
