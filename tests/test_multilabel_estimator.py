"""The multi-label estimator: lists and indicator matrices, beside each other and the model that is saved."""

import pickle

import numpy as np
import pytest
from few_remarks import SUBJECTS, remarks
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

import zhpipe
from pipeline.errors import SettingsError
from zhpipe import MultilabelTextClassifier

SMALL = {"embed.method": "none", "network.embedding": "random", "network.wide.characters": 2}
QUICK = {"cell": "gru", "units": 5, "epochs": 4, "learning_rate": 0.03, "batch_size": 128, "settings": SMALL}
ROWS = remarks(120)
TEXTS, SETS = [text for _, text in ROWS], [tuple(filter(None, labels.split("|"))) for labels, _ in ROWS]
NAMES = sorted(SUBJECTS)
MATRIX = np.array([[name in labels for name in NAMES] for labels in SETS]).astype(int)


@pytest.fixture(scope="module")
def fitted():
    return MultilabelTextClassifier(**QUICK, dev_share=0.2).fit(TEXTS, SETS)


def test_lists_come_out_as_lists(fitted, tmp_path):
    found = fitted.predict(TEXTS)
    assert fitted.classes_.tolist() == NAMES and fitted.score(TEXTS, SETS) > 0.8
    assert fitted.score(TEXTS, SETS) == sum(set(a) == set(b) for a, b in zip(found, SETS, strict=True)) / len(SETS)
    assert fitted.class_prior_ == pytest.approx(MATRIX.mean(axis=0))
    fitted.save(tmp_path / "model")
    assert [one.chosen for one in zhpipe.load(tmp_path / "model").predict(TEXTS[:9])] == found[:9]


def test_a_matrix_comes_out_as_a_matrix_and_means_the_same(fitted):
    other = MultilabelTextClassifier(**QUICK, dev_share=0.2).fit(np.array(TEXTS), MATRIX)
    assert other.classes_.tolist() == [0, 1, 2]
    found = other.predict(TEXTS)
    assert found.tolist() == [[int(name in labels) for name in NAMES] for labels in fitted.predict(TEXTS)]
    assert other.score(TEXTS, MATRIX) == fitted.score(TEXTS, SETS)
    assert other.predict_proba(TEXTS) == pytest.approx(fitted.predict_proba(TEXTS))


def test_a_class_that_no_text_has_keeps_its_column():
    found = MultilabelTextClassifier(**{**QUICK, "epochs": 1}).fit(TEXTS, np.pad(MATRIX, ((0, 0), (0, 1))))
    assert found.predict(TEXTS).shape == (len(TEXTS), 4) and not found.predict_proba(TEXTS)[:, 3].any()


def test_a_blank_text_has_no_class_and_the_prior(fitted):
    assert fitted.predict([" "]) == [()]
    assert fitted.predict_proba([" "])[0] == pytest.approx(fitted.class_prior_)


def test_pickles_answer_alike(fitted):
    assert pickle.loads(pickle.dumps(fitted)).predict(TEXTS[:5]) == fitted.predict(TEXTS[:5])


@pytest.mark.parametrize(
    ("texts", "sets", "said"),
    [
        (TEXTS, ["物流"] * len(TEXTS), r"y\[0\]: expected a list of classes"),
        (TEXTS, [*SETS[:-1], [3]], r"y\[119\]: expected names without white space at their ends, received 3"),
        (TEXTS, SETS[:-1], "received 120 texts and classes of 119"),
        ([None], [()], "None"),
        (["好", "坏"], [["a|;；,，、/#+ b"], []], "expected classes without one of the marks"),
    ],
)
def test_what_is_refused(texts, sets, said):
    with pytest.raises(ValueError, match=said):
        MultilabelTextClassifier(**QUICK).fit(texts, sets)


def test_nothing_is_answered_before_fit_and_settings_are_checked():
    with pytest.raises(NotFittedError):
        MultilabelTextClassifier().predict(["好"])
    with pytest.raises(SettingsError):
        MultilabelTextClassifier(settings={"train.class_weights": True}).fit(TEXTS, SETS)


@pytest.mark.parametrize("name", ["check_estimator_cloneable", "check_get_params_invariance", "check_set_params"])
def test_checks_of_scikit_learn(name):
    getattr(estimator_checks, name)("MultilabelTextClassifier", clone(MultilabelTextClassifier()))
