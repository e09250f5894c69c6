"""The network of a language model: embedding -> SimpleRNN | LSTM | GRU, stacked -> scores of the next token."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.network import CELLS
from pipeline.settings import NetworkSettings

Array = NDArray[np.float32]


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
        return ops.matmul(states, ops.transpose(self.embedding.embeddings)) + self.bias

    def compute_output_shape(self, states_shape: Any) -> Any:
        """(rows, steps, vocabulary)."""
        return (*states_shape[:-1], self.embedding.input_dim)


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
        return layers.Dense(embedding.input_dim, kernel_initializer=_initial(seeds), name="scores")(states)
    if states.shape[-1] != embedding.output_dim:
        states = layers.Dense(embedding.output_dim, kernel_initializer=_initial(seeds), name="projection")(states)
    return Tied(embedding, name="scores")(states)


def _initial(seeds: Any) -> Any:
    return keras.initializers.GlorotUniform(seed=next(seeds))
