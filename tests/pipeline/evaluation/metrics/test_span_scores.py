"""Scores of a tagger: by hand, and against counting spans in sets."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import segmented, tags
from corpora.document import Sentence
from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import confusion, judged, tagging

NAMES = tags.tag_set(["人", "地"], "BMES")


def outcome(text, gold, said, row=1):
    tokens = tuple(text.split()) if " " in text else tuple(text)
    return Outcome.of_tags(row, Tokenised("".join(tokens), tokens), gold, said, 0.5)


def test_one_of_each_mistake_by_hand():
    gold = ["B-地", "E-地", "O", "S-人", "O", "B-人", "E-人", "O", "S-地"]
    said = ["B-地", "E-地", "O", "S-地", "O", "B-人", "M-人", "E-人", "O"]
    scores = tagging([outcome("昆明的张和李四说京", gold, said)], "BMES")
    assert scores["precision"] == pytest.approx(1 / 3) and scores["recall"] == 1 / 4
    assert scores["f1"] == pytest.approx(2 / 7) and scores["token_accuracy"] == 5 / 9
    assert scores["errors"] == {"missed": 1, "invented": 0, "wrong_type": 1, "wrong_border": 1}
    assert scores["per_label"]["地"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert scores["macro_f1"] == 0.25 and scores["illegal"] == 0


def test_words_by_hand_with_known_and_unknown_ones():
    rows = [outcome("我爱北京", ["S", "S", "B", "E"], ["S", "S", "S", "S"])]
    scores = tagging(rows, "BMES", known={"我", "爱"})
    assert scores["precision"] == 0.5 and scores["recall"] == pytest.approx(2 / 3)
    assert scores["oov_rate"] == pytest.approx(1 / 3) and scores["oov_recall"] == 0 and scores["iv_recall"] == 1


def test_words_with_tags_are_scored_with_and_without_them():
    rows = [outcome("北京", ["B-名", "E-名"], ["B-动", "E-动"])]
    scores = tagging(rows, "BMES", known={"北京"})
    assert scores["f1"] == 0 and scores["word_f1"] == 1


def test_parts_of_speech_are_accuracy():
    scores = tagging([outcome("我 爱 北京", ["代", "动", "名"], ["代", "动", "动"])], None, known={"我"})
    assert scores["f1"] == scores["token_accuracy"] == pytest.approx(2 / 3)
    assert scores["iv_recall"] == 1 and scores["oov_recall"] == 0.5
    names, counts = confusion(judged([outcome("我 爱", ["代", "动"], ["代", "名"])], None), None)
    assert names == ["代", "动", "名"] and counts == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


tag_lists = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=12)


@given(st.lists(tag_lists, min_size=1, max_size=4))
def test_counts_are_those_of_sets(pairs):
    rows = [
        outcome("天" * len(each), [gold for gold, _ in each], [said for _, said in each], row)
        for row, each in enumerate(pairs, start=1)
    ]
    scores = tagging(rows, "BMES")
    sets = [
        [
            {(span.start, span.end, span.label) for span in tags.spans([pair[side] for pair in each], "BMES").spans}
            for each in pairs
        ]
        for side in (0, 1)
    ]
    gold, said = (sum(map(len, side)) for side in sets)
    right = sum(len(a & b) for a, b in zip(*sets, strict=True))
    assert scores["precision"] == pytest.approx(right / said if said else 0)
    assert scores["recall"] == pytest.approx(right / gold if gold else 0)
    wrong = sum(scores["errors"].values()) - scores["errors"]["invented"]
    assert right + wrong == gold
    supports = Counter(label for side in sets[0] for *_, label in side)
    assert {name: each["support"] for name, each in scores["per_label"].items() if each["support"]} == dict(supports)


def test_one_tag_a_token_is_expected():
    with pytest.raises(PipelineError, match="row 1: 2 tokens, 1 gold tags, 2 predicted ones"):
        tagging([outcome("昆明", ["O"], ["O", "O"])], "BMES")


def test_nothing_scored_is_said():
    assert tagging([], "BMES")["rows"] == 0


def test_segmented_text_is_how_answers_are_kept():
    sentence = tags.to_characters(Sentence(("我", "爱 你")))
    assert segmented.split(segmented.join(sentence.tags)) == list(sentence.tags)
