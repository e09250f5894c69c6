"""Calibration: is an answer with a confidence of 0.9 right nine times in ten? Temperatures that make it so."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.outcome import Outcome

BINS = 15  # of equal width, as in Guo et al. (2017)
WIDEST = 20.0  # temperatures are searched between 1 / WIDEST and WIDEST
BOUND_LEVEL = 0.9  # of the bound of a promised precision
TARGETS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows with a confidence above `low` and up to `high`: their number, mean confidence, and share of right ones."""

    low: float
    high: float
    rows: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Point:
    """The rows with a confidence of `threshold` or more: how many there are, how many are right.

    `promised`: the `precision_lower_bound` of these counts.
    """

    threshold: float
    rows: int
    right: int
    promised: float


def temperature(scores: NDArray[Any], targets: Sequence[int]) -> float:
    """The T above 0 for which softmax(scores / T) fits `targets` best: temperature scaling, Guo et al., ICML 2017.

    `scores`: logits (rows, labels); `targets`: label ids (rows,). The negative log-likelihood is minimised over
    log T. With n rows, the target label has the probability (n + 1) / (n + labels) and every other label
    1 / (n + labels), as in Platt (1999), so that a few rows that are all right do not make the answers certain.
    1.0 if there are no rows.

    >>> temperature(np.array([[4.0, 0.0]] * 10), [0] * 5 + [1] * 5) > 10      # confident, and right by chance
    True
    """
    from scipy.special import logsumexp

    logits = np.asarray(scores, np.float64)
    count, labels = logits.shape
    if not count:
        return 1.0
    gold = np.full((count, labels), 1 / (count + labels))
    gold[np.arange(count), list(targets)] = (count + 1) / (count + labels)

    def loss(factor: float) -> float:
        scaled = logits / factor
        return float(-(gold * (scaled - logsumexp(scaled, axis=1, keepdims=True))).sum() / count)

    return _least(loss, 1e-6)


def temperature_of(confidences: Callable[[float], NDArray[Any]], right: Flags) -> float:
    """The T above 0 at which `confidences(T)`, the probabilities of claims (claims,), fits best which are `right`.

    Like `temperature`, for claims whose probabilities do not come from one softmax: the negative log-likelihood of
    right and wrong is minimised over log T. The targets are Platt's: (n + 1) / (n + 2) for the n right claims,
    1 / (m + 2) for the m wrong ones. 1.0 if there are no claims.

    >>> temperature_of(lambda factor: 1 / (1 + np.exp(np.full(10, -4) / factor)), np.arange(10) < 5) > 10
    True
    """
    if not len(right):
        return 1.0
    hits = int(right.sum())
    gold = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(factor: float) -> float:
        chance = np.clip(np.asarray(confidences(factor), np.float64), 1e-12, 1 - 1e-12)
        return float(-(gold * np.log(chance) + (1 - gold) * np.log1p(-chance)).mean())

    return _least(loss, 1e-3)


def _least(loss: Callable[[float], float], tolerance: float) -> float:
    """The temperature with the least loss, its logarithm exact to `tolerance`."""
    from scipy.optimize import minimize_scalar

    widest = float(np.log(WIDEST))
    found = minimize_scalar(
        lambda log: loss(float(np.exp(log))),
        bounds=(-widest, widest),
        method="bounded",
        options={"xatol": tolerance},
    )
    return float(np.exp(found.x))


def at_temperature(probabilities: NDArray[Any], factor: float) -> Floats:
    """Probabilities (rows, labels) at a temperature `factor` times as high: p ** (1 / factor), normalised."""
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-300)) / factor
    powers: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def reliability(confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags, bins: int = BINS) -> list[Bin]:
    """The rows in `bins` of equal width by confidence, without empty bins."""
    values, hits = np.asarray(confidences, np.float64), np.asarray(right, np.bool_)
    places = np.clip(np.ceil(values * bins).astype(int) - 1, 0, bins - 1)
    return [
        Bin(
            place / bins,
            (place + 1) / bins,
            int(chosen.sum()),
            float(values[chosen].mean()),
            float(hits[chosen].mean()),
        )
        for place in range(bins)
        if (chosen := places == place).any()
    ]


