"""The headline: what the page begins with follows from the figures of the report."""

import numpy as np
import pytest

from pipeline.evaluation.metrics.calibration import ScoredClaims
from pipeline.evaluation.report import headline, summary, trust
from pipeline.evaluation.report.translations import ENGLISH


def document(**more):
    """A classifier's report of 1,000 test rows, 90 % right, beside one baseline."""
    per_label = {
        "好": {"f1": 0.95, "support": 600},
        "差": {"f1": 0.82, "support": 400},
        "无": {"f1": 0.0, "support": 0},
    }
    found = {
        "task": "classify",
        "counts": {"scored": 1000, "skipped": 0, "truncated": 0, "leaked": 0},
        "test": {"rows": 1000, "accuracy": 0.9, "per_label": per_label},
        "intervals": {"test": {"accuracy": [0.88, 0.92]}},
        "baselines": {"majority": {"test": {"accuracy": 0.6}}, "tfidf_words_svc": {"test": {"accuracy": 0.87}}},
        "against": {"tfidf_words_svc": {"rows": 1000, "difference": 0.03, "p": 0.001}},
    }
    return found | more


def lead(difference, p, rows=1000):
    scores = {"rows": rows, "accuracy": 0.9}
    return document(test=scores, against={"tfidf_words_svc": {"rows": rows, "difference": difference, "p": p}})


def threshold(target, value, coverage=0.0, precision=0.0):
    part = {"coverage": coverage, "precision": precision}
    return {"target": target, "threshold": value} | ({} if value is None else {"dev": part, "test": part})


def test_the_tiles_of_a_classifier():
    thresholds = [threshold(0.9, 0.5, 0.8, 0.93), threshold(0.95, 0.7, 0.6, 0.96), threshold(0.99, None)]
    found = headline.tiles(document(confidence={"thresholds": thresholds}, suspects={"count": 12}))
    assert found == [
        ("right on test", "90.0%", "88.0% – 92.0%"),
        ("best baseline", "87.0%", "TF-IDF words + LinearSVC"),
        (
            "needs no check",
            "60.0%",
            "of the answers: those with a confidence of 0.70 or more, 96.0% of which are right",
        ),
        ("weakest label", "差", "F1 82.0, 400 rows"),
        ("doubtful labels", "12", "to look at, in train, dev and test"),
    ]
    said = trust.out_of_reach(document(confidence={"thresholds": thresholds}), ENGLISH)
    assert said == "Out of reach with this dev split: 99.0%."


def test_a_precision_that_nothing_reaches():
    [tile] = [
        one
        for one in headline.tiles(document(confidence={"thresholds": [threshold(0.9, None)]}))
        if one[1] == "nothing"
    ]
    assert tile.title == "needs no check"


def test_nothing_scored():
    assert headline.tiles(document(test={"rows": 0})) == []
    assert headline.next_step(document(test={"rows": 0})) == ""


@pytest.mark.parametrize(
    ("made", "standing", "step"),
    [
        (lead(0.03, 0.001), "better", "zhpipe label answers new rows"),
        (lead(-0.03, 0.001), "worse", "zhpipe tune"),
        (lead(0.01, 0.3), "open", "zhpipe label answers new rows"),
        (lead(0.01, 0.3, rows=50), "open", "50 test rows are too few to tell"),
        (document(suspects={"count": 3}), "better", "zhpipe review"),
        (document(counts={"scored": 1000, "leaked": 1000}), "open", "not trained on"),
        (document(against={}, baselines={}), "open", "zhpipe label answers new rows"),
    ],
)
def test_standing_and_next_step(made, standing, step):
    assert headline.standing(made) == standing
    assert step in headline.next_step(made)


def test_a_model_that_learnt_nothing():
    test = document()["test"] | {"accuracy": 0.6}
    assert headline.standing(document(test=test)) == "worse"
    assert headline.next_step(document(test=test)) == ""  # the verdict says it


