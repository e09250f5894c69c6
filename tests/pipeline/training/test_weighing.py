"""Weighing: equal shares unless the rows are against them, and a scale that fits."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from pipeline.training.weighing import cross_entropy, scale_to_fit, weigh


def scores(right, targets, seed, sure=2.0):
    """Scores of two labels that are right in a share of the rows, drawn anew for each seed."""
    hit = np.random.default_rng(seed).random(len(targets)) < right
    return sure * np.where(np.eye(2)[np.where(hit, targets, 1 - targets)] > 0, 1.0, -1.0)


def test_the_weighing_follows_the_part_that_is_right():
    targets = np.arange(400) % 2
    good, noise = scores(0.9, targets, 1), scores(0.5, targets, 2)
    assert weigh(good, noise, targets).share == 0
    assert weigh(noise, good, targets).share == 1


@pytest.mark.parametrize("seed", range(5))
def test_few_rows_that_say_little_leave_equal_shares(seed):
    targets = np.arange(10) % 2
    assert weigh(scores(0.8, targets, seed), scores(0.8, targets, seed), targets).share == 0.5


def test_parts_that_err_in_different_rows_are_both_used():
    targets = np.zeros(40, int)
    first = np.tile(np.array([[3.0, 0], [3, 0], [3, 0], [-1, 0]]), (10, 1))
    weighing = weigh(first, first[::-1], targets)
    assert weighing.linear > 0 and weighing.network > 0
    assert (weighing.sum(first, first[::-1]).argmax(axis=1) == 0).all()


def test_the_size_of_scores_makes_no_difference():
    targets = np.arange(100) % 2
    one, other = scores(0.8, targets, 3), scores(0.7, targets, 4)
    plain, sized = weigh(one, other, targets), weigh(one, 8 * other, targets)
    assert sized.share == plain.share and sized.network == pytest.approx(plain.network / 8)


def test_the_scale_is_about_the_optimum():
    targets = np.arange(200) % 2
    found = scores(0.85, targets, 5, sure=6.0)
    best = minimize_scalar(lambda factor: cross_entropy(factor * found, targets), bounds=(0.01, 10), method="bounded")
    assert scale_to_fit(found, targets) == pytest.approx(best.x, rel=0.2)
    assert scale_to_fit(found[:0], targets[:0]) == 1


def test_cross_entropy_by_hand():
    assert cross_entropy(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 0])) == pytest.approx(
        -(np.log(0.75) + np.log(0.5)) / 2
    )
