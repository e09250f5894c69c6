"""Combine: a trained classifier's network takes in a linear model of its n-grams, as far as dev wants it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.likeness import likeness
from pipeline.config.settings import Settings
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.stages import freeze
from pipeline.stages.prepare import Prepared


def combine(settings: Settings, prepared: Prepared, network: Any, graph: Path) -> dict[str, Any]:
    """Changes the network's weights to those of the weighed sum; returns what each part is worth.

    The parts: `ngrams`, `network` and `both`, each with its accuracy on the fair rows of dev whose label train has;
    `weights` of the n-grams and of the network in the sum of their scores, each scaled to fit; `rows` judged; `models`,
    the linear models whose mean the n-grams are; `tried`, the accuracy of each in cross-validation on train; `seconds`.
    Returns nothing and changes nothing if the settings ask for no linear model, or if there is no such row or no
    n-gram. `graph` is a file to write the network to.
    """
    from pipeline.networks import network as networks
    from pipeline.training import linear_ngrams, weighing

    rows = [row for place in prepared.fair if (row := prepared.dev[place]).target is not None]
    idf, wide, start = prepared.tables.idf, settings.network.wide, time.perf_counter()
    if (
        prepared.earlier
        or not settings.linear_ngrams
        or not rows
        or not sum(len(values) - 1 for values in idf.values())
    ):
        return {}
    chosen = linear_ngrams.choose(
        prepared.train,
        idf,
        [likeness(text.text) for text in prepared.train_texts],
        class_weights=settings.train.class_weights,
    )
    freeze.save_graph(settings, prepared, network, graph)
    targets = np.array([row.target for row in rows])
    of_network = _scores(OnnxNetwork(graph), rows, prepared)
    of_ngrams = chosen.model.scores(linear_ngrams.features(rows, idf))
    weighed = weighing.weigh(of_ngrams, of_network, targets)
    weights = networks.weights(network)
    folded = linear_ngrams.fold_in(weights, chosen.model, weighed, parts=list(idf), scale=wide.scale)
    networks.assign(network, folded)
    return {
        "ngrams": weighing.accuracy(of_ngrams, targets),
        "network": weighing.accuracy(of_network, targets),
        "both": weighing.accuracy(weighed.sum(of_ngrams, of_network), targets),
        "weights": {"ngrams": 1 - weighed.share, "network": weighed.share},
        "rows": len(rows),
        "models": list(chosen.names),
        "tried": dict(chosen.accuracies),
        "seconds": round(time.perf_counter() - start, 3),
    }


def summary(parts: dict[str, Any]) -> str:
    """What each part is worth, in a line.

    >>> weights = {"ngrams": 0.75, "network": 0.25}
    >>> summary({"ngrams": 0.851, "network": 0.843, "both": 0.866, "weights": weights, "models": ["linear SVM"]})
    'n-grams alone (linear SVM) 0.8510, network alone 0.8430, both 0.8660 (weights 0.75 and 0.25)'
    """
    if not parts:
        return ""
    weights = parts["weights"]
    alone = f"n-grams alone ({' + '.join(parts['models'])}) {parts['ngrams']:.4f}, network alone {parts['network']:.4f}"
    if not weights["network"]:
        return f"{alone}: by their losses on dev, the n-grams answer alone"
    if not weights["ngrams"]:
        return f"{alone}: by their losses on dev, the network answers alone"
    return f"{alone}, both {parts['both']:.4f} (weights {weights['ngrams']:g} and {weights['network']:g})"


def _scores(frozen: OnnxNetwork, rows: Any, prepared: Prepared) -> NDArray[np.float32]:
    """Logits (rows, labels)."""
    outputs = prepared.task.head.outputs
    scores = np.zeros((len(rows), outputs), np.float32)
    for batch, found in frozen.answers(rows, outputs):
        scores[batch.positions] = found
    return scores
