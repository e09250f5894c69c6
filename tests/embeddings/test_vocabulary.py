"""The vocabulary: ids out of tokens, tokens out of ids, and a file between."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from embeddings.vocabulary import Vocabulary

sentences = st.lists(st.lists(st.sampled_from("一二三四五六"), max_size=6), max_size=6)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True))
def test_ids_and_tokens_are_inverse(tokens: list[str]) -> None:
    vocabulary = Vocabulary(tokens)
    ids = vocabulary.ids(tokens)
    assert ids.dtype == np.int32
    assert ids.tolist() == list(range(2, len(vocabulary)))
    assert [vocabulary.token(id) for id in ids] == tokens == list(vocabulary.tokens)
    assert all(token in vocabulary for token in tokens)


def test_a_token_that_is_not_there_is_unknown() -> None:
    vocabulary = Vocabulary(["猫", "狗"])
    assert vocabulary.ids(["狗", "鸟", "", "猫"]).tolist() == [3, 1, 1, 2]
    assert "鸟" not in vocabulary
    assert vocabulary.ids([]).shape == (0,)


@pytest.mark.parametrize("id", [-1, 0, 1, 4])
def test_reserved_and_unused_ids_name_no_token(id: int) -> None:
    with pytest.raises(EmbeddingError, match=rf"ids 2 to 3 name a token, got {id}"):
        Vocabulary(["猫", "狗"]).token(id)


@pytest.mark.parametrize(("tokens", "message"), [(["猫", ""], "number 2"), (["猫", "狗", "猫"], "'猫' came 2")])
def test_tokens_must_be_unique_and_not_empty(tokens: list[str], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        Vocabulary(tokens)


def test_a_vocabulary_is_frozen_and_equal_to_one_of_the_same_tokens() -> None:
    vocabulary = Vocabulary(iter(["猫", "狗"]))
    with pytest.raises(AttributeError):
        vocabulary.tokens = ()  # type: ignore[misc]
    assert vocabulary == Vocabulary(["猫", "狗"]) != Vocabulary(["狗", "猫"])
    assert hash(vocabulary) == hash(Vocabulary(["猫", "狗"]))
    assert pickle.loads(pickle.dumps(vocabulary)).ids(["狗"]).tolist() == [3]  # goes to worker processes


@settings(derandomize=True, deadline=None)
@given(sentences, st.integers(1, 4), st.integers(1, 7) | st.none())
def test_build_orders_by_count_then_by_first_appearance(
    sentences: list[list[str]], min_count: int, max_size: int | None
) -> None:
    stream = [token for sentence in sentences for token in sentence]
    counts = Counter(stream)
    expected = sorted((t for t in counts if counts[t] >= min_count), key=lambda t: (-counts[t], stream.index(t)))
    built = Vocabulary.build(sentences, min_count=min_count, max_size=max_size)
    assert list(built.tokens) == expected[:max_size]


@pytest.mark.parametrize("options", [{"min_count": 0}, {"max_size": 0}])
def test_build_refuses_limits_below_one(options: dict[str, int]) -> None:
    with pytest.raises(EmbeddingError, match="must be at least 1, got 0"):
        Vocabulary.build([["猫"]], **options)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=st.lists(st.text(min_size=1), unique=True))
def test_a_saved_vocabulary_comes_back(tmp_path: Path, tokens: list[str]) -> None:
    Vocabulary(tokens).save(tmp_path / "vocabulary.txt")
    assert Vocabulary.load(tmp_path / "vocabulary.txt") == Vocabulary(tokens)
