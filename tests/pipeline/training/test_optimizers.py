"""Optimizers: each lowers a loss, averages what it says, and follows its schedule's closed form."""

import math

import keras
import numpy as np
import pytest

from pipeline.config.train import TrainSettings
from pipeline.training import optimizers

NAMES = tuple(optimizers.LEARNING_RATES)
TARGET = np.array([1.0, -2.0, 0.5], np.float32)


def array(variable):
    """A copy of a variable's value."""
    return np.asarray(variable).copy()


def minimise(optimizer, steps):
    """The places of a point on its way down (x - TARGET)², from 0."""
    point = keras.Variable(np.zeros(3, np.float32))
    optimizer.build([point])
    places = []
    for _ in range(steps):
        optimizer.apply([2 * (array(point) - TARGET)], [point])
        places.append(array(point))
    return point, places


@pytest.mark.parametrize("name", NAMES)
def test_each_lowers_the_loss(name):
    rate = optimizers.LEARNING_RATES[name]
    settings = TrainSettings(optimizer=name, learning_rate=max(rate, 0.05))
    _, places = minimise(optimizers.build(settings, 100), 100)
    losses = [float(((place - TARGET) ** 2).sum()) for place in places]
    assert losses[-1] < 0.9 * losses[0]
    assert np.isfinite(losses).all()


def test_every_name_that_the_settings_allow_is_built_with_its_own_rate():
    allowed = TrainSettings.model_fields["optimizer"].annotation.__args__
    assert set(allowed) == set(NAMES)
    for name in allowed:
        built = optimizers.build(TrainSettings(optimizer=name), 10)
        assert float(built.learning_rate) == pytest.approx(optimizers.LEARNING_RATES[name])


def test_sgd_and_momentum_by_hand():
    settings = TrainSettings(optimizer="momentum", momentum=0.5, learning_rate=0.1, clip_norm=0)
    _, places = minimise(optimizers.build(settings, 4), 4)
    point, speed = np.zeros(3), np.zeros(3)
    for place in places:
        speed = 0.5 * speed - 0.1 * 2 * (point - TARGET)
        point = point + speed
        np.testing.assert_allclose(place, point, rtol=1e-5)


def test_the_norm_of_a_step_is_clipped():
    settings = TrainSettings(optimizer="sgd", learning_rate=1.0, clip_norm=0.25)
    _, places = minimise(optimizers.build(settings, 1), 1)
    assert np.linalg.norm(places[0]) == pytest.approx(0.25, rel=1e-5)


def test_average_is_a_running_mean_of_the_weights():
    optimizer = optimizers.build(TrainSettings(optimizer="sgd", ema_momentum=0.8, clip_norm=0), 5)
    point, places = minimise(optimizer, 5)
    average = places[0]
    for place in places[1:]:
        average = 0.8 * average + 0.2 * place
    optimizer.finalize_variable_values([point])
    np.testing.assert_allclose(array(point), average, rtol=1e-5)


def by_hand(kind, highest, steps, warmup, step):
    """The learning rate before a step, one number at a time."""
    rising = math.ceil(warmup * steps)
    done = min(max((step - rising) / max(steps - rising, 1), 0), 1)
    falling = {
        "constant": 1,
        "linear": 1 - done,
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "exponential": 0.01**done,
    }
    return highest * falling[kind] * (min((step + 1) / rising, 1) if rising else 1)


@pytest.mark.parametrize("kind", ["constant", "cosine", "linear", "exponential"])
@pytest.mark.parametrize(("steps", "warmup"), [(40, 0.0), (40, 0.25), (1, 0.5), (7, 0.99)])
def test_schedules_follow_their_closed_form(kind, steps, warmup):
    schedule = optimizers.Schedule(kind, 0.3, steps, warmup)
    found = [float(schedule(step)) for step in range(steps + 3)]
    expected = [by_hand(kind, 0.3, steps, warmup, step) for step in range(steps + 3)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert max(found) <= 0.3 + 1e-7
    again = optimizers.Schedule.from_config(schedule.get_config())
    assert float(again(1)) == found[1]
