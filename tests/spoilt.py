"""Models whose scores are not finite, or are too large, by their weights alone."""

import numpy as np
import onnx
from onnx import numpy_helper
from seals import seal


def spoil_scores(folder, number):
    """Adds a number to the scores of all texts."""
    for path in folder.glob("network*.onnx"):
        graph = onnx.load_model(path)
        last = next(node for node in graph.graph.node if node.op_type == "Add")
        _change(graph, last.input[1], lambda values: np.full_like(values, number))
        path.write_bytes(graph.SerializeToString())
    seal(folder)


def spoil_unknown(folder):
    """Gives huge scores to texts with an unknown token, and even ones to all others."""
    path = folder / "network.onnx"
    graph = onnx.load_model(path)
    nodes = {node.op_type: node for node in graph.graph.node}
    table = next(node for node in graph.graph.node if node.op_type == "Gather").input[0]
    _change(graph, table, lambda values: np.eye(len(values))[1][:, None] + np.zeros_like(values))
    for node in graph.graph.node:
        if node.op_type in ("RNN", "LSTM", "GRU"):
            _change(graph, node.input[3], np.zeros_like)
    _change(graph, nodes["MatMul"].input[1], lambda values: np.full_like(values, 1e38))
    path.write_bytes(graph.SerializeToString())
    seal(folder)


def _change(graph, name, change):
    tensor = next(tensor for tensor in graph.graph.initializer if tensor.name == name)
    values = change(numpy_helper.to_array(tensor)).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(values, name))
