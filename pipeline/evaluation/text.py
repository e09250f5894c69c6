"""The report as plain text, for a terminal: columns aligned, wide characters counted as two."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.scores import cells, text_report
from pipeline.evaluation.summary import columns_in_use, facts, judged_part, percent, score_rows, sentences


def render(document: Mapping[str, Any], outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[str]) -> str:
    """`document`, a report as `Report.as_dict` gives it, as text that ends in a line feed.

    The scores by label are of the outcomes of test, or of dev where no test row was scored.
    """
    part = judged_part(document)
    sections = [
        (None, "\n".join(sentences(document))),
        ("Scores, in per cent", _scores(document)),
        (f"By label, {part}", text_report(outcomes.get(part, ()), labels)),
        ("Counts", _facts(document.get("counts", {}))),
        ("Model", _facts(document.get("model", {}))),
        ("Corpus", _facts(document.get("corpus", {}))),
        ("Made", _facts(document.get("made", {}))),
    ]
    blocks = [_block(title, body) for title, body in sections if body.strip()]
    return "\n\n".join(blocks) + "\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equally many cells as aligned text: the first column to the left, the others to the right.

    >>> print(table([["标签", "F1"], ["垃圾邮件", "97.1"]]))
    标签        F1
    垃圾邮件  97.1
    """
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    blanks = [" " * (width - cells(text)) for text, width in zip(row, widths, strict=True)]
    return [row[0] + blanks[0], *(blank + text for text, blank in zip(row[1:], blanks[1:], strict=True))]


def _block(title: str | None, body: str) -> str:
    return body.rstrip() if title is None else f"{title}\n{'-' * len(title)}\n{body.rstrip()}"


def _scores(document: Mapping[str, Any]) -> str:
    rows = score_rows(document)
    columns = columns_in_use(rows)
    lines = [
        [f"{row.who}, {row.part}", f"{row.scores['rows']:,}", *(percent(row.scores[key]) for key in columns)]
        for row in rows
    ]
    return table([["", "rows", *columns.values()], *lines])


def _facts(values: Mapping[str, Any]) -> str:
    rows = [(name, " ".join(text.split())) for name, text in facts(values)]
    width = max((cells(name) for name, _ in rows), default=0)
    return "\n".join(f"{name}{' ' * (width - cells(name))}  {text}" for name, text in rows)
