"""Label regressions beside scikit-learn's, and the network that takes them in."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from pipeline.training import label_regressions as regressions
from pipeline.training.label_regressions import Regressions
from pipeline.training.linear_ngrams import fold_in
from pipeline.training.weighing import Weighing

GENERATOR = np.random.default_rng(0)
FEATURES = sparse.csr_matrix((GENERATOR.random((200, 30)) * (GENERATOR.random((200, 30)) < 0.3)).astype(np.float32))
GOLD = np.asarray(FEATURES[:, :3].todense()) > 0


def test_each_label_has_the_regression_of_scikit_learn():
    found = regressions.fit(FEATURES, GOLD, 10.0)
    for place in range(3):
        solved = LogisticRegression(C=10.0, solver="liblinear", dual=True, random_state=0, max_iter=1000)
        expected = solved.fit(FEATURES, GOLD[:, place]).decision_function(FEATURES)
        assert found.scores(FEATURES)[:, place] == pytest.approx(expected, abs=0.05)
    assert ((found.scores(FEATURES) > 0) == GOLD).mean() > 0.95


def test_a_label_that_all_or_no_texts_have_gets_its_share():
    gold = np.column_stack([GOLD[:, 0], np.ones(200, bool), np.zeros(200, bool)])
    found = regressions.fit(FEATURES, gold, 1.0)
    assert not found.weights[:, 1:].any() and found.weights[:, 0].any()
    assert found.intercept[1:] == pytest.approx([np.log(201), -np.log(201)], rel=1e-5)


def test_cross_entropy_is_that_of_scikit_learn():
    scores = GENERATOR.normal(size=(50, 3)) * 3
    gold = GENERATOR.random((50, 3)) < 0.4
    assert regressions.cross_entropy(scores, gold) == pytest.approx(
        log_loss(gold.ravel(), 1 / (1 + np.exp(-scores.ravel())))
    )


def test_a_useless_network_gets_no_weight_and_a_perfect_one_all():
    noise = GENERATOR.normal(size=GOLD.shape).astype(np.float32) * 5
    _, weighing = regressions.choose(FEATURES, GOLD, FEATURES, noise, GOLD)
    assert weighing.linear > 0 == weighing.network
    _, weighing = regressions.choose(FEATURES, ~GOLD, FEATURES, np.where(GOLD, 20.0, -20.0), GOLD)
    assert weighing.network > 0 == weighing.linear


def test_a_folded_network_gives_the_weighed_sum():
    """Its scores: states @ kernel + bias + scale * n-grams @ table, of two linear parts."""
    states = GENERATOR.normal(size=(200, 4)).astype(np.float32)
    weights = {
        "scores/kernel": GENERATOR.normal(size=(4, 3)).astype(np.float32),
        "scores/bias": GENERATOR.normal(size=3).astype(np.float32),
        "char_wide/table": np.vstack([np.zeros((1, 3)), GENERATOR.normal(size=(20, 3))]).astype(np.float32),
        "word_wide/table": np.vstack([np.zeros((1, 3)), GENERATOR.normal(size=(10, 3))]).astype(np.float32),
    }
    scale = 10.0

    def scores(own):
        grams = scale * (FEATURES[:, :20] @ own["char_wide/table"][1:] + FEATURES[:, 20:] @ own["word_wide/table"][1:])
        return states @ own["scores/kernel"] + own["scores/bias"] + grams

    own = Regressions(GENERATOR.normal(size=(30, 3)).astype(np.float32), np.ones(3, np.float32), 1.0)
    weighing = Weighing(0.75, 1.5, 2 / 3)
    folded = {**weights, **fold_in(weights, own, weighing, parts=("char", "word"), scale=scale)}
    assert scores(folded) == pytest.approx(weighing.sum(own.scores(FEATURES), scores(weights)), abs=1e-3)
    assert not folded["char_wide/table"][0].any() and weights["scores/bias"] is not folded["scores/bias"]
