"""Calibration: whether a confidence of 0.9 is right nine times in ten, and how to make it so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.outcome import Outcome

BINS = 15  # of equal width, as in Guo et al. (2017)
WIDEST = 20.0  # temperatures are looked for between 1 / WIDEST and WIDEST
ASSURANCE = 0.9  # how surely a promised precision is kept
TARGETS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of a confidence above `low` and up to `high`: how many, their mean confidence, the share of right ones."""

    low: float
    high: float
    rows: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Point:
    """Of the rows with a confidence of `threshold` or more: how many there are, how many are right.

    `promised`: the precision that these counts support, `assured`.
    """

    threshold: float
    rows: int
    right: int
    promised: float


def temperature(scores: NDArray[Any], targets: Sequence[int]) -> float:
    """The T above 0 for which softmax(scores / T) fits `targets` best: temperature scaling, Guo et al., ICML 2017.

    `scores`: logits (rows, labels); `targets`: label ids (rows,). The negative log-likelihood is minimised over
    log T. So that few rows, all of them right, don't make the answers certain, a target has the probability
    (n + 1) / (n + labels), n being the number of rows, and every other label 1 / (n + labels), as in Platt (1999).
    1.0 where there are no rows.

    >>> temperature(np.array([[4.0, 0.0]] * 10), [0] * 5 + [1] * 5) > 10      # sure, and right by chance
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


def temperature_of(sure: Callable[[float], NDArray[Any]], right: Flags) -> float:
    """The T above 0 at which `sure(T)`, the probabilities of claims (claims,), fits best whether they are `right`.

    The same as `temperature`, for claims whose probabilities come from more than a softmax: the negative log-likelihood
    of right and wrong is minimised over log T. Targets are those of Platt: (n + 1) / (n + 2) for the n right ones, and
    1 / (m + 2) for the m wrong ones. 1.0 where there are no claims.

    >>> temperature_of(lambda factor: 1 / (1 + np.exp(np.full(10, -4) / factor)), np.arange(10) < 5) > 10
    True
    """
    if not len(right):
        return 1.0
    hits = int(right.sum())
    gold = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(factor: float) -> float:
        chance = np.clip(np.asarray(sure(factor), np.float64), 1e-12, 1 - 1e-12)
        return float(-(gold * np.log(chance) + (1 - gold) * np.log1p(-chance)).mean())

    return _least(loss, 1e-3)


def _least(loss: Callable[[float], float], tolerance: float) -> float:
    """The temperature of least loss; `tolerance` is of its logarithm."""
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
    """Probabilities (rows, labels) as at a temperature `factor` times as high: p ** (1 / factor), scaled."""
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-300)) / factor
    powers: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def reliability(confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags, bins: int = BINS) -> list[Bin]:
    """The rows in `bins` of equal width by confidence; bins without rows are left out."""
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

    Naeini et al. (AAAI 2015) with `BINS` bins; None where there are no rows.
    """
    if not len(confidences):
        return None
    return sum(found.rows * abs(found.right - found.confidence) for found in reliability(confidences, right)) / len(
        confidences
    )


def assured(right: int, rows: int) -> float:
    """The precision that is exceeded with a probability of `ASSURANCE`, where `right` of `rows` were right.

    The one-sided lower bound of Clopper and Pearson (1934).

    >>> round(assured(97, 100), 4), assured(0, 10)
    (0.9344, 0.0)
    """
    from scipy.special import betaincinv

    return float(betaincinv(right, rows - right + 1, 1 - ASSURANCE)) if right else 0.0


def coverage(confidences: Sequence[float] | Floats, right: Sequence[bool] | Flags, most: int = 200) -> list[Point]:
    """What is accepted at each threshold: at 0, all rows, and then at every confidence that occurs, at most `most`.

    Confidences count as they are written, with 4 decimals; a row is accepted where its own is the threshold or more.
    """
    written = written_confidences(confidences)
    order = np.argsort(-written, kind="stable")
    falling, hits = written[order], np.cumsum(np.asarray(right, np.bool_)[order])
    # The last place of each confidence: all rows of that confidence are in.
    ends = np.flatnonzero(np.diff(falling, append=-1.0))
    if len(ends) > most:
        ends = ends[np.linspace(0, len(ends) - 1, most).round().astype(int)]
    points = [Point(float(falling[end]), int(end) + 1, int(hits[end]), 0.0) for end in reversed(ends.tolist())]
    everything = [Point(0.0, len(written), int(hits[-1]) if len(hits) else 0, 0.0)]
    return [
        Point(point.threshold, point.rows, point.right, assured(point.right, point.rows))
        for point in everything + points
    ]


def written_confidences(confidences: Sequence[float] | Floats) -> Floats:
    """As `zhpipe label` writes them: 4 decimals."""
    return np.array([float(f"{value:.4f}") for value in confidences], np.float64)


