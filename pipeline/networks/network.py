"""Networks of classifiers and taggers: embedding -> recurrent layers -> scores, plus the scores of linear n-grams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.config.network import NetworkSettings
from pipeline.encoding.pretrained import STATES, STREAM
from pipeline.networks import recurrent
from pipeline.networks.layers import (
    FeatureTable,
    GroupedEmbeddings,
    LinearNgrams,
    Reverse,
    SequencePooling,
    TransitionScores,
)

CELLS = {"rnn": recurrent.SimpleRNN, "lstm": recurrent.LSTM, "gru": recurrent.GRU}
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Tables:
    """The arrays that a network is built on, from the embed stage and the train split.

    Arguments:
        embeddings: unit -> float32 (vocabulary, width), the first two rows for padding and unknown.
        idf: name of a linear part -> float32 (n_grams + 1,), the value of each n-gram.
        outputs: the number of scores.
        per_token: whether each token gets scores, and not the text as a whole.
        chained: whether the network holds transition scores, which the loss trains (`TransitionScores`).
        features: what is read of each token beside its vector, by name.
        pretrained: the weights of a pretrained encoder, or those that a language model starts from, by the names of
            `weights`; empty for none.
    """

    embeddings: Mapping[str, Array]
    idf: Mapping[str, Array]
    outputs: int
    per_token: bool = False
    chained: bool = False
    features: Mapping[str, FeatureTable] = field(default_factory=dict)
    pretrained: Mapping[str, Array] = field(default_factory=dict)


def build(settings: NetworkSettings, tables: Tables, seed: int) -> keras.Model:
    """The network, not compiled: the inputs of a Batch by name -> logits.

    Logits are (batch, outputs), or (batch, steps, outputs) for `tables.per_token`. The same seed gives the same initial
    weights and the same dropout.
    """
    return _Builder(settings, tables, seed).network()


def weights(network: keras.Model) -> dict[str, Array]:
    """Every array of the network as `LAYER/VARIABLE`, without the random states of dropout."""
    return {
        f"{layer.name}/{variable.name}": np.asarray(variable, np.float32)
        for layer in network.layers
        for variable in layer.weights
        if "seed" not in variable.name
    }


def assign(network: keras.Model, values: Mapping[str, Array]) -> None:
    """Gives arrays of the network new values, by the names of `weights`."""
    for layer in network.layers:
        for variable in layer.weights:
            if (name := f"{layer.name}/{variable.name}") in values:
                variable.assign(values[name])


def reset_states(network: keras.Model) -> None:
    """Sets the states that a network keeps between calls to 0, their value before the first token of a text."""
    for layer in network.layers:
        if isinstance(layer, layers.RNN):
            layer.reset_state()


def on_states(network: keras.Model) -> keras.Model:
    """The layers and weights of a network without its pretrained encoder, whose states are an input instead.

    In place of `encoder` and `encoder_lengths`, it takes `encoder_states` float32 (batch, steps, width).
    """
    own = (STREAM, f"{STREAM}_lengths")
    inputs = {tensor.name: tensor for tensor in network.inputs if tensor.name not in own}
    states = network.get_layer(STATES).output
    states.name = STATES  # Keras takes the name of an input from its tensor
    return keras.Model({**inputs, STATES: states}, network.output)


def seeds_from(seed: int) -> Any:
    """An iterator over the seeds of a network's initializers and dropouts."""
    seeds = np.random.SeedSequence(seed).generate_state(1000)
    if keras.backend.backend() == "torch":
        seeds >>= 1  # Keras has them as int32 there
    return iter(seeds.tolist())


def glorot_uniform(seeds: Any) -> Any:
    """The initializer of kernels, with the next seed."""
    return keras.initializers.GlorotUniform(seed=next(seeds))


