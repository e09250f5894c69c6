"""The network of a language model: embedding -> stacked SimpleRNN, LSTM or GRU -> scores of the next token."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.config.network import NetworkSettings
from pipeline.networks.network import CELLS, glorot_uniform, seeds_from

Array = NDArray[np.float32]
IMPOSSIBLE = -1e9


def _product(states: Any, matrix: Any) -> Any:
    """states (rows, steps, width) @ matrix (width, outputs), as a product of two matrices.

    TensorFlow would compute one product per row, and in the gradient as many matrices of the size of `matrix`.
    """
    rows, steps = (ops.shape(states)[axis] for axis in (0, 1))
    flat = ops.matmul(ops.reshape(states, (-1, states.shape[-1])), matrix)
    return ops.reshape(flat, (rows, steps, -1))


class UntiedScores(layers.Dense):  # type: ignore[misc]
    """Scores from a table of their own: states @ kernel + bias.

    Call arguments:
        states: (rows, steps, width).

    Output: (rows, steps, vocabulary).
    """

    def call(self, states: Any) -> Any:
        """The scores, (rows, steps, vocabulary)."""
        return _product(states, self.kernel) + self.bias


class TiedScores(layers.Layer):  # type: ignore[misc]
    """Scores from the table of the input embeddings: states @ embeddings.T + bias (Press and Wolf, EACL 2017).

    Arguments:
        embedding: the layer that embeds the tokens.

    Call arguments:
        states: (rows, steps, width), as wide as the embeddings.

    Output: (rows, steps, vocabulary).
    """

    def __init__(self, embedding: layers.Embedding, **options: Any) -> None:
        super().__init__(**options)
        self.embedding = embedding

    def build(self, states_shape: Any) -> None:
        """Makes the bias (vocabulary,), all 0."""
        self.bias = self.add_weight(shape=(self.embedding.input_dim,), initializer="zeros", name="bias")

    def call(self, states: Any) -> Any:
        """The scores, (rows, steps, vocabulary)."""
        return _product(states, ops.transpose(self.embedding.embeddings)) + self.bias

    def compute_output_shape(self, states_shape: Any) -> Any:
        """(rows, steps, vocabulary)."""
        return (*states_shape[:-1], self.embedding.input_dim)


class SampledScores(layers.Layer):  # type: ignore[misc]
    """Scores of each step's target and of a sample of the vocabulary, for training with a sampled softmax.

    The logarithm of an id's chance to be sampled is subtracted from its score, and a sampled id that is the target is
    ruled out. The softmax is then the probability that the target is the true token among these. It has the same
    optimum as the softmax over the whole vocabulary, however small the samples (Jean et al., ACL 2015, section 3, for
    the idea; Ma and Collins, EMNLP 2018, section 3, for the ranking objective).

    Arguments:
        scores: the layer whose weights are used, UntiedScores or TiedScores.
        logs: float32 (vocabulary,), the logarithm of each id's chance to be in a sample.

    Call arguments:
        states: (rows, steps, width).
        targets: int32 (rows, steps); below 0 where there is none, and the scores then mean nothing.
        sample: int32 (size,); places below 0 are left out.

    Output: (rows, steps, 1 + size), the score of the target first.
    """

    def __init__(self, scores: layers.Layer, logs: Array, **options: Any) -> None:
        super().__init__(**options)
        self.scores = scores
        self.logs = logs

    def call(self, states: Any, targets: Any, sample: Any) -> Any:
        """The scores, (rows, steps, 1 + size)."""
        targets, ids, layer = ops.maximum(targets, 0), ops.maximum(sample, 0), self.scores
        table = layer.embedding.embeddings if isinstance(layer, TiedScores) else ops.transpose(layer.kernel)
        bias = layer.bias - self.logs
        own = ops.sum(states * ops.take(table, targets, axis=0), axis=-1) + ops.take(bias, targets, axis=0)
        others = _product(states, ops.transpose(ops.take(table, ids, axis=0))) + ops.take(bias, ids, axis=0)
        others = ops.where((targets[..., None] == sample) | (sample < 0), IMPOSSIBLE, others)
        return ops.concatenate([own[..., None], others], axis=-1)

    def compute_output_shape(self, states_shape: Any, targets_shape: Any, sample_shape: Any) -> Any:
        """(rows, steps, 1 + size)."""
        return (*states_shape[:-1], None)


def with_sampled_scores(network: keras.Model, logs: Array) -> keras.Model:
    """The layers and weights of a network of `build`, with `SampledScores` in place of its scores.

    Its inputs are those of `network`, plus `targets` int32 (rows, steps) and `sample` int32 (size,).
    """
    rows = network.inputs[0].shape[0]
    targets = keras.Input(batch_shape=(rows, None), dtype="int32", name="targets")
    sample = keras.Input(batch_shape=(None,), dtype="int32", name="sample")
    layer = network.get_layer("scores")
    scores = SampledScores(layer, logs, name="sampled")(layer.input, targets, sample)
    inputs = {tensor.name: tensor for tensor in network.inputs}
    return keras.Model({**inputs, "targets": targets, "sample": sample}, scores)


def build(
    settings: NetworkSettings, table: Array, rows: int, seed: int, *, unit: str = "char", tied: bool = False
) -> keras.Model:
    """The network, not compiled: the inputs of a Batch whose stream is `unit` -> logits (rows, steps, vocabulary).

    The network keeps its states between calls, row by row, until `reset_states`; no gradient passes through them, as
    in truncated backpropagation through time (Williams and Peng, 1990). The number of rows is therefore fixed.
    Lengths are not read: the padding comes last, and the states after it are reset with the others.

    Arguments:
        table: float32 (vocabulary, width), the initial embeddings.
        rows: rows of a batch.
        seed: the same seed gives the same initial weights and the same dropout.
        tied: whether the scores use the table of the embeddings (`TiedScores`).
    """
    seeds = seeds_from(seed)
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
        kernel_initializer=glorot_uniform(seeds),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
        name=name,
    )


def _scores(states: Any, embedding: layers.Embedding, tied: bool, seeds: Any) -> Any:
    """The layer `scores` on the states; for tied scores, after a projection if their width is not the embeddings'."""
    if not tied:
        return UntiedScores(embedding.input_dim, kernel_initializer=glorot_uniform(seeds), name="scores")(states)
    if states.shape[-1] != embedding.output_dim:
        states = layers.Dense(embedding.output_dim, kernel_initializer=glorot_uniform(seeds), name="projection")(states)
    return TiedScores(embedding, name="scores")(states)
