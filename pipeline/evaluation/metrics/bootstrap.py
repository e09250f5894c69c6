"""Bootstrap over texts: confidence intervals of a tagger's F1, and whether one tagger beats another."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.scores import ratio
from pipeline.evaluation.metrics.significance import RESAMPLES, percentiles
from pipeline.evaluation.metrics.spans import ScoredText

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def intervals(rows: Sequence[ScoredText], seed: int = 0) -> dict[str, Any]:
    """95 % bootstrap intervals [low, high] of `precision`, `recall` and `f1`, and of the same `per_label`.

    The percentile bootstrap over texts (Efron, 1979) with `RESAMPLES` resamples: a text is drawn with all of its spans.
    {} if there are no texts.
    """
    if not rows:
        return {}
    counts = np.array([_counts(row) for row in rows])
    return {**_intervals(counts, seed), "per_label": {name: _intervals(found, seed) for name, found in _typed(rows)}}


def f1(rows: Sequence[ScoredText]) -> float:
    """F1 of exact spans over all texts."""
    return float(_f1(np.array([_counts(row) for row in rows]).sum(axis=0)[None])[0])


def against(ours: Sequence[ScoredText], theirs: Sequence[ScoredText], seed: int = 0) -> dict[str, Any]:
    """Whether two taggers differ in F1 on the same texts, by the paired bootstrap (Koehn, EMNLP 2004).

    `rows`; the `difference`, its 95 % `interval`, and the two-sided `p`: twice the share of resamples in which the
    difference is 0 or has the other sign, one such resample added. {} if there are no texts.
    """
    if not ours:
        return {}
    pairs = np.array([(*_counts(one), *_counts(other)) for one, other in zip(ours, theirs, strict=True)])
    difference = float(_f1(pairs.sum(axis=0)[None, :3])[0] - _f1(pairs.sum(axis=0)[None, 3:])[0])
    drawn = _drawn(pairs, seed)
    differences = _f1(drawn[:, :3]) - _f1(drawn[:, 3:])
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return {
        "rows": len(pairs),
        "difference": difference,
        "interval": percentiles(differences),
        "p": min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1)),
    }


def _counts(row: ScoredText) -> tuple[int, int, int]:
    """The numbers of right, gold and predicted spans of a text."""
    return len(row.right), len(row.gold), len(row.said)


def _typed(rows: Sequence[ScoredText]) -> list[tuple[str, Counts]]:
    """For each type the counts of every text: (texts, 3)."""
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for place, row in enumerate(rows):
        for column, spans in enumerate((row.right, row.gold, row.said)):
            for span in spans:
                found[span.label][place][column] += 1
    typed = []
    for name in sorted(found):
        counts = np.zeros((len(rows), 3), np.int64)
        counts[list(found[name])] = list(found[name].values())
        typed.append((name, counts))
    return typed


def _intervals(counts: Counts, seed: int) -> dict[str, list[float]]:
    drawn = _drawn(counts, seed)
    return {
        "precision": percentiles(ratio(drawn[:, 0], drawn[:, 2])),
        "recall": percentiles(ratio(drawn[:, 0], drawn[:, 1])),
        "f1": percentiles(_f1(drawn)),
    }


def _drawn(counts: Counts, seed: int) -> Counts:
    """Sums over resampled texts: (texts, columns) -> (resamples, columns).

    Texts with the same counts share a cell; a resample is a multinomial draw of cells.
    """
    cells, sizes = np.unique(counts, axis=0, return_counts=True)
    times = np.random.default_rng(seed).multinomial(sizes.sum(), sizes / sizes.sum(), RESAMPLES)
    sums: Counts = times @ cells
    return sums


def _f1(sums: Counts) -> Floats:
    return ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])
