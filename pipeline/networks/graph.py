"""Graphs: the weights of a trained network written as an ONNX graph of standard operators, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipeline.config.network import NetworkSettings
from pipeline.encoding.features import membership

OPSET = 17
IR_VERSION = 9
INT8_CELLS = ("lstm",)  # ONNX Runtime has an int8 kernel for LSTM alone (DynamicQuantizeLSTM)
OPERATORS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
# Keras keeps an LSTM's gates as i f c o, ONNX as i o f c; both keep a GRU's as z r h.
RUNTIME_OPERATORS = {("com.microsoft", "DynamicQuantizeLSTM")}  # beside the standard's own
GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (0, 1, 2)}
Array = NDArray[np.float32]


def build(
    settings: NetworkSettings,
    weights: Mapping[str, Array],
    units: tuple[str, ...],
    wide_units: tuple[str, ...],
    *,
    per_token: bool = False,
    features: Mapping[str, Sequence[int]] | None = None,
) -> onnx.ModelProto:
    """The graph of `network.build` for prediction: the same inputs, scores float32 (batch, outputs), no dropout.

    With `per_token` scores (batch, steps, outputs); what they are behind a text's length means nothing.

    `weights` as `network.weights` gives them; `features`: of each by name how many ids its groups have. Rows beyond a
    text's length are never read: `sequence_lens` of the operators RNN, LSTM and GRU (ONNX operator specification) and
    the pooling's mask both come from the lengths.
    """
    graph = Graph()
    parts = [_recurrent(graph, unit, settings, weights, per_token, features or {}) for unit in units]
    scores = graph.add("MatMul", [graph.add("Concat", parts, axis=-1), graph.constant(weights["scores/kernel"])])
    scores = graph.add("Add", [scores, graph.constant(weights["scores/bias"])])
    for unit in wide_units:
        scores = graph.add("Add", [scores, _wide(graph, unit, settings.wide.scale, weights, per_token)])
    graph.add("Identity", [scores], name="scores")
    shape: list[str | int | None] = ["batch", *(["steps"] if per_token else []), len(weights["scores/bias"])]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, shape)]
    return model_of(graph, outputs)


def model_of(graph: Graph, outputs: list[Any]) -> onnx.ModelProto:
    """The graph as a model, checked."""
    proto = helper.make_graph(graph.nodes, "zhpipe", graph.inputs, outputs, graph.constants)
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="zhpipe"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write the graph, weights inside."""
    path.write_bytes(model.SerializeToString(deterministic=True))


def save_int8(path: Path, target: Path) -> None:
    """Write the graph at `path` anew with LSTM weights as int8, per channel; activations are quantised as they come."""
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises pre-processing that a graph without convolutions doesn't need
    try:
        quantize_dynamic(path, target, op_types_to_quantize=["LSTM"], per_channel=True, weight_type=QuantType.QInt8)
    finally:
        root.setLevel(level)


def fault(path: Path) -> str | None:
    """Why a graph from a stranger is not to be run, or None: it reads other files, or has operators that aren't known.

    Nothing that the graph names is opened. Subgraphs and functions, in which more might hide, are not let through.
    """
    try:
        model = onnx.load_model(path, load_external_data=False)
    except Exception as error:  # protobuf's own exceptions share no base class with others
        return f"is no ONNX graph ({str(error).splitlines()[0] or type(error).__name__})"
    tensors = [*model.graph.initializer]
    for node in model.graph.node:
        standard = node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type)
        if not standard and (node.domain, node.op_type) not in RUNTIME_OPERATORS:
            return f"has the operator {node.op_type!r}, which zhpipe does not write"
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            return f"has a graph inside the operator {node.op_type!r}, which zhpipe does not write"
        tensors += [tensor for attribute in node.attribute for tensor in (attribute.t, *attribute.tensors)]
    if model.functions or model.graph.sparse_initializer:
        return "has functions or sparse tensors, which zhpipe does not write"
    if outside := [tensor.name for tensor in tensors if tensor.external_data or tensor.data_location]:
        return f"keeps {outside[0]!r} in another file, which zhpipe does not write"
    return None


