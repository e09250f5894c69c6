"""The examples in the docstrings of the room do what they show."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["wordlist", "progress", "vocabulary", "vectors", "word2vec", "evaluation"])
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(f"embeddings.{name}"))
    assert result.attempted > 0 and result.failed == 0
