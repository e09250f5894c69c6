"""Lazy Adam: of a table's rows those alone that a step reads, as written out in NumPy; averages as step by step."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from pipeline.training.lazy_adam import LazyAdam

ROWS, WIDTH, RATE, DECAY = 12, 3, 0.05, 0.8
CLIP = 0.5
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere it is Adam")


class Table(layers.Layer):
    """The rows of a table, summed up, times a weight."""

    def build(self, shape):
        self.table = self.add_weight(shape=(ROWS, WIDTH), initializer="ones", name="table")
        self.weight = self.add_weight(shape=(WIDTH, 2), initializer="ones", name="weight")

    def call(self, ids):
        return ops.matmul(ops.sum(ops.take(self.table.value, ids, axis=0), axis=1), self.weight)


def network(average=DECAY, clip=CLIP):
    keras.utils.set_random_seed(1)
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, Table()(ids))
    model.compile(LazyAdam(RATE, clip_norm=clip, average=average), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def batches(count=9, seed=0):
    """Ids with repeats, of which some rows are read in some steps alone, and one never."""
    generator = np.random.default_rng(seed)
    return [
        (
            generator.choice(generator.choice(ROWS - 1, 4, replace=False), (5, 6)).astype(np.int32),
            generator.normal(size=(5, 2)).astype(np.float32),
        )
        for _ in range(count)
    ]


class Written:
    """The same in NumPy, row by row, averages moved in every step."""

    def __init__(self):
        self.weights = [np.ones((ROWS, WIDTH)), np.ones((WIDTH, 2))]
        self.first, self.second = ([np.zeros_like(value) for value in self.weights] for _ in range(2))
        self.averages = [value.copy() for value in self.weights]
        self.step = 0

    def train(self, ids, targets):
        table, weight = self.weights
        summed = table[ids].sum(axis=1)
        slope = 2 * (summed @ weight - targets) / targets.size
        gradients = [np.zeros_like(table), summed.T @ slope]
        for row, back in zip(ids, slope @ weight.T, strict=True):
            for id_ in row:
                gradients[0][id_] += back
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
        self.step += 1
        touched = [np.isin(np.arange(ROWS), ids), np.ones(WIDTH, bool)]
        for index, (gradient, rows) in enumerate(zip(gradients, touched, strict=True)):
            gradient = gradient * min(1, CLIP / norm)
            first, second, value = self.first[index], self.second[index], self.weights[index]
            first[rows] = 0.9 * first[rows] + 0.1 * gradient[rows]
            second[rows] = 0.999 * second[rows] + 0.001 * gradient[rows] ** 2
            mean, square = first[rows] / (1 - 0.9**self.step), second[rows] / (1 - 0.999**self.step)
            value[rows] -= RATE * mean / (np.sqrt(square) + 1e-7)
            decay = DECAY if self.step > 1 else 0
            self.averages[index] = decay * self.averages[index] + (1 - decay) * value


def values(model):
    return [np.asarray(variable).copy() for variable in model.trainable_variables]


def test_steps_and_averages_are_those_written_out():
    model, written = network(), Written()
    for ids, targets in batches():
        model.train_on_batch(ids, targets)
        written.train(ids, targets)
        for ours, theirs in zip(values(model), written.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for ours, theirs in zip(values(model), written.averages, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    assert (values(model)[0][-1] == 1).all(), "the row that is never read stays as it is"


def test_without_an_average_nothing_is_averaged():
    model = network(average=0.0)
    for ids, targets in batches(3):
        model.train_on_batch(ids, targets)
    before = values(model)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    assert all(np.array_equal(a, b) for a, b in zip(values(model), before, strict=True))


def test_where_every_row_is_read_it_is_adam():
    ids = np.arange(ROWS, dtype=np.int32).reshape(4, 3)
    targets = np.random.default_rng(2).normal(size=(4, 2)).astype(np.float32)
    lazy, adam = network(clip=0.0), network()
    adam.compile(keras.optimizers.Adam(RATE, use_ema=True, ema_momentum=DECAY), "mse")
    for _ in range(5):
        for model in (lazy, adam):
            model.train_on_batch(ids, targets)
    for model in (lazy, adam):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    for ours, theirs in zip(values(lazy), values(adam), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)
