"""The frozen graph gives what Keras gives: every cell, direction, depth, pooling and input."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.network import NetworkSettings
from pipeline.encoding.batch import Batch, Example, pad
from pipeline.errors import ModelError
from pipeline.networks import graph, network, quantise
from pipeline.networks.onnx_network import OnnxNetwork
from pipeline.tasks.head import ScoredTwice

WORDS, CHARACTERS, GRAMS, LABELS = 30, 12, 25, 3


def random_tables(units: tuple[str, ...], wide: tuple[str, ...]) -> network.Tables:
    generator = np.random.default_rng(0)
    sizes = {"word": (WORDS, 5), "char": (CHARACTERS, 4)}
    embeddings = {unit: generator.normal(size=sizes[unit]).astype(np.float32) for unit in units}
    idf = {unit: np.r_[0, generator.uniform(1, 5, GRAMS)].astype(np.float32) for unit in wide}
    return network.Tables(embeddings, idf, LABELS)


def random_batch(units: tuple[str, ...], wide: tuple[str, ...]) -> Batch:
    """Rows of 1 to 19 tokens, one of them with no n-gram at all."""
    generator = np.random.default_rng(1)

    def row(length: int) -> Example:
        streams = {
            unit: generator.integers(1, {"word": WORDS, "char": CHARACTERS}[unit], length).astype(np.int32)
            for unit in units
        }
        grams = {
            f"gram_{unit}": np.unique(generator.integers(1, GRAMS + 1, length - 1)).astype(np.int32) for unit in wide
        }
        return Example(streams, grams)

    return pad([row(length) for length in (1, 2, 7, 19, 3)], np.arange(5))


def difference(settings: NetworkSettings, wide: tuple[str, ...], folder: Path) -> float:
    """Greatest difference in logits between Keras and ONNX Runtime, with random weights everywhere."""
    units = settings.units_read
    keras_network = network.build(settings, random_tables(units, wide), seed=1)
    generator = np.random.default_rng(2)
    for variable in keras_network.trainable_variables:
        variable.assign(generator.normal(0, 0.8, variable.shape))
    graph.save(graph.build(settings, network.weights(keras_network), units, wide), folder / "network.onnx")
    batch = random_batch(units, wide)
    ours = OnnxNetwork(folder / "network.onnx", threads=1).scores(batch)
    theirs = np.asarray(keras_network(batch.inputs, training=False))
    assert ours.shape == theirs.shape == (5, LABELS)
    assert np.ptp(theirs, axis=0).max() > 0.1, "the rows must differ, or the comparison shows nothing"
    return float(np.abs(ours - theirs).max())


GRID = [
    *product(("rnn", "lstm", "gru"), (False, True), (1, 2), ("last", "mean", "max", "attention"), ("words",), ((),)),
    *product(
        ("rnn", "lstm", "gru"),
        (True,),
        (1,),
        (("max", "mean", "last"),),
        ("characters", "both"),
        ((), ("char",), ("word", "char")),
    ),
]


@pytest.mark.parametrize(("cell", "bidirectional", "layers", "pooling", "inputs", "wide"), GRID)
def test_graph_agrees_with_keras(cell, bidirectional, layers, pooling, inputs, wide, tmp_path):
    settings = NetworkSettings(
        cell=cell,
        bidirectional=bidirectional,
        layers=layers,
        units=6 if layers == 1 else (6, 4),
        pooling=pooling,
        inputs=inputs,
    )
    assert difference(settings, wide, tmp_path) < 1e-4


def test_int8_graph_is_near_the_float_one(tmp_path):
    settings = NetworkSettings(cell="lstm", units=16, inputs="words")
    keras_network = network.build(settings, random_tables(("word",), ()), seed=1)
    graph.save(graph.build(settings, network.weights(keras_network), ("word",), ()), tmp_path / "network.onnx")
    quantise.save_int8(tmp_path / "network.onnx", tmp_path / "network.int8.onnx")
    batch = random_batch(("word",), ())
    exact, rounded = (
        OnnxNetwork(tmp_path / name, threads=1).scores(batch) for name in ("network.onnx", "network.int8.onnx")
    )
    assert 0 < np.abs(exact - rounded).max() < 0.1


def test_a_file_that_is_no_graph_is_one_sentence(tmp_path):
    (tmp_path / "network.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"network\.onnx: not a network"):
        OnnxNetwork(tmp_path / "network.onnx").scores(random_batch(("word",), ()))


@pytest.mark.parametrize(("cell", "bidirectional"), list(product(("rnn", "lstm", "gru"), (False, True))))
def test_scores_of_tokens_are_those_of_keras(tmp_path, cell, bidirectional):
    settings = NetworkSettings(cell=cell, units=(4, 3), layers=2, bidirectional=bidirectional, inputs="words")
    tables = replace(random_tables(("word",), ("word",)), per_token=True, chained=True)
    keras_network = network.build(settings, tables, seed=1)
    generator = np.random.default_rng(2)
    for variable in keras_network.trainable_variables:
        variable.assign(generator.normal(0, 0.8, variable.shape))
    built = graph.build(settings, network.weights(keras_network), ("word",), ("word",), per_token=True)
    graph.save(built, tmp_path / "network.onnx")
    rows = [
        Example(
            {"word": generator.integers(1, WORDS, length).astype(np.int32)},
            {"gram_word": generator.integers(0, GRAMS + 1, (length, 5)).astype(np.int32)},
        )
        for length in (1, 2, 7, 19, 3)
    ]
    batch = pad(rows, np.arange(5))
    ours = OnnxNetwork(tmp_path / "network.onnx", threads=1).scores(batch)
    theirs = np.asarray(keras_network(batch.inputs, training=False))
    assert ours.shape == theirs.shape == (*batch.ids["word"].shape, LABELS)
    np.testing.assert_allclose(ours[batch.inside], theirs[batch.inside], atol=1e-5)
    assert np.ptp(theirs[batch.inside], axis=0).max() > 0.05, "tokens must differ, or this shows nothing"


def test_two_networks_are_compared_within_the_lengths_of_the_texts():
    trained = np.zeros((2, 3, 2), np.float32)
    frozen = trained.copy()
    frozen[0, 1, 0], frozen[1, 2, 1], trained[0, 0, 1], trained[1, 1:] = -0.5, 7, -3, np.inf
    scored = ScoredTwice(trained, frozen, np.array([3, 1]))
    assert scored.difference == 3 and scored.greatest == 3
    assert ScoredTwice(trained[:, 0], frozen[:, 0], None).difference == 3
    assert not np.isfinite(ScoredTwice(trained, frozen, np.array([3, 2])).greatest)
