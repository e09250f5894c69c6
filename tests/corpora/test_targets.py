"""Targets: what a tagger learns says exactly what the corpus said, whatever the scheme and the unit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import tags
from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.targets import Targets

schemes = st.sampled_from(sorted(tags.SCHEMES))
words = st.lists(st.text(st.sampled_from("北京烤鸭a1，😀 "), min_size=1, max_size=4), min_size=1, max_size=12)


def learnt(sentence, kind, unit, scheme, found=None):
    [document] = Targets([sentence], kind, unit, scheme, found)
    return document


@st.composite
def entities(draw):
    """Tokens and spans in them that don't overlap."""
    tokens = draw(words)
    cuts = sorted(draw(st.sets(st.integers(0, len(tokens)))))
    spans = [
        Span(start, end, draw(st.sampled_from(["地名", "人-名"])))
        for start, end in pairwise(cuts)
        if draw(st.booleans())
    ]
    return tokens, spans


@given(entities(), schemes, schemes, st.sampled_from(["char", "word"]))
def test_entities_keep_their_characters(drawn, scheme, found, unit):
    tokens, spans = drawn
    sentence = Sentence(tuple(tokens), tags.tags_of(spans, len(tokens), found))
    document = learnt(sentence, "entities", unit, scheme, found)
    read = tags.spans(document.sentence.tags, scheme)
    assert document.text == "".join(tokens) and read.illegal == 0
    assert not any(token.isspace() for token in document.sentence.tokens)
    expected = [("".join(tokens[span.start : span.end]).split(), span.label) for span in spans]
    if unit == "char":
        kept = [("".join(parts), label) for parts, label in expected if parts]
        mentions = [("".join(document.sentence.tokens[span.start : span.end]), span.label) for span in read.spans]
    else:
        kept = [
            ([token for token in tokens[span.start : span.end] if not token.isspace()], span.label) for span in spans
        ]
        kept = [(parts, label) for parts, label in kept if parts]
        mentions = [([*document.sentence.tokens[span.start : span.end]], span.label) for span in read.spans]
    assert mentions == kept


@given(words, schemes)
def test_words_can_be_read_back_without_their_white_space(tokens, scheme):
    document = learnt(Sentence(tuple(tokens)), "words", "char", scheme)
    read = tags.to_words(document.sentence, scheme)
    assert list(read.sentence.tokens) == ["".join(word.split()) for word in tokens if word.strip()]
    assert document.text == "".join(tokens)


def test_joint_tags_say_words_and_parts_of_speech():
    sentence = Sentence(("我", "爱", "北京"), ("代词", "动词", "名词"))
    assert learnt(sentence, "joint", "char", "BMES").sentence.tags == ("S-代词", "S-动词", "B-名词", "E-名词")
    assert learnt(sentence, "words", "char", "BMES").sentence.tags == ("S", "S", "B", "E")
    assert learnt(sentence, "pos", "word", "BMES").sentence == sentence


def test_tagged_characters_are_words_where_their_scheme_is_given():
    sentence = Sentence(tuple("我爱北京"), ("S", "S", "B", "M"))
    [(document, illegal)] = Targets([sentence], "words", "char", "BMES", "BMES").counted()
    assert document.sentence.tags == ("S", "S", "B", "E") and illegal == 1


def test_illegal_tags_are_counted_and_read_as_spans():
    [(document, illegal)] = Targets(
        [Sentence(tuple("昆明人"), ("O", "I-地", "O"))], "entities", "char", "BMES"
    ).counted()
    assert document.sentence.tags == ("O", "S-地", "O") and illegal == 1


def test_a_sentence_that_is_no_scheme_is_named():
    source = [Sentence(tuple("昆明"), ("O", "O")), Sentence(tuple("昆明"), ("O", "x-地"))]
    with pytest.raises(CorpusError, match=r'mine: sentence 2: "x-地" is not a tag of the scheme'):
        list(Targets(source, "entities", "char", "BMES", "BIO", "mine"))