@dataclass
class Graph:
    """Nodes, inputs and constants as they are added; every value gets a name of its own."""

    nodes: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def input(self, name: str, shape: Sequence[str | int], kind: int = TensorProto.INT32) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, value: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: list[str], *, name: str = "", outputs: int = 1, **attributes: Any) -> Any:
        names = [name] if name else [f"{operator}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if len(names) == 1 else names


def _recurrent(
    graph: Graph,
    unit: str,
    settings: NetworkSettings,
    weights: Mapping[str, Array],
    per_token: bool,
    features: Mapping[str, Sequence[int]],
) -> str:
    """Ids (batch, steps) -> pooled states (batch, width), or all of them (batch, steps, width).

    In between time comes first: (steps, batch, width).
    """
    ids = graph.input(unit, ["batch", f"{unit}_steps"])
    lengths = graph.input(f"{unit}_lengths", ["batch"])
    states = graph.add(
        "Gather",
        [graph.constant(weights[f"{unit}_embedding/embeddings"]), graph.add("Transpose", [ids], perm=[1, 0])],
    )
    if features:
        beside = [_summary(graph, name, groups, weights) for name, groups in features.items()]
        states = graph.add("Concat", [states, *beside], axis=2)
    last = ""
    for index, width in enumerate(settings.widths):
        states, last = _layer(graph, f"{unit}_{index}", settings, width, states, lengths, weights)
    if per_token:
        return str(graph.add("Transpose", [states], perm=[1, 0, 2]))
    inside = _inside(graph, ids, lengths)
    pooled = [_pool(graph, kind, unit, states, last, inside, lengths, weights) for kind in settings.poolings]
    return str(graph.add("Concat", pooled, axis=1))


def _summary(graph: Graph, name: str, groups: Sequence[int], weights: Mapping[str, Array]) -> str:
    """A feature's ids (batch, steps, ids of all groups) -> (steps, batch, groups * width), as `network.Summary`."""
    ids = graph.input(f"feature_{name}", ["batch", f"feature_{name}_steps", sum(groups)])
    ids = graph.add("Transpose", [ids], perm=[1, 0, 2])
    shares = graph.add("Gather", [graph.constant(weights[f"{name}_feature/shares"]), ids])
    total = graph.add("ReduceSum", [shares, graph.constant(np.array([-1], np.int64))], keepdims=1)
    total = graph.add("Max", [total, graph.constant(np.float32(1e-12))])
    factor = graph.add("Div", [graph.constant(np.float32(len(groups))), total])
    spread = graph.add("Unsqueeze", [graph.add("Mul", [shares, factor]), graph.constant(np.array([2], np.int64))])
    spread = graph.add("Mul", [spread, graph.constant(membership(groups))])
    vectors = graph.add("Gather", [graph.constant(weights[f"{name}_feature/table"]), ids])
    summed = graph.add("MatMul", [spread, vectors])
    return str(graph.add("Reshape", [summed, graph.constant(np.array([0, 0, -1], np.int64))]))


def _layer(
    graph: Graph,
    name: str,
    settings: NetworkSettings,
    units: int,
    states: str,
    lengths: str,
    weights: Mapping[str, Array],
) -> tuple[str, str]:
    """States (steps, batch, directions * units) and the last states (batch, directions * units)."""
    directions = ("forward", "backward") if settings.bidirectional else ("forward",)
    arrays = [operator_weights(settings.cell, f"{name}_{direction}", weights) for direction in directions]
    kernel, recurrent, bias = (graph.constant(np.stack(parts)) for parts in zip(*arrays, strict=True))
    attributes: dict[str, Any] = {"linear_before_reset": 1} if settings.cell == "gru" else {}
    output, last = graph.add(
        OPERATORS[settings.cell],
        [states, kernel, recurrent, bias, lengths],
        outputs=2,
        hidden_size=units,
        direction="bidirectional" if settings.bidirectional else "forward",
        **attributes,
    )
    flat = graph.constant(np.array([0, 0, -1], np.int64))
    states = graph.add("Reshape", [graph.add("Transpose", [output], perm=[0, 2, 1, 3]), flat])
    last = graph.add(
        "Reshape",
        [graph.add("Transpose", [last], perm=[1, 0, 2]), graph.constant(np.array([0, -1], np.int64))],
    )
    return states, last


def operator_weights(cell: str, name: str, weights: Mapping[str, Array]) -> tuple[Array, Array, Array]:
    """W (gates * units, width), R (gates * units, units), B (2 * gates * units,) of one direction."""
    kernel, recurrent, bias = (weights[f"{name}/{part}"] for part in ("kernel", "recurrent_kernel", "bias"))
    both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])

    def in_order(array: Array) -> Array:
        parts = np.split(array, len(GATES[cell]), axis=-1)
        return np.concatenate([parts[gate] for gate in GATES[cell]], axis=-1)

    return in_order(kernel).T, in_order(recurrent).T, in_order(both).reshape(-1)


