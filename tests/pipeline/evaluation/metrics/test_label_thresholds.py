"""Label thresholds beside every threshold there is, and the scaling of logits beside scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression

from pipeline.evaluation.metrics import label_thresholds
from pipeline.evaluation.metrics.label_thresholds import EVEN, FEWEST, Scaling


def f1(gold, said):
    return 2 * (gold & said).sum() / max(gold.sum() + said.sum(), 1)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2 * FEWEST, 120),
    arrays(np.float64, 2, elements=st.floats(0.05, 0.95)),
)
def test_no_threshold_has_a_higher_f1(seed, rows, shares):
    generator = np.random.default_rng(seed)
    gold = generator.random((rows, 2)) < shares
    probabilities = np.clip(0.4 * gold + generator.random((rows, 2)) * 0.6, 0, 1)
    thresholds = label_thresholds.choose(gold, probabilities)
    written, candidates = np.round(probabilities, 4), np.arange(1, 100) / 100
    many = label_thresholds.are_many(gold)
    for place in np.flatnonzero(many):
        best = max(f1(gold[:, place], written[:, place] >= one) for one in candidates)
        assert f1(gold[:, place], written[:, place] >= thresholds[place]) == pytest.approx(best)
    if not many.all() and gold.any():
        shared = thresholds[int(np.flatnonzero(~many)[0])]
        best = max(f1(gold, written >= one) for one in candidates)
        assert f1(gold, written >= shared) == pytest.approx(best)
        assert {thresholds[place] for place in np.flatnonzero(~many)} == {shared}


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken():
    gold = np.arange(60)[:, None] < 30
    assert label_thresholds.choose(gold, np.where(gold, 0.9, 0.7)) == [0.71]
    assert label_thresholds.choose(gold, np.where(gold, 0.9, 0.1)) == [EVEN]
    assert label_thresholds.choose(np.zeros((40, 2), bool), np.full((40, 2), 0.2)) == [EVEN, EVEN]


def test_probabilities_count_as_they_are_written():
    shares = np.array([[0.49996], [0.49994], [0.5]])
    assert label_thresholds.decide(shares, [0.5]).ravel().tolist() == [True, False, True]


def test_where_an_answer_is_never_empty_the_nearest_label_is_given():
    shares = np.array([[0.3, 0.1], [0.2, 0.18], [0.1, 0.9]])
    assert label_thresholds.decide(shares, [0.6, 0.2], never_empty=True).tolist() == [
        [True, False], [False, True], [False, True],
    ]  # fmt: skip
    assert not label_thresholds.decide(shares, [0.6, 0.2])[:2].any()


def test_confidence_is_the_product_over_all_labels():
    logs = label_thresholds.log_confidence(np.array([[0.9, 0.2]]), np.array([[True, False]]))
    assert np.exp(logs) == pytest.approx([0.9 * 0.8])


def test_scaling_is_platts():
    generator = np.random.default_rng(4)
    scores = generator.normal(size=(4000, 1)) * 3
    gold = generator.random((4000, 1)) < 1 / (1 + np.exp(-(0.5 * scores - 1)))
    found = Scaling.fit(scores, gold)
    theirs = LogisticRegression(C=np.inf).fit(scores, gold.ravel())
    assert found.slopes[0] == pytest.approx(theirs.coef_[0, 0], rel=0.01)
    assert found.offsets[0] == pytest.approx(theirs.intercept_[0], abs=0.01)


def test_rare_labels_share_a_scaling_and_no_slope_turns_the_order_round():
    generator = np.random.default_rng(5)
    scores = generator.normal(size=(200, 4))
    gold = np.column_stack([scores[:, 0] > 0, scores[:, 1] < 0, *([np.arange(200) < 3] * 2)])
    found = Scaling.fit(scores, gold)
    assert len({(found.slopes[place], found.offsets[place]) for place in (2, 3)}) == 1
    assert found.slopes[0] > 1 > found.slopes[1] > 0  # the second label is likelier where its logit is low
    assert Scaling.fit(np.zeros((0, 2)), np.zeros((0, 2), bool)) == Scaling.none(2)


def test_a_few_rows_that_are_all_right_make_nothing_certain():
    scores = np.array([[9.0], [8.0], [-9.0]])
    shares = Scaling.fit(scores, scores > 0).probabilities(scores)
    assert 0.6 < shares[0, 0] < 0.95
