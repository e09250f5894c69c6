"""Intervals and tests of significance, slices, occlusion and keywords, against brute force and other libraries."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.feature_selection import chi2
from sklearn.metrics import f1_score, precision_score, recall_score

from embeddings.vectors import Vectors
from pipeline.evaluation.analysis import keywords, occlusion
from pipeline.evaluation.baselines.linear import Sample
from pipeline.evaluation.metrics import significance, slices
from pipeline.evaluation.metrics.outcome import Outcome

LABELS = ["甲", "乙", "丙"]


def drawn(count, seed=1):
    """Outcomes of which about three in four are right."""
    generator = random.Random(seed)
    golds = generator.choices(LABELS, (5, 3, 2), k=count)
    return [
        Outcome(
            number,
            "文",
            gold,
            gold if generator.random() < 0.7 else generator.choice(LABELS),
            0.5,
            length=generator.randint(1, 30),
            unknown=generator.choice((0, 0, 1)),
            slices=(generator.choice("东西"),),
        )
        for number, gold in enumerate(golds, start=1)
    ]


def test_intervals_are_those_of_resampled_rows():
    outcomes = drawn(150)
    gold, predicted = (np.array([getattr(one, name) for one in outcomes]) for name in ("gold", "predicted"))
    chance = np.random.default_rng(7)
    samples = [chance.integers(0, 150, 150) for _ in range(1500)]

    def edges(score):
        return np.percentile([score(gold[rows], predicted[rows]) for rows in samples], (2.5, 97.5))

    found = significance.intervals(outcomes, LABELS)
    macro = {"average": "macro", "labels": LABELS, "zero_division": 0}
    one = {"average": "macro", "labels": ["乙"], "zero_division": 0}
    assert found["accuracy"] == pytest.approx(edges(lambda g, p: (g == p).mean()), abs=0.012)
    assert found["macro_f1"] == pytest.approx(edges(lambda g, p: f1_score(g, p, **macro)), abs=0.02)
    for key, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found["per_label"]["乙"][key] == pytest.approx(edges(lambda g, p, s=score: s(g, p, **one)), abs=0.03)
    assert found == significance.intervals(outcomes, LABELS)
    assert significance.intervals([], LABELS) == {}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_mcnemar_is_a_binomial_test(pairs):
    ours, theirs = zip(*pairs, strict=True)
    found = significance.paired(ours, theirs)
    first = sum(one and not other for one, other in pairs)
    apart = sum(one != other for one, other in pairs)
    assert found["p"] == pytest.approx(binomtest(first, apart).pvalue if apart else 1.0)
    assert found["difference"] == pytest.approx((sum(ours) - sum(theirs)) / len(pairs))
    assert (found["only_ours"], found["only_theirs"]) == (first, apart - first)
    assert found["interval"][0] - 1e-9 <= found["difference"] <= found["interval"][1] + 1e-9 or len(pairs) < 10


def test_mcnemar_of_many_rows():
    ours = [True] * 5200 + [False] * 4800
    found = significance.paired(ours, [not one for one in ours])["p"]
    assert found == pytest.approx(binomtest(5200, 10000).pvalue, rel=1e-9)


def test_rows_without_a_gold_label_are_left_out_of_a_comparison():
    outcomes = [Outcome(1, "", "甲", "甲", 1.0), Outcome(2, "", None, "甲", 1.0)]
    assert significance.against(outcomes, ["乙", "甲"])["rows"] == 1
    assert significance.against(outcomes[1:], ["甲"]) == {}


def test_every_row_is_in_one_slice_of_each_slicing():
    outcomes = [*drawn(200), Outcome(999, "", None, "甲", 0.5, length=5, slices=("东",))]
    found = slices.scored(outcomes, slices.accuracy(LABELS), ["方向"])
    assert [slicing["by"] for slicing in found] == ["tokens", "unknown", "方向"]
    assert all(sum(one["rows"] for one in slicing["slices"]) == 200 for slicing in found)
    for one in found[0]["slices"]:
        low, _, high = one["name"].partition("–")
        inside = [row for row in outcomes if row.gold and int(low) <= row.length <= int(high or low)]
        assert (one["rows"], one["accuracy"]) == (len(inside), sum(not row.is_error for row in inside) / len(inside))
        assert one["interval"][0] <= one["accuracy"] <= one["interval"][1]
    east = [row for row in outcomes if row.gold and row.slices == ("东",)]
    named = {one["name"]: one for one in found[2]["slices"]}
    assert named["东"]["accuracy"] == sum(not row.is_error for row in east) / len(east)
    clean = [row for row in outcomes if row.gold and row.unknown == 0]
    assert found[1]["slices"][0] | {"interval": 0} == {
        "name": "none",
        "rows": len(clean),
        "accuracy": sum(not row.is_error for row in clean) / len(clean),
        "interval": 0,
    }


def test_rare_values_of_a_column_are_one_slice():
    outcomes = [Outcome(n, "", "甲", "甲", 1.0, slices=(str(n % 30),)) for n in range(300)]
    (found,) = slices.scored(outcomes, slices.accuracy(LABELS), ["号"])
    assert [one["name"] for one in found["slices"]][-1] == "10 others" and found["slices"][-1]["rows"] == 100
    assert slices.scored([Outcome(1, "", "甲", "甲", 1.0, slices=("一",))], slices.accuracy(LABELS), ["号"]) == []
    assert slices.scored([], slices.accuracy(LABELS), ["号"]) == []


def test_occlusion_leaves_out_each_word_once():
    weights = {"好": 0.5, "不": -0.2, "很": 0.1}

    def probability(texts, ids):
        return [sum(weights.get(piece, 0.0) for piece in text) + ids[row] for row, text in enumerate(texts)]

    found = occlusion.explain([["很", " ", "好"], ["不"], ["不", "好"]], [0, 1, 0], probability)
    assert found[0].pieces == ("很", " ", "好")
    assert found[0].effects == (pytest.approx(0.1), None, pytest.approx(0.5)) and found[0].strongest == pytest.approx(
        0.5
    )
    assert found[1].effects == (None,) and found[1].strongest == 0.0, "nothing would be left"
    assert found[2].effects == (pytest.approx(-0.2), pytest.approx(0.5))
    long = occlusion.explain([["好"] * 200], [0], probability)[0]
    assert long.effects.count(None) == 200 - occlusion.MOST_WORDS


def test_keywords_are_those_of_the_greatest_chi_squared():
    generator = random.Random(3)
    words = [f"词{number}" for number in range(12)]
    train = [
        Sample(generator.choices(words[: 6 if label == "甲" else 12], k=5), "", label)
        for label in generator.choices(["甲", "乙"], k=200)
    ]
    counts = np.array([[word in sample.tokens for word in words] for sample in train], np.float64)
    both = np.concatenate([counts, 1 - counts], axis=1)  # presence and absence make the whole table
    statistic = chi2(both, [sample.label for sample in train])[0]
    totals = dict(zip(words, statistic[:12] + statistic[12:], strict=True))
    found = keywords.keywords(train, ["甲", "乙"], count=3)
    assert set(found["甲"]) <= set(words[:6]) and set(found["乙"]) <= set(words[6:])
    assert found["乙"] == sorted(words[6:], key=lambda word: -totals[word])[:3]
    vectors = Vectors(tuple(words[:11]), np.eye(11, dtype=np.float32) + 0.1)
    rows = keywords.with_neighbours({"乙": ["词7", "词11"]}, vectors)
    assert rows[0]["word"] == "词7" and len(rows[0]["neighbours"]) == 5 and rows[1]["neighbours"] is None
