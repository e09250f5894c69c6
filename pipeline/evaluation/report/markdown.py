"""The report as Markdown, for an issue or a wiki: result, scores, and how it was made."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.guards import visible
from pipeline.evaluation.report import frame, outline, report
from pipeline.evaluation.report.translations import ENGLISH, Locale, Translate, translator

_NUMBERS = re.compile(r"[\d\s\[\],.–+−]*")


def write(folder: Path, document: Mapping[str, Any], locale: Locale = "en") -> None:
    """Write report.md into `folder`."""
    report.write_whole(folder / "report.md", render(document, locale))


def render(document: Mapping[str, Any], locale: Locale = "en") -> str:
    """`document`, a report of any task as `Report.as_dict` returns it, as GitHub-flavoured Markdown."""
    _ = translator(locale)
    first, sentences = outline.result(document, _)
    blocks = [
        f"# {escaped(frame.title(document, _))}",
        f"**{escaped(first)}**",
        escaped((" " if locale == "en" else "").join(sentences)),
        *(block for title, rows in outline.sections(document, _) for block in (f"## {title}", table(rows))),
        *_titled(_("Data"), _facts(_rows(document), _)),
        *_titled(_("How it was made"), _made(document)),
    ]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    r"""`text` in one line, with every character that could be markup escaped.

    >>> print(escaped("<b>|*好*\n评"))
    \<b\>\|\*好\* 评
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", visible(" ".join(text.split())))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length, the first the heading, as a table; all columns but the first are aligned right."""
    head, *lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join([head, "| --- |" + " ---: |" * (len(rows[0]) - 1), *lines])


def _cell(text: str) -> str:
    """A cell; a number with its interval is not escaped."""
    return text if _NUMBERS.fullmatch(text) else escaped(text)


def _titled(title: str, body: str) -> list[str]:
    return [f"## {title}", body] if body else []


def _rows(document: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of each part, and the counts of rows that were scored, skipped and the like."""
    found = document.get("corpus", {}).get("rows", {})
    return {**found, **document.get("counts", {})}


def _facts(values: Mapping[str, Any], _: Translate) -> str:
    lines = outline.facts(values, _)
    return table([["", ""], *lines]) if lines else ""


def _made(document: Mapping[str, Any]) -> str:
    made = document.get("made", {})
    commands = [f"    {' '.join(command.split())}" for command in made.get("commands") or ()]
    kept = {name: value for name, value in made.items() if name not in ("commands", "config", "name")}
    blocks = ["\n".join(commands), _facts({**document.get("model", {}), **kept}, ENGLISH)]
    return "\n\n".join(block for block in blocks if block)