@pytest.mark.parametrize(("theirs", "standing"), [(60.0, "better"), (50.0, "open"), (40.0, "worse")])
def test_a_language_model(theirs, standing):
    made = {
        "task": "language",
        "test": {"rows": 9, "perplexity": 50.0},
        "intervals": {"test": {"perplexity": [45.0, 55.0]}},
        "baselines": {"unigram": {"test": {"perplexity": 900.0}}, "kneser_ney": {"test": {"perplexity": theirs}}},
    }
    assert headline.standing(made) == standing
    assert headline.tiles(made)[1] == ("best baseline", f"{theirs:.2f}", "Kneser-Ney n-grams")


def test_problems_are_the_counts_that_should_be_zero():
    assert headline.problems(document()) == []
    counts = {"scored": 5, "scored_dev": 5, "leaked_dev": 2, "truncated": 1_200, "odd_things": 3}
    assert headline.problems(document(counts=counts)) == [
        "1,200 scored texts are longer than network.max_tokens, and were read only to there",
        "2 dev rows have a text that was also trained on",
        "odd things: 3",
    ]


def test_changed_settings():
    defaults = {"seed": 1, "train": {"epochs": 10, "batch_size": 32}, "corpus": {"label_map": {}}}
    config = {
        "seed": 1,
        "train": {"epochs": 3, "batch_size": 32},
        "corpus": {"label_map": {"a": "b"}, "train": "x.csv"},
    }
    assert dict(headline.changed_settings(config, defaults)) == {
        "train.epochs": 3,
        "corpus.label_map": {"a": "b"},
        "corpus.train": "x.csv",
    }


def test_one_thing_is_said_as_one():
    counts = {"scored": 1, "scored_dev": 1, "leaked": 1, "leaked_dev": 1, "skipped": 1, "truncated": 1}
    made = document(counts=counts, test={"rows": 1, "accuracy": 1.0, "macro_f1": 1.0})
    assert headline.problems(made) == [
        "1 row was skipped, as it has no text or no label",
        "1 scored text is longer than network.max_tokens, and was read only to there",
        "1 test row has a text that was also trained on",
        "1 dev row has a text that was also trained on",
    ]
    said = " ".join(summary.sentences(made))
    assert said.startswith("On 1 test row the model gets") and "The 1 test row has a text that was also trained" in said
    few = lead(0.01, 0.3, rows=1)
    assert "on 1 row this may be chance" in summary.verdict(few)
    assert "1 test row is too few" in headline.next_step(few)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (0.9, 0.87, "It is 3.0 points ahead of a simpler model"),
        (0.8216, 0.7744, "It is 4.8 points ahead"),  # 82.2 and 77.4, as the page shows them
        (0.87, 0.9, "It is 3.0 points behind a simpler model, TF-IDF words + LinearSVC, which trains in 0.4 s; but on"),
        (0.9, 0.9001, "It is level with a simpler model: TF-IDF words + LinearSVC"),
    ],
)
def test_a_distance_that_may_be_chance_is_that_of_the_scores_as_shown(ours, theirs, said):
    found = lead(ours - theirs, 0.3, rows=300)
    found["test"]["accuracy"] = ours
    found["baselines"] = {"tfidf_words_svc": {"seconds": 0.4, "test": {"rows": 300, "accuracy": theirs}}}
    assert said in summary.verdict(found)


@pytest.mark.parametrize(
    ("rows", "after", "before", "said"),
    [
        (500, 0.02, 0.05, []),
        (500, 0.06, 0.05, ["Calibration made test worse"]),
        (199, 0.02, 0.05, ["left out below 200 answers, as 199"]),
        (60, 0.06, 0.05, ["Calibration made test worse", "left out below 200 answers, as 60"]),
    ],
)
def test_what_has_to_be_known_of_confidences(rows, after, before, said):
    point = {"confidence": 0.7, "right": 0.6, "rows": rows}
    found = {"rows": rows, "calibration_error": after, "reliability": [point]}
    found["uncalibrated"] = {"calibration_error": before, "reliability": [point]}
    made = document(confidence={"test": found})
    notes = trust.notes(made, ENGLISH)
    assert len(notes) == len(said) and all(part in note for part, note in zip(said, notes, strict=True))
    claims = {"test": ScoredClaims(np.full(4, 0.7), np.full(4, 0.7), np.array([True, False, True, True]))}
    drawn = " ".join(trust.drawn(made, claims, ENGLISH))
    assert ("reliability on test" in drawn) == (rows >= 200) and "precision against coverage" in drawn
