"""Quantise: the int8 network of a graph, whose LSTMs calculate in int8 and whose tables of vectors are kept in int8."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipeline.networks.graph import save

INT8_CELLS = ("lstm",)  # ONNX Runtime has an int8 kernel for LSTM alone (DynamicQuantizeLSTM)
GREATEST = 127  # of an int8 value; -128 is left out, so that both signs reach as far
Array = NDArray[np.float32]


def save_int8(path: Path, target: Path) -> None:
    """Writes the graph at `path` with int8 weights.

    LSTMs have a scale for each of their output channels, and their activations are quantised at run time. Tables of
    which a graph gathers rows, (rows, width) float32, have a scale for each row, and a gathered row is scaled back.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises pre-processing that a graph without convolutions does not need
    try:
        quantize_dynamic(path, target, op_types_to_quantize=["LSTM"], per_channel=True, weight_type=QuantType.QInt8)
    finally:
        root.setLevel(level)
    model = onnx.load_model(target)
    del model.graph.value_info[:]  # shapes that the quantiser infers, which a reader would have to believe
    _quantise_tables(model.graph)
    save(model, target)


def rounded(table: Array) -> tuple[NDArray[np.int8], Array]:
    """A table as int8 (rows, width) and the scale of each row, float32 (rows, 1): their product is the table.

    A value is off by at most half a scale, which is the greatest absolute value of its row by 127.

    >>> values, scales = rounded(np.array([[1.0, -2.0], [0.0, 0.0]], np.float32))
    >>> values.tolist(), scales.round(4).tolist()
    ([[64, -127], [0, 0]], [[0.015699999406933784], [0.0]])
    """
    scales = np.abs(table).max(axis=1, keepdims=True, initial=0) / np.float32(GREATEST)
    values = np.rint(table / np.where(scales > 0, scales, 1)).astype(np.int8)
    return values, scales


def gathered(table: str, ids: str, name: str) -> list[Any]:
    """The nodes that stand for `Gather(table, ids)`, whose value is `name`, once the table is int8 with scales."""
    rows, values, scales = f"{name}_rows", f"{name}_values", f"{name}_scales"
    return [
        helper.make_node("Gather", [f"{table}_quantized", ids], [rows]),
        helper.make_node("Cast", [rows], [values], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{table}_scale", ids], [scales]),
        helper.make_node("Mul", [values, scales], [name]),
    ]


def only_gathered(nodes: Iterable[tuple[str, Sequence[str]]]) -> set[str]:
    """The values of which operators gather rows and that no other operator takes; a node is its operator and inputs.

    >>> sorted(only_gathered([("Gather", ["a", "b"]), ("Gather", ["c", "b"]), ("MatMul", ["d", "c"])]))
    ['a']
    """
    nodes = list(nodes)
    gathered_from = {inputs[0] for operator, inputs in nodes if operator == "Gather"}
    others = [name for operator, inputs in nodes for name in inputs[operator == "Gather" :]]
    return gathered_from.difference(others)


def _quantise_tables(graph: Any) -> None:
    arrays = {tensor.name: tensor for tensor in graph.initializer}
    gathered_from = only_gathered((node.op_type, list(node.input)) for node in graph.node)
    tables = {name for name in gathered_from if _is_table(arrays, name)}
    nodes = list(_without_float_tables(graph.node, tables))
    kept = [tensor for tensor in graph.initializer if tensor.name not in tables]
    for name in sorted(tables):
        values, scales = rounded(numpy_helper.to_array(arrays[name]))
        kept += [
            numpy_helper.from_array(values, f"{name}_quantized"),
            numpy_helper.from_array(scales, f"{name}_scale"),
        ]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def _is_table(arrays: dict[str, Any], name: str) -> bool:
    tensor = arrays.get(name)
    return tensor is not None and tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2


def _without_float_tables(nodes: Any, tables: set[str]) -> Iterator[Any]:
    for node in nodes:
        if node.op_type == "Gather" and node.input[0] in tables:
            yield from gathered(node.input[0], node.input[1], node.output[0])
        else:
            yield node
