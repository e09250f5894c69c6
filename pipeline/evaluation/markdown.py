"""The report as Markdown, for an issue or a wiki: the result, the scores, and how it was made."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation import frame, likelihood, report, summary, tagged
from pipeline.evaluation.language import ENGLISH, Language, Translate, translator
from pipeline.evaluation.summary import ScoreRow, judged_part, percent, score_rows

LABELS = 200  # at most, in the table by label
PERPLEXITY = {"perplexity": "perplexity", "bits_per_token": "bits a token", "bits_per_character": "bits a character"}
COLUMNS = {"classify": summary.COLUMNS, "tag": tagged.COLUMNS, "language": PERPLEXITY}


def write(folder: Path, document: Mapping[str, Any], language: Language = "en") -> None:
    """Writes report.md into `folder`."""
    report.write_whole(folder / "report.md", render(document, language))


def render(document: Mapping[str, Any], language: Language = "en") -> str:
    """`document`, a report of any task as `Report.as_dict` gives it, as GitHub-flavoured Markdown."""
    _ = translator(language)
    part = judged_part(document)
    blocks = [
        f"# {escaped(frame.title(document, _))}",
        *_said(document, language),
        *_titled(_("Scores"), _scores(document, _)),
        *_titled(_("By label"), _by_label((document.get(part) or {}).get("per_label", {}), _)),
        *_titled(
            _("Confidence"),
            _thresholds(document.get("confidence", {}).get("thresholds", []), document["task"] == "tag", _),
        ),
        *_titled(_("Slices"), _slices(document, _)),
        *_titled(_("Data"), _facts(_rows(document), _)),
        *_titled(_("How it was made"), _made(document)),
    ]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    r"""`text` in one line, in which nothing is markup.

    >>> print(escaped("<b>|*好*\n评"))
    \<b\>\|\*好\* 评
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(text.split()))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equally many cells, the first one the heading; all but the first column are set to the right."""
    head, *lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "| --- |" + " ---: |" * (len(rows[0]) - 1), *lines])


def _titled(title: str, body: str) -> list[str]:
    return [f"## {title}", body] if body else []


def _said(document: Mapping[str, Any], language: Language) -> list[str]:
    _ = translator(language)
    kind = {"tag": tagged.sentences, "language": likelihood.sentences}.get(document["task"], summary.sentences)
    said = kind(document, _)
    decided = (likelihood.verdict if document["task"] == "language" else summary.verdict)(document, _)
    joined = escaped((" " if language == "en" else "").join(said))
    return [f"**{escaped(decided)}**", joined] if decided else [joined]


def _scores(document: Mapping[str, Any], _: Translate) -> str:
    rows = score_rows(document, _)
    columns = {
        key: title
        for key, title in COLUMNS[document["task"]].items()
        if any(row.scores.get(key) is not None for row in rows)
    }
    if not columns:
        return ""
    lines = [
        [f"{escaped(row.who)}, {row.part}", f"{row.scores['rows']:,}", *(_score(document, row, key) for key in columns)]
        for row in rows
    ]
    return table([["", _("rows"), *(_(title) for title in columns.values())], *lines])


def _score(document: Mapping[str, Any], row: ScoreRow, key: str) -> str:
    value = row.scores.get(key)
    if document["task"] == "language":
        return "–" if value is None else f"{value:,.3f}"
    interval = {} if row.name else document.get("intervals", {}).get(row.key, {})
    low_high = f" [{percent(interval[key][0])}, {percent(interval[key][1])}]" if key in interval else ""
    return percent(value) + low_high


def _by_label(per_label: Mapping[str, Any], _: Translate) -> str:
    lines = [
        [escaped(name), *(percent(found[key]) for key in ("precision", "recall", "f1")), f"{found['support']:,}"]
        for name, found in list(per_label.items())[:LABELS]
    ]
    return table([list(map(_, ("label", "precision", "recall", "F1", "support"))), *lines]) if lines else ""


def _thresholds(thresholds: Sequence[Mapping[str, Any]], spans: bool, _: Translate) -> str:
    lines = [
        [
            percent(row["target"]),
            f"{row['threshold']:.4f}",
            *_reached(row.get("dev", {})),
            *_reached(row.get("test", {})),
        ]
        for row in thresholds
        if row["threshold"] is not None
    ]
    accepted = "spans accepted" if spans else "rows labelled"
    heads = ("promised precision", "confidence from", f"{accepted}, dev", "right, dev", f"{accepted}, test")
    return table([list(map(_, (*heads, "right, test"))), *lines]) if lines else ""


def _reached(found: Mapping[str, Any]) -> tuple[str, str]:
    return percent(found.get("coverage")), percent(found.get("precision"))


def _slices(document: Mapping[str, Any], _: Translate) -> str:
    slicings = document.get("slices", [])
    key, title = {"classify": ("accuracy", "accuracy"), "tag": ("f1", "F1")}.get(document["task"], ("perplexity",) * 2)
    shown = likelihood.number if document["task"] == "language" else percent
    titles = {"tokens": _("by length (tokens)"), "unknown": _("by share of unknown tokens")}
    lines = [
        [
            f"{escaped(titles.get(slicing['by']) or _('by {column}', column=slicing['by']))}: "
            f"{escaped(_(one['name']) if slicing['by'] == 'unknown' else one['name'])}",
            f"{one['rows']:,}",
            f"{shown(one[key])} [{shown(one['interval'][0])}, {shown(one['interval'][1])}]",
        ]
        for slicing in slicings
        for one in slicing["slices"]
    ]
    return table([["", _("rows"), _(title)], *lines]) if lines else ""


def _rows(document: Mapping[str, Any]) -> dict[str, Any]:
    """How many rows each part has, and how many were left out, for whatever reason."""
    found = document.get("corpus", {}).get("rows", {})
    return {**found, **document.get("counts", {})}


def _facts(values: Mapping[str, Any], _: Translate) -> str:
    lines = [[escaped(_(name)), escaped(value)] for name, value in summary.facts(values)]
    return table([["", ""], *lines]) if lines else ""


def _made(document: Mapping[str, Any]) -> str:
    made = document.get("made", {})
    commands = [f"    {' '.join(command.split())}" for command in made.get("commands") or ()]
    kept = {name: value for name, value in made.items() if name not in ("commands", "config", "name")}
    blocks = ["\n".join(commands), _facts({**document.get("model", {}), **kept}, ENGLISH)]
    return "\n\n".join(block for block in blocks if block)
