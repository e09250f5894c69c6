"""Keras, the frozen graph and NumPy agree: scores, states, gradients, whatever the windows and the rows beside."""

from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest
from written_out import backward, forward, loss

from pipeline.config.network import NetworkSettings
from pipeline.encoding.batch import Example, bptt_batches, pad
from pipeline.language.reader import StatefulReader, of_targets
from pipeline.networks import language_graph, language_network
from pipeline.networks.graph import save
from pipeline.networks.network import reset_states, weights
from pipeline.networks.onnx_network import OnnxNetwork

VOCABULARY, WIDTH = 13, 5
LENGTHS = (0, 1, 7, 8, 20, 3)


def example(length):
    """A text of so many random tokens: what is read, the boundary first, and what follows, the boundary last."""
    row = np.pad(np.random.default_rng(length).integers(1, VOCABULARY, length), 1).astype(np.int32)
    return Example({"char": row[:-1]}, target=row[1:])


TEXTS = [example(length) for length in LENGTHS]


def build(rows, *, tied=False, seed=1, **options):
    """A network whose weights are random, biases too, and its settings."""
    settings = NetworkSettings(**{"bidirectional": False, "units": 6, **options})
    generator = np.random.default_rng(0)
    table = generator.normal(size=(VOCABULARY, WIDTH)).astype(np.float32)
    built = language_network.build(settings, table, rows, seed, tied=tied)
    for variable in built.trainable_variables:
        variable.assign(generator.normal(0, 0.5, variable.shape))
    return built, settings


def read_by_keras(built, texts, steps):
    """Log-probabilities of each text, window after window."""
    found = [[] for _ in texts]
    reset_states(built)
    for window in bptt_batches(pad(texts, np.arange(len(texts))), steps):
        scores = np.asarray(built(window.inputs, training=False))
        for row, values in enumerate(of_targets(scores, window.targets)):
            found[row].append(values[: window.lengths["char"][row]])
    return [np.concatenate(parts) for parts in found]


def frozen(built, settings, folder):
    save(language_graph.build(settings, weights(built)), folder / "network.onnx")
    return StatefulReader(
        OnnxNetwork(folder / "network.onnx", threads=1), language_graph.state_width(settings), VOCABULARY
    )


@pytest.mark.parametrize(
    ("cell", "layers", "tied"), [*product(("rnn", "lstm", "gru"), (1, 2, 3), (False,)), ("lstm", 2, True)]
)
def test_graph_agrees_with_keras(cell, layers, tied, tmp_path):
    units = (6, 4, 3)[:layers] if layers > 1 else 6
    built, settings = build(len(TEXTS), cell=cell, layers=layers, units=units, tied=tied)
    expected = read_by_keras(built, TEXTS, 6)
    ours = frozen(built, settings, tmp_path).log_probabilities(TEXTS)
    for mine, theirs, text in zip(ours, expected, TEXTS, strict=True):
        assert mine.shape == text.target.shape
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    assert np.ptp(np.concatenate(ours)) > 1, "or the comparison shows nothing"


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_windows_and_neighbours_change_nothing(cell, tmp_path):
    built, settings = build(len(TEXTS), cell=cell, layers=2)
    whole = read_by_keras(built, TEXTS, 0)
    for steps in (1, 5, 16):
        for left, right in zip(read_by_keras(built, TEXTS, steps), whole, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)
    reader = frozen(built, settings, tmp_path)
    for texts, steps in ((1, 3), (2, 1), (64, 256)):
        made = replace(reader, texts_at_once=texts, steps_at_once=steps)
        for left, right in zip(made.log_probabilities(TEXTS[::-1]), whole[::-1], strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


def test_one_step_a_token_is_the_same_as_many(tmp_path):
    built, settings = build(1, cell="lstm", layers=2)
    reader = frozen(built, settings, tmp_path)
    text = TEXTS[4]
    states, found = reader.initial_states(1), []
    for token, target in zip(text.streams["char"], text.target, strict=True):
        scores, states = reader.step(np.array([token], np.int32), states)
        found.append(of_targets(scores, np.array([target], np.int32))[0])
    np.testing.assert_allclose(found, reader.log_probabilities([text])[0], atol=1e-5)


def test_numpy_agrees_with_keras_and_the_graph(tmp_path):
    """Outputs to 1e-5 and every gradient to 1e-5, the second window's too, which begins with the first one's state."""
    built, settings = build(1, cell="rnn", dropout=0.0, embedding_dropout=0.0)
    text = TEXTS[4]
    written = {name: value.astype(np.float64) for name, value in weights(built).items() if "rnn_state" not in name}
    state, log_probabilities = np.zeros(6), []
    names = [name for layer in built.layers for name in (f"{layer.name}/{v.name}" for v in layer.trainable_variables)]
    reset_states(built)
    for window in bptt_batches(pad([text], np.arange(1)), 8):
        length = int(window.lengths["char"][0])
        ids, targets = window.ids["char"][:, :length], window.targets[:, :length]
        scores, states = forward(written, ids[0], state)
        gradients = backward(written, ids[0], targets[0], state)
        before = [np.asarray(variable).copy() for variable in built.trainable_variables]
        built.compile(
            keras.optimizers.SGD(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True
        )
        assert float(
            built.train_on_batch({"char": ids, "char_lengths": window.lengths["char"]}, targets)
        ) == pytest.approx(loss(written, ids[0], targets[0], state), abs=1e-5)
        for name, old, variable in zip(names, before, built.trainable_variables, strict=True):
            np.testing.assert_allclose(old - np.asarray(variable), gradients[name], atol=1e-5, err_msg=name)
            variable.assign(old)
        log_probabilities.extend(of_targets(scores, targets[0]))
        state = states[-1]
    reader = frozen(built, settings, tmp_path)
    np.testing.assert_allclose(log_probabilities, reader.log_probabilities([text])[0], atol=1e-5)


def test_the_written_out_gradient_is_the_slope():
    """Against finite differences, so that the reference is itself right."""
    built, _ = build(1, cell="rnn")
    written = {name: value.astype(np.float64) for name, value in weights(built).items() if "rnn_state" not in name}
    generator = np.random.default_rng(3)
    state, ids, targets = generator.normal(size=6), [2, 5, 2, 7], [5, 2, 7, 0]
    gradients = backward(written, ids, targets, state)
    for name, value in written.items():
        place = tuple(generator.integers(0, size) for size in value.shape)
        if name == "embedding/embeddings":
            place = (2, place[1])
        slopes = []
        for step in (1e-6, -1e-6):
            value[place] += step
            slopes.append(loss(written, ids, targets, state))
            value[place] -= step
        assert gradients[name][place] == pytest.approx((slopes[0] - slopes[1]) / 2e-6, abs=1e-7), name


def test_dropout_only_while_training_and_a_seed_decides():
    first, again, other = (
        language_network.build(NetworkSettings(units=4), np.ones((VOCABULARY, WIDTH), np.float32), 1, seed)
        for seed in (1, 1, 2)
    )
    inputs = pad([TEXTS[2]], np.arange(1)).inputs
    results = [np.asarray(built(inputs, training=False)) for built in (first, again, other)]
    np.testing.assert_array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 1e-3
    assert not np.allclose(np.asarray(first(inputs, training=True)), results[0])
