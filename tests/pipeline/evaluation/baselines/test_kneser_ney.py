"""Kneser-Ney: the fast model against the formula counted by hand in dictionaries, and the laws of probability."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.baselines.kneser_ney import KneserNey

OUTPUTS = 6
texts_of_ids = st.lists(
    st.lists(st.integers(1, OUTPUTS - 1), max_size=6).map(lambda ids: np.array(ids, np.int32)), min_size=1, max_size=8
)


def by_hand(texts, order):
    """p(token, history) by the equations of Chen and Goodman (1999), counted with dictionaries and recursion."""
    raw = Counter()
    for text in texts:
        padded = ["start"] * (order - 1) + [*map(int, text), 0]
        for end in range(order, len(padded) + 1):
            for length in range(1, order + 1):
                raw[tuple(padded[end - length : end])] += 1
    before = defaultdict(set)
    for gram in raw:
        before[gram[1:]].add(gram[0])
    count = {
        gram: n if len(gram) == order or (gram[0] == "start" and len(gram) > 1) else len(before[gram])
        for gram, n in raw.items()
    }
    discount = {}
    for length in range(1, order + 1):
        n = Counter(c for gram, c in count.items() if len(gram) == length)
        y = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else None
        for c in (1, 2, 3):
            estimate = c - (c + 1) * y * n[c + 1] / n[c] if y is not None and n[c] else -1
            discount[length, c] = estimate if 0 < estimate <= c else c / 2
    followed = defaultdict(list)
    for gram, c in count.items():
        followed[gram[:-1]].append(c)

    def probability(token, history):
        lower = probability(token, history[1:]) if history else 1 / OUTPUTS
        if history not in followed:
            return lower
        c, length = count.get((*history, token), 0), len(history) + 1
        share = c - discount[length, min(c, 3)] if c else 0.0
        rest = sum(discount[length, min(other, 3)] for other in followed[history])
        return (share + rest * lower) / sum(followed[history])

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@settings(max_examples=25)
@given(texts=texts_of_ids, asked=texts_of_ids)
def test_it_is_the_formula(order, texts, asked):
    probability = by_hand(texts, order)
    found = KneserNey.train(texts, order=order, outputs=OUTPUTS).log_probabilities(asked)
    for values, text in zip(found, asked, strict=True):
        padded = ["start"] * (order - 1) + [*map(int, text), 0]
        expected = [
            np.log(probability(padded[place], tuple(padded[place - order + 1 : place])))
            for place in range(order - 1, len(padded))
        ]
        np.testing.assert_allclose(values, expected, atol=1e-9)


@settings(max_examples=25)
@given(texts=texts_of_ids, history=st.lists(st.integers(1, OUTPUTS - 1), max_size=4))
def test_the_probabilities_of_what_follows_sum_to_one(texts, history):
    model = KneserNey.train(texts, order=3, outputs=OUTPUTS)
    asked = [np.array([*history, token], np.int32) for token in range(1, OUTPUTS)]
    following = [values[len(history)] for values in model.log_probabilities(asked)]
    end = model.log_probabilities([np.array(history, np.int32)])[0][-1]
    assert np.exp([*following, end]).sum() == pytest.approx(1)


def test_a_text_alone_and_among_others():
    generator = np.random.default_rng(0)
    texts = [generator.integers(1, OUTPUTS, length).astype(np.int32) for length in (5, 0, 9, 1)]
    model = KneserNey.train(texts, order=4, outputs=OUTPUTS)
    together = model.log_probabilities(texts)
    for text, values in zip(texts, together, strict=True):
        np.testing.assert_array_equal(model.log_probabilities([text])[0], values)
    assert model.log_probabilities([]) == []


def test_no_text():
    with pytest.raises(ValueError, match="at least one text"):
        KneserNey.train([], order=3, outputs=OUTPUTS)
