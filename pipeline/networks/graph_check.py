"""Graph check: whether a stranger's graph is, but for its weights, the one that zhpipe writes for these settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from pipeline.networks import quantise
from pipeline.networks.graph import IR_VERSION, OPSET, Graph

OPSETS = {"": OPSET, "ai.onnx": OPSET, "com.microsoft": 1}
# The bytes of a value, and the field of a tensor that holds values one by one, by its type.
TYPES = {
    TensorProto.FLOAT: (4, "float_data"),
    TensorProto.INT32: (4, "int32_data"),
    TensorProto.INT64: (8, "int64_data"),
    TensorProto.INT8: (1, "int32_data"),
}
TABLE = (int(TensorProto.FLOAT), 2)  # the type and rank of a table of vectors
Node = tuple[Any, ...]


class UnknownWeights(Mapping[str, NDArray[np.float32]]):
    """Weights for a draft of a graph: NaN, which no constant of a graph is, with the ranks of real ones.

    Arguments:
        outputs: number of scores, the only size that a draft depends on.
        absent: names of weights that the network does not have.
    """

    def __init__(self, outputs: int, absent: Sequence[str] = ()) -> None:
        self.outputs = outputs
        self.absent = absent

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        layer, _, part = name.partition("/")
        if part in ("shares", "idf") or (part == "bias" and layer.endswith(("_attention", "projection"))):
            shape: tuple[int, ...] = (1,)
        elif part == "bias":
            shape = (self.outputs,) if layer == "scores" else (12,)  # 12 can be split into the gates of every cell
        else:
            shape = (1, 12)
        return np.full(shape, np.nan, np.float32)

    def __contains__(self, name: object) -> bool:
        return name not in self.absent

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True)
class Expected:
    """What a graph must have: nodes by their first output, inputs and outputs, and constants by name.

    A constant is an array, or for a weight its type and rank.
    """

    nodes: Mapping[str, Node]
    values: Sequence[tuple[Any, ...]]
    constants: Mapping[str, NDArray[Any] | tuple[int, int]]

    @classmethod
    def of(cls, graph: Graph) -> Expected:
        """As drafted."""
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.constants}
        constants = {
            name: (int(TensorProto.FLOAT), array.ndim) if _is_weight(array) else array for name, array in arrays.items()
        }
        return cls({node.output[0]: _node(node) for node in graph.nodes}, _values(graph), constants)

    def as_int8(self) -> Expected:
        """As `quantise.save_int8` makes of it: int8 weights of LSTMs, with scales and zero points, and int8 tables."""
        nodes, constants = dict(self.nodes), dict(self.constants)
        tables = quantise.only_gathered((operator, inputs) for _, operator, inputs, *_ in self.nodes.values())
        for name, (_, operator, inputs, outputs, attributes) in self.nodes.items():
            if operator == "Gather" and inputs[0] in tables and self.constants.get(inputs[0]) == TABLE:
                nodes.update((node.output[0], _node(node)) for node in quantise.gathered(inputs[0], inputs[1], name))
                constants.pop(inputs[0])
                constants[f"{inputs[0]}_quantized"] = (int(TensorProto.INT8), 2)
                constants[f"{inputs[0]}_scale"] = TABLE
            if operator != "LSTM":
                continue
            flow, *weights, bias = inputs[:4]
            others = (*inputs[4:], "", "", "", "")[:4]
            added = [f"{weight}_{part}" for weight in weights for part in ("scale", "zero_point")]
            quantized = [f"{weight}_quantized" for weight in weights]
            inputs = (flow, *quantized, bias, *others, *added)
            nodes[name] = ("com.microsoft", "DynamicQuantizeLSTM", inputs, outputs, attributes)
            for weight in weights:
                del constants[weight]
                constants[f"{weight}_quantized"] = (int(TensorProto.INT8), 3)
                constants[f"{weight}_scale"] = (int(TensorProto.FLOAT), 2)
                constants[f"{weight}_zero_point"] = (int(TensorProto.INT8), 2)
        return Expected(nodes, self.values, constants)


def fault(path: Path, drafts: Sequence[Graph]) -> str | None:
    """Why a stranger's graph must not be run; None if it is one of `drafts`, or what `quantise.save_int8` makes of one.

    The check opens nothing that the graph names. Since only weights are left free, a graph can neither read other
    files, nor allocate or compute more than the networks that zhpipe trains.
    """
    try:
        model = onnx.load_model(path, load_external_data=False)
    except Exception as error:  # protobuf's own exceptions share no base class with others
        return f"is no ONNX graph ({_first_line(error)})"
    if reason := _header_fault(model):
        return reason
    is_int8 = any(tensor.name.endswith("_quantized") for tensor in model.graph.initializer)
    plain = [Expected.of(graph) for graph in drafts]
    reasons = [_difference(model, expected.as_int8() if is_int8 else expected) for expected in plain]
    return None if None in reasons else min((reason for reason in reasons if reason), key=lambda found: found[0])[1]


def _header_fault(model: Any) -> str | None:
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer or graph.value_info:
        return "has functions, sparse tensors or declared values, which zhpipe does not write"
    if model.ir_version != IR_VERSION or any(OPSETS.get(used.domain) != used.version for used in model.opset_import):
        return "is written for other operators than those of zhpipe"
    return None


def _difference(model: Any, expected: Expected) -> tuple[int, str] | None:
    """How a graph differs, in a sentence, with a number that is lower the closer it is."""
    graph = model.graph
    if len(graph.node) > len(expected.nodes):
        unknown = [node for node in graph.node if (node.output or [""])[0] not in expected.nodes]
        name = unknown[0].op_type if unknown else graph.node[0].op_type
        return len(graph.node), f"has the operator {name!r} in a place where zhpipe writes none"
    found: dict[str, Node] = {}
    for node in graph.node:
        if reason := _hidden(node):
            return 3, reason
        found[(node.output or [""])[0]] = _node(node)
    wrong = [name for name, node in expected.nodes.items() if found.get(name) != node]
    if wrong or len(found) != len(graph.node):
        return 2 + len(wrong), f"computes {(wrong or ['a value'])[0]!r} otherwise than a network of these settings"
    if _values(graph) != list(expected.values):
        return 1, "takes or gives other values than a network of these settings"
    reason = _constants_fault(graph, expected)
    return None if reason is None else (0, reason)


def _hidden(node: Any) -> str | None:
    """What an operator's attributes may hide: graphs, tensors and the like."""
    plain = (onnx.AttributeProto.INT, onnx.AttributeProto.INTS, onnx.AttributeProto.STRING)
    for attribute in node.attribute:
        if attribute.type not in plain:
            return f"has more than numbers in the operator {node.op_type!r}, which zhpipe does not write"
    return None


