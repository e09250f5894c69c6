"""Segmented text comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import segmented
from corpora.errors import CorpusError
from corpora.segmented import join, split

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\\ \t\n\rstn"), min_size=1))


@given(WORDS)
def test_split_undoes_join(words):
    line = join(words)
    assert split(line) == words
    assert not set("\t\n\r") & set(line) and line.count(" ") == max(0, len(words) - 1)


@given(st.lists(WORDS, max_size=5))
def test_files_read_back(tmp_path_factory, sentences):
    path = tmp_path_factory.getbasetemp() / "分词.txt.gz"
    # A byte order mark at the very start of a file is not text.
    sentences = [["首"], *sentences]
    finished = []
    assert segmented.write(path, sentences, advance=finished.append) == len(sentences) == sum(finished)
    corpus = segmented.read(path)
    assert list(corpus) == sentences and list(corpus) == sentences


def test_spaces_of_others_make_no_words():
    assert split("  今天   天气\u3000好 ") == ["今天", "天气", "好"] and split("") == []


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(CorpusError, match="word 2 of 2 is empty"):
        join(["好", ""])
    path = tmp_path / "词.txt"
    path.write_text("好 的\nC:\\盘\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r'line 2: "\\盘" is not an escape'):
        list(segmented.read(path))
    path.write_text("好\\", encoding="utf-8")
    with pytest.raises(CorpusError, match="line 1"):
        list(segmented.read(path))
    with pytest.raises(CorpusError, match=r"line 2: U\+DC80 is half"):
        segmented.write(path, [["好"], ["\udc80"]])
    assert path.read_text(encoding="utf-8") == "好\\"


@pytest.mark.parametrize("blank", ["\u3000", "\t", "\u00a0", "\u2003", " \u3000", "\u3000\t ", "\x0b", "\u2028"])
def test_any_white_space_separates_words(tmp_path, blank):
    path = tmp_path / "词.txt"
    path.write_text(f"{blank}我{blank}爱{blank}北京烤鸭{blank}\n", encoding="utf-8", newline="")
    [found] = segmented.read(path)
    assert [word for word in found if not word.isspace()] == ["我", "爱", "北京烤鸭"]


def test_a_wide_space_of_its_own_is_a_word_as_we_write_it():
    assert split("好 \u3000 吃") == ["好", "\u3000", "吃"] and join(["好", "\u3000"]) == "好 \u3000"
    assert join(["New\u3000York"]) == "New\\u3000York" and split("New\\u3000York") == ["New\u3000York"]
