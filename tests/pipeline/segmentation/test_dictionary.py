"""User dictionaries: the file format, its errors, and where forced words stand in a text."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DictionaryError
from pipeline.segmentation.dictionary import UserDictionary

characters = st.characters(exclude_characters="\t\r\n\ufdd0\ufdd1", exclude_categories=["Cs"])
entries = st.text(characters, min_size=1, max_size=8).filter(lambda t: t == t.strip() and t[0] != "\ufeff")
tricky = st.lists(
    st.sampled_from(["词", "New", "York", "machine", "n", "15", "0", "Pro", "·", "𠮷"]),
    min_size=1,
    max_size=4,
)
words = entries | tricky.map(" ".join)
some = st.lists(st.text("甲乙丙", min_size=1, max_size=3), min_size=2, max_size=3).map(tuple)


@st.composite
def dictionaries(draw: st.DrawFn) -> UserDictionary:
    """Any dictionary; a word is in one of its three parts alone."""
    forced = draw(st.dictionaries(words, st.none() | words, max_size=8))
    weights = draw(st.dictionaries(words, st.none() | st.integers(0, 10**12 - 1), max_size=4))
    splits = {"".join(parts): parts for parts in draw(st.lists(some, max_size=3))}
    weights = {word: weight for word, weight in weights.items() if word not in forced}
    return UserDictionary(
        forced, weights, {word: parts for word, parts in splits.items() if word not in forced | weights}
    )


def write(folder: Path, content: str | bytes, name: str = "dict.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("line", "word", "tag"),
    [
        ("云计算", "云计算", None),
        ("云计算 5", "云计算", None),
        ("云计算 n", "云计算", "n"),
        ("云计算  5   n  ", "云计算", "n"),
        ("New York", "New York", None),
        ("New York 3 ns", "New York", "ns"),
        ("iPhone 15 Pro", "iPhone 15 Pro", None),
        ("尼古拉·特斯拉 nrt", "尼古拉·特斯拉", "nrt"),
        ("123", "123", None),
        ("5 n", "5", "n"),
        ("n", "n", None),
        ("华为 mate60", "华为 mate60", None),
        ("iPhone 15\t", "iPhone 15", None),
        ("iPhone 15\t3", "iPhone 15", None),
        ("machine learning\tn", "machine learning", "n"),
        ("张三丰\t\tPER", "张三丰", "PER"),
        ("张三丰 \t 7 \t B 2 ", "张三丰", "B 2"),
        ("词\t\t123", "词", "123"),
        # Before: one word with a space, a comma or a frequency in it, which no text has.
        ("阿尔法城 地名", "阿尔法城", "地名"),
        ("云计算 n 1024", "云计算", "n"),
        ("云计算 名词 5", "云计算", "名词"),
        ("云计算 5 名词", "云计算", "名词"),
        ("OpenAI 机构", "OpenAI", "机构"),
        ("云计算　5　n", "云计算", "n"),
        ("云计算,5,n", "云计算", "n"),
        ("云计算,n,5", "云计算", "n"),
        ("云计算,,n", "云计算", "n"),
        ("云计算,5", "云计算", None),
        ("云计算\tn\t5", "云计算", "n"),
        ("machine learning 5", "machine learning", None),
        ("Python 3.5 n", "Python 3.5", "n"),
        ("男/女", "男/女", None),
        ("km/h", "km/h", None),
        ("1,000", "1,000", None),
    ],
)
def test_a_line_is_read_by_the_rule_of_the_docstring(line: str, word: str, tag: str | None) -> None:
    assert dict(UserDictionary.parse([line]).words) == {word: tag}


def test_lines_without_tabs_are_read_as_jieba_reads_them() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from jieba import re_userdict

    for line in [
        "云计算",
        "云计算 5",
        "云计算 n",
        "云计算 5 n",
        "New York",
        "a b 3 c",
        "iPhone 15 Pro",
        "3 4 n",
        "x y z",
    ]:
        word, _, tag = re_userdict.match(line).groups()
        assert dict(UserDictionary.parse([line]).words) == {word: tag.strip() if tag else None}


def test_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff云计算 5 n\r\n\r\n \t \r\n大模型\r\n".encode())
    assert dict(UserDictionary.load(path).words) == {"云计算": "n", "大模型": None}


def test_only_line_breaks_end_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "甲\u2028乙 n\n丙\x85丁\n")
    assert list(UserDictionary.load(path).words) == ["甲\u2028乙", "丙\x85丁"]


def test_the_later_file_wins(tmp_path: Path) -> None:
    first, second = write(tmp_path, "甲 n\n乙 n\n", "1.txt"), write(tmp_path, "乙 v\n丙\n", "2.txt")
    assert dict(UserDictionary.load([first, second]).words) == {"甲": "n", "乙": "v", "丙": None}
    assert UserDictionary.load([second, first]).words["乙"] == "n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("\t5\tn", "word '' is empty"),
        ("云\t多\tn", "whole number as the frequency of '云', found '多'"),
        ("云\t²\tn", "found '²'"),
        ("云\t1\tn\tx", "found 4 fields"),
        ("云计算\t1234567890123", "has 13 digits: expected at most 12"),
        ("价格便宜 => 价格 很便宜", "parts that are the word when they are joined, such as 价格便宜 => 价格 便宜"),
        ("价格便宜 => 价格便宜", "two or more parts"),
        ("a => b", "if 'a => b' is the word, write this and a tab"),
        (b"\xd4\xc6\xbc\xc6\xcb\xe3 5 n", "not UTF-8 .byte 1 of the line"),
        (" \ufeff云", "byte order mark"),
        # Before: taken for one word, without effect or warning.
        ("云计算/n", "'云计算/n' has no clear word.*write '云计算', a tab and the tag"),
        ("云计算/名词 5", "no clear word"),
        ("云计算 3.5 n", "no clear word"),
        ("张三丰 PER", "no clear word"),
        ("北京 大学 n", "if '北京 大学' is the word, this and a tab"),
        ("北京,上海", "no clear word"),
        ("云计算,5,n,x", "no clear word"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path: Path, line: str | bytes, message: str) -> None:
    raw = line.encode("utf-8") if isinstance(line, str) else line
    path = write(tmp_path, "好\n".encode() + raw + "\n好的 n\n".encode())
    with pytest.raises(DictionaryError, match=message) as caught:
        UserDictionary.load(path)
    assert str(caught.value).startswith(f"{path}:2: ")


def test_all_bad_lines_of_all_files_are_counted_and_twenty_named(tmp_path: Path) -> None:
    first, second = write(tmp_path, "坏/n\n" * 18, "1.txt"), write(tmp_path, "好\n" + "坏/n\n" * 7, "2.txt")
    with pytest.raises(DictionaryError) as caught:
        UserDictionary.load([first, second])
    lines = str(caught.value).split("\n")
    assert len(lines) == 21
    assert lines[19].startswith(f"{second}:3: ")
    assert lines[20] == "and 5 more"


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(DictionaryError, match="can't be read"):
            UserDictionary.load(path)


@pytest.mark.parametrize("word", ["", " 词", "词\u3000", "词\t语", "词\n语", "词\ud800", "\ufeff词", "词\ufdd0"])
def test_words_and_tags_that_no_file_can_hold_are_refused(word: str) -> None:
    with pytest.raises(DictionaryError, match="the word"):
        UserDictionary({word: None})
    with pytest.raises(DictionaryError, match="the word"):
        UserDictionary(weights={word: 5})
    with pytest.raises(DictionaryError, match="the tag"):
        UserDictionary({"词": word})


@pytest.mark.parametrize(
    ("given_words", "message"),
    [
        ({"words": {"甲": None}, "weights": {"甲": 5}}, "'甲' is forced, weighted or split at once"),
        ({"weights": {"甲乙": 5}, "splits": {"甲乙": ("甲", "乙")}}, "'甲乙' is forced, weighted or split at once"),
        ({"splits": {"甲乙": ("甲", "丙")}}, r"the parts of '甲乙' are \['甲', '丙'\]"),
        ({"splits": {"甲": ("甲",)}}, "the parts of '甲'"),
        ({"splits": {"甲": ("甲", "")}}, "the parts of '甲'"),
        ({"weights": {"甲": -1}}, "the frequency of '甲' is -1"),
        ({"weights": {"甲": 10**12}}, "the frequency of '甲' is 1000000000000"),
    ],
)
def test_entries_that_contradict_themselves_are_refused(given_words: dict[str, Any], message: str) -> None:
    with pytest.raises(DictionaryError, match=message):
        UserDictionary(**given_words)


def test_words_that_occur() -> None:
    dictionary = UserDictionary({"滨江步道": None, "北京": "ns", "上海": "ns"})
    assert dictionary.occurring("去北京滨江步道") == {"北京", "滨江步道"}
    assert dictionary.occurring("去北京", ["去", "北京"]) == {"北京"}
    assert UserDictionary().occurring("去北京") == set()
    tuned = UserDictionary({}, {"北京": None, "和服": 5, "上海": 0, "天津": 0}, {"去北": ("去", "北")})
    assert tuned.occurring("去北京上海和服务", ["和", "服务", "北京"]) == {"北京", "上海", "去北"}


def test_words_of_frequency_0_and_parts(tmp_path: Path) -> None:
    """Before: frequency 0 was refused. After: in both kinds of file it says that the word is never a token."""
    forced = write(tmp_path, "价格便宜 => 价格 便宜\n云计算 0 n\n质量\t000\n北京 9\n", "1.txt")
    weighted = write(tmp_path, "和服 3 n\n云计算 7\n北京 5\n大模型 n\n好看 0\n", "2.txt")
    dictionary = UserDictionary.load(forced, weighted)
    assert dict(dictionary.words) == {"北京": None}
    assert dict(dictionary.weights) == {"和服": 3, "大模型": None, "好看": 0, "云计算": 0, "质量": 0}
    assert dict(dictionary.splits) == {"价格便宜": ("价格", "便宜")}
    assert dictionary.find("价格便宜吗") == [(0, 2), (2, 4)] and len(dictionary) == 7


@given(dictionaries())
def test_lines_give_the_dictionary_back(dictionary: UserDictionary) -> None:
    back = UserDictionary.parse(dictionary.lines(), dictionary.weighted_lines())
    assert back == dictionary and list(back.words.items()) == list(dictionary.words.items())


def test_save_and_load(tmp_path: Path) -> None:
    dictionary = UserDictionary({"New York": "ns", "iPhone 15": None, "尼古拉·特斯拉": "PER", "\u200b𠮷野家": "nt"})
    forced, weighted = tmp_path / "dict.txt", tmp_path / "weighted.txt"
    dictionary.save(forced, weighted)
    assert UserDictionary.load(forced) == dictionary and not weighted.exists()
    assert b"\r" not in forced.read_bytes()
    assert pickle.loads(pickle.dumps(dictionary)) == dictionary
    tuned = dictionary.updated(
        UserDictionary({}, {"和服": 3, "New York": None, "便宜": 0}, {"价格便宜": ("价格", "便宜")})
    )
    tuned.save(forced, weighted)
    assert UserDictionary.load(forced, weighted) == tuned and "New York" not in tuned.words
    assert "价格便宜 => 价格 便宜\n便宜 0\n" in forced.read_text(encoding="utf-8")
    assert weighted.read_text(encoding="utf-8") == "和服 3\nNew York\n"


def test_the_words_given_are_copied_and_cannot_be_changed() -> None:
    given_words: dict[str, str | None] = {"云": None}
    dictionary = UserDictionary(given_words)
    given_words["雨"] = None
    assert list(dictionary.words) == ["云"]
    with pytest.raises(TypeError):
        dictionary.words["雨"] = None  # type: ignore[index]


def cuts_a_run(text: str, place: int) -> bool:
    return 0 < place < len(text) and all(
        character.isascii() and character.isalnum() for character in text[place - 1 : place + 1]
    )


def leftmost_longest(text: str, forced: set[str], keep_whole: bool = True) -> list[tuple[int, int]]:
    """The same, by trying every stretch of the text."""
    found, start = [], 0
    while start < len(text):
        ends = [
            end
            for end in range(start + 1, len(text) + 1)
            if text[start:end] in forced and not (keep_whole and (cuts_a_run(text, start) or cuts_a_run(text, end)))
        ]
        if ends:
            found.append((start, max(ends)))
        start = max(ends, default=start + 1)
    return found


@st.composite
def forced_words_and_text(draw: st.DrawFn) -> tuple[set[str], str]:
    """Words that share beginnings, and a text made of them, of parts of them and of other characters."""
    word = st.text("甲乙ab1]^-\\𠮷·", min_size=1, max_size=2)
    several = word | st.lists(word, min_size=2, max_size=3).map("".join)
    forced = draw(st.sets(several | st.text("甲", min_size=1, max_size=5), max_size=8))
    pieces = st.sampled_from(sorted(forced)) if forced else word
    others = st.sampled_from([" ", "\ud800", "\ufdd0", "\ufdd1"])
    return forced, "".join(draw(st.lists(pieces | word | others, max_size=8)))


@given(forced_words_and_text())
def test_find_is_leftmost_longest(case: tuple[set[str], str]) -> None:
    forced, text = case
    for keep_whole in (True, False):
        dictionary = UserDictionary(dict.fromkeys(forced), keep_whole=keep_whole)
        assert dictionary.find(text) == leftmost_longest(text, forced, keep_whole)


@pytest.mark.parametrize("text", ["在北京大", "在北京"])
def test_a_long_word_may_be_cut_off_by_the_end_of_the_text(text: str) -> None:
    assert UserDictionary({"北京": None, "北京大学": None}).find(text) == [(1, 3)]
