"""Layers: reversal and pooling of padded rows, weighed n-grams, and the transitions of a chain, over keras.ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from pipeline.encoding.features import membership

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
