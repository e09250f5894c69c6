"""Networks: embedding -> SimpleRNN | LSTM | GRU, stacked, one way or both -> pooling -> scores, n-grams beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.config.settings import NetworkSettings
from pipeline.encoding.features import membership

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
ATTENTION_UNITS = 64
TINY = 1e-12  # in place of a sum of nothing
Array = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureTable:
    """The vectors of a feature, see `features.Feature`.

    `values`: float32 (ids, width); `shares`: float32 (ids,), how much each weighs; `groups`: ids of each group.
    """

    values: Array
    shares: Array
    groups: tuple[int, ...]


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


class Reverse(layers.Layer):  # type: ignore[misc]
    """Each row of (batch, steps, width) back to front within its own length; what lies behind the length stays.

    Its own inverse. The backward direction of a right-padded batch without a mask.
    """

    def call(self, states: Any, lengths: Any) -> Any:
        """states (batch, steps, width), lengths int32 (batch,) -> (batch, steps, width)."""
        rows, count = (ops.shape(states)[axis] for axis in (0, 1))
        steps = ops.arange(count, dtype="int32")[None, :]
        source = ops.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
        # One gather of whole rows from a flat table: faster than take_along_axis, forward and in its gradient.
        flat = source + count * ops.arange(rows, dtype="int32")[:, None]
        return ops.take(ops.reshape(states, (-1, states.shape[-1])), flat, axis=0)

    def compute_output_shape(self, states_shape: Any, lengths_shape: Any = None) -> Any:
        """The shape of the states."""
        return states_shape


class Pool(layers.Layer):  # type: ignore[misc]
    """The states of a text as one vector, by its length: (batch, steps, width), (batch,) -> (batch, width).

    last: the state of the last step; mean, max: over the steps; attention: mean weighted by softmax(v . tanh(W h + b))
    (Yang et al., NAACL 2016, equations 5 to 7).
    """

    def __init__(self, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind

    def build(self, states_shape: Any, lengths_shape: Any = None) -> None:
        """Weights of attention."""
        if self.kind == "attention":
            shape = (states_shape[-1], ATTENTION_UNITS)
            self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
            self.bias = self.add_weight(shape=(ATTENTION_UNITS,), initializer="zeros", name="bias")
            self.query = self.add_weight(shape=(ATTENTION_UNITS, 1), initializer="glorot_uniform", name="query")

    def call(self, states: Any, lengths: Any) -> Any:
        """states (batch, steps, width), lengths int32 (batch,) -> (batch, width)."""
        if self.kind == "last":
            return ops.take_along_axis(states, (lengths - 1)[:, None, None], axis=1)[:, 0, :]
        inside = (ops.arange(ops.shape(states)[1], dtype="int32")[None, :] < lengths[:, None])[:, :, None]
        if self.kind == "max":
            return ops.max(ops.where(inside, states, -np.inf), axis=1)
        if self.kind == "mean":
            return ops.sum(ops.where(inside, states, 0.0), axis=1) / ops.cast(lengths, states.dtype)[:, None]
        scores = ops.matmul(ops.tanh(ops.matmul(states, self.kernel) + self.bias), self.query)
        weights = ops.softmax(ops.where(inside, scores, -np.inf), axis=1)
        return ops.sum(states * weights, axis=1)

    def compute_output_shape(self, states_shape: Any, lengths_shape: Any = None) -> Any:
        """(batch, width)."""
        return (states_shape[0], states_shape[-1])


class Summary(layers.Layer):  # type: ignore[misc]
    """The vectors of a token's feature ids, those of each group summed up by their shares, the groups side by side.

    (batch, steps, ids of all groups) -> (batch, steps, groups * width). A group g is groups / Z times the sum over its
    ids of share * vector, with Z the shares of all ids of the token (Ma et al., ACL 2020, equation 7); nothing where
    there is none.
    """

    def __init__(self, table: FeatureTable, *, trainable: bool, **options: Any) -> None:
        super().__init__(trainable=trainable, **options)
        self.values = table
        self.member = membership(table.groups)

    def build(self, ids_shape: Any) -> None:
        """The table of vectors, and the share of each."""
        values, shares = self.values.values, self.values.shares
        self.table = self.add_weight(shape=values.shape, initializer="zeros", name="table")
        self.table.assign(values)
        self.shares = self.add_weight(shape=shares.shape, initializer="zeros", trainable=False, name="shares")
        self.shares.assign(shares)

    def call(self, ids: Any) -> Any:
        """ids int32 (batch, steps, ids of all groups) -> (batch, steps, groups * width)."""
        shares = ops.take(self.shares.value, ids, axis=0)
        total = ops.maximum(ops.sum(shares, axis=-1, keepdims=True), TINY)
        spread = (shares * (len(self.member) / total))[:, :, None, :] * self.member
        groups = ops.matmul(spread, ops.take(self.table.value, ids, axis=0))
        shape = ops.shape(ids)
        return ops.reshape(groups, (shape[0], shape[1], len(self.member) * self.table.shape[-1]))

    def compute_output_shape(self, ids_shape: Any) -> Any:
        """(batch, steps, groups * width)."""
        return (*ids_shape[:2], len(self.member) * self.values.values.shape[-1])


class LinearNgrams(layers.Layer):  # type: ignore[misc]
    """A linear model: scores = sum over a text's n-grams of value * weights (Cheng et al., 2016, section 3.1).

    A text's values are its n-grams' idf, scaled to the Euclidean length `scale`. While training, n-grams are dropped at
    random. (batch, grams) ids with 0 as padding -> (batch, outputs), or of every token (batch, steps, grams) ->
    (batch, steps, outputs).
    """

    def __init__(
        self, idf: Array, outputs: int, *, scale: float, dropout: float, l2: float, seed: int, **options: Any
    ) -> None:
        super().__init__(**options)
        self.idf_values = idf
        self.outputs = outputs
        self.scale = scale
        self.drop = layers.Dropout(dropout, seed=seed)
        self.penalty = keras.regularizers.L2(l2) if l2 else None

    def build(self, ids_shape: Any) -> None:
        """The table of weights, all zero, and the idf of each n-gram."""
        shape = (len(self.idf_values), self.outputs)
        self.table = self.add_weight(shape=shape, initializer="zeros", regularizer=self.penalty, name="table")
        self.idf = self.add_weight(shape=self.idf_values.shape, initializer="zeros", trainable=False, name="idf")
        self.idf.assign(self.idf_values)

    def call(self, ids: Any, training: bool = False) -> Any:
        """ids int32 (batch, grams) -> (batch, outputs), or with steps between."""
        values = ops.take(self.idf, ids, axis=0)
        norm = ops.sqrt(ops.sum(values * values, axis=-1, keepdims=True) + 1e-12)
        values = self.drop(values * (self.scale / norm), training=training)
        # By `value`, so that TensorFlow reads the rows alone and not the whole table first.
        return ops.matmul(values[..., None, :], ops.take(self.table.value, ids, axis=0))[..., 0, :]

    def compute_output_shape(self, ids_shape: Any) -> Any:
        """(batch, outputs), or with steps between."""
        return (*ids_shape[:-1], self.outputs)


class TransitionScores(layers.Layer):  # type: ignore[misc]
    """Hands scores on as they are, and holds what a linear chain adds to them: (batch, steps, outputs) -> the same.

    `transitions` (outputs, outputs), whose [i, j] scores output j after i, `start` and `end` (outputs,), all zero. Only
    a loss reads them; they don't get into the frozen graph.
    """

    def build(self, scores_shape: Any) -> None:
        """The variables."""
        outputs = scores_shape[-1]
        for name, shape in (("transitions", (outputs, outputs)), ("start", (outputs,)), ("end", (outputs,))):
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def call(self, scores: Any) -> Any:
        """The scores."""
        return scores

    def compute_output_shape(self, scores_shape: Any) -> Any:
        """The shape of the scores."""
        return scores_shape


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
