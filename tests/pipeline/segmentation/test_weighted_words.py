"""Weighted and split words, and other main dictionaries: jieba as the oracle, and one answer by both engines."""

import json
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DictionaryError, SettingsError
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.jieba_engines import Jieba, Rjieba
from pipeline.segmentation.main_dictionary import MainDictionary, jieba_frequencies
from pipeline.segmentation.segmenter import Segmenter

ENGINES: tuple[Any, ...] = ("rjieba", "jieba")
SMALL = MainDictionary(
    {"商品": 30, "和": 90, "服务": 40, "和服": 5, "務": 9, "服務": 60, "雲": 20, "的": 500, "服": 8, "务": 3}
)
# Two-character words that jieba's dictionary lacks, of characters that it has; and a few that it has.
ALPHABET = "商品和服务价格便宜研究生命起源云计算的"


def split(text: str, engine: Any, **arguments: Any) -> str:
    return " ".join(Segmenter(engine=engine, **arguments).split(text))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_forced_word_is_obeyed_and_a_weighted_one_weighed(engine: Any) -> None:
    text = "商品和服务"
    assert split(text, engine, dictionary=UserDictionary({"和服": None})) == "商品 和服 务"
    for frequency in (None, 3, 500):
        assert split(text, engine, dictionary=UserDictionary(weights={"和服": frequency})) == "商品 和 服务"
    assert split("她穿和服", engine, dictionary=UserDictionary(weights={"和服": None})) == "她 穿 和服"
    assert split(text, engine, dictionary=UserDictionary(weights={"和服": 10**9})) == "商品 和服 务"


@pytest.mark.parametrize("engine", ENGINES)
def test_jiebas_own_dictionary_as_the_users(engine: Any) -> None:
    """Before: its words were all forced, and 研究生 was taken first. After: weighted, they change nothing."""
    words = jieba_frequencies()
    text = "研究生命起源，商品和服务。"
    assert split(text, engine, dictionary=UserDictionary(weights=words)) == split(text, engine)
    assert split("研究生命起源", engine, dictionary=UserDictionary(dict.fromkeys(words))) == "研究生 命 起源"


@pytest.mark.parametrize("engine", ENGINES)
def test_words_that_are_split(engine: Any) -> None:
    text = "价格便宜，质量好"
    assert split(text, engine) == "价格便宜 ， 质量 好"
    assert split(text, engine, dictionary=UserDictionary(weights={"价格便宜": 0})) == "价格 便宜 ， 质量 好"
    assert (
        split(text, engine, dictionary=UserDictionary(splits={"价格便宜": ("价", "格便宜")})) == "价 格便宜 ， 质量 好"
    )
    for mode in ("search", "full"):
        found = Segmenter(engine=engine, mode=mode, dictionary=UserDictionary(weights={"价格便宜": 0})).split(text)
        assert "价格便宜" not in found and "便宜" in found
    # The hidden Markov model joins 杭研; jieba cuts such a word into characters.
    assert split("他来到杭研大厦", engine) == "他 来到 杭研 大厦"
    assert split("他来到杭研大厦", engine, dictionary=UserDictionary(weights={"杭研": 0})) == "他 来到 杭 研 大厦"


def test_removed_words_touch_no_other_segmenter() -> None:
    for engine in ENGINES:
        removing = Segmenter(engine=engine, dictionary=UserDictionary(weights={"价格便宜": 0, "杭研": 0}))
        assert removing.split("价格便宜") == ["价格", "便宜"] and not removing.is_known("价格便宜")
        assert Segmenter(engine=engine).split("价格便宜杭研大厦") == ["价格便宜", "杭研", "大厦"]


