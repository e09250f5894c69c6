"""ONNX graphs of classifiers and taggers, written by hand from the weights of a trained network.

Operators are those of the ONNX operator specification (opset 17). Networks are checked against Keras in the tests.
"""

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
from pipeline.encoding.pretrained import STATES, STREAM

OPSET = 17
IR_VERSION = 9
OPERATORS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
# The order of gates in ONNX, by their place in Keras: i f c o -> i o f c for an LSTM; both have z r h for a GRU.
STACKS = {"forward": "forward", "backward": "reverse"}  # of an encoder: the direction that ONNX has for each
GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (0, 1, 2)}
Array = NDArray[np.float32]


def build(
    settings: NetworkSettings,
    weights: Mapping[str, Array],
    units: tuple[str, ...],
    linear_parts: tuple[str, ...],
    *,
    per_token: bool = False,
    features: Mapping[str, Sequence[int]] | None = None,
    encoder: Sequence[int] = (),
) -> onnx.ModelProto:
    """The graph of `network.build` for prediction: the same inputs -> `scores` float32, without dropout.

    Scores are (batch, outputs), or (batch, steps, outputs) with `per_token`; those after a text's length mean nothing.
    The padding of a text is never read: the recurrent operators (`sequence_lens`) and the pooling both take the
    lengths.

    Arguments:
        weights: as `network.weights` returns them.
        units: those that the recurrent part reads, in order.
        linear_parts: the names of the linear parts, in order.
        features: name -> the number of ids in each group.
        encoder: the width of each layer of a pretrained encoder; empty for none.
    """
    drafted = draft(settings, weights, units, linear_parts, per_token=per_token, features=features, encoder=encoder)
    return model_of(drafted)


def draft(
    settings: NetworkSettings,
    weights: Mapping[str, Array],
    units: tuple[str, ...],
    linear_parts: tuple[str, ...],
    *,
    per_token: bool = False,
    features: Mapping[str, Sequence[int]] | None = None,
    encoder: Sequence[int] = (),
) -> Graph:
    """The graph of `build`, not checked: `weights` may have any sizes, as `graph_check.UnknownWeights` do."""
    return _Builder(settings, weights, per_token, features or {}, encoder).build(units, linear_parts)


def model_of(graph: Graph) -> onnx.ModelProto:
    """The graph as a model that has passed ONNX's checker."""
    proto = helper.make_graph(graph.nodes, "zhpipe", graph.inputs, graph.outputs, graph.constants)
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="zhpipe"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes the graph with its weights into one file."""
    path.write_bytes(model.SerializeToString(deterministic=True))


@dataclass
class Graph:
    """A graph under construction. Its methods add to it and return the names of the new values, each unique."""

    nodes: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def input(self, name: str, shape: Sequence[str | int], kind: int = TensorProto.INT32) -> str:
        """Adds an input; names in `shape` stand for sizes that vary."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, shape: Sequence[str | int]) -> None:
        """Declares a value, float32, as an output of the graph."""
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, value: Any) -> str:
        """Adds an array."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def int64(self, *values: int) -> str:
        """Adds an int64 array (values,), such as axes or a shape."""
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, inputs: list[str], *, name: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; returns the name of its output, or a list of names if it has several."""
        names = [name] if name else [f"{operator}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if len(names) == 1 else names


def operator_weights(cell: str, name: str, weights: Mapping[str, Array]) -> tuple[Array, Array, Array]:
    """The inputs of ONNX's operator for one direction, from the weights of the Keras cell `name`.

    W (gates * units, width), R (gates * units, units) and B (2 * gates * units,), see RNN, LSTM and GRU in the ONNX
    operator specification.
    """
    kernel, recurrent, bias = (weights[f"{name}/{part}"] for part in ("kernel", "recurrent_kernel", "bias"))
    both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])

    def in_order(array: Array) -> Array:
        parts = np.split(array, len(GATES[cell]), axis=-1)
        return np.concatenate([parts[gate] for gate in GATES[cell]], axis=-1)

    return in_order(kernel).T, in_order(recurrent).T, in_order(both).reshape(-1)


