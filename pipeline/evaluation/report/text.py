"""The report as plain text for a terminal: columns are aligned, wide characters count as two."""

from collections.abc import Mapping, Sequence
from typing import Any

from corpora.guards import visible
from pipeline.evaluation.metrics.scores import cells
from pipeline.evaluation.report import outline
from pipeline.evaluation.report.outline import TextTable
from pipeline.evaluation.report.translations import N_, Locale, Translate, translator


def render(document: Mapping[str, Any], locale: Locale = "en", more: Mapping[str, TextTable] | None = None) -> str:
    """`document`, a report of any task as `Report.as_dict` returns it, as text that ends in a line feed.

    `more`: further tables by their titles, which are translated; they follow the others.
    """
    _ = translator(locale)
    first, sentences = outline.result(document, _)
    tables = [*outline.sections(document, _), *((_(title), rows) for title, rows in (more or {}).items())]
    names = {"counts": N_("Counts"), "model": N_("Model"), "corpus": N_("Data"), "made": N_("How it was made")}
    blocks = [
        "\n".join((first, *sentences)),
        *(_block(title, table([_named(row) for row in rows])) for title, rows in tables),
        *(_block(_(title), _facts(document.get(name, {}), _)) for name, title in names.items()),
    ]
    return visible("\n\n".join(filter(None, blocks)) + "\n")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as aligned text: the first column to the left, the others to the right.

    >>> print(table([["标签", "F1"], ["垃圾邮件", "97.1"]]))
    标签        F1
    垃圾邮件  97.1
    """
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in rows)


def _named(row: Sequence[str]) -> list[str]:
    """The row with line breaks of its first cell replaced by spaces."""
    return [" ".join(row[0].split()), *row[1:]]


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    blanks = [" " * (width - cells(text)) for text, width in zip(row, widths, strict=True)]
    return [row[0] + blanks[0], *(blank + text for text, blank in zip(row[1:], blanks[1:], strict=True))]


def _block(title: str, body: str) -> str:
    return f"{title}\n{'-' * cells(title)}\n{body.rstrip()}" if body.strip() else ""


def _facts(values: Mapping[str, Any], _: Translate) -> str:
    rows = [(name, " ".join(text.split())) for name, text in outline.facts(values, _)]
    width = max((cells(name) for name, _value in rows), default=0)
    return "\n".join(f"{name}{' ' * (width - cells(name))}  {text}" for name, text in rows)
