"""Encoder: what a network reads of a text, the same whatever the other texts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.ngrams import NgramVocabulary

ALPHABET = "天地玄黄宇宙 \n"
WORDS = Vocabulary(("天地", "玄黄", "宇宙"))
CHARACTERS = Vocabulary(("天", "地", "玄", "黄"))
GRAMS = NgramVocabulary.build([np.array([2, 3, 4, 5], np.int32)], longest=2)
TEXTS = st.lists(st.text(ALPHABET, max_size=12), max_size=6)


def encoder(reads=("word", "char"), max_tokens=5, unit="word"):
    return Encoder(reads, {"word": WORDS, "char": CHARACTERS}, {"char": GRAMS}, max_tokens, unit)


def tokenised(text):
    """Cut at every second character, white space left out, as a segmenter's content is."""
    return Tokenised(text, [piece for start in range(0, len(text), 2) if (piece := text[start : start + 2].strip())])


def plain(example):
    arrays = {**example.streams, **example.bags}
    return {name: ids.tolist() for name, ids in arrays.items()}, example.target, example.truncated


@given(TEXTS)
def test_a_text_is_read_the_same_whatever_the_other_texts(texts):
    together = encoder().examples([tokenised(text) for text in texts], [None] * len(texts))
    alone = [encoder().examples([tokenised(text)], [None])[0] for text in texts]
    assert [plain(example) for example in together] == [plain(example) for example in alone]


@given(TEXTS)
def test_no_stream_is_empty_or_too_long(texts):
    for example, text in zip(encoder().examples([tokenised(t) for t in texts], [0] * len(texts)), texts, strict=True):
        assert all(1 <= len(ids) <= 5 for ids in example.streams.values())
        characters = len("".join(text.split()))
        assert example.truncated == (max(characters, len(tokenised(text).tokens)) > 5)


def test_ids_by_hand():
    example = encoder().examples([Tokenised("天地 宇", ["天地", "宇"])], [1])[0]
    assert plain(example) == (
        {"word": [2, 1], "char": [2, 3, 1], "gram_char": [1, 2, 5]},
        1,
        False,
    )


def test_a_text_without_tokens_is_one_unknown_token():
    example = encoder().examples([Tokenised(" \n", [])], [None])[0]
    assert plain(example)[0] == {"word": [1], "char": [1], "gram_char": []}


def test_ngrams_are_of_the_whole_text_though_the_streams_are_cut():
    short, long = (encoder(max_tokens=n).examples([tokenised("天地玄黄")], [None])[0] for n in (1, 100))
    assert short.bags["gram_char"].tolist() == long.bags["gram_char"].tolist()
    assert short.truncated and not long.truncated
    assert short.streams["char"].tolist() == long.streams["char"].tolist()[:1]


def test_characters_as_segmented_where_the_segmenter_cuts_characters():
    text = Tokenised("天地", ["天"])  # a stop word is left out of the tokens
    assert encoder(("char",), unit="char").examples([text], [None])[0].streams["char"].tolist() == [2]
    assert len(encoder(("char",), unit="word").examples([text], [None])[0].streams["char"]) == 2
