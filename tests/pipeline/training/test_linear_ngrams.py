"""The regression on n-grams: its features are the network's, its weights those of dev, and folding is adding."""

import numpy as np
import pytest

from pipeline.config.network import NetworkSettings, WideSettings
from pipeline.encoding.batch import Example, pad
from pipeline.networks import network as networks
from pipeline.networks.network import Tables
from pipeline.training import linear_ngrams as ngrams
from pipeline.training.linear_ngrams import Regression, Weighing

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
    regression = Regression(
        drawn.normal(size=(6, 3)).astype(np.float32), drawn.normal(size=3).astype(np.float32), strength=1.0
    )
    before, weights = scores(network), networks.weights(network)
    networks.assign(network, ngrams.fold(weights, regression, Weighing(a, b), parts=list(IDF), scale=SCALE))
    # The oracle: dense rows times weights, in float64.
    alone = ngrams.features(EXAMPLES, IDF).toarray().astype(np.float64) @ regression.weights + regression.intercept
    assert scores(network) == pytest.approx(a * alone + b * before, abs=1e-4)


def test_folding_leaves_the_weights_it_was_given_alone(network):
    weights = networks.weights(network)
    before = {name: value.copy() for name, value in weights.items()}
    regression = Regression(np.ones((6, 3), np.float32), np.ones(3, np.float32), 1.0)
    ngrams.fold(weights, regression, Weighing(1.0, 1.0), parts=list(IDF), scale=SCALE)
    assert all(np.array_equal(weights[name], value) for name, value in before.items())


def test_weighing_follows_the_part_that_is_right():
    targets = np.array([0, 1, 0, 1])
    right = np.where(np.eye(2)[targets] > 0, 2.0, -2.0)
    noise = np.array([[1.0, -1], [1, -1], [-1, 1], [-1, 1]])
    assert ngrams.weigh(right, noise, targets).network == 0
    assert ngrams.weigh(noise, right, targets).regression == 0


def test_weighing_prefers_one_part_where_both_say_the_same():
    targets = np.array([0, 1, 1])
    same = np.array([[1.0, 0], [0, 1], [1, 0]])
    assert ngrams.weigh(same, same, targets).network == 0


def test_two_parts_that_err_in_different_rows_are_both_used():
    targets = np.zeros(4, int)
    first = np.array([[3.0, 0], [3, 0], [3, 0], [-1, 0]])
    weighing = ngrams.weigh(first, first[::-1], targets)
    assert weighing.regression > 0 and weighing.network > 0


@pytest.mark.parametrize("labels", [2, 3])
def test_fit_learns_what_is_plain_and_takes_the_penalty_of_dev(labels):
    generator = np.random.default_rng(3)
    idf = {"char": np.array([0, *[1.0] * 12], np.float32)}
    targets = generator.integers(0, labels, 60)
    rows = [
        Example({}, {"gram_char": np.unique([1 + target, *(generator.integers(4, 13, 3))]).astype(np.int32)}, target)
        for target in targets.tolist()
    ]
    matrix = ngrams.features(rows, idf)
    found = ngrams.fit(matrix[:40], targets[:40], matrix[40:], targets[40:])
    assert found.weights.shape == (12, labels) and found.intercept.shape == (labels,)
    assert found.strength in ngrams.STRENGTHS
    assert ngrams.accuracy(found.scores(matrix[40:]), targets[40:]) > 0.9
