"""The network of a language model: embedding -> SimpleRNN | LSTM | GRU, stacked -> scores of the next token."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.config.network import NetworkSettings
from pipeline.networks.network import CELLS

Array = NDArray[np.float32]
IMPOSSIBLE = -1e9


def _product(states: Any, matrix: Any) -> Any:
    """states (rows, steps, width) @ matrix (width, outputs) as one product of two matrices.

    TensorFlow makes one product a row of it, and in the gradient as many matrices of the second one's size.
    """
    rows, steps = (ops.shape(states)[axis] for axis in (0, 1))
    flat = ops.matmul(ops.reshape(states, (-1, states.shape[-1])), matrix)
    return ops.reshape(flat, (rows, steps, -1))


class Scores(layers.Dense):  # type: ignore[misc]
    """Scores by a table of their own: states @ kernel + bias. (rows, steps, width) -> (rows, steps, vocabulary)."""

    def call(self, states: Any) -> Any:
        """states (rows, steps, width) -> scores (rows, steps, vocabulary)."""
        return _product(states, self.kernel) + self.bias


class Tied(layers.Layer):  # type: ignore[misc]
    """Scores by the table that the tokens are read with: states @ embeddings.T + bias (Press and Wolf, EACL 2017).

    (rows, steps, width) -> (rows, steps, vocabulary).
    """

    def __init__(self, embedding: layers.Embedding, **options: Any) -> None:
        super().__init__(**options)
        self.embedding = embedding

    def build(self, states_shape: Any) -> None:
        """The bias, all zero."""
        self.bias = self.add_weight(shape=(self.embedding.input_dim,), initializer="zeros", name="bias")

    def call(self, states: Any) -> Any:
        """states (rows, steps, width) -> scores (rows, steps, vocabulary)."""
        return _product(states, ops.transpose(self.embedding.embeddings)) + self.bias

    def compute_output_shape(self, states_shape: Any) -> Any:
        """(rows, steps, vocabulary)."""
        return (*states_shape[:-1], self.embedding.input_dim)


class Sampled(layers.Layer):  # type: ignore[misc]
    """Scores of each step's target and of a sample, by the weights of `scores`, a Scores or Tied.

    (rows, steps, width), targets int32 (rows, steps), sample int32 (size,) -> (rows, steps, 1 + size), the target's
    first; a place below 0 in the sample is none. `logs`: float32 (vocabulary,), the logarithm of each id's chance to be
    in a sample. It is taken from its score, and the target is ruled out in the sample: so the softmax is the
    probability that the target is the true one of these, and has its optimum where that over the whole vocabulary has
    it, however small the samples (Jean et al., ACL 2015, section 3, for the idea; Ma and Collins, EMNLP 2018,
    section 3, for the ranking objective).
    """

    def __init__(self, scores: layers.Layer, logs: Array, **options: Any) -> None:
        super().__init__(**options)
        self.scores = scores
        self.logs = logs

    def call(self, states: Any, targets: Any, sample: Any) -> Any:
        """Where there is no target (below 0) the scores mean nothing."""
        targets, ids, layer = ops.maximum(targets, 0), ops.maximum(sample, 0), self.scores
        table = layer.embedding.embeddings if isinstance(layer, Tied) else ops.transpose(layer.kernel)
        bias = layer.bias - self.logs
        own = ops.sum(states * ops.take(table, targets, axis=0), axis=-1) + ops.take(bias, targets, axis=0)
        others = _product(states, ops.transpose(ops.take(table, ids, axis=0))) + ops.take(bias, ids, axis=0)
        others = ops.where((targets[..., None] == sample) | (sample < 0), IMPOSSIBLE, others)
        return ops.concatenate([own[..., None], others], axis=-1)

    def compute_output_shape(self, states_shape: Any, targets_shape: Any, sample_shape: Any) -> Any:
        """(rows, steps, 1 + size)."""
        return (*states_shape[:-1], None)


def sampled(network: keras.Model, logs: Array) -> keras.Model:
    """A network of `build`, its layers and weights, with a `Sampled` in place of its scores.

    Its inputs are those of `network`, and `targets` and `sample`.
    """
    rows = network.inputs[0].shape[0]
    targets = keras.Input(batch_shape=(rows, None), dtype="int32", name="targets")
    sample = keras.Input(batch_shape=(None,), dtype="int32", name="sample")
    layer = network.get_layer("scores")
    scores = Sampled(layer, logs, name="sampled")(layer.input, targets, sample)
    inputs = {tensor.name: tensor for tensor in network.inputs}
    return keras.Model({**inputs, "targets": targets, "sample": sample}, scores)


def build(
    settings: NetworkSettings, table: Array, rows: int, seed: int, *, unit: str = "char", tied: bool = False
) -> keras.Model:
    """The network, not compiled: the inputs of a Batch of one stream, `unit` -> scores (rows, steps, vocabulary).

    Scores are logits. Lengths are not looked at: what is behind them comes last, and is forgotten with the rest.
    `table`: float32 (vocabulary, width), the embeddings to begin with. The states stay in the network from call to
    call, row by row, until `forget`; no gradient goes through them, which is truncated backpropagation through time
    (Williams and Peng, 1990). So the number of rows is fixed. Same seed, same initial weights and same dropout.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(1000).tolist())
    ids = keras.Input(batch_shape=(rows, None), dtype="int32", name=unit)
    lengths = keras.Input(batch_shape=(rows,), dtype="int32", name=f"{unit}_lengths")
    embedding = layers.Embedding(*table.shape, trainable=settings.embedding != "frozen", name="embedding")
    states = embedding(ids)
    embedding.set_weights([table])
    states = layers.Dropout(settings.embedding_dropout, noise_shape=(None, None, 1), seed=next(seeds))(states)
    for index, width in enumerate(settings.widths):
        states = _cell(f"layer_{index}", settings, width, seeds)(states)
        states = layers.Dropout(settings.dropout, seed=next(seeds))(states)
    return keras.Model({unit: ids, f"{unit}_lengths": lengths}, _scores(states, embedding, tied, seeds))


def _cell(name: str, settings: NetworkSettings, units: int, seeds: Any) -> Any:
    return CELLS[settings.cell](
        units,
        return_sequences=True,
        stateful=True,
        kernel_initializer=_initial(seeds),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
        name=name,
    )


def _scores(states: Any, embedding: layers.Embedding, tied: bool, seeds: Any) -> Any:
    """Scores of the states; tied, they are first brought to the width of the embeddings where theirs is another."""
    if not tied:
        return Scores(embedding.input_dim, kernel_initializer=_initial(seeds), name="scores")(states)
    if states.shape[-1] != embedding.output_dim:
        states = layers.Dense(embedding.output_dim, kernel_initializer=_initial(seeds), name="projection")(states)
    return Tied(embedding, name="scores")(states)


def _initial(seeds: Any) -> Any:
    return keras.initializers.GlorotUniform(seed=next(seeds))
