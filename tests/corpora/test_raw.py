"""Raw text: patterns find each file once, and equal texts are in the same part."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import raw
from corpora.errors import CorpusError


def test_paths_and_patterns_name_each_file_once_in_order(tmp_path):
    for name in ("b.txt", "a.txt", "c.csv", "in/d.txt", "x[1].txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.txt").mkdir()

    def found(*sources):
        return [path.relative_to(tmp_path).as_posix() for path in raw.files(str(tmp_path / each) for each in sources)]

    assert found("*.txt") == ["a.txt", "b.txt", "x[1].txt"], "no folder"
    assert found("b.txt", "?.txt", "b.txt") == ["b.txt", "a.txt"]
    assert found("**/*.txt") == ["a.txt", "b.txt", "in/d.txt", "x[1].txt"]
    assert found("x[1].txt") == ["x[1].txt"], "a file of this very name"
    assert found("missing.txt") == ["missing.txt"], "whoever reads it says so"
    with pytest.raises(CorpusError, match=r"none\*\.txt: no file matches"):
        found("none*.txt")


@given(st.text(), st.integers(0, 2**31 - 1))
def test_a_text_is_always_in_the_same_part(text, seed):
    shares = {"dev": 0.3, "test": 0.2}
    assert raw.part_of(text, shares, seed) == raw.part_of(text, shares, seed) in ("train", "dev", "test")
    assert raw.part_of(text, {}, seed) == "train"


def test_parts_have_about_their_shares_and_another_seed_draws_anew():
    texts = [f"第{number}句" for number in range(4000)]
    parts = [raw.part_of(text, {"dev": 0.1, "test": 0.25}, 1) for text in texts]
    counts = Counter(parts)
    assert abs(counts["dev"] - 400) < 80 and abs(counts["test"] - 1000) < 120
    assert parts != [raw.part_of(text, {"dev": 0.1, "test": 0.25}, 2) for text in texts]
