"""Sampled softmax: how tokens are drawn, and that training with samples aims where training with all tokens does."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import NO_TARGET, Example
from pipeline.language.sampling import PoissonSampling
from pipeline.networks import language_network
from pipeline.networks.network import reset_states
from pipeline.training import losses
from pipeline.training.trainer import Trainer

VOCABULARY, WIDTH = 6, 4


@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=40), size=st.integers(1, 50))
def test_chances_add_up_to_the_size_and_frequent_tokens_have_higher_ones(counts, size):
    chances = PoissonSampling.from_counts(np.array(counts), size).chances
    assert chances.sum() == pytest.approx(min(size, len(counts)))
    assert ((chances > 0) & (chances <= 1)).all()
    assert (np.diff(chances[np.argsort(counts, kind="stable")]) >= -1e-12).all()


def test_a_sample_has_each_id_as_often_as_its_chance_says_whatever_else_it_has():
    sampling = PoissonSampling.from_counts(np.array([1000, 3, 9, 1, 1, 30, 2]), 4)
    generator = np.random.default_rng(1)
    drawn = np.zeros((5000, 7))
    for row in drawn:
        sample = sampling.draw(generator)
        assert len(sample) == 64, "filled up"
        ids = sample[sample >= 0]
        assert len(set(ids)) == len(ids)
        row[ids] = 1
    assert sampling.chances[0] == 1 and drawn[:, 0].all()
    error = np.sqrt(sampling.chances * (1 - sampling.chances) / len(drawn))
    assert (np.abs(drawn.mean(axis=0) - sampling.chances) <= 4 * error).all()
    uncertain = drawn[:, sampling.chances < 1]
    together = np.corrcoef(uncertain.T)[np.triu_indices(uncertain.shape[1], 1)]
    assert len(together) > 5 and np.abs(together).max() < 4 / np.sqrt(len(drawn))


def scores_by_hand(layer_scores, chances, target, sample):
    """-log p(target | one of these): the own score first, all less log chances, the target left out of the sample."""
    ids = [target, *(id for id in sample if id != target)]
    values = layer_scores[ids] - np.log(chances[ids])
    return np.log(np.exp(values).sum()) - values[0], ids, values


def test_at_the_truth_the_expected_gradient_is_zero():
    """For any distribution and any chances, over all targets and all samples, enumerated: the optimum is the truth."""
    generator = np.random.default_rng(2)
    scores = generator.normal(0, 2, VOCABULARY)
    truth = np.exp(scores) / np.exp(scores).sum()
    chances = np.array([1.0, 0.9, 0.3, 0.05, 0.5, 0.2])
    expected, scale = np.zeros(VOCABULARY), 0.0
    for inside in itertools.product([False, True], repeat=VOCABULARY):
        inside = np.array(inside)
        weight = np.prod(np.where(inside, chances, 1 - chances))
        for target in range(VOCABULARY):
            _, ids, values = scores_by_hand(scores, chances, target, np.flatnonzero(inside))
            gradient = np.zeros(VOCABULARY)
            gradient[ids] = np.exp(values) / np.exp(values).sum()
            gradient[target] -= 1
            expected += weight * truth[target] * gradient
            scale += weight * truth[target] * np.abs(gradient).sum()
    assert scale > 0.1
    np.testing.assert_allclose(expected, 0, atol=1e-12)


def build(tied, rows=2):
    settings = NetworkSettings(cell="gru", units=WIDTH, bidirectional=False, dropout=0.0, embedding_dropout=0.0)
    generator = np.random.default_rng(0)
    built = language_network.build(
        settings, generator.normal(size=(VOCABULARY, WIDTH)).astype(np.float32), rows, 1, tied=tied
    )
    for variable in built.trainable_variables:
        variable.assign(generator.normal(0, 0.7, variable.shape))
    return built


IDS = np.array([[0, 3, 1, 5], [0, 2, 0, 0]], np.int32)
TARGETS = np.array([[3, 1, 5, 0], [2, 0, NO_TARGET, NO_TARGET]], np.int32)
INPUTS = {"char": IDS, "char_lengths": np.array([4, 2], np.int32)}


@pytest.mark.parametrize("tied", [False, True])
def test_scores_are_those_worked_out_by_hand(tied):
    built = build(tied)
    chances = np.array([1.0, 0.9, 0.3, 0.05, 0.5, 0.2])
    learner = language_network.with_sampled_scores(built, np.log(chances).astype(np.float32))
    sample = np.array([0, 2, 3, 5, -1, -1], np.int32)
    whole = np.asarray(built(INPUTS, training=False), np.float64)
    reset_states(built)
    found = learner({**INPUTS, "targets": TARGETS, "sample": sample}, training=False)
    assert found.shape == (2, 4, 1 + len(sample))
    nats = [
        scores_by_hand(whole[row, step], chances, TARGETS[row, step], sample[:4])[0]
        for row, step in zip(*np.nonzero(TARGETS >= 0), strict=True)
    ]
    loss = float(losses.sampled_next_token()(TARGETS, found))
    assert loss == pytest.approx(np.mean(nats), abs=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_with_all_tokens_sampled_it_is_the_full_softmax(tied):
    """One step of plain gradient descent changes every weight alike, and the loss is the same."""
    changed, found = [], []
    for is_sampled in (False, True):
        built = build(tied)
        sampling = PoissonSampling.from_counts(np.ones(VOCABULARY, int), VOCABULARY)
        learner = language_network.with_sampled_scores(built, sampling.logs) if is_sampled else built
        more = {"targets": TARGETS, "sample": sampling.draw(np.random.default_rng(1))} if is_sampled else {}
        loss = losses.sampled_next_token() if is_sampled else losses.next_token()
        learner.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
        before = [np.asarray(variable).copy() for variable in built.trainable_variables]
        found.append(float(learner.train_on_batch({**INPUTS, **more}, TARGETS)))
        changed.append(
            [np.asarray(variable) - old for variable, old in zip(built.trainable_variables, before, strict=True)]
        )
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    for one, other in zip(*changed, strict=True):
        assert np.abs(one).max() > 1e-3
        np.testing.assert_allclose(one, other, atol=1e-5)


def counting(length):
    """Tokens that count upwards, so that each says which is next."""
    row = np.r_[0, np.arange(length) % 5 + 1, 0].astype(np.int32)
    return Example({"char": row[:-1]}, target=row[1:])


def trainer(folder, **settings):
    folder.mkdir(exist_ok=True)
    built = build(True, rows=4)
    sampling = PoissonSampling.from_counts(np.bincount([0, 1, 1, 2, 3, 4, 5]), 3)
    chosen = TrainSettings(**{"epochs": 3, "batch_size": 4, "metric": "loss", "learning_rate": 0.02, **settings})
    return Trainer(
        language_network.with_sampled_scores(built, sampling.logs),
        [counting(length) for length in (3, 9, 12, 5, 7, 7)],
        losses.sampled_next_token(),
        chosen,
        seed=1,
        checkpoint=folder / "checkpoint.npz",
        measure=lambda: {"loss": full_loss(built)},
        bptt_steps=4,
        feed=lambda batch, generator: {"targets": batch.targets, "sample": sampling.draw(generator)},
    )


def full_loss(built):
    text = counting(15)
    inputs = {"char": np.tile(text.streams["char"], (4, 1)), "char_lengths": np.full(4, 16, np.int32)}
    scores = np.asarray(built(inputs, training=False))
    return float(losses.next_token()(np.tile(text.target, (4, 1)), scores))


@pytest.mark.parametrize("settings", [{}, {"optimizer": "lazy_adam", "ema_momentum": 0.5}])
def test_it_learns_what_the_full_softmax_judges_and_can_be_continued(settings, tmp_path):
    whole = trainer(tmp_path / "whole", epochs=12, patience=12, **settings)
    dev = [epoch.dev["loss"] for epoch in whole.epochs(lambda done, note: None)]
    assert dev[-1] < 0.6 * dev[0]
    first = trainer(tmp_path / "parts", epochs=12, patience=12, **settings)
    list(itertools.islice(first.epochs(lambda done, note: None), 5))
    second = trainer(tmp_path / "parts", epochs=12, patience=12, **settings)
    second.restore()
    assert [epoch.dev["loss"] for epoch in second.epochs(lambda done, note: None)] == dev[5:]
    for one, other in zip(second.network.trainable_variables, whole.network.trainable_variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
