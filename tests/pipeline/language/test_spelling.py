"""Spelling: a proper distribution over tokens, by hand on small cases."""

import json
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.language.spelling import CHARACTERS, Spelling


def test_characters_by_hand():
    spelling = Spelling.learn("char", ["龘", "龘", "靐"])
    assert spelling.log_probability("龘") == pytest.approx(log((2 + 2 / CHARACTERS) / 5))
    assert spelling.log_probability("好") == pytest.approx(log(2 / CHARACTERS / 5))
    total = sum(exp(spelling.log_probability(token)) for token in "龘靐") + (CHARACTERS - 2) * exp(
        spelling.log_probability("好")
    )
    assert total == pytest.approx(1)


def test_words_by_hand():
    spelling = Spelling.learn("word", ["滨江", "步道"])
    ends = (2 + 1) / (4 + 2)
    one = (1 + 4 / CHARACTERS) / 8
    assert spelling.log_probability("滨步") == pytest.approx(log(one * one * (1 - ends) * ends))


@given(st.lists(st.text("甲乙丙", min_size=1, max_size=4), max_size=5), st.text(min_size=1, max_size=6))
def test_every_token_can_be_written_and_longer_ones_cost_more(seen, token):
    spelling = Spelling.learn("word", seen)
    assert -1e4 < spelling.log_probability(token + "龘") < spelling.log_probability(token) < 0


def test_kept_and_read_again():
    spelling = Spelling.learn("word", ["滨江", "步道", "\ud800"])
    assert Spelling.from_dict("word", json.loads(json.dumps(spelling.as_dict()))) == spelling
