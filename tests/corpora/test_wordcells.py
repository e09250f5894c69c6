"""Cells of words are read in every form, and checked against their text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import segmented, wordcells
from corpora.errors import CorpusError

words = st.lists(
    st.text(st.sampled_from('去江 \t\\[]",😀'), min_size=1, max_size=4).map(str.strip).filter(bool), max_size=6
)


@given(words)
def test_lists_json_and_segmented_cells_give_the_words(found):
    assert wordcells.words(found) == wordcells.words(json.dumps(found)) == found
    cell = segmented.join(found)
    if not cell.startswith("["):
        assert wordcells.words(cell) == found


@pytest.mark.parametrize(
    ("cell", "found"), [(None, []), ("", []), ("[1]", ["[1]"]), ('["a", " "]', ["a"]), (12, ["12"])]
)
def test_odd_cells(cell, found):
    assert wordcells.words(cell) == found


@given(words, st.data())
def test_words_and_their_white_space_are_the_text(found, data):
    space = st.sampled_from(["", "", " ", "\n　"])
    text = "".join(data.draw(space) + word for word in found) + data.draw(space)
    wordcells.check(text, found)
    with pytest.raises(CorpusError, match="goes on after the last word"):
        wordcells.check(text + "x", found)
    if found:
        with pytest.raises(CorpusError, match=r'word \d is "'):
            wordcells.check(text, [*found, "x"])


def test_what_differs_is_named():
    with pytest.raises(CorpusError, match=r'word 2 is "北平", and the text has "北京" there \(character 3\)'):
        wordcells.check("我们 北京", ["我们", "北平"])
