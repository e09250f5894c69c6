"""N-grams: against counting by hand, and against scikit-learn's TfidfVectorizer."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.encoding.ngrams import BITS, FIRST_TOKEN, NgramVocabulary

TEXTS = st.lists(st.lists(st.integers(0, 6), max_size=12), max_size=8)


def arrays(texts):
    return [np.array(text, np.int32) for text in texts]


def ngrams_by_hand(text, longest):
    """The different n-grams of a text without unknown tokens, as tuples."""
    found = (tuple(text[start : start + n]) for n in range(1, longest + 1) for start in range(len(text) - n + 1))
    return {gram for gram in found if min(gram) >= FIRST_TOKEN}


def key(gram):
    packed = 0
    for token in gram:
        packed = packed << BITS | token
    return packed


@given(TEXTS, st.integers(1, 3), st.integers(1, 3))
def test_kept_ngrams_and_ids_equal_those_counted_by_hand(texts, longest, min_count):
    counts = Counter(gram for text in texts for gram in ngrams_by_hand(text, longest))
    kept = sorted(key(gram) for gram, count in counts.items() if count >= min_count)
    ngrams = NgramVocabulary.build(arrays(texts), longest=longest, min_count=min_count)
    assert ngrams.keys.tolist() == kept
    expected = [
        sorted(kept.index(key(g)) + 1 for g in ngrams_by_hand(text, longest) if key(g) in kept) for text in texts
    ]
    assert [ids.tolist() for ids in ngrams.ids(arrays(texts))] == expected
    assert all(ids.dtype == np.int32 for ids in ngrams.ids(arrays(texts)))


@given(TEXTS, st.lists(st.integers(0, 3), min_size=7, max_size=7), st.integers(1, 3), st.integers(1, 3))
def test_pieces_of_identifiers_need_a_count_of_their_own(texts, identifying, min_count, least):
    counts = Counter(gram for text in texts for gram in ngrams_by_hand(text, 3))
    held = {gram: sum(identifying[token] for token in gram) for gram in counts}
    needed = {gram: max(min_count, least if held[gram] > 1 else 1) for gram in counts}
    kept = sorted(key(gram) for gram, count in counts.items() if count >= needed[gram])
    ngrams = NgramVocabulary.build(
        arrays(texts),
        longest=3,
        min_count=min_count,
        identifying=np.array([0, 0, *identifying[2:]]),
        min_count_identifiers=least,
    )
    assert ngrams.keys.tolist() == kept


@given(TEXTS, st.integers(1, 3))
def test_counted_ngrams_stand_as_often_as_they_count(texts, longest):
    plain = NgramVocabulary.build(arrays(texts), longest=longest)
    counted = NgramVocabulary.build(arrays(texts), longest=longest, counts=True)
    assert np.array_equal(plain.keys, counted.keys)
    assert np.array_equal(plain.idf(arrays(texts)), counted.idf(arrays(texts)))
    for text, distinct, ids in zip(texts, plain.ids(arrays(texts)), counted.ids(arrays(texts)), strict=True):
        grams = [tuple(text[start : start + n]) for n in range(1, longest + 1) for start in range(len(text) - n + 1)]
        times = {key(gram): count for gram, count in Counter(grams).items() if min(gram) >= FIRST_TOKEN}
        assert ids.tolist() == [
            each for each in distinct.tolist() for _ in range(round(1 + math.log(times[int(plain.keys[each - 1])])))
        ]


@given(TEXTS, st.integers(1, 3))
def test_a_text_has_the_same_ids_whatever_stands_beside_it(texts, longest):
    ngrams = NgramVocabulary.build(arrays(texts), longest=longest)
    together = [ids.tolist() for ids in ngrams.ids(arrays(texts))]
    assert together == [ngrams.ids([text])[0].tolist() for text in arrays(texts)]


@given(TEXTS, st.integers(1, 9))
def test_the_most_frequent_are_kept(texts, most):
    everything = NgramVocabulary.build(arrays(texts), longest=2)
    counts = np.bincount(np.concatenate([np.zeros(0, np.int32), *everything.ids(arrays(texts))]), minlength=1)[1:]
    kept = NgramVocabulary.build(arrays(texts), longest=2, max_features=most)
    assert len(kept) == min(most, len(everything))
    dropped = ~np.isin(everything.keys, kept.keys)
    if dropped.any():
        assert counts[dropped].max() <= counts[~dropped].min()


def test_values_equal_scikit_learns():
    generator = np.random.default_rng(7)
    texts = [generator.integers(2, 30, generator.integers(1, 40)).astype(np.int32) for _ in range(50)]
    ngrams = NgramVocabulary.build(texts, longest=3, min_count=2)
    idf = ngrams.idf(texts)
    ours = np.zeros((len(texts), len(ngrams) + 1))
    for row, ids in enumerate(ngrams.ids(texts)):
        ours[row, ids] = idf[ids] / np.linalg.norm(idf[ids])
    theirs = TfidfVectorizer(
        binary=True, smooth_idf=True, ngram_range=(1, 3), min_df=2, analyzer="word", token_pattern=r"\d+"
    )
    matrix = theirs.fit_transform([" ".join(map(str, text)) for text in texts]).toarray()
    columns = [key(map(int, name.split())) for name in theirs.get_feature_names_out()]
    assert sorted(columns) == ngrams.keys.tolist()
    np.testing.assert_allclose(ours[:, 1:][:, np.searchsorted(ngrams.keys, columns)], matrix, rtol=1e-5)
    assert idf[0] == 0


def test_no_text_and_empty_texts():
    empty = NgramVocabulary.build([], longest=2)
    assert len(empty) == 0
    assert empty.ids([]) == []
    assert [ids.tolist() for ids in empty.ids(arrays([[], [2, 3]]))] == [[], []]
    assert empty.idf(arrays([[]])).tolist() == [0]


def test_limits():
    with pytest.raises(ValueError, match=f"under {1 << BITS}, received {1 << BITS}"):
        NgramVocabulary.build([np.array([1 << BITS], np.int32)], longest=1)
    with pytest.raises(ValueError, match="longest 1 to 3"):
        NgramVocabulary(np.zeros(0, np.int64), 4)
    highest = (1 << BITS) - 1
    assert NgramVocabulary.build([np.array([highest] * 3, np.int32)], longest=3).keys.min() > 0
