"""Combine labels: a multi-label classifier's network takes in logistic regressions on its n-grams, as dev wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import Settings
from pipeline.encoding.batch import Example
from pipeline.evaluation.metrics import label_thresholds
from pipeline.evaluation.metrics.multilabel import micro_f1
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.stages import freeze
from pipeline.stages.prepare import Prepared
from pipeline.tasks.classify import text_scores


def combine(settings: Settings, prepared: Prepared, network: Any, graph: Path) -> dict[str, Any]:
    """Changes the network's weights to those of the weighed sum; returns what each part is worth.

    The parts: `ngrams`, `network` and `both`, each with its micro F1 on the fair rows of dev at the thresholds that
    suit them best; `weights` of the n-grams and of the network in the sum; `rows` judged; `c`, the inverse of the
    penalty; `models`, what the n-grams' part is. Returns nothing and changes nothing if the settings ask for no
    regressions. `graph` is a file to write the network to.
    """
    from pipeline.networks import network as networks
    from pipeline.training import label_regressions as regressions
    from pipeline.training.linear_ngrams import features, fold_in

    if not settings.label_regressions:
        return {}
    rows, idf = [prepared.dev[place] for place in prepared.fair], prepared.tables.idf
    gold, dev = _gold(rows), features(rows, idf)
    freeze.save_graph(settings, prepared, network, graph)
    texts = [row.tokenised for row in prepared.fair_rows]
    of_network = text_scores(OnnxNetwork(graph), prepared.encoder, texts, len(prepared.task.labels))
    chosen, weighing = regressions.choose(features(prepared.train, idf), _gold(prepared.train), dev, of_network, gold)
    of_ngrams, scale = chosen.scores(dev), settings.network.wide.scale
    folded = fold_in(networks.weights(network), chosen, weighing, parts=list(idf), scale=scale)
    networks.assign(network, folded)
    return {
        "ngrams": _f1(of_ngrams, gold),
        "network": _f1(of_network, gold),
        "both": _f1(weighing.sum(of_ngrams, of_network), gold),
        "weights": {"ngrams": weighing.linear, "network": weighing.network},
        "rows": len(rows),
        "c": chosen.strength,
        "models": ["logistic regression"],
    }


def _gold(rows: list[Example]) -> NDArray[np.bool_]:
    return np.array([row.target for row in rows], bool)


def _f1(scores: NDArray[Any], gold: NDArray[np.bool_]) -> float:
    probabilities = label_thresholds.Scaling.none(gold.shape[1]).probabilities(scores)
    thresholds = label_thresholds.choose(gold, probabilities)
    return micro_f1(gold, label_thresholds.decide(probabilities, thresholds))
