"""Losses: what training makes small, by the answer that a network gives: a label a text, or one a token, in a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import ops

from pipeline.encoding.batch import NO_TARGET
from pipeline.training import crf

# Scores, lengths and targets to log p(targets | scores) of each text.
LogLikelihood = Callable[[Any, Any, Any], Any]


class CrossEntropy(keras.losses.Loss):  # type: ignore[misc]
    """Of softmax over scores (batch, labels) and label ids (batch,); one number a text.

    `smoothing` spreads that much of the target over all labels (Szegedy et al., 2016, section 7).
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__(name="cross_entropy")
        self.smoothing = smoothing

    def call(self, targets: Any, scores: Any) -> Any:
        """Targets (batch,) and scores (batch, labels) -> (batch,)."""
        ones = ops.one_hot(ops.cast(ops.reshape(targets, (-1,)), "int32"), scores.shape[-1])
        return keras.losses.categorical_crossentropy(ones, scores, from_logits=True, label_smoothing=self.smoothing)


class TokenLoss(keras.losses.Loss):  # type: ignore[misc]
    """Minus the log-likelihood of a batch's targets a token, from scores (batch, steps, outputs).

    Targets (batch, steps) end where `NO_TARGET` begins. One number a text, whose mean is the loss of the mean token.
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
    """Of tokens that are answered one by one: softmax."""
    return TokenLoss(crf.greedy_log_likelihood)


def next_token() -> TokenLoss:
    """Of the token that follows each, one of many: `independent` without a vector of zeros and a one for each."""

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        nats = keras.losses.sparse_categorical_crossentropy(ops.maximum(targets, 0), scores, from_logits=True)
        return -ops.sum(ops.where(targets != NO_TARGET, nats, 0.0), axis=1)

    return TokenLoss(log_likelihood)


def first_of_each() -> TokenLoss:
    """Of the first of each token's scores: softmax over a target, which comes first, and those drawn beside it."""

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        logs = scores[:, :, 0] - ops.logsumexp(scores, axis=-1)
        return ops.sum(ops.where(targets != NO_TARGET, logs, 0.0), axis=1)

    return TokenLoss(log_likelihood)


def chain(kind: str, layer: Any, allowed: Iterable[Any]) -> TokenLoss:
    """Of a "crf" or "maxent" chain whose scores are a `network.Chain`'s; they are trained along.

    `allowed`: bool arrays of transitions, start and end; what is false there counts as impossible.
    """
    likelihood = {"crf": crf.log_likelihood, "maxent": crf.memm_log_likelihood}[kind]

    def log_likelihood(scores: Any, lengths: Any, targets: Any) -> Any:
        variables = (layer.transitions, layer.start, layer.end)
        possible = (ops.where(may, value, crf.FORBIDDEN) for may, value in zip(allowed, variables, strict=True))
        return likelihood(scores, lengths, targets, *possible)

    return TokenLoss(log_likelihood)
