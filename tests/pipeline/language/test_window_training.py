"""Training over windows: states go on and begin anew where they should, and an interrupted one ends as another."""

import itertools

import numpy as np
import pytest

from pipeline.config.network import NetworkSettings
from pipeline.config.train import TrainSettings
from pipeline.encoding.batch import Example, pad
from pipeline.networks import language_network
from pipeline.networks.network import reset_states
from pipeline.training import losses
from pipeline.training.trainer import Trainer

VOCABULARY = 7


def texts(count=20):
    """Of tokens that count upwards, the first anywhere, so that each says which is next; lengths 1 to 20."""
    generator = np.random.default_rng(5)
    firsts, lengths = generator.integers(0, 5, count), generator.integers(1, 21, count)
    rows = [
        np.r_[0, (first + np.arange(length)) % 5 + 2, 0].astype(np.int32)
        for first, length in zip(firsts, lengths, strict=True)
    ]
    return [Example({"char": row[:-1]}, target=row[1:]) for row in rows]


def trainer(folder, window=4, examples=None, dropout=0.3, **settings):
    options = NetworkSettings(
        cell="gru", units=5, layers=2, bidirectional=False, dropout=dropout, embedding_dropout=dropout / 2
    )
    table = np.random.default_rng(0).normal(size=(VOCABULARY, 4)).astype(np.float32)
    chosen = TrainSettings(**{"epochs": 3, "batch_size": 8, "metric": "loss", "learning_rate": 0.02, **settings})
    folder.mkdir(exist_ok=True)
    return Trainer(
        language_network.build(options, table, chosen.batch_size, 1),
        examples or texts(),
        losses.next_token(),
        chosen,
        seed=1,
        checkpoint=folder / "checkpoint.npz",
        measure=lambda: {"loss": 0.0},
        bptt_steps=window,
    )


def finish(running, epochs=None):
    list(itertools.islice(running.epochs(lambda done, note: None), epochs))
    return [np.asarray(variable).copy() for variable in running.network.trainable_variables]


def test_a_restored_training_ends_as_one_that_was_never_interrupted(tmp_path):
    expected = finish(trainer(tmp_path / "whole", schedule="cosine"))
    for _ in trainer(tmp_path / "halves", schedule="cosine").epochs(lambda done, note: None):
        break  # interrupted after its first epoch
    second = trainer(tmp_path / "halves", schedule="cosine")
    second.restore()
    for one, other in zip(finish(second), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_token_and_every_text_is_counted(tmp_path):
    done = []
    running = trainer(tmp_path, epochs=1)
    [epoch] = running.epochs(lambda count, note: done.append(count))
    assert sum(done) == len(texts())
    assert len(done) == running.steps > 3, "one step a window"
    assert epoch.tokens_per_second * epoch.seconds == pytest.approx(sum(len(text.target) for text in texts()))


def test_it_learns(tmp_path):
    running = trainer(tmp_path, dropout=0.0, epochs=25, patience=25)
    finish(running)
    assert running.history[-1].loss < 0.6 * running.history[0].loss


@pytest.mark.parametrize("window", [3, 8, 0])
def test_states_go_on_from_window_to_window_and_begin_anew_with_each_batch(window, tmp_path):
    """After an epoch of texts one by one, the network remembers the last of them, all of it, and no other."""
    rows = [np.r_[0, (first + np.arange(15)) % 5 + 2, 0].astype(np.int32) for first in (1, 3)]  # no padding behind
    two = [Example({"char": row[:-1]}, target=row[1:]) for row in rows]
    still = {"epochs": 1, "batch_size": 1, "optimizer": "sgd", "learning_rate": 1e-12}
    running = trainer(tmp_path, window, two, dropout=0.0, **still)
    finish(running)
    remembered = states(running.network)
    *_, [last] = (batch.positions for batch in running._batches(1))
    for place, text in enumerate(two):
        reset_states(running.network)
        running.network(pad([text], np.arange(1)).inputs, training=False)
        alone = states(running.network)
        assert np.allclose(remembered, alone, atol=1e-5) == (place == last)


def states(built):
    return np.concatenate([np.asarray(layer.states[0]) for layer in built.layers if hasattr(layer, "states")], axis=1)