def calibration_error(confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags) -> float | None:
    """Expected calibration error: the mean over rows of |share of right ones - mean confidence| of their bin.

    Naeini et al. (AAAI 2015) with `BINS` bins. None if there are no rows.
    """
    if not len(confidences):
        return None
    return sum(found.rows * abs(found.right - found.confidence) for found in reliability(confidences, right)) / len(
        confidences
    )


def precision_lower_bound(right: int, rows: int) -> float:
    """The one-sided lower bound of a precision, at the level `BOUND_LEVEL`, if `right` of `rows` were right.

    Clopper and Pearson (1934).

    >>> round(precision_lower_bound(97, 100), 4), precision_lower_bound(0, 10)
    (0.9344, 0.0)
    """
    from scipy.special import betaincinv

    return float(betaincinv(right, rows - right + 1, 1 - BOUND_LEVEL)) if right else 0.0


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `right` of `rows` were right: Wilson (1927).

    >>> [round(end, 4) for end in wilson(97, 100)], wilson(0, 4)[0]
    ([0.9155, 0.9897], 0.0)
    """
    share, square = right / rows, 1.959964**2 / rows
    middle, half = share + square / 2, math.sqrt(square * (share * (1 - share) + square / 4))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def coverage(confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags) -> list[Point]:
    """The points at the thresholds of `accepted`."""
    return [
        Point(threshold, rows, hits, precision_lower_bound(hits, rows))
        for threshold, rows, hits in accepted(confidences, right)
    ]


def accepted(
    confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags, most: int = 200
) -> list[tuple[float, int, int]]:
    """Thresholds, and how many rows are accepted at each, and are right: at 0, which accepts all, and above.

    The others are up to `most` of the confidences that occur, rounded to 4 decimals, as they are written. A row is
    accepted if its confidence is the threshold or more.
    """
    written = written_confidences(confidences)
    order = np.argsort(-written, kind="stable")
    falling, hits = written[order], np.cumsum(np.asarray(right, np.bool_)[order])
    # The last place of each confidence: by then all rows with that confidence are counted.
    ends = np.flatnonzero(np.diff(falling, append=-1.0))
    if len(ends) > most:
        ends = ends[np.linspace(0, len(ends) - 1, most).round().astype(int)]
    everything = (0.0, len(written), int(hits[-1]) if len(hits) else 0)
    return [everything, *((float(falling[end]), int(end) + 1, int(hits[end])) for end in reversed(ends.tolist()))]


def written_confidences(confidences: Sequence[float] | Floats) -> Floats:
    """Confidences as `zhpipe label` writes them, with 4 decimals."""
    return np.array([float(f"{value:.4f}") for value in confidences], np.float64)


def reaching(points: Sequence[Point], target: float) -> Point | None:
    """The point that accepts most among those that promise a precision of `target`; None if there is none."""
    return next((point for point in points if point.promised >= target), None)


@dataclass(frozen=True)
class ScoredClaims:
    """Claims compared with the gold answers: the label of each row, or each span that a tagger predicted.

    `confidences`; `uncalibrated`: the confidences at the temperature 1; `right`: which claims are right: all (claims,).
    """

    confidences: Floats
    uncalibrated: Floats
    right: Flags

    def __len__(self) -> int:
        return len(self.right)

    @classmethod
    def from_rows(cls, outcomes: Sequence[Outcome], factor: float) -> "ScoredClaims":
        """The labels that a classifier with the temperature `factor` gave to the `scorable` rows."""
        rows = [outcome for outcome in scorable(outcomes) if outcome.probabilities]
        if not rows:
            return cls(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
        return cls(
            np.array([row.confidence for row in rows]),
            at_temperature(np.array([row.probabilities for row in rows]), 1 / factor).max(axis=1),
            np.array([not row.is_error for row in rows]),
        )


def scorable(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with a gold answer, without those that leaked unless all did."""
    known = [outcome for outcome in outcomes if outcome.is_judged]
    return [outcome for outcome in known if not outcome.leaked] or known


