"""The two parts of a network's ONNX graph: its pretrained encoder, and what reads the encoder's states."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx.helper
import onnx.utils

from pipeline.encoding.pretrained import STATES, STREAM
from pipeline.networks import graph

INPUTS = [STREAM, f"{STREAM}_lengths"]


def save_encoder(network: Path, target: Path) -> None:
    """Writes the part that computes `encoder_states` float32 (batch, steps, width) from the ids of characters."""
    _save_part(network, INPUTS, [STATES], target)


def save_on_states(network: Path, target: Path) -> None:
    """Writes the part that takes these states, as `network.on_states` does, and gives the scores."""
    given = [value.name for value in onnx.load_model(network).graph.input]
    _save_part(network, [*(name for name in given if name not in INPUTS), STATES], ["scores"], target)


def _save_part(network: Path, inputs: list[str], outputs: list[str], target: Path) -> None:
    model = onnx.load_model(network)
    states = onnx.helper.make_tensor_value_info(STATES, onnx.TensorProto.FLOAT, ["batch", "steps", "width"])
    model.graph.value_info.append(states)
    graph.save(onnx.utils.Extractor(model).extract_model(inputs, outputs), target)
