"""Drift: whether the texts that a model labels still look like those of its training, by counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.tasks import Claim

LOOKED_AT = 64  # texts of a chunk whose tokens are counted: enough for a share, few enough to take no time
FEWEST = 100  # claims that a warning about the shares of labels needs
MORE_UNKNOWN = 0.1  # a warning from this share of unknown tokens above that of dev
OTHER_LABELS = 0.25  # a warning from this total variation distance between the labels' shares and those of dev

Tally = dict[str, float]


def profile(encoder: Encoder, train: Sequence[Tokenised], dev: Sequence[Tokenised], answers: Sequence[str]) -> Any:
    """What model.toml says about the texts of training.

    `length`: the 5th, 50th and 95th percentile of the tokens of a train text; `unknown`: the share of dev's tokens
    that train's vocabulary lacks; `labels`: the share of each label among `answers`, all labels given on dev.
    """
    counted = count(encoder, dev)
    low, middle, high = np.percentile([len(_ids(encoder, text)) for text in train], (5, 50, 95)).tolist()
    shares = {label: rows / len(answers) for label, rows in sorted(Counter(answers).items())}
    return {
        "length": {"low": low, "middle": middle, "high": high},
        "unknown": counted["unknown"] / max(counted["tokens"], 1),
        "labels": shares,
    }


def count(encoder: Encoder, texts: Sequence[Tokenised]) -> Tally:
    """The numbers of `texts`, of their `tokens`, and of the `unknown` ones among these."""
    ids = [_ids(encoder, text) for text in texts]
    return {
        "texts": len(texts),
        "tokens": sum(map(len, ids)),
        "unknown": sum(int((row == 1).sum()) for row in ids),
    }


def _ids(encoder: Encoder, text: Tokenised) -> Any:
    return encoder.token_ids(encoder.reads[0], [text])[0]


def tally(encoder: Encoder, texts: Sequence[Tokenised], claims: Sequence[Claim], answers: Sequence[str]) -> Tally:
    """The counts of a chunk: tokens of some of its texts, evenly spread; claims and their confidence; labels.

    `answers`: the labels given, as in `profile`.
    """
    filled = [text for text in texts if text.text.strip()]
    looked = filled[:: max(len(filled) // LOOKED_AT, 1)]
    labels = Counter(f"label:{label}" for label in answers)
    return {
        **count(encoder, looked),
        "claims": len(claims),
        "confidence": sum(claim.confidence for claim in claims),
        **labels,
    }


def added(first: Mapping[str, float], second: Mapping[str, float]) -> Tally:
    """The sum of two tallies."""
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}


def warnings(counts: Mapping[str, float], known: Mapping[str, Any]) -> list[str]:
    """How labelled texts differ from those of training, with both figures; `known` is what `profile` gives."""
    if not known or not counts.get("texts"):
        return []
    return [*_odd_tokens(counts, known), *_odd_lengths(counts, known), *_odd_labels(counts, known)]


def _odd_tokens(counts: Mapping[str, float], known: Mapping[str, Any]) -> list[str]:
    share = counts["unknown"] / max(counts["tokens"], 1)
    if share <= known["unknown"] + MORE_UNKNOWN:
        return []
    return [f"{share:.1%} of the tokens are unknown ({known['unknown']:.1%} on dev)"]


def _odd_lengths(counts: Mapping[str, float], known: Mapping[str, Any]) -> list[str]:
    mean, length = counts["tokens"] / counts["texts"], known["length"]
    if length["low"] <= mean <= length["high"]:
        return []
    return [
        f"texts have {mean:.1f} tokens on average (nine in ten training texts have {length['low']:.0f} to "
        f"{length['high']:.0f})"
    ]


def _odd_labels(counts: Mapping[str, float], known: Mapping[str, Any]) -> list[str]:
    if counts["claims"] < FEWEST:
        return []
    given = {key.removeprefix("label:"): count for key, count in counts.items() if key.startswith("label:")}
    found = {label: count / sum(given.values()) for label, count in given.items()}
    differences = {
        label: found.get(label, 0.0) - known["labels"].get(label, 0.0) for label in {**found, **known["labels"]}
    }
    if sum(map(abs, differences.values())) / 2 <= OTHER_LABELS:
        return []
    most = max(sorted(differences), key=differences.__getitem__)
    return [f"{found.get(most, 0.0):.1%} get the label {most} ({known['labels'].get(most, 0.0):.1%} on dev)"]
