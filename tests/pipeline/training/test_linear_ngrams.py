"""Linear models of n-grams: their features are the network's, folding is adding, and held-out rows choose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from pipeline.config.network import NetworkSettings, WideSettings
from pipeline.encoding.batch import Example, pad
from pipeline.networks import network as networks
from pipeline.networks.network import Tables
from pipeline.training import linear_ngrams as ngrams
from pipeline.training.linear_ngrams import LinearModel
from pipeline.training.weighing import Weighing, accuracy

IDF = {"char": np.array([0, 1.0, 2.0, 3.0, 1.5], np.float32), "word": np.array([0, 0.5, 1.0], np.float32)}
SCALE = 4.0


def example(characters, words, target=0):
    bags = {"gram_char": np.array(characters, np.int32), "gram_word": np.array(words, np.int32)}
    return Example({"char": np.array([2, 3], np.int32)}, bags, target)


EXAMPLES = [example([1, 2], [1]), example([3, 4], [2], 1), example([], [1, 2], 2), example([1, 2, 3, 4], [], 1)]


@pytest.fixture
def network():
    settings = NetworkSettings(cell="lstm", units=3, wide=WideSettings(characters=1, words=1, scale=SCALE))
    drawn = np.random.default_rng(1)
    made = networks.build(settings, Tables({"char": drawn.normal(size=(5, 4)).astype(np.float32)}, IDF, 3), 1)
    tables = {f"{name}_wide/table": drawn.normal(size=(len(idf), 3)).astype(np.float32) for name, idf in IDF.items()}
    networks.assign(made, {**tables, "scores/bias": drawn.normal(size=3).astype(np.float32)})
    return made


def scores(network):
    return np.asarray(network.predict_on_batch(pad(EXAMPLES, np.arange(len(EXAMPLES))).inputs))


def test_features_are_idf_of_unit_length_in_each_part():
    found = ngrams.features(EXAMPLES, IDF).toarray()
    assert found.shape == (4, 6)
    assert found[0] == pytest.approx([1 / 5**0.5, 2 / 5**0.5, 0, 0, 1, 0])
    assert found[2] == pytest.approx([0, 0, 0, 0, 0.5 / 1.25**0.5, 1 / 1.25**0.5])
    assert np.linalg.norm(found[3]) == pytest.approx(1)


@pytest.mark.parametrize(("a", "b"), [(0.75, 1.5), (1.0, 0.0), (0.0, 1.0)])
def test_folding_gives_the_weighed_sum_of_both_scores(network, a, b):
    drawn = np.random.default_rng(2)
    linear = LinearModel(drawn.normal(size=(6, 3)).astype(np.float32), drawn.normal(size=3).astype(np.float32))
    before, weights = scores(network), networks.weights(network)
    networks.assign(network, ngrams.fold_in(weights, linear, Weighing(a, b, 0.5), parts=list(IDF), scale=SCALE))
    # The oracle: dense rows times weights, in float64.
    alone = ngrams.features(EXAMPLES, IDF).toarray().astype(np.float64) @ linear.weights + linear.intercept
    assert scores(network) == pytest.approx(a * alone + b * before, abs=1e-4)


def test_folding_leaves_the_weights_it_was_given_alone(network):
    weights = networks.weights(network)
    before = {name: value.copy() for name, value in weights.items()}
    linear = LinearModel(np.ones((6, 3), np.float32), np.ones(3, np.float32))
    ngrams.fold_in(weights, linear, Weighing(1.0, 1.0, 0.5), parts=list(IDF), scale=SCALE)
    assert all(np.array_equal(weights[name], value) for name, value in before.items())


def rows_of(targets, noise, seed=3):
    """Texts whose label is an n-gram of theirs, besides `noise` of 12 others."""
    drawn = np.random.default_rng(seed)
    idf = {"char": np.array([0, *[1.0] * (13 + max(targets))], np.float32)}
    first = 2 + max(targets)
    ids = [np.unique([1 + target, *(drawn.integers(first, first + 12, noise))]).astype(np.int32) for target in targets]
    return [Example({}, {"gram_char": row}, int(target)) for row, target in zip(ids, targets, strict=True)], idf


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("class_weights", [False, True])
def test_what_is_plain_is_learnt(labels, class_weights):
    targets = np.arange(60) % labels
    rows, idf = rows_of(targets, 3)
    found = ngrams.choose(rows[:40], idf, list(map(str, range(40))), class_weights=class_weights)
    assert found.model.weights.shape == (12 + labels, labels) and found.model.intercept.shape == (labels,)
    assert accuracy(found.model.scores(ngrams.features(rows[40:], idf)), targets[40:]) > 0.9
    assert set(found.names) <= set(ngrams.SOLVERS) == set(found.accuracies)


@pytest.mark.parametrize("name", ngrams.SOLVERS)
@pytest.mark.parametrize("labels", [2, 3])
def test_every_model_gives_the_answers_of_scikit_learn(name, labels):
    targets = np.arange(45) % labels
    rows, idf = rows_of(targets, 6)
    matrix = ngrams.features(rows, idf)
    oracle = {
        "logistic regression": LogisticRegression(C=100, tol=1e-3),
        "linear SVM": LinearSVC(random_state=0),
        "naive Bayes 0.1": ComplementNB(alpha=0.1),
        "naive Bayes 0.5": ComplementNB(alpha=0.5),
    }[name].fit(matrix[:30], targets[:30])
    found = ngrams.SOLVERS[name](matrix[:30], targets[:30], np.ones(30)).scores(matrix[30:])
    assert found.argmax(axis=1).tolist() == oracle.predict(matrix[30:]).tolist()


def test_models_that_are_clearly_worse_are_left_out(monkeypatch):
    def contrary(matrix, targets, weights):
        found = ngrams.SOLVERS["linear SVM"](matrix, targets, weights)
        return found.times(-1)

    monkeypatch.setitem(ngrams.SOLVERS, "contrary", contrary)
    rows, idf = rows_of(np.arange(50) % 2, 3)
    found = ngrams.choose(rows, idf, list(map(str, range(50))))
    assert "contrary" not in found.names and found.accuracies["contrary"] < 0.2


def test_a_label_of_one_row_can_be_learnt_though_it_cannot_be_judged():
    targets = np.array([*[0, 1] * 10, 2])
    rows, idf = rows_of(targets, 2)
    scores = ngrams.choose(rows, idf, list(map(str, range(21)))).model.scores(ngrams.features(rows, idf))
    assert np.isfinite(scores).all() and scores.argmax(axis=1)[-1] == 2


def test_two_rows_are_enough():
    rows, idf = rows_of(np.array([0, 1]), 0)
    found = ngrams.choose(rows, idf, ["a", "b"])
    assert found.model.scores(ngrams.features(rows, idf)).argmax(axis=1).tolist() == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdefghij")), min_size=1, max_size=60))
def test_folds_keep_groups_together_and_are_of_any_order(rows):
    targets, groups = np.array([target for target, _ in rows]), [group for _, group in rows]
    found = ngrams.folds(targets, groups)
    assert len(set(zip(groups, found.tolist(), strict=True))) == len(set(groups))
    assert set(found.tolist()) <= set(range(ngrams.FOLDS))


def test_folds_spread_each_label_evenly():
    targets = np.repeat([0, 1, 2], [50, 20, 5])
    found = ngrams.folds(targets, [f"{row:03}" for row in range(75)])
    for label, each in ((0, 10), (1, 4), (2, 1)):
        assert np.bincount(found[targets == label]).tolist() == [each] * 5