@contextmanager
def plain_jieba(entries: dict[str, int | None]) -> Iterator[Any]:
    """jieba as its users call it, with words added; the state that all its tokenizers share is put back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = dict(own().FREQ), own().total
    tokenizer.initialized = True
    shared = jieba.finalseg.Force_Split_Words
    before = set(shared)
    try:
        for word, frequency in entries.items():
            tokenizer.add_word(word, frequency)
        yield tokenizer
    finally:
        shared.clear()
        shared.update(before)


@cache
def own() -> Any:
    """jieba with its own words."""
    return Jieba()._tokenizer


new_words = st.text(ALPHABET, min_size=2, max_size=4).filter(lambda word: not own().FREQ.get(word))


@settings(max_examples=6, deadline=None)
@given(
    st.dictionaries(new_words, st.integers(1, 10**6), max_size=4),
    st.sets(new_words, max_size=1),
    st.sets(st.sampled_from(["价格便宜", "服务", "研究生", "杭研", "云计"]), max_size=2),
    st.lists(st.text(ALPHABET + "，aB3 ", max_size=15), min_size=15, max_size=15),
)
def test_weights_have_jiebas_own_meaning(
    given_words: dict[str, int], suggested: set[str], removed: set[str], texts: list[str]
) -> None:
    """Words with a frequency, one without, and words of frequency 0, added to jieba one after the other."""
    weights: dict[str, int | None] = {
        **given_words,
        **dict.fromkeys(suggested - set(given_words)),
        **dict.fromkeys(removed, 0),
    }
    cutter = Segmenter(engine="jieba", dictionary=UserDictionary(weights=weights), keep_whole=False)
    # jieba's total of frequencies counts the removed words still, which is too small a share to matter here.
    ordered = {**{word: 0 for word in removed}, **given_words, **dict.fromkeys(suggested - set(given_words))}
    with plain_jieba(ordered) as plain:
        for text in texts:
            assert cutter.split(text) == plain.lcut(text)


@settings(max_examples=6, deadline=None)
@given(
    st.dictionaries(st.text(ALPHABET, min_size=1, max_size=4), st.none() | st.integers(0, 10**6), max_size=6),
    st.lists(st.text(ALPHABET + "，AI10年 @#:😀", max_size=25), min_size=20, max_size=20),
    st.booleans(),
    st.none() | st.just(SMALL),
)
def test_both_engines_give_one_answer(
    weights: dict[str, int | None], texts: list[str], hmm: bool, main: MainDictionary | None
) -> None:
    dictionary = UserDictionary({"服务价": None}, weights, {"研究生命": ("研究", "生命")})
    loaded = {engine: Segmenter(engine=engine, dictionary=dictionary, main=main)._jieba for engine in ENGINES}
    for mode, text in product(("default", "search", "full"), texts):
        answers = []
        for engine in ENGINES:
            cutter = Segmenter(engine=engine, mode=mode, hmm=hmm, dictionary=dictionary, main=main)  # type: ignore[arg-type]
            vars(cutter)["_jieba"] = loaded[engine]
            answers.append(cutter.split(text))
        assert answers[0] == answers[1], (mode, text)


def test_another_main_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("雲計算 100 n\n我們 500 r\n的 900\n價格 50\n便宜 60 a\n零頻 0\n", encoding="utf-8")
    main = MainDictionary.load(path)
    assert main.frequencies == {"雲計算": 100, "我們": 500, "的": 900, "價格": 50, "便宜": 60}
    for engine in ENGINES:
        assert split("我們的雲計算價格便宜", engine, main=main, hmm=False) == "我們 的 雲計算 價格 便宜"
        assert not Segmenter(engine=engine, main=main).is_known("服务")
    cutter = Segmenter(main=main, dictionary=UserDictionary(weights={"價格便宜": 900, "便宜": 0}))
    assert cutter.split("價格便宜") == ["價格便宜"]
    main.save(tmp_path / "again.txt")
    assert MainDictionary.load(tmp_path / "again.txt") == main
    assert MainDictionary.load(tmp_path / "again.txt").name == main.name != SMALL.name


@pytest.mark.parametrize(
    "line", ["云计算", "云计算 5 n x", "云 计算 n", "云计算 -5 n", "云计算 ５", "云计算 1234567890123"]
)
def test_bad_lines_of_a_main_dictionary(tmp_path: Path, line: str) -> None:
    path = tmp_path / "dict.txt"
    path.write_text(f"好 5\n{line}\n", encoding="utf-8")
    with pytest.raises(
        DictionaryError, match=r"dict.txt:2: expected a word, its frequency and perhaps a tag, found '云"
    ):
        MainDictionary.load(path)
    path.write_text("好 0\n", encoding="utf-8")
    with pytest.raises(DictionaryError, match="has no word with a frequency"):
        MainDictionary.load(path)


def test_jieba_and_rjieba_read_the_same_file() -> None:
    words, rjieba = jieba_frequencies(), Rjieba()
    assert len(words) > 300_000 and all(map(rjieba.knows, words))
    assert {word: frequency for word, frequency in own().FREQ.items() if frequency} == words


def test_words_that_jieba_can_never_find() -> None:
    weights = {"尼古拉·特斯拉": 5, "iPhone 15": None, "𠮷野家": 3, "云计算": 3, "C++": 4, "·": 0}
    assert Segmenter(dictionary=UserDictionary(weights=weights)).unreachable == ["尼古拉·特斯拉", "iPhone 15", "𠮷野家"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dictionary": UserDictionary(weights={"和服": 5})}, "the frequency of '和服' is for jieba.*force it"),
        ({"dictionary": UserDictionary(weights={"和服": 0})}, "write 和服 => and the parts that it is cut into"),
        ({"main": SMALL}, 'a main dictionary is for jieba, and unit "char" reads none'),
    ],
)
def test_characters_have_no_weights(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Segmenter(unit="char", **arguments)


def test_settings_and_pickles_keep_weights_and_main_dictionary() -> None:
    dictionary = UserDictionary({"骑车": "v"}, {"和服": 5, "便宜": None, "服务": 0}, {"价格便宜": ("价格", "便宜")})
    cutter = Segmenter(dictionary=dictionary, main=SMALL, keep_whole=False)
    described = json.loads(json.dumps(cutter.settings()))
    again = Segmenter.from_settings(described, main=SMALL)
    for other in (again, pickle.loads(pickle.dumps(cutter))):
        assert other.settings() == described and other.dictionary == cutter.dictionary
        assert other.split("商品和服务价格便宜") == cutter.split("商品和服务价格便宜")
    for wrong in (None, MainDictionary({"好": 5})):
        with pytest.raises(SettingsError, match=r"main is 'sha256:.*: give the main dictionary of this name"):
            Segmenter.from_settings(described, main=wrong)


def test_another_dictionary_wins_over_its_own() -> None:
    cutter = Segmenter(dictionary=UserDictionary({"滨江步道": "n", "和服": None}))
    more = cutter.with_dictionary(UserDictionary({"骑车": "v", "滨江步道": "ns"}, {"和服": None}))
    assert dict(more.dictionary.words) == {"滨江步道": "ns", "骑车": "v"}
    assert more.split("商品和服务") == ["商品", "和", "服务"] and cutter.split("商品和服务") == ["商品", "和服", "务"]
