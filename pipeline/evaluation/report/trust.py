"""Trust: what a page draws and says of confidences."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.report import charts
from pipeline.evaluation.report.summary import count, judged_part, percentage
from pipeline.evaluation.report.translations import Translate

FEW = 200  # claims below which the bins of a chart show little but chance


def drawn(
    document: Mapping[str, Any], claims: Mapping[str, ScoredClaims], _: Translate, of: str = "rows"
) -> Iterator[str]:
    """The charts of confidences: reliability, unless there are too few claims, and coverage.

    `claims`: those of each part; `of`: "rows" or "spans".
    """
    part = judged_part(document)
    if found := document.get("confidence", {}).get(part):
        if found["rows"] >= FEW:
            yield charts.reliability(found, part, _, of)
        yield charts.coverage({name: one for name, one in sorted(claims.items(), reverse=True) if len(one)}, _, of)


def notes(document: Mapping[str, Any], _: Translate) -> list[str]:
    """What has to be known of the confidences, a sentence each: that calibration did harm, that bins are not drawn."""
    part = judged_part(document)
    found = document.get("confidence", {}).get(part)
    if not found:
        return []
    said = []
    after, before = found["calibration_error"], found["uncalibrated"]["calibration_error"]
    if part == "test" and after > before:
        said.append(
            _(
                "Calibration made test worse: the temperature that fits dev takes the error from {before} to {after}.",
                before=percentage(before),
                after=percentage(after),
            )
        )
    if found["rows"] < FEW:
        said.append(
            _(
                "The chart of reliability is left out below {few} answers, as {rows} would show little but chance.",
                few=FEW,
                rows=count(found["rows"]),
            )
        )
    return said


def out_of_reach(document: Mapping[str, Any], _: Translate) -> str:
    """The promised precisions that no threshold reaches on dev, in a sentence; "" if all are reached."""
    thresholds = document.get("confidence", {}).get("thresholds", [])
    missed = [percentage(row["target"]) for row in thresholds if row["threshold"] is None]
    return _("Out of reach with this dev split: {precisions}.", precisions=", ".join(missed)) if missed else ""