class _Builder:
    """Builds one graph. Strings are names of values; docstrings give the shapes of these.

    Recurrent layers want time first, (steps, batch, width).
    """

    def __init__(
        self,
        settings: NetworkSettings,
        weights: Mapping[str, Array],
        per_token: bool,
        features: Mapping[str, Sequence[int]],
        encoder: Sequence[int] = (),
    ) -> None:
        self.settings = settings
        self.weights = weights
        self.per_token = per_token
        self.features = features
        self.encoder = encoder
        self.graph = Graph()

    def build(self, units: Sequence[str], linear_parts: Sequence[str]) -> Graph:
        graph, bias = self.graph, self.weights["scores/bias"]
        parts = [self._recurrent_part(unit) for unit in units]
        scores = graph.add("MatMul", [graph.add("Concat", parts, axis=-1), self._weight("scores/kernel")])
        scores = graph.add("Add", [scores, graph.constant(bias)])
        for name in linear_parts:
            scores = graph.add("Add", [scores, self._linear_part(name)])
        graph.add("Identity", [scores], name="scores")
        graph.output("scores", ["batch", *(["steps"] if self.per_token else []), len(bias)])
        return graph

    def _weight(self, name: str) -> str:
        return self.graph.constant(self.weights[name])

    def _recurrent_part(self, unit: str) -> str:
        """Ids (batch, steps) -> pooled states (batch, width), or all states (batch, steps, width)."""
        graph = self.graph
        ids = graph.input(unit, ["batch", f"{unit}_steps"])
        lengths = graph.input(f"{unit}_lengths", ["batch"])
        states, last = self._embedded(unit, ids), ""
        if unit == "char" and self.encoder:
            states = graph.add("Concat", [states, self._encoder_states()], axis=2)
        for index, width in enumerate(self.settings.widths):
            states, last = self._layer(f"{unit}_{index}", width, states, lengths)
        if self.per_token:
            return str(graph.add("Transpose", [states], perm=[1, 0, 2]))
        inside = self._inside(ids, lengths)
        pooled = [self._pooled(kind, unit, states, last, inside, lengths) for kind in self.settings.poolings]
        return str(graph.add("Concat", pooled, axis=1))

    def _embedded(self, unit: str, ids: str) -> str:
        """Ids (batch, steps) -> vectors of tokens and features side by side, (steps, batch, width)."""
        graph = self.graph
        table = self._weight(f"{unit}_embedding/embeddings")
        vectors = graph.add("Gather", [table, graph.add("Transpose", [ids], perm=[1, 0])])
        if not self.features:
            return str(vectors)
        features = [self._feature(name, groups) for name, groups in self.features.items()]
        return str(graph.add("Concat", [vectors, *features], axis=2))

    def _feature(self, name: str, groups: Sequence[int]) -> str:
        """`layers.GroupedEmbeddings`: ids (batch, steps, ids of all groups) -> (steps, batch, groups * width)."""
        graph = self.graph
        ids = graph.input(f"feature_{name}", ["batch", f"feature_{name}_steps", sum(groups)])
        ids = graph.add("Transpose", [ids], perm=[1, 0, 2])
        shares = graph.add("Gather", [self._weight(f"{name}_feature/shares"), ids])
        total = graph.add("ReduceSum", [shares, graph.int64(-1)], keepdims=1)
        total = graph.add("Max", [total, graph.constant(np.float32(1e-12))])
        factor = graph.add("Div", [graph.constant(np.float32(len(groups))), total])
        spread = graph.add("Unsqueeze", [graph.add("Mul", [shares, factor]), graph.int64(2)])
        spread = graph.add("Mul", [spread, graph.constant(membership(groups))])
        vectors = graph.add("Gather", [self._weight(f"{name}_feature/table"), ids])
        summed = graph.add("MatMul", [spread, vectors])
        return str(graph.add("Reshape", [summed, graph.int64(0, 0, -1)]))

    def _encoder_states(self) -> str:
        """What the recurrent layers read of a pretrained encoder, (steps, batch, width).

        Both of its stacks read an end of text, id 0, before the first character and after the last.
        """
        graph = self.graph
        ids = graph.add("Transpose", [graph.input(STREAM, ["batch", f"{STREAM}_steps"])], perm=[1, 0])
        ids = graph.add("Pad", [ids, graph.int64(1, 0, 1, 0)])
        lengths = graph.input(f"{STREAM}_lengths", ["batch"])
        lengths = graph.add("Add", [lengths, graph.constant(np.array([2], np.int32))])
        stacks = [self._stack(direction, ids, lengths) for direction in STACKS]
        both = graph.add("Concat", stacks, axis=2)
        inside = graph.add("Slice", [both, graph.int64(1), graph.int64(-1), graph.int64(0)])
        states = graph.add("Transpose", [inside], perm=[1, 0, 2], name=STATES)
        states = graph.add("Transpose", [states], perm=[1, 0, 2])
        if not self.settings.encoder_width:
            return str(states)
        kernel, bias = (self._weight(f"states_projection/{part}") for part in ("kernel", "bias"))
        return str(graph.add("Add", [graph.add("MatMul", [states, kernel]), bias]))

    def _stack(self, direction: str, ids: str, lengths: str) -> str:
        """Ids (steps, batch) -> the states of the last LSTM of one direction, (steps, batch, units)."""
        graph = self.graph
        states = graph.add("Gather", [self._weight(f"encoder_{direction}_embedding/embeddings"), ids])
        for index, units in enumerate(self.encoder):
            arrays = operator_weights("lstm", f"encoder_{direction}_{index}", self.weights)
            constants = [graph.constant(array[None]) for array in arrays]
            inputs = [states, *constants, lengths]
            states = graph.add("LSTM", inputs, hidden_size=units, direction=STACKS[direction])
            states = graph.add("Squeeze", [states, graph.int64(1)])
        return str(states)

    def _layer(self, name: str, units: int, states: str, lengths: str) -> tuple[str, str]:
        """(steps, batch, width) -> states (steps, batch, directions * units), last states (batch, directions * units).

        The operators RNN, LSTM and GRU give (steps, directions, batch, units) and (directions, batch, units).
        """
        graph, cell, two_way = self.graph, self.settings.cell, self.settings.bidirectional
        directions = ("forward", "backward") if two_way else ("forward",)
        arrays = [operator_weights(cell, f"{name}_{direction}", self.weights) for direction in directions]
        kernel, recurrent, bias = (graph.constant(np.stack(parts)) for parts in zip(*arrays, strict=True))
        attributes: dict[str, Any] = {"linear_before_reset": 1} if cell == "gru" else {}
        output, last = graph.add(
            OPERATORS[cell],
            [states, kernel, recurrent, bias, lengths],
            outputs=2,
            hidden_size=units,
            direction="bidirectional" if two_way else "forward",
            **attributes,
        )
        flat = graph.int64(0, 0, -1)
        states = graph.add("Reshape", [graph.add("Transpose", [output], perm=[0, 2, 1, 3]), flat])
        last = graph.add("Reshape", [graph.add("Transpose", [last], perm=[1, 0, 2]), graph.int64(0, -1)])
        return states, last

    def _inside(self, ids: str, lengths: str) -> str:
        """bool (steps, batch, 1): whether a place is a token."""
        graph = self.graph
        steps = graph.add("Gather", [graph.add("Shape", [ids]), graph.constant(np.array(1, np.int64))], axis=0)
        bounds = graph.constant(np.array(0, np.int64)), steps, graph.constant(np.array(1, np.int64))
        places = graph.add("Unsqueeze", [graph.add("Range", [*bounds]), graph.int64(1, 2)])
        ends = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=TensorProto.INT64), graph.int64(0, 2)])
        return str(graph.add("Less", [places, ends]))

    def _pooled(self, kind: str, unit: str, states: str, last: str, inside: str, lengths: str) -> str:
        """`layers.SequencePooling`: states (steps, batch, width) -> (batch, width)."""
        if kind == "last":
            return last
        graph = self.graph
        zero, lowest = graph.constant(np.float32(0)), graph.constant(np.float32(-np.inf))
        first_axis = graph.int64(0)
        if kind == "max":
            return str(graph.add("ReduceMax", [graph.add("Where", [inside, states, lowest])], axes=[0], keepdims=0))
        if kind == "mean":
            total = graph.add("ReduceSum", [graph.add("Where", [inside, states, zero]), first_axis], keepdims=0)
            counts = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=TensorProto.FLOAT), graph.int64(1)])
            return str(graph.add("Div", [total, counts]))
        scores = graph.add("Where", [inside, self._attention_scores(unit, states), lowest])
        shares = graph.add("Softmax", [scores], axis=0)
        weighted = graph.add("Where", [inside, graph.add("Mul", [states, shares]), zero])
        return str(graph.add("ReduceSum", [weighted, first_axis], keepdims=0))

    def _attention_scores(self, unit: str, states: str) -> str:
        """v . tanh(W h + b): states (steps, batch, width) -> (steps, batch, 1)."""
        graph = self.graph
        kernel, bias, query = (self._weight(f"{unit}_attention/{part}") for part in ("kernel", "bias", "query"))
        hidden = graph.add("Tanh", [graph.add("Add", [graph.add("MatMul", [states, kernel]), bias])])
        return str(graph.add("MatMul", [hidden, query]))

    def _linear_part(self, name: str) -> str:
        """`layers.LinearNgrams`: ids (batch, [steps,] ids) -> scores (batch, [steps,] outputs)."""
        graph = self.graph
        shape = ["batch", *(["steps"] if self.per_token else []), f"gram_{name}_steps"]
        ids = graph.input(f"gram_{name}", shape)
        values = graph.add("Gather", [self._weight(f"{name}_wide/idf"), ids])
        squares = graph.add("ReduceSum", [graph.add("Mul", [values, values]), graph.int64(-1)], keepdims=1)
        norm = graph.add("Sqrt", [graph.add("Add", [squares, graph.constant(np.float32(1e-12))])])
        scale = graph.constant(np.float32(self.settings.wide.scale))
        values = graph.add("Div", [graph.add("Mul", [values, scale]), norm])
        axis = graph.int64(-2)
        row = graph.add("Unsqueeze", [values, axis])
        scores = graph.add("MatMul", [row, graph.add("Gather", [self._weight(f"{name}_wide/table"), ids])])
        return str(graph.add("Squeeze", [scores, axis]))
