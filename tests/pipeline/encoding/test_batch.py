"""Batches: every example once, padding on the right and nowhere else, rows of like length together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.encoding.batch import GRID, NO_TARGET, POOL, Example, bptt_batches, in_order_of_length, pad, shuffled

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def examples(lengths):
    """Two streams and a bag for each length; every id is above 0."""
    return [
        Example(
            streams={"word": np.full(n, place + 1, np.int32), "char": np.full(2 * n, place + 1, np.int32)},
            bags={"gram_char": np.arange(1, n, dtype=np.int32)},
            target=place % 3,
        )
        for place, n in enumerate(lengths)
    ]


@given(LENGTHS, st.integers(1, 9))
def test_prediction_sees_every_example_once_shortest_first(lengths, size):
    batches = list(in_order_of_length(examples(lengths), size))
    positions = np.concatenate([batch.positions for batch in batches])
    assert sorted(positions.tolist()) == list(range(len(lengths)))
    assert np.all(np.diff(np.array(lengths)[positions]) >= 0)
    assert all(len(batch.positions) == size for batch in batches[:-1])


@given(LENGTHS, st.integers(1, 9))
def test_padding_is_on_the_right_and_lengths_say_where(lengths, size):
    rows = examples(lengths)
    for batch in in_order_of_length(rows, size):
        assert batch.targets.tolist() == [rows[position].target for position in batch.positions]
        for name, ids in batch.ids.items():
            assert ids.dtype == batch.lengths[name].dtype == np.int32
            assert ids.shape[1] % GRID == 0
            assert ids.shape[1] - batch.lengths[name].max() < GRID
            for row, position, length in zip(ids, batch.positions, batch.lengths[name], strict=True):
                assert row[:length].tolist() == rows[position].streams[name].tolist()
                assert not row[length:].any()
        for row, position in zip(batch.bags["gram_char"], batch.positions, strict=True):
            assert row[row > 0].tolist() == rows[position].bags["gram_char"].tolist()


@given(LENGTHS, st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_has_every_example_once_and_depends_on_the_generator_alone(lengths, size, seed):
    rows = examples(lengths)
    batches = shuffled(rows, size, np.random.default_rng(seed))
    again = shuffled(rows, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]
    assert len(batches) == sum(-(-len(pool) // size) for pool in cut(range(len(lengths)), size * POOL))


def cut(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def test_buckets_waste_less_than_a_tenth_of_what_random_batches_waste():
    generator = np.random.default_rng(3)
    lengths = generator.integers(1, 400, 2000)
    rows = examples(lengths)

    def wasted(batches):
        return sum(lengths[batch].max() * len(batch) - lengths[batch].sum() for batch in batches)

    order = generator.permutation(len(rows))
    assert wasted(shuffled(rows, 32, generator)) < 0.1 * wasted(cut(order, 32))


def test_epochs_differ():
    rows = examples([5] * 100)
    first, second = (np.concatenate(shuffled(rows, 10, np.random.default_rng([1, n]))).tolist() for n in (1, 2))
    assert first != second


def test_inputs_are_named_and_a_missing_target_leaves_none():
    batch = pad([Example({"word": np.array([2], np.int32)})], np.array([0]))
    assert set(batch.inputs) == {"word", "word_lengths"}
    assert batch.targets is None
    assert set(pad(examples([1, 2]), np.array([1, 0])).inputs) == {
        "word",
        "word_lengths",
        "char",
        "char_lengths",
        "gram_char",
    }


def test_a_target_a_step_ends_where_its_row_does():
    rows = [Example({"char": np.full(n, 5, np.int32)}, target=np.arange(n, dtype=np.int32)) for n in (2, 9)]
    batch = pad(rows, np.array([1, 0]))
    assert batch.targets.shape == batch.ids["char"].shape == (2, 16)
    np.testing.assert_array_equal(batch.targets != NO_TARGET, batch.inside)
    assert batch.targets[1, :3].tolist() == [0, 1, NO_TARGET]
    assert pad([*rows, Example({"char": np.array([5], np.int32)})], np.array([0, 2])).targets is None


@given(LENGTHS, st.integers(0, 20), st.integers(0, 3))
def test_pieces_one_after_the_other_are_the_batch(lengths, steps, more):
    rows = [
        Example({"char": np.arange(1, n + 1, dtype=np.int32)}, target=np.arange(n, dtype=np.int32)) for n in lengths
    ]
    batch = pad(rows, np.arange(len(rows)))
    cut = list(bptt_batches(batch, steps, len(rows) + more))
    assert [window.is_last for window in cut] == [False] * (len(cut) - 1) + [True]
    for window in cut:
        assert window.ids["char"].shape == window.targets.shape == window.inside.shape
        assert len(window.targets) == len(rows) + more and window.targets.shape[1] <= (steps or 10**6)
        assert np.all((window.targets != NO_TARGET) == window.inside)
        assert not window.lengths["char"][len(rows) :].any()
    assert np.ptp([window.targets.shape[1] for window in cut]) <= max(1, len(cut) - 1), "of like length"
    for place, row in enumerate(rows):
        read = np.concatenate([window.ids["char"][place, : window.lengths["char"][place]] for window in cut])
        asked = np.concatenate([window.targets[place, : window.lengths["char"][place]] for window in cut])
        np.testing.assert_array_equal(read, row.streams["char"])
        np.testing.assert_array_equal(asked, row.target)
