"""Pretrained tables, with gensim's own writer and reader as the oracle."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from embeddings.errors import EmbeddingError
from embeddings.pretrained import read
from embeddings.vectors import Vectors

WORDS = ("的", "中国", "e.g.", "😀", "\u2028", "x\x85y", "１２")


def table(width: int = 5) -> Vectors:
    values = np.random.default_rng(0).standard_normal((len(WORDS), width), dtype=np.float32)
    return Vectors(WORDS, values)


def by_gensim(path: Path, *, binary: bool = False, header: bool = True) -> Path:
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(5)
    keyed.add_vectors(list(WORDS), table().values)
    keyed.save_word2vec_format(str(path), binary=binary, write_header=header)
    return path


def same(a: Vectors, b: Vectors) -> bool:
    return a.words == b.words and a.values.tobytes() == b.values.tobytes()


def write(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def test_word2vec_text_of_gensim(tmp_path: Path) -> None:
    path = by_gensim(tmp_path / "table.txt")
    assert same(read(path), table())
    assert same(read(path, format="word2vec"), table())
    assert same(read(path, format="fasttext"), table())


def test_word2vec_binary_of_gensim(tmp_path: Path) -> None:
    assert same(read(by_gensim(tmp_path / "table.bin", binary=True)), table())
    assert same(read(by_gensim(tmp_path / "table", binary=True), format="word2vec-binary"), table())


def test_word2vec_binary_with_a_line_feed_after_each_vector(tmp_path: Path) -> None:
    rows = (word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(WORDS, table().values, strict=True))
    (tmp_path / "c.bin").write_bytes(b"7 5\n" + b"".join(rows))
    assert same(read(tmp_path / "c.bin"), table())


def test_glove_text_has_no_first_line(tmp_path: Path) -> None:
    path = by_gensim(tmp_path / "glove.txt", header=False)
    assert same(read(path), table())
    assert same(read(path, format="glove"), table())


def test_our_own_folder(tmp_path: Path) -> None:
    table().save(tmp_path / "ours")
    assert same(read(tmp_path / "ours"), table())
    assert read(tmp_path / "ours", words={"的"}, limit=3, width=5).words == ("的",)
    with pytest.raises(EmbeddingError, match=r"ours has width 5, the setting says 6: set embed\.vector_size = 5"):
        read(tmp_path / "ours", width=6)


@pytest.mark.parametrize("binary", [False, True])
def test_gzip_by_its_bytes_and_not_its_name(tmp_path: Path, binary: bool) -> None:
    plain = by_gensim(tmp_path / "plain", binary=binary)
    for name in ("t.bin.gz", "t.bin") if binary else ("t.vec.gz", "t.vec"):
        (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))
        assert same(read(tmp_path / name), table())


@pytest.mark.parametrize("binary", [False, True])
def test_only_wanted_rows_are_kept(tmp_path: Path, binary: bool) -> None:
    path = by_gensim(tmp_path / ("t.bin" if binary else "t.txt"), binary=binary)
    steps: list[int] = []
    found = read(path, words={"中国", "１２", "没有"}, advance=steps.append)
    assert same(found, table().restrict({"中国", "１２"}))
    assert sum(steps) == len(WORDS)
    assert read(path, words={"没有"}).values.shape == (0, 5)
    assert read(path, limit=2).words == WORDS[:2]


def test_numbers_of_rows_that_are_not_wanted_are_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path / "t.txt", "2 2\n猫 1 2\n狗 x y\n")
    assert read(path, words={"猫"}).words == ("猫",)


def test_words_with_spaces_in_text(tmp_path: Path) -> None:
    path = write(tmp_path / "glove.txt", ". . . 1 2 3\nNew York 4 5 6\n  7 8 9\n　 0 0 1\n")
    vectors = read(path)
    assert vectors.words == (". . .", "New York", " ", "　")
    assert vectors.values[:3].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_spaces_at_line_ends_crlf_blank_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "t.vec", "\ufeff2 2 \r\n猫 1 2 \r\n\r\n狗 3 4 \r\n\n")
    assert read(path).words == ("猫", "狗")


def test_of_a_word_that_comes_twice_the_first_counts(tmp_path: Path) -> None:
    vectors = read(write(tmp_path / "t.txt", "3 1\n猫 1\n狗 2\n猫 3\n"))
    assert vectors.words == ("猫", "狗")
    assert vectors.values.tolist() == [[1], [2]]


@pytest.mark.parametrize("header", [True, False])
def test_a_width_that_does_not_match_says_what_to_set(tmp_path: Path, header: bool) -> None:
    path = by_gensim(tmp_path / "vectors.txt", header=header)
    assert read(path, width=5).width == 5
    with pytest.raises(EmbeddingError) as caught:
        read(path, width=128)
    assert str(caught.value) == "vectors.txt has width 5, the setting says 128: set embed.vector_size = 5"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "the file is empty"),
        ("\n\n", {}, "the file is empty"),
        ("猫 狗\n", {}, "line 1: a word and numbers were expected, got '猫 狗'"),
        ("猫 1 2\n", {"format": "word2vec"}, "line 1: .* got '猫 1 2': .* format = \"glove\""),
        ("1 0\n猫\n", {}, "line 1: the width must be 1 to 65536, got 0"),
        ("1 99999\n猫\n", {}, "line 1: the width must be 1 to 65536, got 99999"),
        ("2 2\n猫 1 2\n狗 1\n", {}, "line 3: a word and 2 numbers .* got 2 fields in '狗 1'"),
        ("猫 1 2\n狗 1\n", {}, "line 2: a word and 2 numbers"),
        ("2 2\n猫 1 2\n狗 1 二\n", {}, "line 3: 2 numbers were expected, got '二'"),
        ("1 2\n猫 1 nan\n", {}, "line 2: finite numbers were expected, '猫' has"),
        ("1 2\n猫 1 1e99\n", {}, "line 2: finite numbers were expected"),
        ("1 2\n 1 2\n", {}, "line 2: a word was expected before the numbers"),
        ("3 2\n猫 1 2\n狗 1 2\n", {}, "3 words were expected by the first line, the file ends after 2"),
        ("猫 1 2\n", {"format": "text"}, "format must be one of word2vec, .* got 'text'"),
        ("猫 1 2\n", {"limit": 0}, "limit must be at least 1, got 0"),
        ("猫 1 2\n", {"format": "word2vec-binary"}, "line 1: number of words and width"),
    ],
)
def test_a_bad_text_table_is_named(tmp_path: Path, content: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        read(write(tmp_path / "bad.txt", content), **options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"2 1\nab 0000\xe7\x8c 0000",
            r"bad.bin, word 2: a word in UTF-8 was expected, got '\\\\xe7\\\\x8c'",
        ),
        (b"2 1\nab 0000cd 000", "2 words were expected by the first line, the file ends after 1"),
        (b"2 1\nab 0000", "the file ends after 1"),
        (b"1 1\n 0000", "word 1: a word was expected before the numbers"),
        (b"1 1\n" + b"x" * 5000, "word 1: a word was expected, got over 4096 bytes"),
        (b"1 1\nab \0\0\x80\x7f", "word 1: finite numbers"),
        (b"\x80\x04\x95", "line 1: number of words and width were expected"),
    ],
)
def test_a_bad_binary_table_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.bin").write_bytes(content)
    with pytest.raises(EmbeddingError, match=message):
        read(tmp_path / "bad.bin")


def test_words_that_are_not_utf8_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"2 1\n\xff 1\n\xe7\x8c\xab 2\n")
    with pytest.raises(EmbeddingError, match=r"t\.txt, line 2: .* skip_undecodable=True"):
        read(tmp_path / "t.txt")
    assert read(tmp_path / "t.txt", skip_undecodable=True).words == ("猫",)


@pytest.mark.parametrize("keep", [5, 30, -9])
def test_gzip_cut_short_is_named(tmp_path: Path, keep: int) -> None:
    packed = gzip.compress(by_gensim(tmp_path / "t.txt").read_bytes())
    (tmp_path / "t.txt.gz").write_bytes(packed[:keep])
    with pytest.raises(EmbeddingError, match=r"t\.txt\.gz: the table can't be read"):
        read(tmp_path / "t.txt.gz")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"none\.txt: the table can't be read"):
        read(tmp_path / "none.txt")


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text("12 猫.\n", max_size=30).map(str.encode))
def test_whatever_the_bytes_it_is_a_table_or_an_embedding_error(tmp_path: Path, content: bytes) -> None:
    for name in ("fuzz.txt", "fuzz.bin"):
        (tmp_path / name).write_bytes(content)
        try:
            assert read(tmp_path / name).width >= 1
        except EmbeddingError as error:
            assert "fuzz" in str(error)


no_space = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(no_space, unique=True), data=st.data())
def test_numbers_in_text_are_read_exactly(tmp_path: Path, words: list[str], data: st.DataObject) -> None:
    values = data.draw(arrays.arrays(np.float32, (len(words), 2), elements=finite))
    rows = [f"{word} {' '.join(row.astype(str))}\n" for word, row in zip(words, values, strict=True)]
    (tmp_path / "t.txt").write_text(f"{len(words)} 2\n{''.join(rows)}", encoding="utf-8", newline="\n")
    assert same(read(tmp_path / "t.txt"), Vectors(tuple(words), values))
