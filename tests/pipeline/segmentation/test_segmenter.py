"""Segmenter: the laws of cutting, jieba as the oracle, forced words, and isolation."""

import json
import os
import pickle
import subprocess
import sys
import threading
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DictionaryError, SettingsError
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter, read_stop_words

MODES = ("default", "search", "full")
FORCED = UserDictionary(
    {
        "会议室": "n",
        "三点在": None,
        "New York": "ns",
        "尼古拉·特斯拉": "nr",
        "𠮷野家": "nt",
        "AES-256": None,
        "😀好": None,
    }
)
TEXTS = [
    "今天下午三点在会议室开会，请带好材料。",
    "研究生物化学的学生都在准备复试。",
    "小李说这家店的酸辣粉味道一般，但是老板人很好！！",
    "我穿了一件T恤，骑车去了人民公园。",
    "C++和C#都会一点， 温度3.5度，涨了20%。",
    "办公桌上有BB机和IC卡，还有一张VISA卡。",
    "第一行\r\n第二行\n\n\t第三行　结束",
    "他昨天买了2斤苹果、半斤葡萄和1瓶XO酱。",
]
SPECIAL = [
    "",
    "\x00",
    "\ud800",
    "\ud83d\ude00",
    "好\udfff坏",
    "😀👨‍👩‍👧好",
    "a\r\nb\r\r\n",
    "𠮷𠀀𪜀㐀鿖",
    "é\u0301",
    "\ufeff字",
    "\u2028\x85\x1c",
]
texts = st.text(
    st.characters() | st.sampled_from("研究生物学今天下午三点在会议室T恤B超AES-256._%+#& \r\n\u3000，。𠮷·")
)


