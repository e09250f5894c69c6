"""TensorFlow step: a training step that is compiled once, whatever the shapes of the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf


def for_any_shape(network: Any) -> Callable[[Iterator[Any]], Any]:
    """What Keras calls for a step on TensorFlow, compiled once, for batches of any number of rows and tokens.

    Keras' own is compiled for the shape of its first batch, and again for all others, and the two differ in the last
    digits. So a training that goes on, whose first batch is another, would not end as one that was never interrupted.
    `network`: a compiled keras.Model.
    """
    compiled: list[Any] = []

    def any_of(array: Any, shape: Any) -> Any:
        return tf.TensorSpec(shape, tf.as_dtype(np.asarray(array).dtype))

    def step(batches: Iterator[Any]) -> Any:
        inputs, *rest = (part for part in next(batches) if part is not None)  # targets, and weights if there are any
        if not compiled:
            read = {name: any_of(array, network.input[name].shape) for name, array in inputs.items()}
            beside = [any_of(array, (None,) * np.ndim(array)) for array in rest]
            compiled.append(tf.function(network.train_step, input_signature=[(read, *beside)]))
        return compiled[0]((inputs, *rest))

    return step
