"""Docs of spaCy: their text is the text asked about, and their entities and tags are the prediction's."""

import sys

import pytest

from pipeline.errors import PipelineError
from pipeline.tasks.prediction import PredictedSpan, Prediction
from pipeline.tasks.spacy_doc import _pieces

TEXT = " 王小梅 去了\n\n北京 。"
CHARACTERS = tuple(TEXT.replace(" ", "").replace("\n", ""))
ENTITIES = (PredictedSpan("王小梅", "PER", 1, 4, 0.9), PredictedSpan("北京", "LOC", 9, 11, 0.8))
ENTITY = Prediction(None, 0.5, tokens=CHARACTERS, tags=("O",) * len(CHARACTERS), spans=ENTITIES, text=TEXT)
WORDS = ("王小梅", "去", "了", "北京", "。")
STARTS = (1, 5, 6, 9, 12)
TAGS = ("NR", "VV", "AS", "NR", "PU")
POS = Prediction(
    None,
    0.5,
    tokens=WORDS,
    tags=TAGS,
    spans=tuple(
        PredictedSpan(word, tag, start, start + len(word), 0.9)
        for word, tag, start in zip(WORDS, TAGS, STARTS, strict=True)
    ),
    text=TEXT,
)


@pytest.mark.parametrize("prediction", [ENTITY, POS], ids=["entities", "pos"])
def test_pieces_are_the_whole_text(prediction):
    words, spaces, places = _pieces(prediction)
    assert "".join(word + " " * space for word, space in zip(words, spaces, strict=True)) == TEXT
    assert tuple(words[place] for place in places) == prediction.tokens


def test_entities_become_entities():
    pytest.importorskip("spacy")
    doc = ENTITY.to_spacy()
    assert doc.text == TEXT
    assert [(span.text, span.label_, span.start_char) for span in doc.ents] == [
        ("王小梅", "PER", 1),
        ("北京", "LOC", 9),
    ]


def test_parts_of_speech_become_tags():
    pytest.importorskip("spacy")
    doc = POS.to_spacy()
    assert doc.text == TEXT and not doc.ents
    assert [(token.text, token.tag_) for token in doc if not token.is_space] == list(zip(WORDS, TAGS, strict=True))


def test_without_spacy_or_a_tagger_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(PipelineError, match="needs spaCy: pip install spacy"):
        ENTITY.to_spacy()
    monkeypatch.undo()
    pytest.importorskip("spacy")
    with pytest.raises(PipelineError, match="the prediction of a tagger"):
        Prediction("好评", 0.9, text="好").to_spacy()
