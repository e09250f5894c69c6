"""Familiarity: whether the texts that a model labels look like those that it was trained on, told from counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.encoding.encoder import Encoder, Tokenised

if TYPE_CHECKING:
    from pipeline.tasks import Claim

LOOKED_AT = 64  # texts of a chunk whose tokens are counted: enough to tell, and too few to take time
FEWEST = 100  # claims below which nothing is said of the shares of labels
MORE_UNKNOWN = 0.1  # of the tokens, above the share on dev
OTHER_LABELS = 0.25  # total variation distance of the labels' shares to those on dev

Tally = dict[str, float]


def profile(encoder: Encoder, train: Sequence[Tokenised], dev: Sequence[Tokenised], answers: Sequence[str]) -> Any:
    """What model.toml says of the texts that a model knows.

    `length`: tokens of 5, 50 and 95 % of the train texts at most; `unknown`: share of dev's tokens that train's
    vocabulary lacks; `labels`: share of each label among the `answers` to dev, those of all claims.
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
    """How many texts, how many tokens, and how many unknown ones."""
    ids = [_ids(encoder, text) for text in texts]
    return {
        "texts": len(texts),
        "tokens": sum(map(len, ids)),
        "unknown": sum(int((row == 1).sum()) for row in ids),
    }


def _ids(encoder: Encoder, text: Tokenised) -> Any:
    return encoder.token_ids(encoder.reads[0], [text])[0]


def tally(encoder: Encoder, texts: Sequence[Tokenised], claims: Sequence[Claim]) -> Tally:
    """What is counted of a chunk: tokens of some of its texts, spread evenly; claims, their confidence and labels."""
    filled = [text for text in texts if text.text.strip()]
    looked = filled[:: max(len(filled) // LOOKED_AT, 1)]
    labels = Counter(f"label:{claim.label}" for claim in claims)
    return {
        **count(encoder, looked),
        "claims": len(claims),
        "confidence": sum(claim.confidence for claim in claims),
        **labels,
    }


def added(first: Mapping[str, float], second: Mapping[str, float]) -> Tally:
    """Two tallies as one."""
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}


def warnings(counts: Mapping[str, float], known: Mapping[str, Any]) -> list[str]:
    """In what labelled texts differ from those of training, each with both figures; `known` as `profile` gives it."""
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
    found = {
        key.removeprefix("label:"): rows / counts["claims"] for key, rows in counts.items() if key.startswith("label:")
    }
    differences = {
        label: found.get(label, 0.0) - known["labels"].get(label, 0.0) for label in {**found, **known["labels"]}
    }
    if sum(map(abs, differences.values())) / 2 <= OTHER_LABELS:
        return []
    most = max(sorted(differences), key=differences.__getitem__)
    return [f"{found.get(most, 0.0):.1%} get the label {most} ({known['labels'].get(most, 0.0):.1%} on dev)"]
