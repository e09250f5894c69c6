"""Baselines: what they learn, what they fall back to, and what they refuse."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from pipeline.errors import PipelineError
from pipeline.evaluation.baselines import crfsuite
from pipeline.evaluation.baselines.linear import BASELINES, Sample, majority, run

LABELS = ["差评", "好评"]
LINEAR = [name for name in BASELINES if name != "majority"]


def sample(text, label):
    return Sample(text.split(), text.replace(" ", ""), label)


def predict(name, train, parts, labels=()):
    """What a baseline says of each part."""
    answers = {}
    run([name], train, parts, labels, keep=answers.__setitem__)
    return answers[name]


GOOD = [sample(text, "好评") for text in ("味道 很 好", "送餐 很 快", "好吃 又 快", "服务 很 好")]
BAD = [sample(text, "差评") for text in ("难吃 极了", "送餐 太 慢", "又 慢 又 难吃")]
TRAIN = GOOD + BAD
ROWS = [sample("味道 好", "好评"), sample("太 难吃", "差评"), sample("很 快", "好评")]


@given(st.lists(st.sampled_from("甲乙丙"), min_size=1, max_size=12))
def test_majority_is_the_most_frequent_and_then_the_first(names):
    train = [Sample([], "", name) for name in names]
    order = ["丙", "乙", "甲"]
    expected = min(set(names), key=lambda name: (-names.count(name), order.index(name)))
    assert majority(train, train, order) == [expected] * len(names)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_ones_learn_and_repeat_themselves(name):
    answers = predict(name, TRAIN, {"test": ROWS}, LABELS)
    assert answers["test"] == [row.label for row in ROWS]
    assert answers == predict(name, TRAIN, {"test": ROWS}, LABELS)


def test_words_are_the_tokens_handed_in():
    def by_tokens(tokens, label):
        return Sample(tokens, "同一句话", label)

    train = [by_tokens(["A b", "c"], "甲"), by_tokens(["a b", "c"], "乙"), by_tokens(["c"], "乙")]
    assert predict("tfidf_words_svc", train, {"test": train}, ["甲", "乙"])["test"] == ["甲", "乙", "乙"]


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("train", [GOOD, [Sample([], "", "好评"), Sample([], "", "差评"), Sample([], "", "好评")]])
def test_where_nothing_can_be_learnt_the_majority_is_given(name, train):
    assert predict(name, train, {"test": ROWS}, LABELS)["test"] == ["好评"] * len(ROWS)


@pytest.mark.parametrize("labels", [2, 3])
def test_logistic_regression_is_that_of_a_pipeline_by_hand(labels):
    train = [sample(" ".join(f"{'甲乙丙'[n % labels]}{n % 5}{n % 7}"), "甲乙丙"[n % labels]) for n in range(30)]
    rows = [sample(f"{one} {n}", one) for one in "甲乙丙"[:labels] for n in range(5)]
    machine = OneVsRestClassifier(LogisticRegression(C=10, solver="liblinear"))
    found = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), machine)
    found.fit([one.text for one in train], [one.label for one in train])
    expected = found.predict([row.text for row in rows]).tolist()
    results = run(["tfidf_characters_logistic", "majority"], train, {"test": rows}, keep=lambda *_: None)
    assert predict("tfidf_characters_logistic", train, {"test": rows})["test"] == expected
    terms, machines = len(found[0].vocabulary_), 1 if labels == 2 else labels
    assert results["tfidf_characters_logistic"]["weights"] == terms + machines * (terms + 1)
    assert results["majority"]["weights"] == 1


def test_run_scores_each_part_and_tells_of_progress():
    finished = []
    results = run(list(BASELINES), TRAIN, {"dev": ROWS[:1], "test": ROWS}, advance=finished.append)
    assert list(results) == ["majority", *LINEAR] and len(LINEAR) == 4
    assert finished == [1] * 5
    assert results["majority"]["test"]["accuracy"] == pytest.approx(2 / 3)
    assert results["tfidf_words_svc"]["dev"]["rows"] == 1
    assert all(result["seconds"] >= 0 for result in results.values())


@pytest.mark.parametrize("name", BASELINES)
def test_parts_are_answered_apart(name):
    together = predict(name, TRAIN, {"dev": ROWS[:1], "none": [], "test": ROWS[1:]}, LABELS)
    assert together["none"] == []
    assert together["dev"] + together["test"] == predict(name, TRAIN, {"all": ROWS}, LABELS)["all"]


@pytest.mark.parametrize("name", BASELINES)
def test_no_training_rows_is_refused(name):
    with pytest.raises(PipelineError, match="got none"):
        predict(name, [], {"test": ROWS})


def test_a_label_that_only_test_has_is_an_error():
    scores = run(["majority"], TRAIN, {"test": [sample("很 好", "新类")]}, LABELS)["majority"]["test"]
    assert scores["accuracy"] == 0.0 and scores["per_label"]["新类"]["support"] == 1


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(PipelineError, match=r'no baseline "tfidf_word_svc".* "tfidf_words_svc"'):
        run(["tfidf_word_svc"], TRAIN, {"test": ROWS})


def test_the_weights_of_crfsuite_are_the_features_that_it_has_seen():
    train = [
        Sample(tuple("昆明人"), "昆明人", tags=("B", "E", "O")),
        Sample(tuple("在昆明"), "在昆明", tags=("O", "B", "E")),
        Sample(("人",), "人", tags=("O",)),
    ]
    found = crfsuite.run(train, {"test": train}, None, frozenset())["crfsuite"]
    tags = [sample.tags for sample in train]
    seen = {
        (feature, tag)
        for sample, line in zip(train, tags, strict=True)
        for features, tag in zip(crfsuite.features(sample.tokens), line, strict=True)
        for feature in features
    }
    assert found["weights"] == len(seen) + len({pair for line in tags for pair in itertools.pairwise(line)})
    assert found["seconds"] > 0 and found["test"]["rows"] == 3