class _Builder:
    """Builds one network; `inputs` collects its inputs by name. Each initializer and dropout takes the next seed."""

    def __init__(self, settings: NetworkSettings, tables: Tables, seed: int) -> None:
        self.settings = settings
        self.tables = tables
        self.seeds = seeds_from(seed)
        self.inputs: dict[str, Any] = {}

    def network(self) -> keras.Model:
        parts = [self._recurrent_part(unit) for unit in self.tables.embeddings]
        vector = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
        vector = self._dropout(vector)
        dense = layers.Dense(self.tables.outputs, kernel_initializer=glorot_uniform(self.seeds), name="scores")
        scores = dense(vector)
        for name in self.tables.idf:
            scores = layers.Add()([scores, self._linear_part(name)])
        if self.tables.chained:
            scores = TransitionScores(name="chain")(scores)
        return keras.Model(self.inputs, scores)

    def _input(self, name: str, *shape: int | None) -> Any:
        self.inputs[name] = keras.Input(shape, dtype="int32", name=name)
        return self.inputs[name]

    def _dropout(self, states: Any) -> Any:
        return layers.Dropout(self.settings.dropout, seed=next(self.seeds))(states)

    def _recurrent_part(self, unit: str) -> Any:
        """The pooled states (batch, width) of one unit, or all states (batch, steps, width)."""
        read = [self._embedded(unit), *(self._feature(name) for name in self.tables.features)]
        lengths = self.inputs[f"{unit}_lengths"]
        states = self._hidden(read)
        if unit == "char" and self.tables.pretrained:
            states = layers.Concatenate()([states, self._encoder_states()])
        directions = [states]
        for index, width in enumerate(self.settings.widths):
            if index:
                states = self._dropout(_aligned(directions, lengths))
            directions = self._layer(f"{unit}_{index}", width, states, lengths)
        if self.tables.per_token:
            return _aligned(directions, lengths)
        pooled = [self._pooled(kind, unit, directions, lengths) for kind in self.settings.poolings]
        return layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]

    def _embedded(self, unit: str) -> Any:
        """The vectors of a unit's tokens, (batch, steps, width)."""
        table = self.tables.embeddings[unit]
        ids = self._input(unit, None)
        self._input(f"{unit}_lengths")
        trainable = self.settings.embedding != "frozen"
        embedding = layers.Embedding(*table.shape, trainable=trainable, name=f"{unit}_embedding")
        vectors = embedding(ids)
        embedding.set_weights([table])
        return vectors

    def _feature(self, name: str) -> Any:
        """The vectors of a feature, (batch, steps, groups * width)."""
        table = self.tables.features[name]
        ids = self._input(f"feature_{name}", None, sum(table.groups))
        trainable = self.settings.embedding != "frozen" or name not in self.settings.features.trained
        return GroupedEmbeddings(table, trainable=trainable, name=f"{name}_feature")(ids)

    def _hidden(self, read: list[Any]) -> Any:
        """What is read of each token, side by side, each part dropped as a whole at random."""
        rate = self.settings.embedding_dropout
        drop = [layers.Dropout(rate, noise_shape=(None, None, 1), seed=next(self.seeds)) for _ in read]
        hidden = [dropout(states) for dropout, states in zip(drop, read, strict=True)]
        return layers.Concatenate()(hidden) if len(hidden) > 1 else hidden[0]

    def _encoder_states(self) -> Any:
        """The states of the pretrained encoder at each character, as the recurrent layers read them."""
        ids, lengths = self._input(STREAM, None), self._input(f"{STREAM}_lengths")
        ids, lengths = ops.pad(ids, ((0, 0), (1, 1))), lengths + 2  # the end of a text before and after it
        forward = self._stack("forward", self._encoder_vectors("forward", ids))
        backward = self._stack("backward", Reverse()(self._encoder_vectors("backward", ids), lengths))
        both = layers.Concatenate()([forward, Reverse()(backward, lengths)])
        states = layers.Cropping1D(1, name=STATES)(both)
        states = layers.Dropout(self.settings.encoder_dropout, seed=next(self.seeds))(states)
        if not self.settings.encoder_width:
            return states
        kernel = glorot_uniform(self.seeds)
        return layers.Dense(self.settings.encoder_width, kernel_initializer=kernel, name="states_projection")(states)

    def _encoder_vectors(self, direction: str, ids: Any) -> Any:
        name = f"encoder_{direction}_embedding"
        table = self.tables.pretrained[f"{name}/embeddings"]
        layer = layers.Embedding(*table.shape, name=name)
        return self._pretrained(layer, ids, tuned=self.settings.encoder_layers is None)

    def _stack(self, direction: str, states: Any) -> Any:
        """The states (batch, steps, units) of the last LSTM of one direction, in the order that it reads."""
        depth = sum(
            name.startswith(f"encoder_{direction}_") and name.endswith("/kernel") for name in self.tables.pretrained
        )
        lowest = depth - (self.settings.encoder_layers or depth)  # of the layers that training changes
        for index in range(depth):
            name = f"encoder_{direction}_{index}"
            units = len(self.tables.pretrained[f"{name}/recurrent_kernel"])
            layer = recurrent.LSTM(units, return_sequences=True, recurrent_initializer="zeros", name=name)
            states = self._pretrained(layer, states, tuned=index >= lowest)
        return states

    def _pretrained(self, layer: Any, read: Any, tuned: bool) -> Any:
        """What a layer gives that has the encoder's weights, which training changes only if the encoder is tuned."""
        layer.trainable = tuned and self.settings.encoder_mode == "tuned"
        given = layer(read)
        for variable in layer.weights:
            variable.assign(self.tables.pretrained[f"{layer.name}/{variable.name}"])
        return given

    def _layer(self, name: str, units: int, states: Any, lengths: Any) -> list[Any]:
        """The states (batch, steps, units) of each direction of a recurrent layer, in the order that it reads."""
        forward = self._cell(f"{name}_forward", units)(states)
        if not self.settings.bidirectional:
            return [forward]
        return [forward, self._cell(f"{name}_backward", units)(Reverse()(states, lengths))]

    def _cell(self, name: str, units: int) -> Any:
        return CELLS[self.settings.cell](
            units,
            return_sequences=True,
            kernel_initializer=glorot_uniform(self.seeds),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(self.seeds)),
            name=name,
        )

    def _pooled(self, kind: str, unit: str, directions: list[Any], lengths: Any) -> Any:
        """Pooled states (batch, directions * units).

        Only attention weighs the states of both directions at a token together. For the other kinds each direction is
        pooled in the order that it reads. This saves reversing the backward states, and `last` is then the state that
        has read the whole text.
        """
        name = f"{unit}_{kind}"
        if kind == "attention":
            return SequencePooling(kind, seed=next(self.seeds), name=name)(_aligned(directions, lengths), lengths)
        states = layers.Concatenate()(directions) if len(directions) > 1 else directions[0]
        return SequencePooling(kind, name=name)(states, lengths)

    def _linear_part(self, name: str) -> Any:
        """The scores of n-grams, (batch, outputs) or (batch, steps, outputs)."""
        wide = self.settings.wide
        ids = self._input(f"gram_{name}", *((None, None) if self.tables.per_token else (None,)))
        layer = LinearNgrams(
            self.tables.idf[name],
            self.tables.outputs,
            scale=wide.scale,
            dropout=wide.dropout,
            l2=wide.l2,
            seed=next(self.seeds),
            name=f"{name}_wide",
        )
        return layer(ids)


def _aligned(directions: list[Any], lengths: Any) -> Any:
    """The states of both directions at the same token: (batch, steps, directions * units), forward first."""
    if len(directions) == 1:
        return directions[0]
    forward, backward = directions
    return layers.Concatenate()([forward, Reverse()(backward, lengths)])
