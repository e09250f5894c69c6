"""Word lists give every word back and name the line that is broken."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings import wordlist
from embeddings.errors import EmbeddingError

any_char = st.characters(codec=None, exclude_categories=()) | st.sampled_from("\\\n\r\t\u2028\x85\ufeff\ud800nu ")
any_word = st.text(any_char, min_size=1, max_size=8)


@settings(derandomize=True, deadline=None)
@given(any_word)
def test_an_escaped_word_is_one_line_of_utf8_and_comes_back(word: str) -> None:
    line = wordlist.escape(word)
    assert line and not set(line) & set("\n\r\t\ufeff")
    assert wordlist.unescape(line.encode("utf-8").decode("utf-8")) == word


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(any_word, unique=True, max_size=8))
def test_a_list_of_any_words_comes_back(tmp_path: Path, words: list[str]) -> None:
    wordlist.write(tmp_path / "words.txt", words)
    assert wordlist.read(tmp_path / "words.txt") == words


def test_the_file_is_what_a_person_would_write(tmp_path: Path) -> None:
    wordlist.write(tmp_path / "words.txt", ["你好", "a b", "一\n二", "\\n"])
    assert (tmp_path / "words.txt").read_bytes() == "你好\na b\n一\\n二\n\\\\n\n".encode()


@pytest.mark.parametrize("content", ["猫\n狗\n", "猫\n狗", "猫\r\n狗\r\n", "\ufeff猫\n狗\n"])
def test_what_editors_do_to_a_file_is_harmless(tmp_path: Path, content: str) -> None:
    (tmp_path / "words.txt").write_bytes(content.encode())
    assert wordlist.read(tmp_path / "words.txt") == ["猫", "狗"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("猫\n\n狗\n".encode(), "line 2: a word was expected, the line is empty"),
        ("猫\n狗\n猫\n".encode(), "line 3: '猫' stands in line 1 already"),
        (b"\xe7\x8c\xab\n\xff\n", "line 2: UTF-8 was expected"),
        (b"a\\q\n", "line 1: a backslash begins no known escape"),
        (b"a\\\\\\\n", "line 1: a backslash begins no known escape"),
        (b"a\\u12\n", "line 1: a backslash begins no known escape"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(EmbeddingError) as caught:
        wordlist.read(path)
    assert str(caught.value).startswith(f"{path}, {message}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"none\.txt: the word list can't be read"):
        wordlist.read(tmp_path / "none.txt")
