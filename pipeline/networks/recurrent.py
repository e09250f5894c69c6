"""SimpleRNN, LSTM and GRU as Keras computes them, trained faster where TensorFlow has no GPU.

The weights, their names and their order are Keras's; answers and gradients differ from its own by rounding alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import keras
from keras import layers


@cache
def _without_gpu() -> bool:
    """Whether TensorFlow runs on the CPU alone; with a GPU, and on other backends, Keras has faster loops."""
    if keras.backend.backend() != "tensorflow":
        return False
    from pipeline.networks import tensorflow_loops

    return not tensorflow_loops.has_gpu()


class _Recurrent:
    """What the layers below have in common: their loop over the steps, in place of Keras's."""

    of_cell: ClassVar[str]  # a class of `tensorflow_loops`
    cell: Any

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """The last output (batch, units), all outputs (batch, steps, units), and the last states."""
        if mask is not None or not _without_gpu():
            return super().inner_loop(sequences, initial_state, mask, training)  # type: ignore[misc]
        from pipeline.networks import tensorflow_loops as loops

        kernel, recurrent, bias = (weight.value for weight in self.cell.weights)
        outputs, last = loops.run(getattr(loops, self.of_cell), sequences, kernel, recurrent, bias, initial_state)
        return last[0], outputs, last


class SimpleRNN(_Recurrent, layers.SimpleRNN):  # type: ignore[misc]
    """`keras.layers.SimpleRNN` without dropout, whose activation is tanh."""

    of_cell = "SimpleCell"


class LSTM(_Recurrent, layers.LSTM):  # type: ignore[misc]
    """`keras.layers.LSTM` without dropout, with the activations of its defaults."""

    of_cell = "LstmCell"


class GRU(_Recurrent, layers.GRU):  # type: ignore[misc]
    """`keras.layers.GRU` without dropout, with the activations and `reset_after` of its defaults."""

    of_cell = "GruCell"
