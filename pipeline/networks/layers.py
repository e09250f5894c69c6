"""Layers in keras.ops: reversal and pooling of padded rows, grouped embeddings, linear n-grams, transition scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.encoding.features import membership

ATTENTION_UNITS = 64
TINY = 1e-12  # added or substituted where a divisor could be 0
Array = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureTable:
    """The vectors of a feature, see `pipeline.encoding.features.Feature`.

    `values`: float32 (ids, width); `shares`: float32 (ids,), the weight of each id; `groups`: the number of ids in each
    group.
    """

    values: Array
    shares: Array
    groups: tuple[int, ...]


class Reverse(layers.Layer):  # type: ignore[misc]
    """Reverses each row within its own length; the padding stays in place. It is its own inverse.

    The backward direction reads right-padded batches through it, without a mask.

    Call arguments:
        states: (batch, steps, width).
        lengths: int32 (batch,).

    Output: (batch, steps, width).
    """

    def call(self, states: Any, lengths: Any) -> Any:
        """The reversed rows, (batch, steps, width)."""
        rows, count = (ops.shape(states)[axis] for axis in (0, 1))
        steps = ops.arange(count, dtype="int32")[None, :]
        source = ops.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
        # One gather of whole rows from a flat table: faster than take_along_axis, forward and in its gradient.
        flat = source + count * ops.arange(rows, dtype="int32")[:, None]
        return ops.take(ops.reshape(states, (-1, states.shape[-1])), flat, axis=0)

    def compute_output_shape(self, states_shape: Any, lengths_shape: Any = None) -> Any:
        """The shape of the states."""
        return states_shape


class SequencePooling(layers.Layer):  # type: ignore[misc]
    """Pools the states of each text into one vector, without the padding.

    Arguments:
        kind: "last", the state at the last token; "mean" or "max" over the tokens; "attention", the mean weighted by
            softmax(v . tanh(W h + b)) (Yang et al., NAACL 2016, equations 5 to 7).
        seed: of the initial W and v of attention; None for a random one.

    Call arguments:
        states: (batch, steps, width).
        lengths: int32 (batch,), from 1.

    Output: (batch, width).
    """

    def __init__(self, kind: str, *, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.seed = seed

    def build(self, states_shape: Any, lengths_shape: Any = None) -> None:
        """Makes the weights of attention: W (width, 64), b (64,) and v (64, 1)."""
        if self.kind == "attention":
            seeds = np.random.SeedSequence(self.seed).generate_state(2).tolist()
            kernel, query = (keras.initializers.GlorotUniform(seed=seed) for seed in seeds)
            shape = (states_shape[-1], ATTENTION_UNITS)
            self.kernel = self.add_weight(shape=shape, initializer=kernel, name="kernel")
            self.bias = self.add_weight(shape=(ATTENTION_UNITS,), initializer="zeros", name="bias")
            self.query = self.add_weight(shape=(ATTENTION_UNITS, 1), initializer=query, name="query")

    def call(self, states: Any, lengths: Any) -> Any:
        """The pooled states, (batch, width)."""
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


class GroupedEmbeddings(layers.Layer):  # type: ignore[misc]
    """The vectors of a token's feature ids, summed within each group by their shares; the groups are concatenated.

    Group g is groups / Z times the sum over its ids of share * vector, where Z is the sum of the shares of all ids of
    the token (Ma et al., ACL 2020, equation 7). It is 0 for a group without ids.

    Arguments:
        table: vectors, shares and group sizes.
        trainable: whether training changes the vectors; it never changes the shares.

    Call arguments:
        ids: int32 (batch, steps, ids of all groups), 0 for none.

    Output: (batch, steps, groups * width).
    """

    def __init__(self, table: FeatureTable, *, trainable: bool, **options: Any) -> None:
        super().__init__(trainable=trainable, **options)
        self.values = table
        self.member = membership(table.groups)

    def build(self, ids_shape: Any) -> None:
        """Makes the table of vectors (ids, width) and the share of each, (ids,)."""
        values, shares = self.values.values, self.values.shares
        self.table = self.add_weight(shape=values.shape, initializer="zeros", name="table")
        self.table.assign(values)
        self.shares = self.add_weight(shape=shares.shape, initializer="zeros", trainable=False, name="shares")
        self.shares.assign(shares)

    def call(self, ids: Any) -> Any:
        """The summed vectors, (batch, steps, groups * width)."""
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
    """A linear model of n-grams: scores = sum over n-grams of value * weights (Cheng et al., 2016, section 3.1).

    The values of a text, or of a token, are the idf of its n-grams, scaled to the Euclidean length `scale`. Training
    drops n-grams at random.

    Arguments:
        idf: float32 (n_grams + 1,), 0 for the padding, id 0.
        outputs: the number of scores.
        scale: length of the vector of values.
        dropout: the share of n-grams that training drops.
        l2: penalty on the weights, 0 for none.
        seed: of the dropout.

    Call arguments:
        ids: int32 (batch, ids) or (batch, steps, ids), padded with 0.

    Output: (batch, outputs) or (batch, steps, outputs).
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
        """Makes the weights (n_grams + 1, outputs), all 0, and the idf of each n-gram, (n_grams + 1,)."""
        shape = (len(self.idf_values), self.outputs)
        self.table = self.add_weight(shape=shape, initializer="zeros", regularizer=self.penalty, name="table")
        self.idf = self.add_weight(shape=self.idf_values.shape, initializer="zeros", trainable=False, name="idf")
        self.idf.assign(self.idf_values)

    def call(self, ids: Any, training: bool = False) -> Any:
        """The scores, (batch, outputs) or (batch, steps, outputs)."""
        values = ops.take(self.idf, ids, axis=0)
        norm = ops.sqrt(ops.sum(values * values, axis=-1, keepdims=True) + TINY)
        values = self.drop(values * (self.scale / norm), training=training)
        # By `value`, so that TensorFlow reads only these rows and not the whole table first.
        return ops.matmul(values[..., None, :], ops.take(self.table.value, ids, axis=0))[..., 0, :]

    def compute_output_shape(self, ids_shape: Any) -> Any:
        """(batch, outputs) or (batch, steps, outputs)."""
        return (*ids_shape[:-1], self.outputs)


class TransitionScores(layers.Layer):  # type: ignore[misc]
    """Holds the parameters of a linear chain and returns its input unchanged: (batch, steps, outputs) -> the same.

    `transitions` (outputs, outputs): `[i, j]` scores output j after i; `start` and `end` (outputs,). All begin at 0.
    Only the loss reads them; they are no part of the exported graph.
    """

    def build(self, scores_shape: Any) -> None:
        """Makes the variables."""
        outputs = scores_shape[-1]
        for name, shape in (("transitions", (outputs, outputs)), ("start", (outputs,)), ("end", (outputs,))):
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def call(self, scores: Any) -> Any:
        """The scores as they came."""
        return scores

    def compute_output_shape(self, scores_shape: Any) -> Any:
        """The shape of the scores."""
        return scores_shape
