"""The gate: which scores pass a bar, on which part, and what is said where one fails or is unknown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError, PoorScore
from pipeline.evaluation.report import gate

DOCUMENT = {
    "test": {"rows": 4, "accuracy": 0.75, "macro_f1": 0.7, "roc_auc": None, "per_label": {"差评.": {"recall": 0.5}}},
    "dev": {"rows": 4, "accuracy": 1.0},
}


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_score_fails_on_the_wrong_side_alone(score, value, over):
    bars = [gate.read(f"accuracy={value!r}", over=over)]
    failed = False
    try:
        gate.check({"test": {"rows": 1, "accuracy": score}}, bars)
    except PoorScore:
        failed = True
    assert failed == (score > value if over else score < value)


@pytest.mark.parametrize("text", ["accuracy=0.75", "dev.accuracy=1", "per_label.差评..recall=0.5", "test.macro_f1=0.7"])
def test_scores_have_names(text):
    gate.check(DOCUMENT, [gate.read(text)])


def test_without_test_rows_the_bar_is_for_dev():
    document = {"test": {"rows": 0, "accuracy": None}, "dev": {"rows": 4, "accuracy": 0.5}}
    gate.check(document, [gate.read("accuracy=0.5")])
    with pytest.raises(
        PoorScore, match=r"r: accuracy is 0\.5000, under 0\.6; test\.accuracy is not measured, under 0$"
    ):
        gate.check(document, [gate.read("accuracy=0.6"), gate.read("test.accuracy=0"), gate.read("dev.rows=4")], "r")


def test_an_unknown_score_is_answered_with_the_nearest():
    expected = 'r: no score "macro_fl"; did you mean "macro_f1"? (there are rows, accuracy, macro_f1, roc_auc)'
    with pytest.raises(PipelineError, match=f"^{re.escape(expected)}$") as raised:
        gate.check(DOCUMENT, [gate.read("macro_fl=0.9"), gate.read("accuracy=1")], "r")
    assert not isinstance(raised.value, PoorScore)


@pytest.mark.parametrize("text", ["macro_f1", "macro_f1=", "=0.9", "macro_f1=high", "macro_f1=nan"])
def test_a_bar_is_a_score_and_a_number(text):
    with pytest.raises(PipelineError, match="expected a score and a number"):
        gate.read(text)
