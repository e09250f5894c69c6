"""Recurrent layers with a gradient by hand: outputs, states and gradients are those of Keras's own layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from pipeline.networks import recurrent, tensorflow_loops

KINDS = ["SimpleRNN", "LSTM", "GRU"]
MARGIN = 2e-5


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "_without_gpu", lambda: True)


def _pair(kind: str, width: int, units: int, seed: int, rows: int | None = None, **options: Any) -> list[Any]:
    """Keras's layer and ours with the same random weights; `rows`: of a batch, None for any number."""
    generator = np.random.default_rng(seed)
    pair = [getattr(module, kind)(units, return_state=True, **options) for module in (layers, recurrent)]
    for layer in pair:
        layer.build((rows, None, width))
    weights = [generator.normal(0, 0.5, weight.shape).astype(np.float32) for weight in pair[0].weights]
    for layer in pair:
        layer.set_weights(weights)
    return pair


def _gradients(layer: Any, read: Any, initial: list[Any], factors: list[Any]) -> list[Any]:
    """Of a function of the outputs and of the last states: by what is read, the initial states and the weights."""
    with tf.GradientTape() as tape:
        tape.watch([read, *initial])
        results = layer(read, initial_state=initial)
        value = tf.add_n(
            [tf.reduce_sum(tf.sin(result) * factor) for result, factor in zip(results, factors, strict=True)]
        )
    weights = [weight.value for weight in layer.weights]
    return [*results, *tape.gradient(value, [read, *initial, *weights])]


@given(
    kind=st.sampled_from(KINDS),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 5), st.integers(1, 6)),
    sequences=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_outputs_states_and_gradients_are_those_of_keras(
    kind: str, sizes: tuple[int, int, int, int], sequences: bool, seed: int
) -> None:
    rows, steps, width, units = sizes
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> Any:
        return tf.constant(generator.normal(size=shape), tf.float32)

    read = normal(rows, steps, width)
    initial = [normal(rows, units) for _ in range(1 + (kind == "LSTM"))]
    factors = [normal(rows, steps, units) if sequences else normal(rows, units), *map(tf.sin, initial)]
    pair = _pair(kind, width, units, seed, return_sequences=sequences)
    found = [_gradients(layer, read, initial, factors) for layer in pair]
    assert len(found[0]) == len(found[1])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=MARGIN, rtol=MARGIN)


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_compiled_function_of_any_length(kind: str) -> None:
    pair = _pair(kind, 3, 4, 1, return_sequences=True)

    @tf.function(reduce_retracing=True)
    def gradients(read: Any) -> Any:
        initial = [tf.zeros((2, 4))] * (1 + (kind == "LSTM"))
        return [_gradients(layer, read, initial, [1.0] * (1 + len(initial))) for layer in pair]

    for steps in (1, 5, 30):
        theirs, ours = gradients(tf.random.stateless_normal((2, steps, 3), (1, steps)))
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(other, one, atol=MARGIN, rtol=MARGIN)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_layer_passes_gradients_and_has_none(kind: str) -> None:
    inputs = keras.Input((None, 3))
    first = layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
    layer = getattr(recurrent, kind)(4, return_sequences=True)
    layer.trainable = False
    network = keras.Model(inputs, layer(first(inputs)))
    before = [np.array(weight) for weight in layer.weights], np.array(first.kernel)
    network.compile(optimizer="sgd", loss="mse")
    network.train_on_batch(np.ones((2, 5, 3), np.float32), np.ones((2, 5, 4), np.float32))
    for weight, old in zip(layer.weights, before[0], strict=True):
        np.testing.assert_array_equal(weight, old)
    assert np.any(np.asarray(first.kernel) != before[1])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_states_are_kept_between_windows(kind: str, compiled: bool) -> None:
    pair = _pair(kind, 3, 4, 1, 2, return_sequences=True, stateful=True)
    read = tf.constant(np.random.default_rng(1).normal(size=(2, 12, 3)), tf.float32)

    def gradients(layer: Any, window: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs, *_ = layer(window)
            value = tf.reduce_sum(tf.sin(outputs))
        return [outputs, *tape.gradient(value, [weight.value for weight in layer.trainable_weights])]

    found = []
    for layer in pair:
        function = tf.function(lambda window, layer=layer: gradients(layer, window)) if compiled else None
        windows = (read[:, :6], read[:, 6:])
        found.append([function(window) if function else gradients(layer, window) for window in windows])
    for theirs, ours in zip(*found, strict=True):
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(other, one, atol=MARGIN, rtol=MARGIN)
    assert np.max(np.abs(found[1][1][0][:, 0] - found[1][0][0][:, 0])) > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_gpu_the_loop_is_that_of_keras(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "_without_gpu", lambda: False)
    monkeypatch.setattr(tensorflow_loops, "run", None)
    theirs, ours = (layer(np.ones((2, 3, 3), np.float32))[0] for layer in _pair(kind, 3, 4, 1))
    np.testing.assert_array_equal(ours, theirs)
