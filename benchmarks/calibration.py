"""What a confidence is worth: calibration error before and after, and promised against reached precision, of runs.

    python benchmarks/calibration.py runs/waimai_10k runs/cystanford4

The temperature and the thresholds are fitted here on each run's dev rows and checked on its test rows; rows whose text
was trained on are left out of both. Of a tagger the predicted entities or words are counted in place of rows.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown import table

from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import Flags, Floats
from pipeline.models import drift
from pipeline.models.model import Model
from pipeline.stages import segment

TARGETS = (0.9, 0.95, 0.97, 0.99)


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    measured = [_measured(run) for run in parser.parse_args().runs]
    errors = [[found["name"], *found["errors"]] for found in measured]
    columns = ("dev rows", "test rows", "temperature", "before", "after", "right", "mean confidence")
    print(table(["corpus", *columns], errors), end="\n\n")
    reached = [[found["name"], *row] for found in measured for row in found["reached"]]
    columns = ("promised", "threshold", "dev coverage", "test coverage", "test precision", "rows it rests on")
    print(table(["corpus", *columns], reached), end="\n\n")
    for found in measured:
        print(f"{found['name']}: {found['foreign'] or 'test texts look familiar'}")


def _measured(run: Path) -> dict[str, Any]:
    model = Model.load(run / "model")
    dev, test = (_fair(model, run, part) for part in ("dev", "test"))
    texts, golds = [row.tokenised for row in dev], [row.gold for row in dev]
    answerer, about, points = model.answerer.calibrated(model.network, model.encoder, texts, golds)
    fitted, judge = replace(model, answerer=answerer), model.task.judge
    answers = fitted.predict_tokens_at([row.tokenised for row in test], (answerer.temperature, 1.0))
    outcomes = [
        judge.outcome(row.row, row.tokenised, row.gold, found, uncalibrated=plain)
        for row, found, plain in zip(test, *answers, strict=True)
    ]
    claimed = judge.claimed_of(outcomes, answerer.temperature)
    errors = [calibration.calibration_error(values, claimed.right) for values in (claimed.unscaled, claimed.sure)]
    return {
        "name": run.name,
        "errors": [
            f"{about['rows']:,}",
            f"{len(claimed):,}",
            f"{answerer.temperature:.2f}",
            *(f"{error:.4f}" for error in errors),
            f"{claimed.right.mean():.4f}",
            f"{claimed.confidences.mean():.4f}",
        ],
        "reached": [_reached(target, points, claimed.confidences, claimed.right) for target in TARGETS],
        "foreign": _foreign(fitted, run),
    }


def _fair(model: Model, run: Path, part: str) -> list[segment.SegmentedRow]:
    """The rows of a part that did not leak."""
    leaked = {*segment.read_audit(run)[f"leaked_{part}"]}
    return [row for index, row in enumerate(segment.read_part(run, part, model.task.parse_gold)) if index not in leaked]


def _reached(target: float, points: list[calibration.Point], after: Floats, right: Flags) -> list[str]:
    found = calibration.reaching(points, target)
    if found is None:
        return [f"{target:.2f}", "none", "", "", "", ""]
    accepted = calibration.written_confidences(after) >= found.threshold
    return [
        f"{target:.2f}",
        f"{found.threshold:.4f}",
        f"{found.rows / points[0].rows:.1%}",
        f"{accepted.mean():.1%}",
        f"{right[accepted].mean():.4f}",
        f"{accepted.sum():,}",
    ]


def _foreign(model: Model, run: Path) -> str:
    texts = {part: [row.tokenised for row in segment.read_part(run, part)] for part in ("train", "dev", "test")}
    said = {part: model.predict_tokens(texts[part]) for part in ("dev", "test")}
    claims = {part: [one for each in found for one in model.answerer.claims(each)] for part, found in said.items()}
    answers = [claim.label for claim in claims["dev"]]
    known = drift.profile(model.encoder, texts["train"], texts["dev"], answers)
    counts = drift.tally(model.encoder, texts["test"], claims["test"])
    return "; ".join(drift.warnings(counts, known))


if __name__ == "__main__":
    main()
