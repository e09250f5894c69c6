"""Generation: draws follow the distribution asked for, searches find what brute force finds, seeds repeat."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.language import BOUNDARY
from pipeline.language.generation import GenerationOptions, beam_search, log_softmax, read_prompt, sample, softmax

VOCABULARY = 5  # 0 the boundary, 1 unknown
vectors = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=12).map(lambda row: np.array(row, np.float32))


class Table:
    """A reader whose scores hang on the last two tokens: random numbers from a table."""

    def __init__(self, seed=0):
        self.table = np.random.default_rng(seed).normal(0, 1.5, (VOCABULARY, VOCABULARY, VOCABULARY))

    def initial_states(self, rows):
        return np.zeros((rows, 2), np.float32)

    def step(self, ids, states):
        states = np.stack([states[:, 1], ids], axis=1).astype(np.float32)
        before, last = states.astype(int).T
        return self.table[before, last].astype(np.float32), states

    def read(self, ids, lengths, states):
        scores = []
        for column in ids.T:
            found, states = self.step(column, states)
            scores.append(found)
        return np.stack(scores, axis=1), states


def log_probability(reader, ids, ended):
    scores, states = read_prompt(reader, np.array([], np.int32))
    total = 0.0
    for token in [*ids, *([BOUNDARY] if ended else [])]:
        total += log_softmax(scores[0])[token]
        scores, states = reader.step(np.array([token], np.int32), states)
    return total


@given(scores=vectors)
def test_temperature_one_and_no_limits_is_the_softmax(scores):
    np.testing.assert_allclose(GenerationOptions().probabilities(scores), softmax(scores), atol=1e-12)


@given(scores=vectors, top_k=st.integers(1, 12), temperature=st.floats(0.1, 3))
def test_top_k_keeps_the_likeliest_in_proportion(scores, top_k, temperature):
    found = GenerationOptions(temperature, top_k).probabilities(scores)
    kept = np.flatnonzero(found)
    assert len(kept) <= top_k and found.sum() == pytest.approx(1)
    assert scores[kept].min() >= np.sort(scores)[::-1][: len(kept)].min()
    expected = softmax(scores.astype(np.float64) / temperature)[kept]
    np.testing.assert_allclose(found[kept], expected / expected.sum(), atol=1e-9)


@given(scores=vectors, top_p=st.floats(0.05, 1))
def test_top_p_keeps_the_fewest_that_reach_it(scores, top_p):
    found, whole = GenerationOptions(top_p=top_p).probabilities(scores), softmax(scores)
    kept = np.sort(whole[found > 0])
    assert kept.sum() >= top_p - 1e-9
    assert kept[1:].sum() < top_p + 1e-9, "without the least likely of them it is not reached"
    assert kept.min() >= np.max(whole[found == 0], initial=0)


@given(scores=vectors)
def test_temperature_zero_is_greedy_and_forbidden_tokens_never_come(scores):
    assert GenerationOptions(0).probabilities(scores).argmax() == scores.argmax()
    if len(scores) > 2:
        for choice in (
            GenerationOptions(0),
            GenerationOptions(),
            GenerationOptions(2, 1),
            GenerationOptions(1, 0, 0.3),
        ):
            assert choice.probabilities(scores, (1,))[1] == 0


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"temperature": np.nan}, {"top_k": -1}, {"top_p": 0}])
def test_values_out_of_range(wrong):
    with pytest.raises(PipelineError, match="expected"):
        GenerationOptions(**wrong)


def test_draws_have_the_readers_distribution():
    reader, generator = Table(), np.random.default_rng(1)
    drawn = Counter(
        tuple(sample(reader, np.array([], np.int32), GenerationOptions(), generator, 2, unknown=True))
        for _ in range(4000)
    )
    for ids in [(), *product(range(1, VOCABULARY)), *product(range(1, VOCABULARY), repeat=2)]:
        expected = np.exp(log_probability(reader, ids, ended=len(ids) < 2))
        assert drawn[ids] / 4000 == pytest.approx(expected, abs=4 * np.sqrt(expected / 4000) + 1e-3), ids


def test_a_seed_repeats_and_the_unknown_token_comes_only_when_asked():
    reader, prompt = Table(), np.array([2, 1, 3], np.int32)

    def drawn(seed, **options):
        return [*sample(reader, prompt, GenerationOptions(), np.random.default_rng(seed), 30, **options)]

    assert drawn(5) == drawn(5)
    assert len({tuple(drawn(seed)) for seed in range(20)}) > 5
    assert not any(1 in drawn(seed) for seed in range(50))
    assert any(1 in drawn(seed, unknown=True) for seed in range(50))
    assert BOUNDARY not in drawn(5)


def test_at_most_the_length_and_a_long_prompt():
    reader = Table()
    prompt = np.random.default_rng(0).integers(1, VOCABULARY, 700).astype(np.int32)
    scores, _ = read_prompt(reader, prompt)
    np.testing.assert_array_equal(scores, Table().table[prompt[-2], prompt[-1]][None].astype(np.float32))
    generator = np.random.default_rng(0)
    assert max(len([*sample(reader, prompt, GenerationOptions(), generator, 4)]) for _ in range(30)) == 4
    assert [*sample(reader, prompt, GenerationOptions(), generator, 0)] == []


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_is_brute_force(seed):
    reader, length = Table(seed), 3
    tokens = range(2, VOCABULARY)
    ended = [(ids, True) for size in range(length) for ids in product(tokens, repeat=size)]
    cut = [(ids, False) for ids in product(tokens, repeat=length)]
    expected = {key: log_probability(reader, *key) for key in ended + cut}
    found = beam_search(reader, np.array([], np.int32), width=200, length=length)
    assert {(one.ids, one.ended): pytest.approx(one.log_probability, abs=1e-5) for one in found} == expected
    means = [one.mean for one in found]
    assert means == sorted(means, reverse=True)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_a_beam_of_one_is_greedy(seed):
    reader, prompt = Table(seed), np.array([3], np.int32)
    greedy = [*sample(reader, prompt, GenerationOptions(0), np.random.default_rng(0), 8)]
    (found,) = beam_search(reader, prompt, width=1, length=8)
    assert list(found.ids) == greedy
