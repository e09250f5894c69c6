"""Calibration: against brute force and SciPy; the answers themselves never change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from pipeline.errors import ModelError, PipelineError
from pipeline.evaluation.metrics import calibration
from pipeline.evaluation.metrics.calibration import Point, ScoredClaims, calibrated_rows
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.models import thresholds
from pipeline.tasks.classify import softmax

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def sampled(count, factor, labels=3, seed=0):
    """Logits, and labels drawn from softmax(logits / factor)."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(0, 4, (count, labels)).astype(np.float32)
    targets = [int(generator.choice(labels, p=row)) for row in softmax(scores / np.float32(factor))]
    return scores, targets


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(factor):
    scores, targets = sampled(6000, factor)
    assert calibration.temperature(scores, targets) == pytest.approx(factor, rel=0.06)


def test_the_temperature_is_the_best_one():
    scores, targets = sampled(500, 2.0, seed=3)

    def loss(factor):
        found = softmax(scores.astype(np.float64) / factor)
        smooth = np.full(found.shape, 1 / 503)
        smooth[np.arange(500), targets] = 501 / 503
        return -(smooth * np.log(found)).sum()

    best = calibration.temperature(scores, targets)
    assert all(loss(best) <= loss(other) + 1e-6 for other in np.geomspace(0.1, 10, 60))


def test_few_rows_all_right_do_not_make_the_model_certain():
    scores = np.array([[2.0, -2.0]] * 10)
    factor = calibration.temperature(scores, [0] * 10)
    assert softmax(scores / factor)[0, 0] == pytest.approx(11 / 12, abs=1e-4)
    assert calibration.temperature(np.zeros((0, 3)), []) == 1.0


@given(arrays(np.float32, (6, 3), elements=st.floats(-50, 50, width=32)), st.floats(0.05, 20))
def test_no_answer_changes(scores, factor):
    plain, scaled = softmax(scores), softmax(scores.astype(np.float64) / factor)
    answers = np.take_along_axis(scaled, plain.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert answers == pytest.approx(scaled.max(axis=1), abs=1e-12)  # scores as close as 1e-16 may become equal


@given(arrays(np.float64, (4, 3), elements=st.floats(-8, 8)), st.floats(0.2, 5))
def test_probabilities_at_another_temperature(scores, factor):
    found = calibration.at_temperature(softmax(scores / factor), 1 / factor)
    assert np.allclose(found, softmax(scores), atol=1e-9)


@given(ROWS)
def test_calibration_error_is_that_of_its_definition(rows):
    confidences, right = zip(*rows, strict=True)
    error = 0.0
    for number in range(15):
        inside = [row for row in rows if number / 15 < row[0] <= (number + 1) / 15 or (number == 0 and row[0] == 0)]
        if inside:
            error += abs(sum(hit for _, hit in inside) - sum(value for value, _ in inside)) / len(rows)
    assert calibration.calibration_error(confidences, right) == pytest.approx(error, abs=1e-9)
    assert sum(found.rows for found in calibration.reliability(confidences, right)) == len(rows)


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (5, 5), (97, 100), (1, 3)])
def test_an_assured_precision_is_the_exact_bound(right, rows):
    exact = binomtest(right, rows, alternative="greater").proportion_ci(0.9, method="exact").low
    assert calibration.precision_lower_bound(right, rows) == pytest.approx(exact)


@given(ROWS)
def test_coverage_counts_what_a_threshold_accepts(rows):
    confidences, right = zip(*rows, strict=True)
    points = calibration.coverage(confidences, right)
    assert [point.threshold for point in points[1:]] == sorted({float(f"{value:.4f}") for value in confidences})
    for point in points:
        accepted = [hit for value, hit in rows if float(f"{value:.4f}") >= point.threshold]
        assert (point.rows, point.right) == (len(accepted), sum(accepted))


def test_coverage_is_thinned_to_what_was_asked_and_keeps_its_ends():
    values = np.linspace(0.5, 0.9999, 3000)
    points = calibration.accepted(values, values > 0.6, most=50)
    assert len(points) == 51 and points[0] == (0.0, 3000, int((values > 0.6).sum()))
    assert points[-1][0] == 0.9999 and points[1][0] == 0.5


def test_the_point_that_accepts_most_is_taken_and_an_unreachable_one_named(tmp_path):
    points = [Point(0.0, 10, 5, 0.3), Point(0.6, 6, 5, 0.55), Point(0.9, 3, 3, 0.46)]
    thresholds.write(tmp_path, points)
    assert thresholds.read(tmp_path) == points
    assert thresholds.threshold(tmp_path, 0.4) == points[1] and thresholds.coverage(points[1], points) == 0.6
    with pytest.raises(
        PipelineError, match=r"precision of 0.7: the best that 10 rows of dev support is 0.5500, at 0.6"
    ):
        thresholds.threshold(tmp_path, 0.7)
    with pytest.raises(ModelError, match="no confidence"):
        thresholds.read(tmp_path / "elsewhere")
    (tmp_path / thresholds.FILE).write_text("threshold\n0,5\n", encoding="utf-8")
    with pytest.raises(ModelError, match="can't be read"):
        thresholds.read(tmp_path)


def test_a_label_that_the_model_lacks_counts_as_wrong():
    about, points = calibrated_rows(np.array([[3.0, 0.0], [0.0, 3.0]], np.float32), [0, None])
    assert about["rows"] == 2 and (points[0].rows, points[0].right) == (2, 1)


def test_what_a_report_says_of_trust():
    outcomes = [
        Outcome(1, "好", "好", "好", 0.9, (0.1, 0.9)),
        Outcome(2, "坏", "好", "坏", 0.6, (0.6, 0.4)),
        Outcome(3, "坏", "坏", "坏", 0.8, (0.8, 0.2), leaked=True),
        Outcome(4, "?", None, "坏", 0.8, (0.8, 0.2)),
    ]
    points = [Point(0.0, 100, 60, 0.5), Point(0.7, 50, 48, 0.91)]
    found = calibration.measured({"test": ScoredClaims.from_rows(outcomes, 2.0)}, 2.0, points)
    assert found["test"]["rows"] == 2 and found["test"]["right"] == 0.5 and found["test"]["confidence"] == 0.75
    assert found["test"]["calibration_error"] == pytest.approx((0.1 + 0.6) / 2)
    sharper = [0.9**2 / (0.9**2 + 0.1**2), 0.6**2 / (0.6**2 + 0.4**2)]
    error = (abs(sharper[0] - 1) + sharper[1]) / 2
    assert found["test"]["uncalibrated"]["calibration_error"] == pytest.approx(error)
    nine_in_ten = next(row for row in found["thresholds"] if row["target"] == 0.9)
    assert nine_in_ten["threshold"] == 0.7 and nine_in_ten["dev"]["coverage"] == 0.5
    assert nine_in_ten["test"] == {"coverage": 0.5, "rows": 1, "precision": 1.0}
    assert found["thresholds"][-1] == {"target": 0.99, "threshold": None}
    assert calibration.measured({"test": ScoredClaims.from_rows([], 1.0)}, 1.0, points) == {}
