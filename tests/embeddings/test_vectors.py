"""The table of vectors: its rules, its folder, neighbours, rows and coverage."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from embeddings.errors import EmbeddingError
from embeddings.vectors import Coverage, Vectors
from embeddings.vocabulary import Vocabulary

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def random_table(n_words: int = 50, width: int = 8, seed: int = 0) -> Vectors:
    values = np.random.default_rng(seed).standard_normal((n_words, width), dtype=np.float32)
    return Vectors(tuple(f"词{n}" for n in range(n_words)), values)


@pytest.mark.parametrize(
    ("words", "values", "message"),
    [
        (("猫",), np.zeros((1, 2)), r"float32 \(n_words, width\), got float64 \(1, 2\)"),
        (("猫",), np.zeros(2, np.float32), r"got float32 \(2,\)"),
        (("猫",), np.zeros((1, 0), np.float32), r"got float32 \(1, 0\)"),
        (("猫",), np.zeros((2, 2), np.float32), "1 words and 2 rows"),
        (("猫", "狗"), np.array([[0], [np.nan]], np.float32), "finite, row 2"),
        (("猫", "猫"), np.zeros((2, 2), np.float32), "'猫' has 2"),
        (("猫", ""), np.zeros((2, 2), np.float32), "number 2 is empty"),
    ],
)
def test_rules_are_checked(words: tuple[str, ...], values: npt.NDArray[np.float32], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        Vectors(words, values)


def test_values_are_read_only_here_and_stay_writable_outside() -> None:
    values = np.zeros((1, 2), np.float32)
    vectors = Vectors(("猫",), values)
    with pytest.raises(ValueError, match="read-only"):
        vectors.values[0, 0] = 1
    values[0, 0] = 1


def test_vector_and_index() -> None:
    table = random_table()
    assert table.vector("词7").tolist() == table.values[7].tolist()
    assert table.index(["词3", "鸟", "词0"]).tolist() == [3, -1, 0]
    with pytest.raises(EmbeddingError, match="'鸟' has no vector among the 50 words"):
        table.vector("鸟")


@pytest.mark.parametrize("n", [0, 1, 10, 49, 1000])
def test_nearest_agrees_with_cosines_one_by_one(n: int) -> None:
    table = random_table()

    def cosine(a: str, b: str) -> float:
        x, y = table.vector(a).astype(float), table.vector(b).astype(float)
        return float(x @ y / np.sqrt((x @ x) * (y @ y)))

    others = sorted((word for word in table.words if word != "词5"), key=lambda word: -cosine("词5", word))
    found = table.nearest("词5", n)
    assert [word for word, _ in found] == others[:n]
    assert [score for _, score in found] == pytest.approx([cosine("词5", w) for w in others[:n]], abs=1e-6)


@settings(derandomize=True, deadline=None)
@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=finite))
def test_units_have_length_one_or_zero_whatever_the_range(values: npt.NDArray[np.float32]) -> None:
    units = Vectors(tuple(map(str, range(len(values)))), values).units
    lengths = np.linalg.norm(units.astype(float), axis=1)
    assert lengths == pytest.approx((values != 0).any(axis=1).astype(float), abs=1e-5)


def test_rows_are_the_vectors_of_known_words() -> None:
    table = random_table()
    vocabulary = Vocabulary(["词9", "鸟", "词2"])
    rows = table.rows(vocabulary, seed=3)
    assert rows.shape == (5, 8) and rows.dtype == np.float32
    assert not rows[0].any()
    assert rows[2].tolist() == table.vector("词9").tolist()
    assert rows[4].tolist() == table.vector("词2").tolist()
    assert rows[1].any() and rows[3].any() and rows[1].tolist() != rows[3].tolist()


def test_rows_depend_on_the_seed_alone() -> None:
    table, vocabulary = random_table(), Vocabulary(["鸟", "词1"])
    assert table.rows(vocabulary, seed=1).tolist() == table.rows(vocabulary, seed=1).tolist()
    assert table.rows(vocabulary, seed=1)[1:3].tolist() != table.rows(vocabulary, seed=2)[1:3].tolist()


def test_drawn_rows_have_the_mean_and_deviation_of_each_column() -> None:
    values = np.array([[10, 0, 5], [10, 2, -5]], np.float32)
    rows = Vectors(("甲", "乙"), values).rows(Vocabulary(map(str, range(4000))), seed=0)[1:]
    assert rows.mean(axis=0) == pytest.approx([10, 1, 0], abs=0.3)
    assert rows.std(axis=0) == pytest.approx([0, 1, 5], abs=0.3)


def test_an_empty_table_has_no_rows_to_give() -> None:
    with pytest.raises(EmbeddingError, match="at least one word"):
        Vectors((), np.zeros((0, 3), np.float32)).rows(Vocabulary(["猫"]), seed=0)


def test_coverage_counts_types_and_tokens() -> None:
    counts = {"词0": 6, "鸟": 1, "鱼": 3, "词1": 0, "虫": 0}
    assert random_table().coverage(counts, examples=2) == Coverage(
        types=pytest.approx(2 / 5), tokens=pytest.approx(6 / 10), missing=("鱼", "鸟")
    )
    assert random_table().coverage({}) == Coverage(0.0, 0.0, ())


def test_restrict_keeps_the_order_of_the_table() -> None:
    table = random_table().restrict({"词4", "词1", "鸟"})
    assert table.words == ("词1", "词4")
    assert table.values.tolist() == random_table().values[[1, 4]].tolist()
    assert random_table().restrict(Vocabulary([])).values.shape == (0, 8)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(min_size=1), unique=True), data=st.data())
def test_a_saved_table_comes_back(tmp_path: Path, words: list[str], data: st.DataObject) -> None:
    values = data.draw(arrays.arrays(np.float32, (len(words), 3), elements=finite))
    Vectors(tuple(words), values).save(tmp_path / "made" / "here")
    loaded = Vectors.load(tmp_path / "made" / "here")
    assert loaded.words == tuple(words)
    assert loaded.values.tobytes() == values.tobytes()


def saved(tmp_path: Path) -> Path:
    random_table(3, 2).save(tmp_path)
    return tmp_path / "vectors.npy"


def test_words_that_do_not_match_are_named(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "words.txt").write_text("猫\n", encoding="utf-8")
    with pytest.raises(EmbeddingError, match=r"don't match: .* 1 words and 3 rows"):
        Vectors.load(tmp_path)


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    np.save(saved(tmp_path), np.array([["猫", print]], dtype=object), allow_pickle=True)
    with pytest.raises(EmbeddingError, match=r"vectors\.npy: a \.npy file without Python objects"):
        Vectors.load(tmp_path)


@pytest.mark.parametrize("end", [0, 5, 40, -1])
def test_a_file_cut_short_is_named(tmp_path: Path, end: int) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(EmbeddingError, match=r"vectors\.npy"):
        Vectors.load(tmp_path)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 127), byte=st.integers(0, 255))
def test_a_damaged_header_is_an_embedding_error_or_harmless(tmp_path: Path, at: int, byte: int) -> None:
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] = byte
    path.write_bytes(content)
    with suppress(EmbeddingError):
        assert len(Vectors.load(tmp_path)) == 3


@pytest.mark.parametrize("name", ["vectors.npy", "words.txt"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    saved(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(EmbeddingError, match=f"{name}.* can't be read"):
        Vectors.load(tmp_path)
