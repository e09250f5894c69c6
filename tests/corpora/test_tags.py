"""Tags say exactly what spans and words say, and any tags are read as conlleval reads them."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.document import Sentence, Span
from corpora.errors import CorpusError
from corpora.overlaps import flat
from corpora.tags import (
    SCHEMES,
    allowed,
    in_characters,
    in_tokens,
    scheme_of,
    spans,
    tag_set,
    tags_of,
    to_characters,
    to_words,
)

LABELS = ("人", "地-点", "PER.NAM")
SCHEME = st.sampled_from(sorted(SCHEMES))
WORDS = st.lists(st.text("我爱北京\n -/", min_size=1, max_size=4), max_size=6)


@st.composite
def apart(draw):
    """Spans that do not overlap, and how many tokens there are."""
    position, found = 0, []
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=5)
    ):
        found.append(Span(position + gap, position + gap + length, label))
        position = found[-1].end
    return tuple(found), position + draw(st.integers(0, 2))


@given(apart(), SCHEME, st.randoms())
def test_spans_undo_tags(case, scheme, random):
    found, length = case
    shuffled = random.sample(found, len(found))
    tags = tags_of(shuffled, length, scheme)
    assert len(tags) == length and set(tags) <= set(tag_set(LABELS, scheme))
    decoded = spans(tags, scheme)
    assert decoded.spans == found and decoded.illegal == 0


@given(st.data(), SCHEME)
def test_any_tags_are_read_as_conlleval_does(data, scheme):
    tags = data.draw(st.lists(st.sampled_from(tag_set(LABELS[:2], scheme)), max_size=8))
    decoded = spans(tags, scheme)
    assert [(span.start, span.end, span.label) for span in decoded.spans] == conlleval(tags)
    again = tags_of(decoded.spans, len(tags), scheme)
    assert (decoded.illegal == 0) == (again == tuple(tags))


def conlleval(tags):
    """The chunks that the Perl script of the shared task finds, M read as I, by its two tables of letter pairs."""
    ends = {"BB", "BO", "BS", "IB", "IO", "IS", *(last + next for last in "ES" for next in "BIESO")}
    starts = {"EE", "EI", "SE", "SI", "OE", "OI", *(last + first for first in "BS" for last in "BIESO")}
    parts = [("O", ""), *((tag[0].replace("M", "I"), tag[2:]) for tag in tags), ("O", "")]
    found, start = [], None
    for position, ((last, label), (letter, next_label)) in enumerate(pairwise(parts)):
        if last != "O" and (last + letter in ends or label != next_label):
            found.append((start, position, label))
        if letter != "O" and (last + letter in starts or label != next_label):
            start = position
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_allowed_are_the_sequences_that_spans_make(scheme):
    tags = tag_set(LABELS[:2], scheme)
    rules = allowed(tags, scheme)
    for length in range(1, 4):
        for path in product(range(len(tags)), repeat=length):
            names = tuple(tags[index] for index in path)
            may = rules.start[path[0]] and rules.end[path[-1]]
            may = may and all(rules.between[last][next] for last, next in pairwise(path))
            decoded = spans(names, scheme)
            assert may == (decoded.illegal == 0) == (tags_of(decoded.spans, length, scheme) == names)


def test_illegal_neighbours_are_counted():
    assert spans(["I-人", "I-地", "O", "B-人", "I-地"], "BIO").illegal == 3
    assert spans(["B-人", "S-人", "M-人"], "BMES").illegal == 3
    assert spans([], "BMES").illegal == 0


@given(WORDS, st.data(), SCHEME)
def test_words_come_back(words, data, scheme):
    tags = tuple(data.draw(st.sampled_from(LABELS)) for _ in words)
    for sentence in (Sentence(tuple(words)), Sentence(tuple(words), tags or None)):
        characters = to_characters(sentence, scheme)
        assert characters.tokens == tuple("".join(words))
        back = to_words(characters, scheme)
        assert back.sentence == sentence and back.illegal == 0


@given(st.lists(st.tuples(st.sampled_from("我爱北京"), st.sampled_from("BMES")), max_size=9))
def test_words_of_any_tags_lose_no_character(pairs):
    sentence = Sentence(tuple(character for character, _ in pairs), tuple(tag for _, tag in pairs))
    assert "".join(to_words(sentence).sentence.tokens) == "".join(sentence.tokens)


@given(st.lists(st.builds(lambda start, length, label: Span(start, start + length, label),
                          st.integers(0, 9), st.integers(1, 5), st.sampled_from(LABELS)), unique=True))  # fmt: skip
def test_flat_drops_only_what_overlaps_something_longer(found):
    kept = flat(found)
    assert sorted(kept.spans + kept.dropped) == sorted(found)
    assert spans(tags_of(kept.spans, 14, "BIO"), "BIO").spans == kept.spans
    for span in kept.dropped:
        rivals = [other for other in kept.spans if other.start < span.end and span.start < other.end]
        assert any((-other.length, other) < (-span.length, span) for other in rivals)


@given(WORDS, st.data())
def test_spans_of_tokens_and_of_characters(tokens, data):
    places = st.tuples(st.integers(0, len(tokens)), st.integers(0, len(tokens))).filter(lambda pair: pair[0] < pair[1])
    pairs = data.draw(st.lists(places, unique=True)) if tokens else []
    found = tuple(sorted(Span(start, end, "人") for start, end in pairs))
    outside = in_characters(found, tokens)
    for span, place in zip(found, outside, strict=True):
        assert "".join(tokens[span.start : span.end]) == "".join(tokens)[place.start : place.end]
    assert in_tokens(outside, tokens).spans == found and not in_tokens(outside, tokens).dropped


def test_scheme_of():
    assert [scheme_of(tag_set(LABELS, scheme)) for scheme in SCHEMES] == list(SCHEMES)
    assert scheme_of(["O"]) == "BIO" and scheme_of(["B", "E"]) == "BIOES"
    with pytest.raises(CorpusError, match='begin with "I", "M" are of no scheme; the schemes are BIO'):
        scheme_of(["I-人", "M-人"])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: spans(["B-人"], "BIOS"), 'no scheme "BIOS"; the schemes are BIO, BMES, BIOES'),
        (lambda: spans(["O", "M-人"], "BIO"), '"M-人" is not a tag of the scheme, which has O, and B, I with'),
        (lambda: spans(["B-"], "BIO"), '"B-" is not a tag'),
        (lambda: spans(["O-人"], "BIO"), '"O-人" is not a tag'),
        (lambda: spans(["O", "B"], "BIO"), 'tag 2: "B" has no label'),
        (lambda: tags_of([Span(0, 2, "人"), Span(1, 3, "地")], 3, "BIO"), '0:2 "人" and 1:3 "地" overlap'),
        (lambda: tags_of([Span(0, 3, "人")], 2, "BIO"), '0:3 "人" ends after the last of 2 tokens'),
        (lambda: to_words(Sentence(("我",))), "have no tags"),
        (lambda: to_words(Sentence(("我", "你"), ("S", "O"))), 'character 2 is tagged "O"'),
        (lambda: to_words(Sentence(("我", "你"), ("S-r", "S"))), 'word 2, "你", has no label'),
        (lambda: to_characters(Sentence(("我",), ("",))), "word 1 of 1 has an empty tag"),
    ],
)
def test_what_is_wrong_is_named(act, message):
    with pytest.raises(CorpusError, match=message):
        act()
