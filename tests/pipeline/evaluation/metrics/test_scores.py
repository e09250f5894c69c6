"""Scores: by hand, against a few lines of counting and scikit-learn, and where a score is undefined."""

import json
import math
import warnings
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from pipeline.errors import PipelineError
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.scores import OVERALL, classification, compare, confusion

LABELS = ["通知", "垃圾邮件", "正常邮件"]
pairs = st.lists(st.tuples(st.sampled_from([*LABELS, "新类"]), st.sampled_from(LABELS)), min_size=1, max_size=30)


def outcome(gold, predicted, probabilities=(), row=1):
    return Outcome(row, "正文", gold, predicted, 0.5, tuple(probabilities))


def test_six_rows_by_hand():
    gold = ["垃圾邮件", "垃圾邮件", "垃圾邮件", "正常邮件", "正常邮件", "通知"]
    predicted = ["垃圾邮件", "垃圾邮件", "正常邮件", "正常邮件", "垃圾邮件", "通知"]
    scores = compare(gold, predicted, LABELS)
    assert scores["per_label"] == {
        "通知": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1},
        "垃圾邮件": {"precision": 2 / 3, "recall": 2 / 3, "f1": pytest.approx(2 / 3), "support": 3},
        "正常邮件": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2},
    }
    assert scores["rows"] == 6
    assert scores["accuracy"] == scores["micro_f1"] == pytest.approx(4 / 6)
    assert scores["macro_f1"] == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert scores["weighted_f1"] == pytest.approx((1 * 1 + 3 * 2 / 3 + 2 * 1 / 2) / 6)
    # Gorodkin's R_K, gold and predicted having the same marginals: (4*6 - (9 + 4 + 1)) / (6*6 - (9 + 4 + 1)).
    assert scores["matthews"] == pytest.approx(10 / 22)


