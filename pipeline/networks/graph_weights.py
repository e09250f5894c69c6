"""Graph weights: the arrays of a trained network, read back from the graph that was written from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from pipeline.networks.graph import Graph

Array = NDArray[np.float32]


def read(
    path: Path, shapes: Mapping[str, Sequence[int]], draft: Callable[[Mapping[str, NDArray[Any]]], Graph]
) -> dict[str, Array]:
    """The weights of the graph at `path`, float32 by name, as `draft` takes them; only those that the graph has.

    `draft` places weights in constants and never calculates with them. So it is asked to place the number of each
    weight, in float64, and each constant of the graph tells the values at these numbers. Raises ValueError if the graph
    has other sizes.
    """
    numbers, count = {}, 1  # 0 is what a draft fills up with
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        numbers[name] = np.arange(count, count + size, dtype=np.float64).reshape(shape)
        count += size
    values = np.full(count, np.nan, np.float32)
    found = {tensor.name: tensor for tensor in onnx.load_model(path, load_external_data=False).graph.initializer}
    for tensor in draft(numbers).constants:
        placed = numpy_helper.to_array(tensor)
        if placed.dtype != np.float64:
            continue
        held = numpy_helper.to_array(found[tensor.name])
        if held.shape != placed.shape:
            raise ValueError(f"the network has {held.shape} where {placed.shape} was expected")
        values[placed.astype(np.int64)] = held
    read_back = {name: values[placed.astype(np.int64)] for name, placed in numbers.items()}
    return {name: array for name, array in read_back.items() if not np.isnan(array).any()}
