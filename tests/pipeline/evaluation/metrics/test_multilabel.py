"""Multi-label scores, beside counts by hand and scikit-learn; their intervals and comparisons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import multilabel
from pipeline.evaluation.metrics.multilabel import LabelTable
from pipeline.evaluation.metrics.outcome import Outcome

LABELS = ("价格", "服务", "物流")
SETS = st.lists(st.sampled_from(LABELS), unique=True, max_size=3).map(lambda names: tuple(sorted(names)))


def outcome(row, gold, said, probabilities=(), **more):
    return Outcome.of_labels(row, Tokenised("文", "文"), gold, said, 0.5, probabilities=probabilities, **more)


@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=30))
def test_scores_are_what_counting_gives(pairs):
    gold, said = zip(*pairs, strict=True)
    found = multilabel.scores(LabelTable.of(gold, said, LABELS))
    right = sum(len(set(one) & set(other)) for one, other in pairs)
    both = sum(len(one) + len(other) for one, other in pairs)
    assert found["rows"] == len(pairs)
    assert found["micro_f1"] == pytest.approx(2 * right / both if both else 0)
    assert found["subset_accuracy"] == pytest.approx(np.mean([one == other for one, other in pairs]))
    assert found["hamming_loss"] == pytest.approx(
        sum(len(set(one) ^ set(other)) for one, other in pairs) / (len(pairs) * len(LABELS))
    )
    by_row = [2 * len(set(one) & set(other)) / (len(one) + len(other)) if one or other else 1.0 for one, other in pairs]
    assert found["sample_f1"] == pytest.approx(np.mean(by_row))
    f1 = [found["per_label"][name]["f1"] for name in LABELS if any(name in one + other for one, other in pairs)]
    assert found["macro_f1"] == pytest.approx(np.mean(f1) if f1 else 0)
    for name in LABELS:
        ours = found["per_label"][name]
        flags = [name in one for one in gold], [name in one for one in said]
        assert ours["support"] == sum(flags[0])
        assert ours["precision"] == pytest.approx(metrics.precision_score(*flags, zero_division=0))
        assert ours["recall"] == pytest.approx(metrics.recall_score(*flags, zero_division=0))


def test_a_single_label_is_not_taken_for_two_classes():
    found = multilabel.scores(LabelTable.of([("a",), (), ()], [(), (), ()], ("a",)))
    assert (found["micro_f1"], found["macro_f1"], found["hamming_loss"]) == (0, 0, pytest.approx(1 / 3))
    assert found["subset_accuracy"] == pytest.approx(2 / 3) == found["sample_f1"]


def test_an_unknown_gold_label_has_recall_0():
    found = multilabel.scores(LabelTable.of([("新类",)], [("价格",)], LABELS))
    assert found["per_label"]["新类"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_ranking_is_that_of_scikit_learn():
    generator = np.random.default_rng(3)
    shares = generator.random((60, 3))
    gold = generator.random((60, 3)) < shares
    rows = [
        outcome(n, [LABELS[i] for i in np.flatnonzero(flags)], [], tuple(row))
        for n, (flags, row) in enumerate(zip(gold, shares.tolist(), strict=True))
    ]
    found = multilabel.scores(LabelTable.of_outcomes(rows, LABELS))
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(gold, shares, average="macro"))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(gold, shares, average="macro"))
    assert 0 < found["per_label"]["价格"]["calibration_error"] < 0.3


def test_without_rows_there_are_no_scores():
    found = multilabel.scores(LabelTable.of([], [], LABELS))
    assert found["rows"] == 0 and found["micro_f1"] is None and list(found["per_label"]) == list(LABELS)
    assert multilabel.intervals(LabelTable.of([], [], LABELS)) == {}


def test_one_probability_a_label_is_needed():
    with pytest.raises(PipelineError, match="row 3: 2 probabilities for 3 labels"):
        LabelTable.of_outcomes([outcome(3, (), (), (0.5, 0.5))], LABELS)


def test_intervals_hold_the_scores_and_narrow_with_rows():
    generator = np.random.default_rng(0)
    widths = []
    for rows in (100, 1600):
        gold = generator.random((rows, 3)) < 0.4
        said = gold ^ (generator.random((rows, 3)) < 0.15)
        table = LabelTable(LABELS, gold, said)
        found, scores = multilabel.intervals(table), multilabel.scores(table)
        for key in ("micro_f1", "macro_f1", "subset_accuracy"):
            low, high = found[key]
            assert low < scores[key] < high
        low, high = found["per_label"]["物流"]["recall"]
        assert low < scores["per_label"]["物流"]["recall"] < high
        widths.append(found["micro_f1"][1] - found["micro_f1"][0])
    assert 2.5 < widths[0] / widths[1] < 6  # 16 times the rows, a quarter of the width


def test_a_better_system_is_told_from_an_equal_one():
    generator = np.random.default_rng(1)
    gold = generator.random((300, 3)) < 0.4
    noisy = [gold ^ (generator.random((300, 3)) < share) for share in (0.1, 0.1, 0.3)]
    first, same, worse = (LabelTable(LABELS, gold, said) for said in noisy)
    assert multilabel.against(first, worse)["p"] < 0.01 < multilabel.against(first, same)["p"]
    found = multilabel.against(first, worse)
    assert found["difference"] == pytest.approx(
        multilabel.scores(first)["micro_f1"] - multilabel.scores(worse)["micro_f1"]
    )
    assert multilabel.against(first, first) == {
        "rows": 300, "difference": 0.0, "interval": [0.0, 0.0], "p": 1.0, "only_ours": 0, "only_theirs": 0,
    }  # fmt: skip


def test_confused_sets_are_counted():
    rows = [outcome(1, ["价格"], []), outcome(2, ["价格"], []), outcome(3, [], []), outcome(4, [], ["物流"])]
    assert multilabel.confused(rows) == {(("价格",), ()): 2, ((), ("物流",)): 1}


def test_cross_entropy_is_that_of_scikit_learn():
    gold = np.array([[True, False], [False, False], [True, True]])
    shares = np.array([[0.9, 0.2], [0.4, 0.1], [0.6, 0.7]])
    assert multilabel.binary_cross_entropy(gold, shares) == pytest.approx(
        metrics.log_loss(gold.ravel(), shares.ravel())
    )
