"""What corrections did to the labels of a corpus, as a report says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.report.translations import ENGLISH, Translate


def sentences(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[str]:
    """How many labels were corrected, whether those of test were, and what was not applied; none without corrections.

    `document`: a report as `Report.as_dict` returns it.
    """
    found = document.get("corpus", {}).get("corrections")
    if not found:
        return []
    counts = {
        part: sum(found.get(name, {}).get(part, 0) for name in ("corrected", "labelled"))
        for part in ("train", "dev", "test")
    }
    said = [
        _(
            "People have corrected labels: {train} of train, {dev} of dev, {test} of test.",
            **{part: f"{count:,}" for part, count in counts.items()},
        )
    ]
    if counts["test"]:
        said.append(
            _(
                "Scores on corrected test labels don't compare with earlier ones, and are too high if only rows that a "
                "model got wrong were looked at; corpus.correct_test = false leaves them as they were."
            )
        )
    return said + _not_applied(found, _)


def _not_applied(found: Mapping[str, Any], _: Translate) -> list[str]:
    """The corrections without effect, in a sentence each kind."""
    said = []
    if kept := sum(found.get("kept", {}).values()):
        said.append(_("Corrections that test was kept from (corpus.correct_test): {count}.", count=f"{kept:,}"))
    if found["not_found"]:
        said.append(_("Corrections whose text is no longer found: {count}.", count=f"{found['not_found']:,}"))
    if found["conflicts"]:
        said.append(
            _(
                "Rows whose corrections are in conflict, and which keep their label: {count}; see the data below.",
                count=f"{found['conflicts']:,}",
            )
        )
    return said
