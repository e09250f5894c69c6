"""The loops of recurrent layers on TensorFlow, with a gradient by hand.

Keras multiplies each step's vector by the kernel, and TensorFlow adds up the gradients of the weights step by step.
Here both are one product over all steps, and the loops hold only what depends on the state before (Appleyard et al.,
2016, "Optimizing Performance of Recurrent Neural Networks on GPUs", section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf

Tensors = Sequence[Any]


def has_gpu() -> bool:
    """Whether TensorFlow has a GPU, on which Keras's own loops are faster."""
    return bool(tf.config.list_physical_devices("GPU"))


class Cell:
    """A step of a recurrent layer and its derivative, on tensors (batch, width) of TensorFlow.

    The gates are computed from a sum: what the step reads, `given`, and the state before times the recurrent kernel,
    `product`, each (batch, gates * units). The first of the states, (batch, units) each, is the output.
    """

    kept: ClassVar[int]  # the number of tensors that `step` keeps for `back`

    @staticmethod
    def step(given: Any, product: Any, states: Tensors) -> tuple[Tensors, Tensors]:
        """The next states, and what `back` needs to know."""
        raise NotImplementedError

    @staticmethod
    def back(kept: Tensors, gradients: Tensors) -> tuple[Any, Any, Tensors]:
        """From the gradients of the next states, those of `given`, of `product` and of the states before.

        The last leave out what comes through the product.
        """
        raise NotImplementedError


class SimpleCell(Cell):
    """h = tanh(z) (Elman, 1990)."""

    kept = 1

    @staticmethod
    def step(given: Any, product: Any, states: Tensors) -> tuple[Tensors, Tensors]:
        state = tf.tanh(given + product)
        return (state,), (state,)

    @staticmethod
    def back(kept: Tensors, gradients: Tensors) -> tuple[Any, Any, Tensors]:
        given = tf.raw_ops.TanhGrad(y=kept[0], dy=gradients[0])
        return given, given, (tf.zeros_like(given),)