def reaching(points: Sequence[Point], target: float) -> Point | None:
    """Of `coverage` the point that accepts most and promises a precision of `target`; None where there is none."""
    return next((point for point in points if point.promised >= target), None)


@dataclass(frozen=True)
class Claimed:
    """What answers claim that could be judged, a label a row or the spans of taggers.

    Of each claim how sure it is, how sure it would be at the temperature 1, and whether it is right, (claims,).
    """

    sure: Floats
    unscaled: Floats
    right: Flags

    def __len__(self) -> int:
        return len(self.right)

    @classmethod
    def of_rows(cls, outcomes: Sequence[Outcome], factor: float) -> "Claimed":
        """Of a classifier at the temperature `factor`: the `fair` rows, each with its probabilities."""
        rows = [outcome for outcome in fair(outcomes) if outcome.probabilities]
        if not rows:
            return cls(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
        return cls(
            np.array([row.confidence for row in rows]),
            at_temperature(np.array([row.probabilities for row in rows]), 1 / factor).max(axis=1),
            np.array([not row.is_error for row in rows]),
        )


def fair(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that can be judged: all with a gold answer but the leaked ones, unless there are no others."""
    known = [outcome for outcome in outcomes if outcome.gold is not None]
    return [outcome for outcome in known if not outcome.leaked] or known


def measured(parts: Mapping[str, Claimed], factor: float, points: Sequence[Point]) -> dict[str, Any]:
    """How far to trust the claims of `parts`, "dev" and "test" (either may be missing), for a report.

    `temperature`, and of each part: `rows`, how many claims there are, `right` and `confidence` (means),
    `calibration_error` and `reliability` (bins), and the same two, `uncalibrated`, at the temperature 1. `thresholds`:
    for each of `TARGETS` the point of `points`, which are of dev, that reaches it, if any: `threshold`, `promised`, and
    of each part `coverage` and `precision`.
    """
    judged = {name: claimed for name, claimed in parts.items() if len(claimed)}
    if not judged:
        return {}
    return {
        "temperature": factor,
        **{name: _trust(claimed) for name, claimed in judged.items()},
        "thresholds": [_threshold(target, points, judged) for target in TARGETS] if points else [],
    }


def _trust(claimed: Claimed) -> dict[str, Any]:
    sure, unscaled, right = claimed.sure, claimed.unscaled, claimed.right
    return {
        "rows": len(claimed),
        "right": float(right.mean()),
        "confidence": float(sure.mean()),
        "calibration_error": calibration_error(sure, right),
        "reliability": [asdict(found) for found in reliability(sure, right)],
        "uncalibrated": {
            "calibration_error": calibration_error(unscaled, right),
            "reliability": [asdict(found) for found in reliability(unscaled, right)],
        },
    }


def _threshold(target: float, points: Sequence[Point], judged: Mapping[str, Claimed]) -> dict[str, Any]:
    found = reaching(points, target)
    if found is None:
        return {"target": target, "threshold": None}
    dev = {"coverage": found.rows / points[0].rows, "rows": found.rows, "precision": found.right / found.rows}
    return {
        "target": target,
        "threshold": found.threshold,
        "promised": found.promised,
        "dev": dev,
        **{name: _accepted(claimed, found.threshold) for name, claimed in judged.items() if name != "dev"},
    }


def _accepted(claimed: Claimed, threshold: float) -> dict[str, Any]:
    accepted = claimed.right[written_confidences(claimed.sure) >= threshold]
    return {
        "coverage": len(accepted) / len(claimed),
        "rows": len(accepted),
        "precision": float(accepted.mean()) if len(accepted) else None,
    }


def calibrated_rows(scores: NDArray[Any], targets: Sequence[int | None]) -> tuple[dict[str, Any], list[Point]]:
    """What model.toml says of confidence, and the points of confidence.csv, from dev.

    `scores`: logits (rows, labels); `targets`: label ids, None for a label that the model can't answer with.
    """
    known = [index for index, target in enumerate(targets) if target is not None]
    factor = temperature(scores[known], [target for target in targets if target is not None])
    right = np.array([scores[row].argmax() == target for row, target in enumerate(targets)], np.bool_)
    return calibrated_claims(_confidences(scores, 1.0), _confidences(scores, factor), right, factor)


def calibrated_claims(
    before: NDArray[Any], after: NDArray[Any], right: NDArray[np.bool_], factor: float
) -> tuple[dict[str, Any], list[Point]]:
    """The same of claims: their confidences at the temperature 1 and at `factor`, and which are right, (claims,).

    `rows` counts the claims.
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
    return (1 / powers.sum(axis=1)).astype(np.float64)  # type: ignore[no-any-return]
