"""Lexicon: the words at each character, against a search of every word in every place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.lexicon import LONGEST, MOST, Lexicon

LETTERS = "天地玄黄😀"
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=LONGEST + 1), unique=True, max_size=12)
TEXTS = st.lists(st.lists(st.sampled_from(LETTERS), max_size=14), max_size=4)


def searched(words, text):
    """For each character the words that begin, go on and end there, and the one that it is, the longest first."""
    joined, found = "".join(text), [([], [], [], []) for _ in text]
    for size in range(LONGEST, 0, -1):
        for start in range(len(joined) - size + 1):
            word = joined[start : start + size]
            if word not in words:
                continue
            if size == 1:
                found[start][3].append(word)
                continue
            found[start][0].append(word)
            for inner in range(start + 1, start + size - 1):
                found[inner][1].append(word)
            found[start + size - 1][2].append(word)
    return found


@given(WORDS, TEXTS)
def test_ids_are_those_of_every_word_in_every_place(words, texts):
    lexicon = Lexicon(Vocabulary(words))
    found = lexicon.ids(texts)
    assert [len(rows) for rows in found] == [len(text) for text in texts]
    names = dict(enumerate(words, start=2))
    for text, rows in zip(texts, found, strict=True):
        for expected, row in zip(searched(words, text), rows, strict=True):
            slots = np.split(row, np.cumsum(lexicon.groups)[:-1])
            for group, (ids, wanted) in enumerate(zip(slots, expected, strict=True)):
                got = [names[id_] for id_ in ids if id_]
                assert list(map(len, got)) == list(map(len, wanted[:MOST])), group
                assert set(got) <= set(wanted) and len(set(got)) == len(got)


@given(WORDS, TEXTS)
def test_a_text_is_read_the_same_whatever_the_other_texts(words, texts):
    lexicon = Lexicon(Vocabulary(words))
    for text, rows in zip(texts, lexicon.ids(texts), strict=True):
        np.testing.assert_array_equal(lexicon.ids([text])[0], rows)


def test_frequencies_are_counts_and_one():
    lexicon = Lexicon(Vocabulary(["天地", "天", "玄黄"]))
    assert lexicon.frequencies([list("天地天"), list("天地")]).tolist() == [0, 0, 3, 4, 1]


@pytest.mark.parametrize("words", [[], ["a" * (LONGEST + 1)]])
def test_a_lexicon_in_which_nothing_can_be_found(words):
    rows = Lexicon(Vocabulary(words)).ids([["a"] * 20, []])
    assert [part.shape for part in rows] == [(20, 13), (0, 13)] and not rows[0].any()


def test_half_a_character_is_no_word():
    assert Lexicon(Vocabulary(["天"])).ids([["\ud800", "天"]])[0][:, -1].tolist() == [0, 2]
