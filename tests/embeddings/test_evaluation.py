"""Similarity and analogies, against scipy, gensim and questions answered one by one."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings import evaluation
from embeddings.errors import EmbeddingError
from embeddings.evaluation import Analogy, Pair, Question, analogies, read_pairs, read_questions, similarity
from embeddings.vectors import Vectors


def random_table(n_words: int = 40, width: int = 4) -> Vectors:
    values = np.random.default_rng(0).standard_normal((n_words, width), dtype=np.float32)
    return Vectors(tuple(f"w{n}" for n in range(n_words)), values)


def write(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


numbers = st.integers(-3, 3).map(float)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12))
def test_correlations_with_ties_agree_with_scipy(points: list[tuple[float, float]]) -> None:
    from scipy import stats

    x, y = np.array(points).T
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(evaluation.pearson(x, y))
        return
    both = evaluation.ranks(x), evaluation.ranks(y)
    assert both[0].tolist() == stats.rankdata(x).tolist()
    assert evaluation.pearson(*both) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert evaluation.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


def test_similarity_agrees_with_gensim(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    table = random_table()
    lines = [f"w{n}\tw{n + 1 + n % 6}\t{n % 5}" for n in range(39)]
    path = write(tmp_path / "pairs.txt", "\n".join(lines))
    keyed = KeyedVectors(table.width)
    keyed.add_vectors(list(table.words), table.values)
    pearson, spearman, unknown = keyed.evaluate_word_pairs(str(path), case_insensitive=False)
    result = similarity(table, read_pairs(path))
    assert result.pearson == pytest.approx(pearson[0], abs=1e-5)
    assert result.spearman == pytest.approx(spearman[0], abs=1e-5)
    assert result.skipped / 39 * 100 == pytest.approx(unknown)
    assert result.used + result.skipped == 39 and result.skipped > 0


def test_words_paired_with_themselves_are_all_as_near() -> None:
    pairs = [Pair(f"w{n}", f"w{n}", n) for n in range(40)]
    assert math.isnan(similarity(random_table(), pairs).spearman)


@pytest.mark.parametrize("pairs", [[], [Pair("w1", "没有", 1.0)], [Pair("w1", "w2", 1.0)]])
def test_too_few_pairs_have_nopearson(pairs: list[Pair]) -> None:
    result = similarity(random_table(), pairs)
    assert math.isnan(result.spearman) and math.isnan(result.pearson)
    assert result.used + result.skipped == len(pairs)


def answered(table: Vectors, question: Question) -> bool:
    """Whether 3CosAdd answers the question, worked out word by word."""
    unit = {w: table.vector(w).astype(float) / np.linalg.norm(table.vector(w).astype(float)) for w in table.words}
    target = unit[question.b] - unit[question.a] + unit[question.c]
    others = [word for word in table.words if word not in question[:3]]
    return max(others, key=lambda word: float(unit[word] @ target)) == question.answer


@pytest.mark.parametrize("cells", [1, 130, 2**24])
def test_analogies_agree_with_answering_one_by_one(cells: int) -> None:
    table, draw = random_table(), np.random.default_rng(1)
    asked = [Question(*(f"w{n}" for n in draw.integers(0, 41, size=4))) for _ in range(300)]
    known = [question for question in asked if "w40" not in question]
    right = sum(answered(table, question) for question in known)
    steps: list[int] = []
    result = analogies(table, {"随机": asked, "空": []}, advance=steps.append, cells=cells)
    assert result == {"随机": Analogy(right, len(known), 300 - len(known)), "空": Analogy(0, 0, 0)}
    assert right > 0 and len(known) < 300 == sum(steps)
    assert result["随机"].accuracy == right / len(known) and math.isnan(result["空"].accuracy)


def test_analogies_agree_with_gensim(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    table, draw = random_table(), np.random.default_rng(2)
    lines = [" ".join(f"w{n}" for n in draw.choice(41, size=4, replace=False)) for _ in range(300)]
    path = write(tmp_path / "questions.txt", ": 一\n" + "\n".join(lines[:100]) + "\n: 二\n" + "\n".join(lines[100:]))
    keyed = KeyedVectors(table.width)
    keyed.add_vectors(list(table.words), table.values)
    _, sections = keyed.evaluate_word_analogies(str(path), case_insensitive=False)
    expected = {
        section["section"]: (len(section["correct"]), len(section["correct"]) + len(section["incorrect"]))
        for section in sections
        if section["section"] in ("一", "二")
    }
    result = analogies(table, read_questions(path))
    assert {name: (score.correct, score.used) for name, score in result.items()} == expected
    assert sum(score.correct for score in result.values()) > 0


@pytest.mark.parametrize(
    "content",
    [
        "猫\t狗\t7.5\n高兴\t快乐\t9\n",
        "猫 狗 7.5 7 8 \n高兴 快乐 9 9 9 \n",
        "\ufeff词一\t词二\t平均\r\n猫\t狗\t7.5\r\n\r\n高兴\t快乐\t9",
    ],
)
def test_files_of_pairs(tmp_path: Path, content: str) -> None:
    assert read_pairs(write(tmp_path / "p.txt", content)) == [
        Pair("猫", "狗", 7.5),
        Pair("高兴", "快乐", 9.0),
    ]


def test_words_of_pairs_may_hold_spaces_between_tabs(tmp_path: Path) -> None:
    assert read_pairs(write(tmp_path / "p.txt", "New York\t纽约\t9\n")) == [Pair("New York", "纽约", 9.0)]


def test_files_of_questions(tmp_path: Path) -> None:
    path = write(tmp_path / "q.txt", ": 首都\n北京 中国 东京 日本\n:家\n父 母 子 女\n\n: 首都\n巴黎 法国 罗马 意大利\n")
    assert read_questions(path) == {
        "首都": [Question("北京", "中国", "东京", "日本"), Question("巴黎", "法国", "罗马", "意大利")],
        "家": [Question("父", "母", "子", "女")],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("猫 狗 7\n猫 狗\n", "line 2: two words and a score were expected, got '猫 狗'"),
        ("猫 狗 7\n猫 狗 nan\n", "line 2: two words and a score"),
        ("猫\t狗\t7\n\t狗\t7\n", "line 2: two words and a score"),
        ("词 词 分\n", "there is none"),
        ("", "there is none"),
    ],
)
def test_a_bad_file_of_pairs_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(EmbeddingError, match=rf"p\.txt.*{message}"):
        read_pairs(write(tmp_path / "p.txt", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("父 母 子 女\n", "line 1: a section"),
        (": 家\n父 母 子\n", "line 2: four words or a section were expected, got '父 母 子'"),
        (": 家\n", "there is none"),
    ],
)
def test_a_bad_file_of_questions_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(EmbeddingError, match=rf"q\.txt.*{message}"):
        read_questions(write(tmp_path / "q.txt", content))


def test_files_in_another_encoding_or_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "gbk.txt").write_bytes("a\tb\t1\n猫\t狗\t7\n".encode("gb18030"))
    with pytest.raises(EmbeddingError, match=r"gbk\.txt, line 2: UTF-8 was expected"):
        read_pairs(tmp_path / "gbk.txt")
    with pytest.raises(EmbeddingError, match=r"none\.txt: .* can't be read"):
        read_questions(tmp_path / "none.txt")