def measured(parts: Mapping[str, ScoredClaims], factor: float, points: Sequence[Point]) -> dict[str, Any]:
    """How far the claims of `parts`, "dev" and "test" (either may be missing), can be trusted, for a report.

    `temperature`, and for each part: `rows`, the number of claims; `right` and `confidence`, means;
    `calibration_error` and `reliability` (bins), and the same two at the temperature 1 as `uncalibrated`.
    `thresholds`: for each of `TARGETS` the point among `points`, taken from dev, that reaches it: `threshold`,
    `promised`, and for each part `coverage` and `precision`. The threshold is None if no point reaches the target.
    """
    judged = {name: claims for name, claims in parts.items() if len(claims)}
    if not judged:
        return {}
    return {
        "temperature": factor,
        **{name: _trust(claims) for name, claims in judged.items()},
        "thresholds": [_threshold(target, points, judged) for target in TARGETS] if points else [],
    }


def _trust(claims: ScoredClaims) -> dict[str, Any]:
    return {
        "rows": len(claims),
        "right": float(claims.right.mean()),
        "confidence": float(claims.confidences.mean()),
        **_calibration(claims.confidences, claims.right),
        "uncalibrated": _calibration(claims.uncalibrated, claims.right),
    }


def _calibration(confidences: Floats, right: Flags) -> dict[str, Any]:
    return {
        "calibration_error": calibration_error(confidences, right),
        "reliability": [asdict(found) for found in reliability(confidences, right)],
    }


def _threshold(target: float, points: Sequence[Point], judged: Mapping[str, ScoredClaims]) -> dict[str, Any]:
    found = reaching(points, target)
    if found is None:
        return {"target": target, "threshold": None}
    dev = {"coverage": found.rows / points[0].rows, "rows": found.rows, "precision": found.right / found.rows}
    return {
        "target": target,
        "threshold": found.threshold,
        "promised": found.promised,
        "dev": dev,
        **{name: _accepted(claims, found.threshold) for name, claims in judged.items() if name != "dev"},
    }


def _accepted(claims: ScoredClaims, threshold: float) -> dict[str, Any]:
    right = claims.right[written_confidences(claims.confidences) >= threshold]
    return {
        "coverage": len(right) / len(claims),
        "rows": len(right),
        "precision": float(right.mean()) if len(right) else None,
    }


def calibrated_rows(scores: NDArray[Any], targets: Sequence[int | None]) -> tuple[dict[str, Any], list[Point]]:
    """What model.toml says about confidence, and the points of confidence.csv, from the rows of dev.

    `scores`: logits (rows, labels); `targets`: label ids, None for a label that the model does not have.
    """
    known = [index for index, target in enumerate(targets) if target is not None]
    factor = temperature(scores[known], [target for target in targets if target is not None])
    right = np.array([scores[row].argmax() == target for row, target in enumerate(targets)], np.bool_)
    return calibrated_claims(_confidences(scores, 1.0), _confidences(scores, factor), right, factor)


def calibrated_claims(
    before: NDArray[Any], after: NDArray[Any], right: NDArray[np.bool_], factor: float
) -> tuple[dict[str, Any], list[Point]]:
    """The same as `calibrated_rows` for claims; `rows` counts them.

    `before`, `after`: confidences at the temperature 1 and at `factor`; `right`: which claims are right: all (claims,).
    """
    about = {
        "temperature": factor,
        "rows": len(right),
        "calibration_error_uncalibrated": calibration_error(before, right),
        "calibration_error": calibration_error(after, right),
    }
    return {name: value for name, value in about.items() if value is not None}, coverage(after, right)


def _confidences(scores: NDArray[Any], factor: float) -> NDArray[np.float64]:
    scaled = scores.astype(np.float64) / factor
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    confidences: NDArray[np.float64] = 1 / powers.sum(axis=1)
    return confidences
