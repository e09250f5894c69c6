"""The ONNX graph of a language model, which takes the states of its layers and returns the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx import TensorProto

from pipeline.config.network import NetworkSettings
from pipeline.networks.graph import OPERATORS, Array, Graph, model_of, operator_weights

MEMORIES = {"rnn": 1, "gru": 1, "lstm": 2}  # vectors of a cell's state: an LSTM has its hidden state and its memory


def build(settings: NetworkSettings, weights: Mapping[str, Array]) -> onnx.ModelProto:
    """The graph of `language_network.build` for prediction: without dropout, for any number of rows.

    Inputs: `ids` int32 (rows, steps), `lengths` int32 (rows,) from 1, `states` float32 (rows, state_width).
    Outputs: `scores` float32 (rows, steps, vocabulary), `next_states` float32 (rows, state_width).

    The states of all layers are concatenated, an LSTM's hidden state before its memory; zeros begin a text.
    `next_states` are those after the last token of each row, so that rows of different lengths can be continued.
    """
    return model_of(draft(settings, weights))


def draft(settings: NetworkSettings, weights: Mapping[str, Array]) -> Graph:
    """The graph of `build`, not checked: `weights` may have any sizes, as `graph_check.UnknownWeights` do."""
    graph = Graph()
    ids, lengths = graph.input("ids", ["rows", "steps"]), graph.input("lengths", ["rows"])
    states = graph.input("states", ["rows", state_width(settings)], TensorProto.FLOAT)
    memories = _split(graph, states, settings)
    table = graph.constant(weights["embedding/embeddings"])
    flow = graph.add("Gather", [table, graph.add("Transpose", [ids], perm=[1, 0])])
    ends = []
    for index, units in enumerate(settings.widths):
        flow, last = _layer(graph, f"layer_{index}", settings.cell, units, flow, lengths, memories[index], weights)
        ends += last
    flow = graph.add("Transpose", [flow], perm=[1, 0, 2])
    graph.add("Identity", [_scores(graph, flow, table, weights)], name="scores")
    graph.add("Concat", ends, axis=1, name="next_states")
    graph.output("scores", ["rows", "steps", len(weights["scores/bias"])])
    graph.output("next_states", ["rows", state_width(settings)])
    return graph


def state_width(settings: NetworkSettings) -> int:
    """The number of values in the states of a row."""
    return MEMORIES[settings.cell] * sum(settings.widths)


def _split(graph: Graph, states: str, settings: NetworkSettings) -> list[list[str]]:
    """states (rows, state_width) -> the states of each layer, one or two, as operators take them: (1, rows, units)."""
    count = MEMORIES[settings.cell]
    sizes = [units for units in settings.widths for _ in range(count)]
    parts = graph.add("Split", [states, graph.int64(*sizes)], outputs=len(sizes), axis=1)
    parts = [parts] if isinstance(parts, str) else parts
    axis = graph.int64(0)
    lifted = [graph.add("Unsqueeze", [part, axis]) for part in parts]
    return [lifted[start : start + count] for start in range(0, len(lifted), count)]


def _layer(
    graph: Graph,
    name: str,
    cell: str,
    units: int,
    flow: str,
    lengths: str,
    memories: list[str],
    weights: Mapping[str, Array],
) -> tuple[str, list[str]]:
    """(steps, rows, width) -> (steps, rows, units), and the states after each row's last token, each (rows, units)."""
    arrays = (graph.constant(array[None]) for array in operator_weights(cell, name, weights))
    attributes: dict[str, Any] = {"linear_before_reset": 1} if cell == "gru" else {}
    output, *ends = graph.add(
        OPERATORS[cell],
        [flow, *arrays, lengths, *memories],
        outputs=1 + len(memories),
        hidden_size=units,
        **attributes,
    )
    first, second = (graph.int64(axis) for axis in (0, 1))
    return graph.add("Squeeze", [output, second]), [graph.add("Squeeze", [end, first]) for end in ends]


def _scores(graph: Graph, states: str, table: str, weights: Mapping[str, Array]) -> str:
    """(rows, steps, width) -> (rows, steps, vocabulary); tied scores use `table`, the embeddings."""
    if "projection/kernel" in weights:
        kernel = graph.constant(weights["projection/kernel"])
        states = _dense(graph, states, kernel, weights["projection/bias"])
    tied = "scores/kernel" not in weights
    kernel = graph.add("Transpose", [table], perm=[1, 0]) if tied else graph.constant(weights["scores/kernel"])
    return _dense(graph, states, kernel, weights["scores/bias"])


def _dense(graph: Graph, states: str, kernel: str, bias: Array) -> str:
    return str(graph.add("Add", [graph.add("MatMul", [states, kernel]), graph.constant(bias)]))