@pytest.fixture(scope="module")
def cutters() -> dict[tuple[str, str, bool], Segmenter]:
    """A segmenter for each engine and mode, without and with forced words; they share loaded engines."""
    made: dict[tuple[str, str, bool], Segmenter] = {}
    for engine in ("rjieba", "jieba"):
        first = Segmenter(engine=engine)
        for mode, forced in product(MODES, (False, True)):
            cutter = Segmenter(engine=engine, mode=mode, dictionary=FORCED if forced else None)  # type: ignore[arg-type]
            vars(cutter)["_jieba"] = first._jieba
            made[engine, mode, forced] = cutter
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """jieba as its users call it, its cache in a folder of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    return tokenizer


def check_laws(cutter: Segmenter, text: str) -> None:
    tokens = cutter.split(text)
    assert "" not in tokens
    if cutter.mode == "default" or cutter.unit == "char":
        assert "".join(tokens) == text
    elif cutter.mode == "full":
        assert can_cover(text, tokens)
    else:
        assert all(token in text for token in tokens)


def can_cover(text: str, tokens: list[str]) -> bool:
    """Whether the tokens can be laid over the whole text, each starting where or after the one before did.

    Every way is tried: what is kept after each token is the set of (start, end of what is covered).
    """
    ways = {(0, 0)}
    for token in tokens:
        starts = [start for start in range(len(text)) if text.startswith(token, start)]
        ways = {
            (start, max(covered, start + len(token)))
            for before, covered in ways
            for start in starts
            if before <= start <= covered
        }
    return len(text) in {covered for _, covered in ways}


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(token in rest for token in part)


@settings(max_examples=150, deadline=None)
@given(text=texts)
@pytest.mark.parametrize("engine", ["rjieba", "jieba"])
def test_joining_the_tokens_gives_any_text_back(cutters: Any, engine: str, text: str) -> None:
    check_laws(cutters[engine, "default", False], text)
    check_laws(cutters[engine, "default", True], text)
    check_laws(Segmenter(unit="char", engine=engine), text)  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(text=texts.map(lambda text: text[:30]))
@pytest.mark.parametrize("engine", ["rjieba", "jieba"])
def test_overlapping_tokens_stand_in_the_text_and_cover_it(cutters: Any, engine: str, text: str) -> None:
    for forced in (False, True):
        check_laws(cutters[engine, "full", forced], text)
        check_laws(cutters[engine, "search", forced], text)
        words, finer = (cutters[engine, mode, forced].split(text) for mode in ("default", "search"))
        assert is_subsequence(words, finer)


@pytest.mark.parametrize("text", TEXTS + SPECIAL)
def test_the_laws_hold_for_special_and_for_ordinary_texts(cutters: Any, text: str) -> None:
    for cutter in cutters.values():
        check_laws(cutter, text)
    assert Segmenter(unit="char").split(text) == list(text)


@pytest.mark.parametrize("text", TEXTS + SPECIAL)
def test_engine_jieba_cuts_as_jieba_does(cutters: Any, plain: Any, text: str) -> None:
    expected = {
        "default": plain.lcut(text),
        "search": plain.lcut_for_search(text),
        "full": [word for word in plain.lcut(text, cut_all=True) if word],
    }
    for mode in MODES:
        cutter = Segmenter(engine="jieba", mode=mode, keep_whole=False)  # type: ignore[arg-type]
        vars(cutter)["_jieba"] = cutters["jieba", mode, False]._jieba
        assert cutter.split(text) == expected[mode]


@pytest.mark.parametrize("text", TEXTS)
def test_without_the_hidden_markov_model(cutters: Any, plain: Any, text: str) -> None:
    for engine in ("rjieba", "jieba"):
        cutter = Segmenter(engine=engine, hmm=False)
        vars(cutter)["_jieba"] = cutters[engine, "default", False]._jieba
        assert cutter.split(text) == plain.lcut(text, HMM=False)


@pytest.mark.parametrize("text", TEXTS)
def test_the_engines_agree_on_ordinary_text(cutters: Any, text: str) -> None:
    for mode in MODES:
        assert cutters["rjieba", mode, False].split(text) == cutters["jieba", mode, False].split(text)


@pytest.mark.parametrize(
    ("text", "rjieba", "jieba"),
    [
        ("文件用AES-256加密。", "文件 用 AES-256 加密 。", "文件 用 AES - 256 加密 。"),
        ("适合18-25岁的同学", "适合 18-25 岁 的 同学", "适合 18 - 25 岁 的 同学"),
        ("他说T_T真难过", "他 说 T_T 真 难过", "他 说 T _ T 真 难过"),
        ("版本v1.2.3发布了", "版本 v1.2.3 发布 了", "版本 v1.2 . 3 发布 了"),
        ("这次真的赞赞赞赞赞，", "这次 真的 赞赞赞 赞赞 ，", "这次 真的 赞赞 赞赞赞 ，"),
        ("𠀀𠀁好", "𠀀𠀁 好", "𠀀 𠀁 好"),
    ],
)
def test_the_known_differences_of_the_engines(cutters: Any, text: str, rjieba: str, jieba: str) -> None:
    assert cutters["rjieba", "default", False].split(text) == rjieba.split()
    assert cutters["jieba", "default", False].split(text) == jieba.split()


def test_full_mode_keeps_letters_apart_from_a_word_that_starts_with_one(cutters: Any) -> None:
    assert cutters["jieba", "full", False].split("件xT恤衫") == ["件", "x", "T恤", "T恤衫", "恤衫"]


def test_full_mode_gives_back_characters_that_start_no_word(cutters: Any) -> None:
    assert cutters["rjieba", "full", False].split("鱻𠮷a1 仝") == ["鱻", "𠮷", "a1", " ", "仝"]


@pytest.mark.parametrize("engine", ["rjieba", "jieba"])
@pytest.mark.parametrize("mode", MODES)
def test_a_forced_word_is_one_token(cutters: Any, engine: str, mode: str) -> None:
    cutter = cutters[engine, mode, True]
    for word in FORCED.words:
        assert cutter.split(word) == [word]
        before, after = ("x" if not word[0].isascii() else "("), ("1" if not word[-1].isascii() else ")")
        assert cutter.split(f"{before}{word}{after} {word}") == [before, word, after, " ", word]
        assert cutter.split(f"我们说{word}很好").count(word) == 1


def test_forced_words_override_the_cut_around_them(cutters: Any) -> None:
    tokens = cutters["rjieba", "default", True].split("今天下午三点在会议室见尼古拉·特斯拉")
    assert tokens == ["今天下午", "三点在", "会议室", "见", "尼古拉·特斯拉"]


@pytest.mark.parametrize("engine", ["rjieba", "jieba"])
def test_two_dictionaries_do_not_touch_each_other(engine: Any) -> None:
    one = Segmenter(engine=engine, dictionary=UserDictionary({"三点在会议室": "x"}))
    two = Segmenter(engine=engine, dictionary=UserDictionary({"会议室开会": "y"}))
    bare = Segmenter(engine=engine)
    text = "三点在会议室开会"
    for _ in range(2):
        assert one.split(text) == ["三点在会议室", "开会"]
        assert two.split(text) == ["三点", "在", "会议室开会"]
        assert bare.split(text) == ["三点", "在", "会议室", "开会"]
    assert (one.tag("三点在会议室"), two.tag("三点在会议室")) == ("x", None)
    assert (one.is_known("三点在会议室"), two.is_known("三点在会议室")) == (True, False)


@pytest.mark.parametrize("engine", ["rjieba", "jieba"])
def test_known_words(cutters: Any, engine: str) -> None:
    cutter = cutters[engine, "default", True]
    assert cutter.is_known("会议") and cutter.is_known("New York")
    for word in ("", "会议室开", "北京大", "鱻鱻", "\ud800"):
        assert not cutter.is_known(word)


def test_threads_may_share_a_segmenter() -> None:
    cutter, expected = (
        Segmenter(dictionary=FORCED),
        [Segmenter(dictionary=FORCED).split(text) for text in TEXTS],
    )
    results: list[list[list[str]]] = []
    work = [threading.Thread(target=lambda: results.append([cutter.split(t) for t in TEXTS])) for _ in range(8)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert results == [expected] * 8


def test_content_leaves_out_white_space_and_stop_words() -> None:
    cutter = Segmenter(stop_words=["的", "。"], dictionary=UserDictionary({"New York": None}))
    assert cutter.tokens("春天的 New York\r\n\u3000真美。") == ["春天", "New York", "真", "美"]
    assert cutter.content(["的", "\t", "的确"]) == ["的确"]


def test_settings_build_the_same_segmenter_again() -> None:
    cutter = Segmenter(engine="jieba", mode="search", hmm=False, dictionary=FORCED, stop_words={"的", "了"})
    described = json.loads(json.dumps(cutter.settings()))
    for again in (Segmenter.from_settings(described), pickle.loads(pickle.dumps(cutter))):
        assert again.settings() == described
        assert again.dictionary == FORCED
    assert Segmenter.from_settings({}).settings() == Segmenter().settings()


def test_a_pickled_segmenter_leaves_its_loaded_engine_behind() -> None:
    cutter = Segmenter(dictionary=FORCED)
    expected = [cutter.split(text) for text in TEXTS]
    assert [pickle.loads(pickle.dumps(cutter)).split(text) for text in TEXTS] == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unit": "words"}, "unit is 'words': choose one of word, char"),
        ({"engine": "pkuseg"}, "engine is 'pkuseg': choose one of rjieba, jieba"),
        ({"mode": []}, r"mode is \[\]: expected a value of type str"),
        ({"hmm": 1}, "hmm is 1: expected a value of type bool"),
        ({"modus": "full"}, "no setting 'modus'"),
    ],
)
def test_wrong_settings(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Segmenter.from_settings(wrong)


def test_stop_words(tmp_path: Path) -> None:
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"
    first.write_bytes("\ufeff的\r\n\r\n 了 \r\n".encode())
    second.write_bytes("of the\n的\n".encode())
    assert read_stop_words(first) == {"的", "了"}
    assert read_stop_words([first, str(second)]) == {"的", "了", "of the"}
    second.write_bytes("好\n".encode() + "的\n".encode("gb18030"))
    with pytest.raises(DictionaryError, match=r"2\.txt:2: not UTF-8"):
        read_stop_words([first, second])


def run_apart(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the code in a fresh Python whose warnings are errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_nothing_is_loaded_before_it_is_needed() -> None:
    result = run_apart(
        "import sys; from pipeline.segmentation.segmenter import Segmenter; s = Segmenter(engine='jieba'); Segmenter();"
        "s.settings(); Segmenter(unit='char').split('天气');"
        "print([m for m in sys.modules if m in ('jieba', 'rjieba', 'numpy')])"
    )
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_jieba_is_loaded_without_cache_file_log_or_warning(tmp_path: Path) -> None:
    folder, compiled = tmp_path / "temporary", tmp_path / "compiled"
    folder.mkdir()
    result = run_apart(
        "import logging; from pipeline.segmentation.segmenter import Segmenter;"
        "print(Segmenter(engine='jieba').split('今天开会'), logging.getLogger().handlers)",
        TMPDIR=str(folder),
        TEMP=str(folder),
        TMP=str(folder),
        PYTHONPYCACHEPREFIX=str(compiled),  # so that jieba is compiled anew, which is when its escapes warn
    )
    assert (result.stdout.strip(), result.stderr) == ("['今天', '开会'] []", "")
    assert list(folder.iterdir()) == []
