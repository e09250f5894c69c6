"""Networks: padding and neighbours change nothing, frozen stays frozen, gradients reach everything else."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops

from pipeline.config.network import NetworkSettings
from pipeline.encoding.batch import GRID, Example, pad
from pipeline.networks import layers, network

WORDS, CHARACTERS, GRAMS, LABELS = 20, 9, 15, 3
CELLS, POOLINGS = ("rnn", "lstm", "gru"), ("last", "mean", "max", "attention")


def build(seed=1, **options):
    """A network of words and characters with both wide parts, its weights random."""
    settings = NetworkSettings(
        **{"units": 3, "inputs": "both", "wide": {"words": 1, "characters": 1, "dropout": 0.5}, **options}
    )
    generator = np.random.default_rng(0)
    sizes = {"word": (WORDS, 4), "char": (CHARACTERS, 3)}
    embeddings = {unit: generator.normal(size=sizes[unit]).astype(np.float32) for unit in settings.units_read}
    idf = {unit: np.r_[0, generator.uniform(1, 5, GRAMS)].astype(np.float32) for unit in ("word", "char")}
    return network.build(settings, network.Tables(embeddings, idf, LABELS), seed)


def examples(lengths, seed=3):
    generator = np.random.default_rng(seed)

    def ids(most, length):
        return generator.integers(1, most, length).astype(np.int32)

    return [
        Example(
            {"word": ids(WORDS, length), "char": ids(CHARACTERS, length + 2)},
            {"gram_word": np.unique(ids(GRAMS, length)), "gram_char": np.unique(ids(GRAMS, length))},
            target=length % LABELS,
        )
        for length in lengths
    ]


def scores(built, inputs):
    return np.asarray(built(inputs, training=False))


def test_reversing_twice_changes_nothing():
    states = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    lengths = np.array([5, 1, 3], np.int32)
    reverse = layers.Reverse()
    once = np.asarray(reverse(states, lengths))
    np.testing.assert_array_equal(np.asarray(reverse(once, lengths)), states)
    for row, length in enumerate(lengths):
        np.testing.assert_array_equal(once[row, :length], states[row, :length][::-1])
        np.testing.assert_array_equal(once[row, length:], states[row, length:])


@pytest.mark.parametrize(("cell", "pooling"), list(product(CELLS, POOLINGS)))
def test_a_rows_scores_depend_on_nothing_but_the_row(cell, pooling):
    built = build(cell=cell, pooling=pooling)
    rows = examples([1, 9, 4])
    batch = pad(rows, np.arange(3))
    together = scores(built, batch.inputs)
    alone = [scores(built, pad(rows, np.array([row])).inputs)[0] for row in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    wider = {
        name: np.pad(ids, ((0, 0), (0, GRID)), constant_values=0 if name.startswith("gram") else 1)
        if ids.ndim == 2
        else ids
        for name, ids in batch.inputs.items()
    }
    np.testing.assert_allclose(scores(built, wider), together, atol=1e-5)
    assert np.abs(np.diff(together, axis=0)).max() > 1e-3, "rows must differ, or this shows nothing"


def test_pooling_by_hand():
    states = np.random.default_rng(1).normal(size=(2, 4, 6)).astype(np.float32)
    lengths = np.array([4, 2], np.int32)
    pools = {kind: np.asarray(layers.SequencePooling(kind)(states, lengths)) for kind in ("last", "mean", "max")}
    attention = layers.SequencePooling("attention")
    attended = np.asarray(attention(states, lengths))
    for row, length in enumerate(lengths):
        inside = states[row, :length]
        np.testing.assert_allclose(pools["last"][row], inside[-1])
        np.testing.assert_allclose(pools["mean"][row], inside.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(pools["max"][row], inside.max(axis=0))
        kernel, bias, query = (np.asarray(part) for part in (attention.kernel, attention.bias, attention.query))
        weights = np.exp(np.tanh(inside @ kernel + bias) @ query)
        np.testing.assert_allclose(attended[row], (weights / weights.sum() * inside).sum(axis=0), atol=1e-5)


def test_the_wide_part_is_a_linear_model():
    generator = np.random.default_rng(2)
    idf = np.r_[0, generator.uniform(1, 5, GRAMS)].astype(np.float32)
    wide = layers.LinearNgrams(idf, LABELS, scale=7.0, dropout=0.5, l2=0.0, seed=1)
    ids = np.array([[3, 5, 1, 0], [2, 0, 0, 0], [0, 0, 0, 0]], np.int32)
    assert not np.asarray(wide(ids)).any(), "it begins with nothing to say"
    table = generator.normal(size=(GRAMS + 1, LABELS)).astype(np.float32)
    wide.table.assign(table)
    expected = np.zeros((3, LABELS))
    for row, grams in enumerate(([3, 5, 1], [2], [])):
        norm = np.sqrt(sum(idf[gram] ** 2 for gram in grams))
        for gram in grams:
            expected[row] += 7.0 * idf[gram] / norm * table[gram]
    np.testing.assert_allclose(np.asarray(wide(ids)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("embedding", ["frozen", "tuned"])
def test_one_step_moves_every_weight_but_frozen_vectors(embedding):
    built = build(cell="gru", layers=2, pooling=list(POOLINGS), embedding=embedding, dropout=0.0, wide={"words": 1})
    before = network.weights(built)
    batch = pad(examples(range(1, 13)), np.arange(12))
    built.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    built.optimizer.learning_rate = 0.5
    for _ in range(2):
        built.train_on_batch(batch.inputs, batch.targets)
    still = {name for name, value in network.weights(built).items() if np.array_equal(value, before[name])}
    frozen = {"word_embedding/embeddings", "char_embedding/embeddings"} if embedding == "frozen" else set()
    assert still == frozen | {"word_wide/idf", "char_wide/idf"}


def test_padding_has_no_gradient_and_so_no_vector_of_its_own():
    built = build(embedding="tuned", pooling="max")
    before = network.weights(built)["word_embedding/embeddings"][0].copy()
    batch = pad(examples([1, 9, 4]), np.arange(3))
    built.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    built.train_on_batch(batch.inputs, batch.targets)
    np.testing.assert_array_equal(network.weights(built)["word_embedding/embeddings"][0], before)


def test_the_seed_decides_the_weights():
    first, again, other = (network.weights(build(seed, pooling=list(POOLINGS))) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["scores/kernel"], other["scores/kernel"])


def test_vectors_are_those_that_were_handed_in_and_are_the_first_row():
    built = build(inputs="words")
    table = np.random.default_rng(0).normal(size=(WORDS, 4)).astype(np.float32)
    np.testing.assert_array_equal(network.weights(built)["word_embedding/embeddings"], table)


def test_dropout_only_while_training():
    built = build(embedding_dropout=0.5, dropout=0.5)
    batch = pad(examples([5, 5, 5]), np.arange(3))
    assert np.array_equal(scores(built, batch.inputs), scores(built, batch.inputs))
    trained = [np.asarray(built(batch.inputs, training=True)) for _ in range(2)]
    assert not np.allclose(trained[0], trained[1])
    assert float(ops.max(ops.abs(built(batch.inputs)))) < 1e3
