"""Thresholds: confidence.csv in a model folder, the precision that each confidence threshold promises."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

from corpora.files import replace_when_done
from pipeline.errors import ModelError, PipelineError
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import Point

FILE = "confidence.csv"


def write(folder: Path, points: Sequence[Point]) -> None:
    """Writes confidence.csv: threshold, rows, right, promised."""
    with (
        replace_when_done(folder / FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Point))
        writer.writerows(astuple(point) for point in points)


def read(folder: Path) -> list[Point]:
    """The points in a model folder. Raises ModelError if there are none, or they can't be read."""
    path = folder / FILE
    try:
        with path.open(encoding="utf-8", newline="") as file:
            points = [
                Point(float(row["threshold"]), int(row["rows"]), int(row["right"]), float(row["promised"]))
                for row in csv.DictReader(file)
            ]
    except FileNotFoundError:
        raise ModelError(f"{folder}: has no {FILE}, which says what precision to expect: train anew") from None
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ModelError(f"{path}: can't be read: {error}") from None
    for point in points:
        counted = 0 <= point.right <= point.rows < 1 << 53  # none in dev, if the model found nothing
        if not (counted and 0 <= point.threshold <= 1 and 0 <= point.promised <= 1):
            raise ModelError(f"{path}: thresholds and precisions are 0 to 1, received {point}: copy the model again")
    return points


def threshold(folder: Path, target: float, claims: str = "rows") -> Point:
    """The lowest threshold at which dev supports a precision of `target`; `claims`: what the points count, in a word.

    Raises PipelineError if there is none, with the best precision that dev supports; ModelError as `read` does.
    """
    points = read(folder)
    if not points:
        raise ModelError(f"{folder / FILE}: has no rows, so no precision is known: train with a larger dev split")
    found = calibration.reaching(points, target)
    if found is not None and found.rows:
        return found
    best = max(points, key=lambda point: point.promised)
    raise PipelineError(
        f"{folder}: no threshold promises a precision of {target:g}: the best that {points[0].rows} {claims} of dev "
        f"support is {best.promised:.4f}, at {best.threshold:g}: ask for at most that, or give more rows to dev"
    )


def coverage(point: Point, points: Sequence[Point]) -> float:
    """The share of dev's claims that a point accepts."""
    return point.rows / max(points[0].rows, 1)
