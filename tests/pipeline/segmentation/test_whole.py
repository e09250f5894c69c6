"""What stays whole: runs of letters and digits, addresses, names, topics, times, and emoji of several code points."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.segmentation import whole
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter

ENGINES: tuple[Any, ...] = ("rjieba", "jieba")
FAMILY, FLAG, KEYCAP, THUMB, HEART = "👨\u200d👩\u200d👧", "🇨🇳", "1\ufe0f\u20e3", "👍🏽", "❤\ufe0f"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    """Loaded engines without weights."""
    return {engine: Segmenter(engine=engine)._jieba for engine in ENGINES}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("邮箱zhang.san+a@mail.example.cn,请回复", ["zhang.san+a@mail.example.cn"]),
        ("写到a@b.com。或x@y", ["a@b.com"]),
        ("看http://t.cn/A6abc，和(https://a.b/c?x=1&y=2#z)。", ["http://t.cn/A6abc", "https://a.b/c?x=1&y=2#z"]),
        ("上www.example.com.cn看", ["www.example.com.cn"]),
        ("http://a.com/b. 句号", ["http://a.com/b"]),
        ("回复@小明:好 //@abc_1，转发@小红 早", ["@小明", "@abc_1", "@小红"]),
        ("感谢@小明，你好", []),
        ("#北京马拉松#开跑 #话题#内容#另一个#", ["#北京马拉松#", "#话题#", "#另一个#"]),
        ("C#和F#都会#", []),
        ("# 标题 #", []),
        ("9:30见，23：59：59关，比分3:1，16:9，1:23:45:67", ["9:30", "23：59：59"]),
        ("25:00和9:65", []),
        (
            f"一家{FAMILY}{FLAG}{FLAG}{KEYCAP}{THUMB}{HEART}{SCOTLAND}😀",
            [FAMILY, FLAG, FLAG, KEYCAP, THUMB, HEART, SCOTLAND],
        ),
        ("12\ufe0f\u20e3", []),
        ("没有", []),
        ("", []),
    ],
)
def test_patterns(text: str, found: list[str], loaded: dict[str, Any]) -> None:
    assert [text[start:end] for start, end in whole.patterns(text)] == found
    for engine in ENGINES:
        cutter = Segmenter(engine=engine)
        vars(cutter)["_jieba"] = loaded[engine]
        tokens = cutter.split(text)
        assert "".join(tokens) == text and [token for token in tokens if token in found] == found


def test_before_and_after() -> None:
    """Before: addresses, names, times and emoji fell apart. After: each is one token, unless keep_whole is false."""
    text = f"@小红 9:30发到a@b.com {FAMILY}"
    assert Segmenter().split(text) == ["@小红", " ", "9:30", "发到", "a@b.com", " ", FAMILY]
    before = Segmenter(keep_whole=False).split(text)
    assert before[:6] == ["@", "小红", " ", "9", ":", "30"] and before[-5:] == [*FAMILY]


@pytest.mark.parametrize(
    ("words", "text", "tokens"),
    [
        # Before: EM AI L, 20 10 年, and so on. After: an entry that is a part of a run has no place there.
        (["AI"], "EMAIL和AI", "EMAIL 和 AI"),
        (["10"], "2010年10月", "2010 年 10 月"),
        (["10年"], "2010年和10年", "2010 年 和 10年"),
        (["iPhone"], "iPhone15和iPhone", "iPhone15 和 iPhone"),
        (["ＡＩ"], "ＥＭＡＩＬ", "ＥＭＡＩＬ"),
        (["caf"], "café", "café"),
        (["去AI", "去"], "去AIR", "去 AIR"),
        (["AI好"], "AI好", "AI好"),
        (["C++"], "C++好", "C++ 好"),
        # An entry that is a part of a pattern has no place there; one that covers a pattern wins.
        (["北京"], "#北京马拉松#北京", "#北京马拉松# 北京"),
        (["example", "com"], "ming@example.com和com", "ming@example.com 和 com"),
        (["小明"], "@小明 小明", "@小明 \\s 小明"),
        (["9:30开会"], "9:30开会 9:30", "9:30开会 \\s 9:30"),
        (["#北京#"], "#北京#", "#北京#"),
        (["👩"], f"{FAMILY}👩", f"{FAMILY} 👩"),
    ],
)
def test_an_entry_that_is_a_part_of_what_is_whole(
    words: list[str], text: str, tokens: str, loaded: dict[str, Any]
) -> None:
    for engine in ENGINES:
        cutter = Segmenter(engine=engine, dictionary=UserDictionary(dict.fromkeys(words)))
        vars(cutter)["_jieba"] = loaded[engine]
        assert [token.replace(" ", "\\s") for token in cutter.split(text)] == tokens.split()


def test_entries_cut_runs_as_before_if_nothing_is_kept_whole() -> None:
    cutter = Segmenter(dictionary=UserDictionary({"AI": None, "10": None}), keep_whole=False)
    assert cutter.split("EMAIL2010年") == ["EM", "AI", "L20", "10", "年"]


@pytest.mark.parametrize("engine", ENGINES)
def test_weighted_words_cut_no_run(engine: Any) -> None:
    weights = {"AI": 10**6, "10年": 10**6, "T恤": 10**6}
    text = "EMAIL里2010年的xT恤和T恤、AI"
    cut = Segmenter(engine=engine, dictionary=UserDictionary(weights=weights)).split(text)
    assert cut == ["EMAIL", "里", "2010", "年", "的", "xT", "恤", "和", "T恤", "、", "AI"]
    assert "AI" in Segmenter(engine=engine, dictionary=UserDictionary(weights=weights), keep_whole=False).split("EMAIL")
    found = Segmenter(engine=engine, dictionary=UserDictionary(weights=weights), mode="search").split(text)
    assert "EMAIL" in found and "xT" in found


def test_the_parts_of_a_word_may_cut_a_run() -> None:
    cutter = Segmenter(dictionary=UserDictionary(splits={"iPhone15": ("iPhone", "15")}))
    assert cutter.split("买iPhone15，不是iPhone15s") == ["买", "iPhone", "15", "，", "不是", "iPhone15s"]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("去T恤aB12éＡ１@#:：./_-w h\u200d\ufe0f\u20e3🇨🇳👍🏽👩，小明年"), max_size=30))
def test_no_token_ends_inside_a_run_or_a_pattern(text: str) -> None:
    dictionary = UserDictionary({"小明": None, "2年": None, "B1": None, "，": None})
    tokens = SHARED.split_with(dictionary, text)
    assert "".join(tokens) == text and whole.cut_runs(text, tokens) == []
    edges, end = {0}, 0
    for token in tokens:
        edges.add(end := end + len(token))
    inside = [place for place in whole.patterns(text) if edges & set(range(place[0] + 1, place[1]))]
    assert not inside
    for place in dictionary.find(text):
        assert edges.issuperset(place)


class Shared:
    """One loaded engine for many dictionaries."""

    def __init__(self) -> None:
        self.cutter = Segmenter()

    def split_with(self, dictionary: UserDictionary, text: str) -> list[str]:
        self.cutter._jieba  # noqa: B018 (loads it)
        return self.cutter.with_dictionary(dictionary).split(text)


SHARED = Shared()


@pytest.mark.parametrize(
    "part",
    ["a.", "@", "#", "http://", "1:", "😀\u200d", "a@", "a@a.", "@字", "#a", "www.", "😀\U000e0020", "a-", "12", "🇨"],
)
def test_long_texts_of_signs_take_no_longer_than_others(part: str) -> None:
    begun = time.process_time()
    whole.patterns(part * (100_000 // len(part)))
    assert time.process_time() - begun < 5
