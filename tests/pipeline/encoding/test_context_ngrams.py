"""Context n-grams: the n-grams around a token, against slicing, text by text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.encoding.affixes import Affixes
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.ngrams import NgramVocabulary

EDGE = "edge"
texts = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=7), min_size=1, max_size=5)


def arrays(rows):
    return [np.array(row, np.int32) for row in rows]


def slices(row, longest, window):
    """For each token its n-grams in order of the columns: (order, place, gram), None where a token is unknown."""
    padded = [EDGE] * window + list(row) + [EDGE] * window
    return [
        [
            (order, place, gram if 1 not in (gram := tuple(padded[at + place : at + place + order])) else None)
            for order in range(1, longest + 1)
            for place in range(2 * window + 2 - order)
        ]
        for at in range(len(row))
    ]


@given(texts, texts, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_ngrams_are_slices(train, rows, longest, window, min_count):
    ngrams = ContextNgrams.build(arrays(train), longest=longest, window=window, min_count=min_count)
    found = ngrams.ids(arrays(rows))
    assert [each.shape[0] for each in found] == [len(row) for row in rows]
    names = {}
    for row, ids in zip(rows, found, strict=True):
        for expected, got in zip(slices(row, longest, window), ids.tolist(), strict=True):
            assert len(expected) == len(got)
            for name, id_ in zip(expected, got, strict=True):
                if id_:
                    assert name[2] is not None and names.setdefault(id_, name) == name
                    assert 1 <= id_ <= len(ngrams)
    assert len(set(names.values())) == len(names), "two ids of one n-gram in one place"


@given(texts)
def test_all_of_train_is_known(train):
    ngrams = ContextNgrams.build(arrays(train), longest=2, window=2)
    for row, ids in zip(train, ngrams.ids(arrays(train)), strict=True):
        known = [[gram is not None for *_, gram in token] for token in slices(row, 2, 2)]
        np.testing.assert_array_equal(ids > 0, known)


@given(texts)
def test_the_middle_unigrams_are_those_of_a_bag(train):
    ngrams = ContextNgrams.build(arrays(train), longest=1, window=0)
    bag = NgramVocabulary.build(arrays(train), longest=1)
    for ours, theirs in zip(ngrams.ids(arrays(train)), bag.ids(arrays(train)), strict=True):
        np.testing.assert_array_equal(np.unique(ours[ours > 0]), theirs)


def test_the_most_frequent_are_kept():
    ngrams = ContextNgrams.build(arrays([[2, 2, 2, 3]]), longest=1, window=0, max_features=1)
    assert ngrams.keys.tolist() == [2] and ngrams.ids(arrays([[3, 2]]))[0].tolist() == [[0], [1]]
    assert ContextNgrams.build([], longest=2, window=1).ids([]) == []


def test_wrong_arguments():
    with pytest.raises(ValueError, match="longest 1 to 3"):
        ContextNgrams(np.zeros(0, np.int64), 4, 1)


def test_affixes_of_words():
    affixes = Affixes.build([["北京", "北京烤鸭", "烤"], ["鸭"]], longest=2, min_count=2)
    assert set(affixes.vocabulary.tokens) == {"北…", "北京…", "烤…", "…鸭"} - {"烤…"}
    [ids] = affixes.ids([["北京", "鸭", "上海"]])
    names = ["", *affixes.vocabulary.tokens]
    assert [[names[id_] for id_ in row] for row in ids] == [["北…", "北京…", "", ""], ["", "", "…鸭", ""], [""] * 4]
    assert len(affixes.weights()) == len(affixes) + 1 == 4
