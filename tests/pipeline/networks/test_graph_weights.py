"""Weights read back from a graph are those that it was written from."""

from itertools import product

import numpy as np
import pytest

from pipeline.config.network import NetworkSettings, WideSettings
from pipeline.networks import graph, graph_weights, network
from pipeline.networks.network import Tables

SHAPES = list(product(("rnn", "lstm", "gru"), (False, True), ("max", "attention")))


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), SHAPES)
def test_every_weight_is_read_back(tmp_path, cell, bidirectional, pooling):
    settings = NetworkSettings(
        cell=cell,
        bidirectional=bidirectional,
        pooling=pooling,
        units=(3, 2),
        layers=2,
        inputs="both",
        wide=WideSettings(words=1, characters=1),
    )
    drawn = np.random.default_rng(1)
    tables = {unit: drawn.normal(size=(5, 4)).astype(np.float32) for unit in settings.units_read}
    idf = {unit: np.r_[0, drawn.uniform(1, 2, 6)].astype(np.float32) for unit in ("word", "char")}
    built = network.build(settings, Tables(tables, idf, 3), 1)
    random = {name: drawn.normal(size=array.shape).astype(np.float32) for name, array in network.weights(built).items()}
    network.assign(built, random)

    def draft(weights):
        return graph.draft(settings, weights, settings.units_read, ("word", "char"))

    graph.save(graph.model_of(draft(random)), tmp_path / "network.onnx")
    shapes = {name: array.shape for name, array in random.items()}
    found = graph_weights.read(tmp_path / "network.onnx", shapes, draft)
    assert set(found) == set(random)
    assert all(np.array_equal(found[name], array) for name, array in random.items())


def test_other_sizes_are_refused(tmp_path):
    settings = NetworkSettings(units=3)

    def built(width):
        table = np.zeros((5, width), np.float32)
        return network.weights(network.build(settings, Tables({"word": table}, {}, 3), 1))

    def draft(weights):
        return graph.draft(settings, weights, ("word",), ())

    graph.save(graph.model_of(draft(built(4))), tmp_path / "network.onnx")
    shapes = {name: array.shape for name, array in built(6).items()}
    with pytest.raises(ValueError, match=r"has \(5, 4\) where \(5, 6\) was expected"):
        graph_weights.read(tmp_path / "network.onnx", shapes, draft)
