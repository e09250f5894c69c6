"""Forced words are obeyed by every kind of tagger, by whatever decoding, and the best of the rest is still the best."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tagger import make_answerer, make_tagger

from corpora.tags import SCHEMES
from pipeline.encoding.encoder import Tokenised
from pipeline.models.model import Model
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.tagging.constraints import Constraints

WORDS = {"滨江步道": "n", "骑车": None, "北京烤鸭": "v", "N a": "n", "我": "x"}
DECODINGS = ("greedy", "maxent", "crf")
texts = st.text(st.sampled_from("去滨江步道骑车我爱北京烤鸭，😀Na \n"), min_size=1, max_size=30)
phrases = st.lists(st.sampled_from([*WORDS, "去", "爱", "滨江", "步道", " ", "\n", "烤鸭"]), min_size=1, max_size=8)


def score(task, scores, path):
    transitions, start, end = task.chain
    moves = sum(transitions[one, two] for one, two in pairwise(path))
    return sum(scores[np.arange(len(path)), path]) + moves + start[path[0]] + end[path[-1]]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["words", "joint", "entities"])
@pytest.mark.parametrize("decode", ["greedy", "crf"])
@pytest.mark.parametrize("constrained", [True, False])
def test_the_best_of_all_sequences_that_obey(scheme, kind, decode, constrained):
    forced = {"江步": "地" if kind == "entities" else "v"}
    task = make_answerer(kind, scheme=scheme, decode=decode, constrained=constrained, dictionary=forced)
    text = Tokenised("滨江步道", list("滨江步道"))
    for seed in range(3):
        scores = np.random.default_rng(seed).normal(0, 2, (1, 4, len(task.tagset.labels))).astype(np.float32)
        paths = np.array([*product(range(len(task.tagset.labels)), repeat=4)], np.int32)
        found = task.tagset.spans(paths, np.full(len(paths), 4))
        obey = np.zeros(len(paths), bool)
        for row, start, stop, tag in zip(found.rows, found.starts, found.stops, found.tags, strict=True):
            named = kind == "words" or task.tagset.types[tag] == forced["江步"]
            obey[row] |= bool((start, stop) == (1, 3) and named)
        restricted = scores.copy()
        task.scorer.restrict(restricted, [text])
        [answer] = task.decoder.decode(restricted, np.array([4]))
        assert answer.ids in paths[obey].tolist()
        if constrained:  # else any letters may make a word, and a forced one has those of the scheme
            assert answer.ids == max(paths[obey], key=lambda path: score(task, scores[0], path)).tolist()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("taggers"), {}

    def load(kind, decode, scheme="BMES", constrained=True, dictionary=WORDS):
        key = (kind, decode, scheme, constrained, bool(dictionary))
        if key not in made:
            name = folder / "-".join(map(str, key))
            options = {"decode": decode, "scheme": scheme, "constrained": constrained}
            made[key] = Model.load(make_tagger(name, kind, dictionary=dictionary, **options))
        return made[key]

    return load


@pytest.mark.parametrize("scheme", ["BIO", "BMES"])
@pytest.mark.parametrize("kind", ["words", "joint"])
@pytest.mark.parametrize(
    ("decode", "constrained"), [("greedy", False), ("maxent", True), ("crf", True), ("crf", False)]
)
@settings(max_examples=25)
@given(st.one_of(texts, phrases.map("".join)))
def test_forced_words_are_words_with_their_tags(models, kind, decode, scheme, constrained, text):
    model = models(kind, decode, scheme, constrained)
    [answer] = model.predict([text])
    spans = {(span.start, span.end): span.type for span in answer.spans}
    for start, end in UserDictionary(WORDS).find(text):
        assert (start, end) in spans
        if kind == "joint" and (tag := WORDS[text[start:end]]) in ("n", "v"):
            assert spans[start, end] == tag
    assert "".join(answer.tokens).split() == text.split() or "".join("".join(answer.tokens).split()) == "".join(
        text.split()
    )
    forced = {text[start:end] for start, end in UserDictionary(WORDS).find(text)}
    assert all(token in forced for token in answer.tokens if len(token.split()) > 1), "white space ends words"


@pytest.mark.parametrize("decode", DECODINGS)
@given(st.lists(st.sampled_from([*WORDS, "去", "爱", "北京", "，"]), min_size=1, max_size=8))
@settings(max_examples=25)
def test_a_word_tagger_keeps_the_tags_of_forced_words(models, decode, words):
    model = models("pos", decode)
    text = "".join(words)
    [answer] = model.predict([text])
    for start, end in UserDictionary(WORDS).find(text):
        place = [(span.start, span.end) for span in answer.spans].index((start, end))
        tag = WORDS[text[start:end]]
        assert answer.tokens[place] == text[start:end]
        assert tag not in ("n", "v", "w") or (answer.tags[place] == tag and answer.confidences[place] > 0.999)


@pytest.mark.parametrize("decode", DECODINGS)
def test_an_entity_tagger_obeys_the_types_that_it_knows(models, decode):
    model = models("entities", decode, dictionary={"滨江步道": "地", "骑车": "n", "烤鸭": None})
    free = models("entities", decode, dictionary=None)
    asked = ["去滨江步道骑车", "滨江步道滨江步道", "我爱 滨江步道", "骑车吃烤鸭"]
    for text, answer in zip(asked, model.predict(asked), strict=True):
        found = {(span.start, span.end, span.type) for span in answer.spans}
        for start, end in UserDictionary({"滨江步道": None}).find(text):
            assert (start, end, "地") in found
    assert model.predict(asked[3:])[0].tags == free.predict(asked[3:])[0].tags


def test_nothing_is_restricted_without_a_reason():
    task = make_answerer("words", dictionary={"滨江": None})
    assert Constraints(task.tagset, "words", task.dictionary).allowed(Tokenised("去骑车", list("去骑车"))) is None
    entities = make_answerer("entities")
    assert (
        Constraints(entities.tagset, "entities", UserDictionary()).allowed(Tokenised("去 骑车", list("去骑车"))) is None
    )


def test_a_word_whose_ends_lie_inside_tokens_is_left_alone():
    task = make_answerer("pos", dictionary={"江步": "n"})
    may = Constraints(task.tagset, "pos", task.dictionary).allowed(Tokenised("去滨江步道", ["去", "滨江步道"]))
    assert may is not None and may.all()