class LstmCell(Cell):
    """c = f * c + i * g and h = o * tanh(c), with the gates i, f, g, o (Gers et al., 2000)."""

    kept = 6

    @staticmethod
    def step(given: Any, product: Any, states: Tensors) -> tuple[Tensors, Tensors]:
        i, f, g, o = tf.split(given + product, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        carry = f * states[1] + i * g
        shown = tf.tanh(carry)
        return (o * shown, carry), (i, f, g, o, states[1], shown)

    @staticmethod
    def back(kept: Tensors, gradients: Tensors) -> tuple[Any, Any, Tensors]:
        i, f, g, o, before, shown = kept
        state, carry = gradients
        carry = carry + tf.raw_ops.TanhGrad(y=shown, dy=state * o)
        gates = (
            tf.raw_ops.SigmoidGrad(y=i, dy=carry * g),
            tf.raw_ops.SigmoidGrad(y=f, dy=carry * before),
            tf.raw_ops.TanhGrad(y=g, dy=carry * i),
            tf.raw_ops.SigmoidGrad(y=o, dy=state * shown),
        )
        given = tf.concat(gates, axis=1)
        return given, given, (tf.zeros_like(state), carry * f)


class GruCell(Cell):
    """h = g + z * (h - g), where the gate r scales the product in g (Cho et al., 2014, as cuDNN computes it)."""

    kept = 5

    @staticmethod
    def step(given: Any, product: Any, states: Tensors) -> tuple[Tensors, Tensors]:
        z, r, g = tf.split(given, 3, axis=1)
        of_z, of_r, scaled = tf.split(product, 3, axis=1)
        z, r = tf.sigmoid(z + of_z), tf.sigmoid(r + of_r)
        g = tf.tanh(g + r * scaled)
        change = states[0] - g
        return (g + z * change,), (z, r, g, scaled, change)

    @staticmethod
    def back(kept: Tensors, gradients: Tensors) -> tuple[Any, Any, Tensors]:
        z, r, g, scaled, change = kept
        through = gradients[0] * z
        of_g = tf.raw_ops.TanhGrad(y=g, dy=gradients[0] - through)
        of_z = tf.raw_ops.SigmoidGrad(y=z, dy=gradients[0] * change)
        of_r = tf.raw_ops.SigmoidGrad(y=r, dy=of_g * scaled)
        return tf.concat([of_z, of_r, of_g], axis=1), tf.concat([of_z, of_r, of_g * r], axis=1), (through,)


def _arrays(steps: Any, count: int) -> Tensors:
    """Empty arrays of `steps` tensors each."""
    return [tf.TensorArray(tf.float32, steps, clear_after_read=False) for _ in range(count)]


def _forward(cell: type[Cell], given: Any, kernel: Any, bias: Any, initial: Tensors) -> tuple[Any, Tensors, Tensors]:
    """The outputs (steps, batch, units), the last states, and arrays of what each step keeps.

    Arguments:
        given: (steps, batch, gates * units), what each step reads.
        kernel: (units, gates * units), of the states.
        bias: (gates * units,), added to the product with the kernel, or None.
        initial: the states before the first step.
    """
    steps = tf.shape(given)[0]
    source = tf.TensorArray(tf.float32, steps).unstack(given)

    def body(step: Any, states: Tensors, outputs: Any, kept: Tensors) -> tuple[Any, Tensors, Any, Tensors]:
        product = tf.matmul(states[0], kernel)
        states, now = cell.step(source.read(step), product if bias is None else product + bias, states)
        written = [array.write(step, value) for array, value in zip(kept, now, strict=True)]
        return step + 1, list(states), outputs.write(step, states[0]), written

    outputs, *kept = _arrays(steps, 1 + cell.kept)
    _, last, outputs, kept = tf.while_loop(lambda step, *_: step < steps, body, (0, list(initial), outputs, kept))
    return outputs.stack(), last, kept


def _backward(cell: type[Cell], kept: Tensors, outputs: Any, last: Tensors, kernel: Any) -> tuple[Any, Any, Tensors]:
    """The gradients of `given` and of the products, (steps, batch, gates * units), and of the initial states.

    `outputs`: those of the outputs, (steps, batch, units); `last`: those of the last states.
    """
    steps, transposed = tf.shape(outputs)[0], tf.transpose(kernel)
    source = tf.TensorArray(tf.float32, steps).unstack(outputs)

    def body(step: Any, gradients: Tensors, arrays: Tensors) -> tuple[Any, Tensors, Tensors]:
        gradients = [gradients[0] + source.read(step), *gradients[1:]]
        given, product, before = cell.back([array.read(step) for array in kept], gradients)
        before = [before[0] + tf.matmul(product, transposed), *before[1:]]
        return step - 1, before, [arrays[0].write(step, given), arrays[1].write(step, product)]

    start = (steps - 1, list(last), _arrays(steps, 2))
    _, first, (given, product) = tf.while_loop(lambda step, *_: step >= 0, body, start)
    return given.stack(), product.stack(), first


def run(
    cell: type[Cell], sequences: Any, kernel: Any, recurrent: Any, bias: Any, initial: Tensors
) -> tuple[Any, Tensors]:
    """The outputs (batch, steps, units) of a recurrent layer and its last states, (batch, units) each.

    Arguments:
        sequences: float32 (batch, steps, width), at least one step.
        kernel, recurrent, bias: the weights of the layer as Keras has them.
        initial: the states before the first step, (batch, units) each.
    """
    # Copies, since the gradient needs the states as they are now, and a layer that keeps its states assigns new ones.
    initial = [tf.identity(state) for state in initial]
    outputs, *last = _layer(cell)(tf.transpose(sequences, (1, 0, 2)), kernel, recurrent, bias, *initial)
    return tf.transpose(outputs, (1, 0, 2)), last


def _layer(cell: type[Cell]) -> Any:
    """A layer of such cells with its gradient: read, kernel, recurrent kernel, bias, initial states -> states.

    What it reads is (steps, batch, width), and it gives the outputs (steps, batch, units) and the last of each state.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def layer(read: Any, kernel: Any, recurrent: Any, bias: Any, *initial: Any) -> Any:
        shape, gates = tf.shape(read), recurrent.shape[1]
        flat = tf.reshape(read, (-1, read.shape[-1]))
        of_input, recurrent_bias = tf.unstack(bias) if len(bias.shape) == 2 else (bias, None)
        given = tf.reshape(tf.matmul(flat, kernel) + of_input, (shape[0], shape[1], gates))
        outputs, last, kept = _forward(cell, given, recurrent, recurrent_bias, initial)

        def gradient(of_outputs: Any, *of_last: Any) -> Tensors:
            of_given, of_product, first = _backward(cell, kept, of_outputs, of_last, recurrent)
            before = tf.reshape(tf.concat([initial[0][None], outputs[:-1]], axis=0), (-1, recurrent.shape[0]))
            of_given, of_product = tf.reshape(of_given, (-1, gates)), tf.reshape(of_product, (-1, gates))
            biases = [tf.reduce_sum(of_given, axis=0)]
            if recurrent_bias is not None:
                biases.append(tf.reduce_sum(of_product, axis=0))
            return (
                tf.reshape(tf.matmul(of_given, kernel, transpose_b=True), shape),
                tf.matmul(flat, of_given, transpose_a=True),
                tf.matmul(before, of_product, transpose_a=True),
                tf.reshape(tf.stack(biases), tf.shape(bias)),
                *first,
            )

        return (outputs, *last), gradient

    return layer