def _inside(graph: Graph, ids: str, lengths: str) -> str:
    """Bool (steps, batch, 1): whether a place is a token."""
    steps = graph.add("Gather", [graph.add("Shape", [ids]), graph.constant(np.array(1, np.int64))], axis=0)
    places = graph.add("Range", [graph.constant(np.array(0, np.int64)), steps, graph.constant(np.array(1, np.int64))])
    places = graph.add("Unsqueeze", [places, graph.constant(np.array([1, 2], np.int64))])
    ends = graph.add(
        "Unsqueeze",
        [graph.add("Cast", [lengths], to=TensorProto.INT64), graph.constant(np.array([0, 2], np.int64))],
    )
    return str(graph.add("Less", [places, ends]))


def _pool(
    graph: Graph,
    kind: str,
    unit: str,
    states: str,
    last: str,
    inside: str,
    lengths: str,
    weights: Mapping[str, Array],
) -> str:
    """(steps, batch, width) -> (batch, width), as `network.Pool`."""
    if kind == "last":
        return last
    nothing, lowest = graph.constant(np.float32(0)), graph.constant(np.float32(-np.inf))
    first_axis = graph.constant(np.array([0], np.int64))
    if kind == "max":
        return str(graph.add("ReduceMax", [graph.add("Where", [inside, states, lowest])], axes=[0], keepdims=0))
    if kind == "mean":
        total = graph.add("ReduceSum", [graph.add("Where", [inside, states, nothing]), first_axis], keepdims=0)
        count = graph.add(
            "Unsqueeze",
            [graph.add("Cast", [lengths], to=TensorProto.FLOAT), graph.constant(np.array([1], np.int64))],
        )
        return str(graph.add("Div", [total, count]))
    kernel, bias, query = (graph.constant(weights[f"{unit}_attention/{part}"]) for part in ("kernel", "bias", "query"))
    hidden = graph.add("Tanh", [graph.add("Add", [graph.add("MatMul", [states, kernel]), bias])])
    scores = graph.add("Where", [inside, graph.add("MatMul", [hidden, query]), lowest])
    shares = graph.add("Softmax", [scores], axis=0)
    weighted = graph.add("Where", [inside, graph.add("Mul", [states, shares]), nothing])
    return str(graph.add("ReduceSum", [weighted, first_axis], keepdims=0))


def _wide(graph: Graph, unit: str, scale: float, weights: Mapping[str, Array], per_token: bool) -> str:
    """N-gram ids (batch, grams) -> scores (batch, outputs), or of every token, as `network.Wide`."""
    shape = ["batch", *(["steps"] if per_token else []), f"gram_{unit}_steps"]
    ids = graph.input(f"gram_{unit}", shape)
    values = graph.add("Gather", [graph.constant(weights[f"{unit}_wide/idf"]), ids])
    squares = graph.add(
        "ReduceSum", [graph.add("Mul", [values, values]), graph.constant(np.array([-1], np.int64))], keepdims=1
    )
    norm = graph.add("Sqrt", [graph.add("Add", [squares, graph.constant(np.float32(1e-12))])])
    values = graph.add("Div", [graph.add("Mul", [values, graph.constant(np.float32(scale))]), norm])
    axis = graph.constant(np.array([-2], np.int64))
    row = graph.add("Unsqueeze", [values, axis])
    scores = graph.add("MatMul", [row, graph.add("Gather", [graph.constant(weights[f"{unit}_wide/table"]), ids])])
    return str(graph.add("Squeeze", [scores, axis]))
