"""Losses: the cross-entropy of one or several labels per text, the negative log-likelihood of a target per token."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import ops

from pipeline.encoding.batch import NO_TARGET
from pipeline.training import crf

# (scores, lengths, targets) -> log p(targets | scores) of each text, (batch,).
LogLikelihood = Callable[[Any, Any, Any], Any]


class CrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """The cross-entropy of label ids (batch,) under the softmax of scores (batch, labels), (batch,).

    `smoothing`: the share of the target that is spread over all labels (Szegedy et al., 2016, section 7).
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__(name="cross_entropy")
        self.smoothing = smoothing

    def call(self, targets: Any, scores: Any) -> Any:
        """Targets (batch,) and scores (batch, labels) -> (batch,)."""
        ones = ops.one_hot(ops.cast(ops.reshape(targets, (-1,)), "int32"), scores.shape[-1])
        return keras.losses.categorical_crossentropy(ones, scores, from_logits=True, label_smoothing=self.smoothing)


class BinaryCrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """The binary cross-entropy of each label under the sigmoid of its score, the mean over the labels, (batch,).

    Targets are 1 for each label that a text has and 0 for the others; what comes after the labels is padding.

    `smoothing`: p moves targets towards 0.5, to p / 2 and 1 - p / 2.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__(name="binary_cross_entropy")
        self.smoothing = smoothing

    def call(self, targets: Any, scores: Any) -> Any:
        """Targets (batch, labels or more) and scores (batch, labels) -> (batch,)."""
        flags = ops.cast(targets[:, : scores.shape[-1]], scores.dtype)
        return keras.losses.binary_crossentropy(flags, scores, from_logits=True, label_smoothing=self.smoothing)


class TokenLoss(keras.losses.Loss):  # type: ignore[misc]
    """The negative log-likelihood of targets (batch, steps) given scores (batch, steps, outputs), (batch,).

    The targets of a text end where `NO_TARGET` begins. The values are scaled so that their mean over the batch is the
    mean over its tokens.
    """

    def __init__(self, log_likelihood: LogLikelihood) -> None:
        super().__init__(name="token_loss")
        self.log_likelihood = log_likelihood

    def call(self, targets: Any, scores: Any) -> Any:
        """Targets (batch, steps) and scores (batch, steps, outputs) -> (batch,)."""
        targets = ops.cast(targets, "int32")
        lengths = ops.sum(ops.cast(targets != NO_TARGET, "int32"), axis=1)
        return -self.log_likelihood(scores, lengths, targets) / ops.mean(ops.cast(lengths, "float32"))


def independent() -> TokenLoss:
    """The loss of independent tokens: the cross-entropy of each, under its own softmax."""
    return TokenLoss(crf.greedy_log_likelihood)


def next_token() -> TokenLoss:
    """The loss of a language model: as `independent`, without one-hot vectors as wide as the vocabulary."""

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        nats = keras.losses.sparse_categorical_crossentropy(ops.maximum(targets, 0), scores, from_logits=True)
        return -ops.sum(ops.where(targets != NO_TARGET, nats, 0.0), axis=1)

    return TokenLoss(log_likelihood)


def sampled_next_token() -> TokenLoss:
    """The loss for `SampledScores`: the softmax over the target, whose score comes first, and the sampled tokens."""

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        logs = scores[:, :, 0] - ops.logsumexp(scores, axis=-1)
        return ops.sum(ops.where(targets != NO_TARGET, logs, 0.0), axis=1)

    return TokenLoss(log_likelihood)


def chain(kind: str, layer: Any, allowed: Iterable[Any]) -> TokenLoss:
    """The loss of a "crf" or "maxent" chain, which also trains the variables of `layer`, a `TransitionScores`.

    `allowed`: bool arrays for transitions, start and end; where they are false, a tag or transition is impossible.
    """
    likelihood = {"crf": crf.log_likelihood, "maxent": crf.memm_log_likelihood}[kind]

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        variables = (layer.transitions, layer.start, layer.end)
        possible = (ops.where(may, value, crf.FORBIDDEN) for may, value in zip(allowed, variables, strict=True))
        return likelihood(scores, lengths, targets, *possible)

    return TokenLoss(log_likelihood)
