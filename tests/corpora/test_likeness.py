"""Likeness: what near-duplicates are, and what they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.likeness import likeness, near_duplicates


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("好吃！！！", "好吃。"),
        ("满100减20", "满３０减5"),
        ("共1,000元", "共20元"),
        ("ＯＫ 很好", "ok很好"),
        ("第一 第二", "第一\n第二"),
    ],
)
def test_alike(one, other):
    assert likeness(one) == likeness(other)


@pytest.mark.parametrize(
    ("one", "other"), [("好吃", "难吃"), ("好😀", "好😭"), ("！", "？"), ("第一名", "第二名"), ("买5斤", "买斤")]
)
def test_not_alike(one, other):
    assert likeness(one) != likeness(other)


@given(st.text(max_size=20))
def test_a_key_is_never_empty_but_for_no_text(text):
    assert bool(likeness(text)) == bool(text)


def test_equal_texts_are_no_near_duplicates():
    assert near_duplicates(["好吃", "好吃！", "差"], ["好吃", "很差"]) == 1
