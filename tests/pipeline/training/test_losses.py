"""Losses: what Keras computes for labels, and what a chain computes token by token, however much padding there is."""

import keras
import numpy as np
import pytest

from pipeline.encoding.batch import NO_TARGET
from pipeline.networks import layers
from pipeline.training import crf, losses

SCORES = np.random.default_rng(0).normal(0, 2, (3, 6, 4)).astype(np.float32)
LENGTHS = np.array([6, 1, 3], np.int32)
TARGETS = np.where(np.arange(6) < LENGTHS[:, None], np.random.default_rng(1).integers(0, 4, (3, 6)), NO_TARGET)
EVERYTHING = (np.ones((4, 4), bool), np.ones(4, bool), np.ones(4, bool))


def chained():
    layer = layers.TransitionScores()
    layer.build((None, None, 4))
    generator = np.random.default_rng(2)
    for variable in layer.trainable_variables:
        variable.assign(generator.normal(size=variable.shape))
    return layer


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_that_of_keras(smoothing):
    targets = np.array([3, 0, 1], np.int32)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    ours = losses.CrossEntropy(smoothing)
    expected = theirs(np.eye(4, dtype=np.float32)[targets], SCORES[:, 0])
    assert float(ours(targets, SCORES[:, 0])) == pytest.approx(float(expected), rel=1e-6)


def test_independent_tokens_weigh_the_same():
    logs = SCORES - np.log(np.exp(SCORES).sum(axis=2, keepdims=True))
    inside = TARGETS != NO_TARGET
    expected = -np.take_along_axis(logs, np.maximum(TARGETS, 0)[:, :, None], 2)[:, :, 0][inside].mean()
    assert float(losses.independent()(TARGETS, SCORES)) == pytest.approx(float(expected), rel=1e-5)


def test_the_next_token_is_one_of_many_independent_ones():
    expected = float(losses.independent()(TARGETS, SCORES))
    assert float(losses.next_token()(TARGETS, SCORES)) == pytest.approx(expected, rel=1e-5)
    ended = np.full_like(TARGETS[:1], NO_TARGET)
    more = losses.next_token()(np.concatenate([TARGETS, ended]), np.concatenate([SCORES, SCORES[:1]]))
    assert float(more) == pytest.approx(expected, rel=1e-5), "a row that has ended has no part in it"


@pytest.mark.parametrize("kind", ["crf", "maxent"])
def test_a_chain_is_minus_its_log_likelihood_a_token(kind):
    layer = chained()
    function = {"crf": crf.log_likelihood, "maxent": crf.memm_log_likelihood}[kind]
    found = function(SCORES, LENGTHS, TARGETS, layer.transitions, layer.start, layer.end)
    expected = -np.asarray(found).sum() / LENGTHS.sum()
    assert float(losses.chain(kind, layer, EVERYTHING)(TARGETS, SCORES)) == pytest.approx(float(expected), rel=1e-5)


def test_what_is_forbidden_has_no_part_in_it():
    layer, targets = chained(), np.array([[0, 1, 0, NO_TARGET]])
    allowed = (np.array([[True, True], [True, False]]), np.ones(2, bool), np.ones(2, bool))
    layer = layers.TransitionScores()
    layer.build((None, None, 2))
    scores = np.zeros((1, 4, 2), np.float32)
    # Of 8 sequences of three tokens, three have 1 after 1.
    found = float(losses.chain("crf", layer, allowed)(targets, scores))
    assert found == pytest.approx(np.log(5) / 3, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_cross_entropy_is_the_mean_over_labels_and_ignores_what_comes_after_them(smoothing):
    targets = np.array([[1, 0, 1, 1], [0, 0, 0, 1], [1, 1, 0, 0]])
    smooth = targets * (1 - smoothing) + smoothing / 2
    shares = 1 / (1 + np.exp(-SCORES[:, 0].astype(np.float64)))
    expected = -(smooth * np.log(shares) + (1 - smooth) * np.log(1 - shares)).mean()
    padded = np.pad(targets, ((0, 0), (0, 4)), constant_values=NO_TARGET)
    ours = losses.BinaryCrossEntropy(smoothing)
    for given in (targets, padded):
        assert float(ours(given.astype(np.int32), SCORES[:, 0])) == pytest.approx(expected, rel=1e-5)
