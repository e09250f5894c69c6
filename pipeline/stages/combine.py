"""Combine: a trained classifier's network takes in a logistic regression on its n-grams, as far as dev wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import Settings
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.stages import freeze
from pipeline.stages.prepare import Prepared


def combine(settings: Settings, prepared: Prepared, network: Any, graph: Path) -> dict[str, Any]:
    """Changes the network's weights to those of the weighed sum; returns what each part is worth.

    The parts: `ngrams`, `network` and `both`, each with its accuracy on the fair rows of dev whose label train has;
    `weights` of the n-grams and of the network in the sum; `rows` judged; `c`, the inverse of the regression's penalty.
    Returns nothing and changes nothing if the settings ask for no regression, or there is no such row. `graph` is a
    file to write the network to.
    """
    from pipeline.networks import network as networks
    from pipeline.training import ngram_regression as ngrams

    rows = [row for place in prepared.fair if (row := prepared.dev[place]).target is not None]
    if not settings.regression or not rows:
        return {}
    idf, wide = prepared.tables.idf, settings.network.wide
    train, dev = ngrams.features(prepared.train, idf), ngrams.features(rows, idf)
    targets = np.array([row.target for row in rows])
    regression = ngrams.fit(
        train,
        np.array([example.target for example in prepared.train]),
        dev,
        targets,
        class_weights=settings.train.class_weights,
    )
    freeze.save_graph(settings, prepared, network, graph)
    of_network, of_regression = _scores(OnnxNetwork(graph), rows, prepared), regression.scores(dev)
    weighing = ngrams.weigh(of_regression, of_network, targets)
    weights = networks.weights(network)
    networks.assign(network, ngrams.fold(weights, regression, weighing, parts=list(idf), scale=wide.scale))
    return {
        "ngrams": ngrams.accuracy(of_regression, targets),
        "network": ngrams.accuracy(of_network, targets),
        "both": ngrams.accuracy(weighing.sum(of_regression, of_network), targets),
        "weights": {"ngrams": weighing.regression, "network": weighing.network},
        "rows": len(rows),
        "c": regression.strength,
    }


def summary(parts: dict[str, Any]) -> str:
    """What each part is worth, in a line.

    >>> summary({"ngrams": 0.851, "network": 0.843, "both": 0.866, "weights": {"ngrams": 1.5, "network": 0.5}})
    'n-grams alone 0.8510, network alone 0.8430, both 0.8660 (weights 1.5 and 0.5)'
    """
    if not parts:
        return ""
    weights = parts["weights"]
    alone = f"n-grams alone {parts['ngrams']:.4f}, network alone {parts['network']:.4f}"
    if not weights["network"]:
        return f"{alone}: the recurrent part earns nothing, the n-grams answer"
    if not weights["ngrams"]:
        return f"{alone}: the n-gram regression adds nothing, the network answers"
    return f"{alone}, both {parts['both']:.4f} (weights {weights['ngrams']:g} and {weights['network']:g})"


def _scores(frozen: OnnxNetwork, rows: Any, prepared: Prepared) -> NDArray[np.float32]:
    """Logits (rows, labels)."""
    outputs = prepared.task.head.outputs
    scores = np.zeros((len(rows), outputs), np.float32)
    for batch, found in frozen.answers(rows, outputs):
        scores[batch.positions] = found
    return scores
