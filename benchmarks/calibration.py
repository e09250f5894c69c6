"""What a confidence is worth: calibration error before and after, and promised against reached precision, of runs.

    python benchmarks/calibration.py runs/waimai_10k runs/cystanford4

The temperature and the thresholds are fitted here on each run's dev rows and checked on its test rows; rows whose text
was trained on are left out of both.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from markdown import table

from pipeline import confidence, familiarity
from pipeline.evaluation import calibration
from pipeline.evaluation.calibration import Flags, Floats
from pipeline.model import Model
from pipeline.stages import segment
from pipeline.tasks.classify import softmax

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
    audit = segment.read_audit(run)
    parts = {part: _answers(model, run, part, audit[f"leaked_{part}"]) for part in ("dev", "test")}
    about, points = confidence.measure(*parts["dev"])
    scores, targets = parts["test"]
    right = np.array([row.argmax() == target for row, target in zip(scores, targets, strict=True)])
    before, after = (softmax(scores / np.float32(factor)).max(axis=1) for factor in (1.0, about["temperature"]))
    errors = [f"{calibration.calibration_error(values, right):.4f}" for values in (before, after)]
    return {
        "name": run.name,
        "errors": [
            f"{about['rows']:,}",
            f"{len(targets):,}",
            f"{about['temperature']:.2f}",
            *errors,
            f"{right.mean():.4f}",
            f"{after.mean():.4f}",
        ],
        "reached": [_reached(target, points, after, right) for target in TARGETS],
        "foreign": _foreign(model, run),
    }


def _answers(model: Model, run: Path, part: str, leaked: list[int]) -> tuple[Any, list[int | None]]:
    rows = [row for index, row in enumerate(segment.read_part(run, part)) if index not in set(leaked)]
    examples = model.task.examples(model.encoder, [row.tokenised for row in rows], [row.label for row in rows])
    return model.task.scores(model.network, examples), [example.target for example in examples]


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
    answers = [str(found.value) for found in model.predict_tokens(texts["dev"])]
    known = familiarity.profile(model.encoder, texts["train"], texts["dev"], answers)
    claims = [claim for found in model.predict_tokens(texts["test"]) for claim in model.task.claims(found)]
    counts = familiarity.tally(model.encoder, texts["test"], claims)
    return "; ".join(familiarity.oddities(counts, known))


if __name__ == "__main__":
    main()
