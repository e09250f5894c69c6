"""Scores of a language model: perplexity, and bits a token and a character, over all texts and parts of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.significance import RESAMPLES

LENGTHS = (0, 10, 20, 50, 100, 200)  # the least characters of each group of texts
RANKS = (1, 101, 1001, 10001)  # the first rank of each group of tokens, 1 the most frequent in train
BEFORE = 12  # characters shown before a surprising token
LN2 = math.log(2)
AT_ONCE = 1 << 22  # numbers drawn at a time, to bound memory


@dataclass(frozen=True, slots=True)
class Surprise:
    """A token and its surprisal in `bits`: -log2 of its probability given all before it; `start`, `end`: characters.

    The end of a text is an empty token after its last character. `before`: the characters before the token.
    """

    row: int
    start: int
    end: int
    token: str
    bits: float
    before: str


def perplexity(outcomes: Sequence[Outcome], rank: Callable[[str], int | None]) -> dict[str, Any]:
    """Every score of outcomes whose `probabilities` are log-probabilities (natural) of the tokens and of the end.

    `rows`; `tokens`, ends included; `characters`; `unknown`, the number of tokens without a rank; the scores of `over`;
    `by_length`, the same for groups of texts; `by_rank`, the same for groups of tokens. `rank`: a token's rank in train
    by frequency, 1 the most frequent; None for an unknown one.

    >>> half = Outcome(1, "好吃", "", "", 1.0, (math.log(0.5),) * 3, tokens=("好", "吃"))
    >>> scores = perplexity([half], {"好": 1}.get)
    >>> scores["perplexity"], scores["bits_per_character"], scores["tokens"], scores["unknown"]
    (2.0, 1.5, 3, 1)
    """
    logs = [log for outcome in outcomes for log in outcome.probabilities]
    return {
        "rows": len(outcomes),
        "unknown": sum(rank(token) is None for outcome in outcomes for token in outcome.tokens),
        **over(logs, sum(len(outcome.text) for outcome in outcomes)),
        "by_length": _by_length(outcomes),
        "by_rank": _by_rank(outcomes, rank),
    }


def over(logs: Sequence[float], characters: int) -> dict[str, Any]:
    """`tokens`, `characters`, `perplexity`, `bits_per_token`, `bits_per_character`; the last three None without any."""
    total = -math.fsum(logs)
    return {
        "tokens": len(logs),
        "characters": characters,
        "perplexity": exp(total / len(logs)) if logs else None,
        "bits_per_token": total / LN2 / len(logs) if logs else None,
        "bits_per_character": total / LN2 / characters if characters else None,
    }


def interval(outcomes: Sequence[Outcome], seed: int = 0) -> list[float]:
    """The 95 % bootstrap interval [low, high] of the perplexity: percentiles over 2,000 resamples of whole texts.

    Tokens of one text are not independent, so whole texts are drawn (Efron, 1979). [] if there are fewer than two.
    """
    if len(outcomes) < 2:
        return []
    nats, tokens = _drawn(np.array([(_nats(one), len(one.probabilities)) for one in outcomes]), seed).T
    return [exp(value) for value in np.percentile(nats / tokens, (2.5, 97.5)).tolist()]


def bits_interval(outcomes: Sequence[Outcome], seed: int = 0) -> list[float]:
    """The 95 % bootstrap interval of the bits per character; [] for fewer than two texts, or an empty one."""
    counts = np.array([(_nats(one), len(one.text)) for one in outcomes])
    if len(outcomes) < 2 or not counts[:, 1].all():
        return []
    nats, characters = _drawn(counts, seed).T
    return np.percentile(nats / LN2 / characters, (2.5, 97.5)).tolist()  # type: ignore[no-any-return]


def against(ours: Sequence[Outcome], theirs: Sequence[Outcome], seed: int = 0) -> dict[str, Any]:
    """Whether two models differ in bits per character on the same texts, by the paired bootstrap (Koehn, EMNLP 2004).

    `rows`; the `difference`, below 0 if ours needs fewer bits, its 95 % `interval`, and the two-sided `p`: twice the
    share of resamples in which the difference is 0 or has the other sign, one such resample added; `only_ours`,
    `only_theirs`: how many texts are likelier to ours and to theirs. {} if there are no characters.
    """
    pairs = [(_nats(one) / LN2, _nats(other) / LN2, len(one.text)) for one, other in zip(ours, theirs, strict=True)]
    counts = np.array([pair for pair in pairs if pair[2]])
    if not len(counts):
        return {}
    apart = counts[:, 0] - counts[:, 1]
    sums = _drawn(counts, seed)
    differences = (sums[:, 0] - sums[:, 1]) / sums[:, 2]
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    low, high = np.percentile(differences, (2.5, 97.5)).tolist()
    return {
        "rows": len(counts),
        "difference": float(apart.sum() / counts[:, 2].sum()),
        "interval": [low, high],
        "p": min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1)),
        "only_ours": int((apart < 0).sum()),
        "only_theirs": int((apart > 0).sum()),
    }


def _nats(outcome: Outcome) -> float:
    return -math.fsum(outcome.probabilities)


def _drawn(values: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Sums over resampled texts: (texts, columns) -> (resamples, columns)."""
    generator, count = np.random.default_rng(seed), len(values)
    rows = max(1, AT_ONCE // count)
    shares = np.full(count, 1 / count)
    sums = [
        generator.multinomial(count, shares, min(rows, RESAMPLES - begin)) @ values
        for begin in range(0, RESAMPLES, rows)
    ]
    return np.concatenate(sums)


def exp(value: float) -> float:
    """e to the power of `value`; infinite if that is too large for a float."""
    return math.exp(value) if value < 709 else math.inf


def surprises(outcomes: Iterable[Outcome]) -> Iterator[Surprise]:
    """Every token of the outcomes, in order."""
    for outcome in outcomes:
        start = 0
        for token, log in zip((*outcome.tokens, ""), outcome.probabilities, strict=True):
            end = start + len(token)
            before = outcome.text[max(0, start - BEFORE) : start]
            yield Surprise(outcome.row, start, end, token, -log / LN2, before)
            start = end


def _by_length(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    groups: dict[str, list[Outcome]] = {name: [] for name in _names(LENGTHS)}
    for outcome in outcomes:
        groups[_group(LENGTHS, len(outcome.text))].append(outcome)
    return {
        name: {
            "rows": len(group),
            **over(
                [log for outcome in group for log in outcome.probabilities],
                sum(len(outcome.text) for outcome in group),
            ),
        }
        for name, group in groups.items()
        if group
    }


def _by_rank(outcomes: Iterable[Outcome], rank: Callable[[str], int | None]) -> dict[str, Any]:
    """Scores of groups of tokens, ends of texts left out."""
    groups: dict[str, list[tuple[float, int]]] = {name: [] for name in (*_names(RANKS), "unknown")}
    for outcome in outcomes:
        for token, log in zip(outcome.tokens, outcome.probabilities, strict=False):
            place = rank(token)
            groups["unknown" if place is None else _group(RANKS, place)].append((log, len(token)))
    return {
        name: over([log for log, _ in group], sum(length for _, length in group))
        for name, group in groups.items()
        if group
    }


def _names(starts: Sequence[int]) -> list[str]:
    return [*(f"{start}-{following - 1}" for start, following in pairwise(starts)), f"{starts[-1]}-"]


def _group(starts: Sequence[int], value: int) -> str:
    return _names(starts)[sum(value >= start for start in starts) - 1]


def relative(scores: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """How far the perplexity of `scores` is below that of `other`: 0.15 is 15 % below it. None if either is missing."""
    if not scores.get("perplexity") or not other.get("perplexity"):
        return None
    return 1 - float(scores["perplexity"]) / float(other["perplexity"])
