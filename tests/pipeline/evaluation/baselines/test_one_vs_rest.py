"""One-vs-rest baselines beside scikit-learn's own predictions."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from pipeline.errors import PipelineError
from pipeline.evaluation.baselines import linear, one_vs_rest
from pipeline.evaluation.baselines.linear import Sample
from pipeline.evaluation.metrics.multilabel import indicators

WORDS = {"物流": "快递送货包裹", "价格": "便宜贵打折", "质量": "结实破损做工"}
NAMES = tuple(sorted(WORDS))


def samples(count, seed=0):
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        labels = [name for name in NAMES if generator.random() < 0.5]
        text = "".join(str(generator.choice(list(WORDS[name]))) * 2 for name in labels) + "今天"
        found.append(Sample(list(text), text, labels=tuple(labels)))
    return found


def test_without_dev_the_labels_are_those_of_scikit_learn():
    train, test = samples(80), samples(30, seed=1)
    [kept] = [one_vs_rest.Contest(train, {"test": test}).answer("tfidf_characters_svc").labels["test"]]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    features = vectorizer.fit_transform([one.text for one in train])
    theirs = OneVsRestClassifier(LinearSVC(random_state=0)).fit(
        features, indicators([one.labels for one in train], NAMES).astype(int)
    )
    expected = theirs.predict(vectorizer.transform([one.text for one in test]))
    assert indicators(kept, NAMES).astype(int).tolist() == expected.tolist()


@pytest.mark.parametrize("name", linear.BASELINES)
def test_every_baseline_answers_every_row_and_is_scored(name):
    answers = {}
    parts = {"dev": samples(40, 1), "test": samples(20, 2)}
    found = one_vs_rest.run([name], samples(80), parts, NAMES, keep=answers.__setitem__)
    assert [len(answers[name][part]) for part in parts] == [40, 20]
    assert found[name]["test"]["rows"] == 20 and found[name]["weights"] > 0
    if name != "majority":
        assert found[name]["test"]["micro_f1"] > 0.9


def test_majority_is_the_most_frequent_set():
    train = [Sample([], "a", labels=labels) for labels in [("x", "y"), ("x", "y"), ("x",), ()]]
    assert one_vs_rest.Contest(train, {"test": train[:1]}).answer("majority").labels == {"test": [("x", "y")]}


def test_thresholds_come_from_dev_rows_that_did_not_leak():
    fair, test = samples(40, 1), samples(30, 2)
    wrong = [Sample(one.tokens, one.text, labels=tuple(set(NAMES) - set(one.labels))) for one in samples(80)]
    plain = one_vs_rest.Contest(samples(80), {"dev": fair, "test": test})
    leaky = one_vs_rest.Contest(samples(80), {"dev": [*fair, *wrong], "dev_without_leaked": fair, "test": test})
    misled = one_vs_rest.Contest(samples(80), {"dev": [*fair, *wrong], "test": test})
    answers = [contest.answer("tfidf_words_svc").labels["test"] for contest in (plain, leaky, misled)]
    assert answers[0] == answers[1] != answers[2]


def test_an_answer_is_never_empty_where_a_models_is_not():
    asked = {"test": [Sample(["无"], "无")]}
    for never_empty in (False, True):
        contest = one_vs_rest.Contest(samples(80), asked, never_empty=never_empty)
        assert bool(contest.answer("tfidf_words_svc").labels["test"][0]) == never_empty


@pytest.mark.parametrize("labels", [("x",), ()])
def test_where_nothing_can_be_learnt_the_usual_set_is_the_answer(labels):
    train = [Sample(["好"], "好", labels=labels) for _ in range(3)]
    for name in linear.BASELINES:
        assert one_vs_rest.Contest(train, {"test": train}).answer(name).labels["test"] == [labels] * 3


def test_without_training_rows_there_is_no_baseline():
    with pytest.raises(PipelineError, match="expected training rows"):
        one_vs_rest.Contest([], {})