def _constants_fault(graph: Any, expected: Expected) -> str | None:
    used = {name for node in graph.node for name in node.input if name}
    names = [tensor.name for tensor in graph.initializer]
    if len(set(names)) != len(names) or not set(names) <= set(expected.constants):
        return "has constants that zhpipe does not write"
    if missing := (used & set(expected.constants)) - set(names):
        return f"lacks the constant {min(missing)!r}"
    for tensor in graph.initializer:
        if reason := _tensor_fault(tensor, expected.constants[tensor.name]):
            return f"{reason} {tensor.name!r}, as zhpipe never does"
    return None


def _tensor_fault(tensor: Any, expected: NDArray[Any] | tuple[int, int]) -> str | None:
    if tensor.external_data or tensor.data_location:
        return "keeps in another file the constant"
    size, field = TYPES.get(tensor.data_type, (0, ""))
    if not size:
        return "has a strange type for the constant"
    count = math.prod(tensor.dims)
    there = len(tensor.raw_data) // size if tensor.raw_data else len(getattr(tensor, field))
    if min(tensor.dims, default=0) < 0 or there != count or len(tensor.raw_data) % size:
        return "has more or fewer values than it says in the constant"
    if isinstance(expected, tuple):
        is_same = (tensor.data_type, len(tensor.dims)) == expected
    else:
        array = numpy_helper.to_array(tensor)
        is_same = array.dtype == expected.dtype and np.array_equal(array, expected)
    return None if is_same else "has another value than the settings say in the constant"


def _is_weight(array: NDArray[Any]) -> bool:
    return array.dtype == np.float32 and bool(np.isnan(array).any())


def _node(node: Any) -> Node:
    attributes = {attribute.name: attribute.SerializeToString(deterministic=True) for attribute in node.attribute}
    domain = "" if node.domain == "ai.onnx" else node.domain
    return domain, node.op_type, tuple(node.input), tuple(node.output), attributes


def _values(graph: Any) -> list[tuple[Any, ...]]:
    """The name, type and sizes of each input and output; names stand for sizes that vary."""
    inputs, outputs = (graph.inputs, graph.outputs) if isinstance(graph, Graph) else (graph.input, graph.output)
    return [
        (
            value.name,
            value.type.tensor_type.elem_type,
            tuple(dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim),
        )
        for value in (*inputs, *outputs)
    ]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
