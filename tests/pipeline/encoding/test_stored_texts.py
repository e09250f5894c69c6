"""Texts on the disk: whatever is written is read back as its vocabulary's ids, in either direction."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.vocabulary import Vocabulary
from pipeline.encoding.stored_texts import StoredTexts, TextWriter

KNOWN = "我们在河边走😀"
CHARACTERS = st.one_of(st.sampled_from(KNOWN), st.characters(codec=None))


@given(st.lists(st.text(CHARACTERS, min_size=1), min_size=1), st.booleans())
def test_texts_come_back_as_ids(texts, backwards):
    vocabulary = Vocabulary([*KNOWN, "我们"])
    with tempfile.TemporaryDirectory() as folder:
        with TextWriter(Path(folder), "train") as writer:
            for text in texts:
                writer.write(text)
        stored = StoredTexts(Path(folder), "train", vocabulary, backwards=backwards)
        assert (
            (len(stored), stored.characters) == (writer.texts, writer.characters) == (len(texts), sum(map(len, texts)))
        )
        for text, ids in zip(texts, stored, strict=True):
            assert ids.tolist() == vocabulary.ids(text[:: -1 if backwards else 1]).tolist()
        assert list(stored.unknown()) == [each for text in texts for each in text if each not in KNOWN]
        with pytest.raises(IndexError):
            stored[len(texts)]
