"""The int8 network: tables round to their rows' scales, and everything but LSTMs calculates as before with them."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from onnx import TensorProto, numpy_helper

from pipeline.config.network import NetworkSettings
from pipeline.networks import graph, graph_check, quantise
from pipeline.networks.onnx_network import OnnxNetwork
from tests.pipeline.networks.test_onnx_network import network, random_batch, random_tables

FLOATS = st.floats(-1e6, 1e6, width=32)
TABLES = numpy_strategies.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(0, 8)), elements=FLOATS)


@given(TABLES)
def test_a_value_is_off_by_half_a_scale_at_most(table):
    values, scales = quantise.rounded(table)
    assert values.dtype == np.int8
    assert scales.shape == (len(table), 1)
    assert (np.abs(values * scales - table) <= scales * 0.5001 + 1e-30).all()
    assert np.abs(values.astype(int)).max(initial=0) <= quantise.GREATEST


def frozen(tmp_path, cell, wide):
    settings = NetworkSettings(cell=cell, units=8, inputs="words")
    keras_network = network.build(settings, random_tables(("word",), wide), seed=1)
    generator = np.random.default_rng(2)
    for variable in keras_network.trainable_variables:
        variable.assign(generator.normal(0, 0.5, variable.shape))
    weights = network.weights(keras_network)
    graph.save(graph.build(settings, weights, ("word",), wide), tmp_path / "network.onnx")
    quantise.save_int8(tmp_path / "network.onnx", tmp_path / "network.int8.onnx")
    return settings, weights


def scores(path, wide):
    return OnnxNetwork(path, threads=1).scores(random_batch(("word",), wide))


def test_without_lstms_it_is_the_network_with_rounded_tables(tmp_path):
    settings, weights = frozen(tmp_path, "gru", ("word",))
    for name in ("word_embedding/embeddings", "word_wide/table"):
        weights[name] = np.multiply(*quantise.rounded(weights[name]))
    graph.save(graph.build(settings, weights, ("word",), ("word",)), tmp_path / "rounded.onnx")
    found = scores(tmp_path / "network.int8.onnx", ("word",))
    assert np.allclose(found, scores(tmp_path / "rounded.onnx", ("word",)), atol=1e-5)
    assert not np.allclose(found, scores(tmp_path / "network.onnx", ("word",)), atol=1e-5)


@pytest.mark.parametrize("wide", [(), ("word",)])
def test_no_table_is_left_in_float32(tmp_path, wide):
    settings, weights = frozen(tmp_path, "lstm", wide)
    tables = [name for name in weights if name.endswith(("/embeddings", "/table"))]
    found = {tensor.name: tensor for tensor in onnx.load_model(tmp_path / "network.int8.onnx").graph.initializer}
    shapes = [numpy_helper.to_array(tensor).shape for tensor in found.values() if tensor.data_type == TensorProto.INT8]
    assert len(tables) == 1 + len(wide)
    for name in tables:
        assert weights[name].shape in shapes
        assert not any(
            tensor.data_type == TensorProto.FLOAT and tuple(tensor.dims) == weights[name].shape
            for tensor in found.values()
        )
    drafted = graph.draft(settings, graph_check.UnknownWeights(len(weights["scores/bias"])), ("word",), wide)
    assert graph_check.fault(tmp_path / "network.int8.onnx", [drafted]) is None


def test_a_table_that_is_multiplied_too_stays(tmp_path):
    drafted = graph.Graph()
    table = drafted.constant(np.arange(6, dtype=np.float32).reshape(3, 2))
    ids = drafted.input("ids", ["batch"])
    vectors = drafted.add("Gather", [table, ids])
    drafted.add("MatMul", [vectors, drafted.add("Transpose", [table], perm=[1, 0])], name="scores")
    drafted.output("scores", ["batch", 3])
    graph.save(graph.model_of(drafted), tmp_path / "network.onnx")
    quantise.save_int8(tmp_path / "network.onnx", tmp_path / "network.int8.onnx")
    ids, names = {"ids": np.array([2, 0], np.int32)}, ("network.onnx", "network.int8.onnx")
    exact, found = (OnnxNetwork(tmp_path / name, threads=1).run(["scores"], ids)[0] for name in names)
    assert (exact == found).all()