def test_ranking_of_two_labels_takes_the_last_as_positive():
    rows = [("好评", 0.9), ("差评", 0.8), ("好评", 0.7), ("差评", 0.1)]
    outcomes = [outcome(gold, "好评", (1 - p, p)) for gold, p in rows]
    scores = classification(outcomes, ["差评", "好评"])
    assert scores["roc_auc"] == pytest.approx(3 / 4)  # 3 of the 4 pairs of a positive and a negative in order
    assert scores["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_ranking_of_many_labels_is_the_mean_over_those_in_gold():
    outcomes = [
        outcome("通知", "通知", (0.8, 0.1, 0.1)),
        outcome("通知", "垃圾邮件", (0.3, 0.5, 0.2)),
        outcome("垃圾邮件", "通知", (0.5, 0.4, 0.1)),
    ]
    scores = classification(outcomes, LABELS)
    assert scores["roc_auc"] == pytest.approx((1 / 2 + 1 / 2) / 2)


@given(pairs)
def test_agrees_with_plain_counting(rows):
    scores = compare([gold for gold, _ in rows], [predicted for _, predicted in rows], LABELS)
    hits = Counter(gold for gold, predicted in rows if gold == predicted)
    golds, guesses = Counter(gold for gold, _ in rows), Counter(predicted for _, predicted in rows)
    f1 = {name: 2 * hits[name] / (golds[name] + guesses[name]) for name in golds | guesses}
    assert scores["accuracy"] == pytest.approx(hits.total() / len(rows))
    assert scores["macro_f1"] == pytest.approx(sum(f1.values()) / len(f1))
    assert scores["weighted_f1"] == pytest.approx(sum(f1[name] * golds[name] for name in golds) / len(rows))
    for name, values in scores["per_label"].items():
        assert values["support"] == golds[name]
        assert values["f1"] == pytest.approx(f1.get(name, 0))


@given(pairs)
def test_agrees_with_scikit_learn(rows):
    gold, predicted = map(list, zip(*rows, strict=True))
    scores = compare(gold, predicted, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one label alone
        expected = {
            "accuracy": metrics.accuracy_score(gold, predicted),
            "matthews": metrics.matthews_corrcoef(gold, predicted),
            "micro_f1": metrics.f1_score(gold, predicted, average="micro"),
            "weighted_f1": metrics.f1_score(gold, predicted, average="weighted", zero_division=0),
            "macro_f1": metrics.f1_score(gold, predicted, average="macro", zero_division=0),
            "macro_precision": metrics.precision_score(gold, predicted, average="macro", zero_division=0),
            "macro_recall": metrics.recall_score(gold, predicted, average="macro", zero_division=0),
        }
    assert {key: scores[key] for key in expected} == pytest.approx(expected)
    names = list(scores["per_label"])
    columns = metrics.precision_recall_fscore_support(gold, predicted, labels=names, zero_division=0)
    for name, *values in zip(names, *columns, strict=True):
        assert list(scores["per_label"][name].values()) == pytest.approx(values)


@given(st.lists(st.tuples(st.sampled_from(LABELS), *[st.integers(0, 5)] * 3), min_size=1, max_size=30))
def test_ranking_agrees_with_scikit_learn(rows):
    gold = [label for label, *_ in rows]
    chances = [[number / 5 for number in numbers] for _, *numbers in rows]
    found = classification([outcome(label, label, row) for label, row in zip(gold, chances, strict=True)], LABELS)
    judged = [place for place, label in enumerate(LABELS) if 0 < gold.count(label) < len(gold)]
    for key, score in (("roc_auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        each = [score([label == LABELS[place] for label in gold], [row[place] for row in chances]) for place in judged]
        assert found[key] == (pytest.approx(sum(each) / len(each)) if each else None)


@given(pairs)
def test_confusion_counts_every_row_once(rows):
    names, matrix = confusion([outcome(*row) for row in rows], LABELS)
    counts = Counter(rows)
    assert names[: len(LABELS)] == LABELS
    found = {
        (gold, predicted): matrix[line][column]
        for line, gold in enumerate(names)
        for column, predicted in enumerate(names)
        if matrix[line][column]
    }
    assert found == counts


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=20))
def test_roc_auc_is_the_share_of_ordered_pairs(rows):
    outcomes = [outcome("乙" if positive else "甲", "甲", (1 - s / 8, s / 8)) for positive, s in rows]
    wins = [(a > b) + (a == b) / 2 for yes, a in rows if yes for no, b in rows if not no]
    found = classification(outcomes, ["甲", "乙"])["roc_auc"]
    assert found == (pytest.approx(sum(wins) / len(wins)) if wins else None)


def test_a_label_the_model_does_not_know_is_an_error_and_is_listed():
    outcomes = [outcome("新类", "通知", (0.6, 0.2, 0.2)), outcome("通知", "通知", (0.6, 0.2, 0.2))]
    scores = classification(outcomes, LABELS)
    assert scores["accuracy"] == 0.5
    assert scores["per_label"]["新类"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert list(scores["per_label"]) == [*LABELS, "新类"]


@pytest.mark.parametrize("labels", [["好评"], ["差评", "好评"], LABELS])
def test_one_class_only_has_no_ranking(labels):
    name = labels[-1]
    share = tuple(float(label == name) for label in labels)
    scores = classification([outcome(name, name, share)] * 3, labels)
    assert scores["accuracy"] == scores["macro_f1"] == 1.0
    assert scores["matthews"] == 0.0
    assert scores["roc_auc"] is None and scores["average_precision"] is None


def test_no_rows_and_rows_without_gold():
    scores = classification([outcome(None, "通知")], LABELS)
    assert scores["rows"] == 0
    assert all(scores[key] is None for key in OVERALL)
    assert set(scores["per_label"]) == set(LABELS)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_labels_that_differ_by_a_trailing_nul_stay_apart():
    scores = classification([outcome("甲", "甲\0"), outcome("甲\0", "甲\0")], ["甲", "甲\0"])
    assert scores["accuracy"] == 0.5


@pytest.mark.parametrize("bad", [(0.5,), (0.2, 0.3, 0.5), (math.nan, 1.0)])
def test_wrong_probabilities_name_the_row(bad):
    outcomes = [outcome("甲", "甲", (0.5, 0.5)), outcome("乙", "乙", bad, row=7)]
    with pytest.raises(PipelineError, match="row 7: "):
        classification(outcomes, ["甲", "乙"])
