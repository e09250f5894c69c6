"""Networks: embedding -> SimpleRNN | LSTM | GRU, stacked, one way or both -> pooling -> scores, n-grams beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from pipeline.config.network import NetworkSettings
from pipeline.networks.layers import FeatureTable, LinearNgrams, Pool, Reverse, Summary, TransitionScores

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Tables:
    """What a network is built on: the arrays that come from the embed stage and the train split.

    `embeddings`: unit -> float32 (vocabulary, width), the first rows padding and unknown;
    `idf`: unit -> float32 (n_grams + 1,) for each wide part; `outputs`: number of scores; `per_token`: whether every
    token gets them, and not the text as a whole; `chained`: whether there are scores of one token's output after
    another's, which the loss trains; `features`: by name, what is read of each token beside its vector.
    """

    embeddings: Mapping[str, Array]
    idf: Mapping[str, Array]
    outputs: int
    per_token: bool = False
    chained: bool = False
    features: Mapping[str, FeatureTable] = field(default_factory=dict)


def build(settings: NetworkSettings, tables: Tables, seed: int) -> keras.Model:
    """The network, not compiled: the inputs of a Batch, by name -> scores (batch, outputs), or (batch, steps, outputs).

    Scores are logits. Same seed, same initial weights and same dropout.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(1000).tolist())
    inputs: dict[str, Any] = {}
    parts = [_recurrent(unit, settings, tables, inputs, seeds) for unit in tables.embeddings]
    vector = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    vector = layers.Dropout(settings.dropout, seed=next(seeds))(vector)
    scores = layers.Dense(tables.outputs, kernel_initializer=_initial(seeds), name="scores")(vector)
    for unit, idf in tables.idf.items():
        scores = layers.Add()([scores, _wide(unit, settings, idf, tables, inputs, seeds)])
    if tables.chained:
        scores = TransitionScores(name="chain")(scores)
    return keras.Model(inputs, scores)


def weights(network: keras.Model) -> dict[str, Array]:
    """Every array of the network by `LAYER/VARIABLE`, dropout's random states left out."""
    return {
        f"{layer.name}/{variable.name}": np.asarray(variable, np.float32)
        for layer in network.layers
        for variable in layer.weights
        if "seed" not in variable.name
    }


def reset_states(network: keras.Model) -> None:
    """Set the states that a network keeps from call to call to 0, as before the first token of a text."""
    for layer in network.layers:
        if isinstance(layer, layers.RNN):
            layer.reset_state()


def _recurrent(unit: str, settings: NetworkSettings, tables: Tables, inputs: dict[str, Any], seeds: Any) -> Any:
    """Ids of one unit -> its pooled states (batch, width), or the states (batch, steps, width)."""
    table = tables.embeddings[unit]
    ids = inputs[unit] = keras.Input((None,), dtype="int32", name=unit)
    lengths = inputs[f"{unit}_lengths"] = keras.Input((), dtype="int32", name=f"{unit}_lengths")
    embedding = layers.Embedding(*table.shape, trainable=settings.embedding != "frozen", name=f"{unit}_embedding")
    states = embedding(ids)
    embedding.set_weights([table])
    read = [states, *(_feature(name, settings, table, inputs) for name, table in tables.features.items())]
    hide = [layers.Dropout(settings.embedding_dropout, noise_shape=(None, None, 1), seed=next(seeds)) for _ in read]
    hidden = [dropout(states) for dropout, states in zip(hide, read, strict=True)]
    states = layers.Concatenate()(hidden) if len(hidden) > 1 else hidden[0]
    directions = [states]
    for index, width in enumerate(settings.widths):
        if index:
            states = layers.Dropout(settings.dropout, seed=next(seeds))(_aligned(directions, lengths))
        directions = _layer(f"{unit}_{index}", settings, width, states, lengths, seeds)
    if tables.per_token:
        return _aligned(directions, lengths)
    pooled = [_pool(kind, unit, directions, lengths) for kind in settings.poolings]
    return layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]


def _feature(name: str, settings: NetworkSettings, table: FeatureTable, inputs: dict[str, Any]) -> Any:
    """A feature's ids -> (batch, steps, groups * width)."""
    shape = (None, sum(table.groups))
    ids = inputs[f"feature_{name}"] = keras.Input(shape, dtype="int32", name=f"feature_{name}")
    trainable = settings.embedding != "frozen" or name not in settings.features.trained
    return Summary(table, trainable=trainable, name=f"{name}_feature")(ids)


def _layer(name: str, settings: NetworkSettings, units: int, states: Any, lengths: Any, seeds: Any) -> list[Any]:
    """One recurrent layer: (batch, steps, width) -> (batch, steps, units) of each direction, in the order it reads."""

    def cell(direction: str) -> Any:
        return CELLS[settings.cell](
            units,
            return_sequences=True,
            kernel_initializer=_initial(seeds),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
            name=f"{name}_{direction}",
        )

    forward = cell("forward")(states)
    return [forward, cell("backward")(Reverse()(states, lengths))] if settings.bidirectional else [forward]


def _aligned(directions: list[Any], lengths: Any) -> Any:
    """The directions' states of the same token side by side: (batch, steps, directions * units), forward first."""
    if len(directions) == 1:
        return directions[0]
    forward, backward = directions
    return layers.Concatenate()([forward, Reverse()(backward, lengths)])


def _pool(kind: str, unit: str, directions: list[Any], lengths: Any) -> Any:
    """Pooled states (batch, directions * units).

    Only attention weighs both directions' states of a token together; for the others each direction is pooled in the
    order that it reads, which spares turning the backward states round, and makes `last` the state that has read all.
    """
    pool = Pool(kind, name=f"{unit}_{kind}")
    if kind == "attention" or len(directions) == 1:
        return pool(_aligned(directions, lengths), lengths)
    return pool(layers.Concatenate()(directions), lengths)


def _wide(unit: str, settings: NetworkSettings, idf: Array, tables: Tables, inputs: dict[str, Any], seeds: Any) -> Any:
    wide = settings.wide
    shape = (None, None) if tables.per_token else (None,)
    ids = inputs[f"gram_{unit}"] = keras.Input(shape, dtype="int32", name=f"gram_{unit}")
    layer = LinearNgrams(
        idf,
        tables.outputs,
        scale=wide.scale,
        dropout=wide.dropout,
        l2=wide.l2,
        seed=next(seeds),
        name=f"{unit}_wide",
    )
    return layer(ids)


def _initial(seeds: Any) -> Any:
    return keras.initializers.GlorotUniform(seed=next(seeds))
