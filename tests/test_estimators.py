"""The estimators of scikit-learn: what it does with estimators works with these, and on texts."""

import gc
import pickle
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from mini import mails
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import pipeline
from corpora import formats
from pipeline.errors import ModelError, PipelineError, SettingsError
from pipeline.models.packed_model import PackedModel
from zhpipe import LanguageModel, Tagger, TextClassifier

SMALL = {"embed.vector_size": 6, "embed.epochs": 1, "embed.min_count": 1, "network.wide.characters": 2}
QUICK = {"cell": "gru", "units": 5, "epochs": 2, "learning_rate": 0.01, "batch_size": 64, "settings": SMALL}
ESTIMATORS = [TextClassifier(), Tagger(), LanguageModel()]
ROWS = mails(60)
TEXTS, LABELS = [text for _, text in ROWS], [label for label, _ in ROWS]
SENTENCES = [
    ("".join(sentence.tokens), list(sentence.tags))
    for sentence in formats.read_tagged(Path("corpora/samples/ner.conll").resolve())
][:60]


@pytest.fixture(scope="module")
def fitted():
    return TextClassifier(**QUICK).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def tagger():
    return Tagger(**{**QUICK, "epochs": 3}).fit(*zip(*SENTENCES, strict=True))


# What scikit-learn checks of any estimator, as far as that needs no numbers as input.
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)
# The others, and where their matter is tested here. All of them fit rows of random numbers, which are no texts; turned
# into texts they would train some hundreds of networks.
LEFT_OUT = {
    "of the input as numbers (shape, dtype, sparse, NaN, infinity, complex, feature names)": "no numbers are read",
    "check_fit_score_takes_y, check_classifiers_classes, check_classifiers_train": "test_any_sequence_and_class",
    "check_estimators_pickle, check_dict_unchanged": "test_pickles_hold_bytes_and_no_session",
    "check_fit_idempotent, check_methods_subset_invariance": "test_the_same_texts_give_the_same_model",
    "check_fit_check_is_fitted, check_estimators_unfitted": "test_nothing_is_answered_before_fit",
    "check_classifiers_one_label, check_requires_y_none, check_estimators_empty_data_messages": "test_what_is_refused",
    "check_n_features_in": "texts have no columns, so that n_features_in_ is not set",
    "check_sample_weights_*, check_class_weight_*": "fit takes no weights",
    "check_decision_proba_consistency": "there is no decision_function",
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_checks_of_scikit_learn(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings("ignore:Can't test estimator")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_the_generator_of_scikit_learn_gives_no_other_check(estimator):
    ran = [check.func.__name__ for _, check in estimator_checks.estimator_checks_generator(estimator)]
    assert set(ran) <= set(CHECKS)


def test_the_tags_say_texts():
    for estimator in ESTIMATORS:
        found = estimator.__sklearn_tags__()
        assert found.input_tags.string and not found.input_tags.two_d_array
    assert is_classifier(TextClassifier()) and not is_classifier(Tagger())


def test_it_learns_and_answers_with_probabilities(fitted):
    found = fitted.predict_proba(TEXTS)
    assert found.shape == (60, 2) and np.allclose(found.sum(axis=1), 1)
    assert fitted.classes_.tolist() == sorted(set(LABELS))
    assert fitted.score(TEXTS, LABELS) > 0.9
    assert not hasattr(fitted, "n_features_in_")
    for text, row, answer in zip(TEXTS, found, fitted.model_.predict(TEXTS), strict=True):
        assert dict(zip(fitted.classes_, row, strict=True)) == dict(
            zip(answer.labels, answer.distribution, strict=True)
        )
        assert fitted.predict([text])[0] == fitted.classes_[row.argmax()]


def test_a_blank_text_gets_the_shares_of_the_classes(fitted):
    assert np.array_equal(fitted.predict_proba([" ", ""]), [fitted.class_prior_] * 2)


@pytest.mark.parametrize("kind", ["numbers", "booleans", "series"])
def test_any_sequence_and_class(kind):
    made = {
        "numbers": lambda: (np.array(TEXTS), np.array([label == LABELS[0] for label in LABELS]) * 3 - 1),
        "booleans": lambda: (tuple(TEXTS), [label == LABELS[0] for label in LABELS]),
        "series": lambda: (pd.Series(TEXTS, index=range(9, 69)), pd.Series(LABELS, dtype="category")),
    }
    texts, labels = made[kind]()
    model = TextClassifier(**{**QUICK, "epochs": 1}).fit(texts, labels)
    assert set(model.classes_.tolist()) == set(labels)
    assert model.predict(texts).dtype == model.classes_.dtype


@pytest.mark.parametrize(
    ("texts", "labels", "said"),
    [
        ([], [], "expected texts, received none"),
        (["好", None], ["a", "b"], r"texts\[1\]: expected a text, received None"),
        (["好", "差"], ["a"], "expected a class for each text, received 2 texts and 1 classes"),
        (["好", "差"], ["a", "a"], "expected two classes or more, y has 1 class: a"),
        (["好", "差"], [0.5, 0.7], "Unknown label type: continuous"),
        (["好", "差"], ["a", " b"], "class ' b': expected a name without white space"),
        ("好差", ["a", "b"], "expected a sequence of texts, received one text"),
        (pd.DataFrame({"内容": ["好"]}), ["a"], "received a data frame with the columns 内容"),
    ],
)
def test_what_is_refused(texts, labels, said):
    with pytest.raises(ValueError, match=said):
        TextClassifier().fit(texts, labels)


def test_what_the_stages_refuse_names_no_temporary_file():
    with pytest.raises(SettingsError, match=r'network.cell: expected .*received "?\'?gur'):
        TextClassifier(cell="gur").fit(TEXTS, LABELS)
    with pytest.raises(PipelineError, match=r"^X: ") as caught:
        TextClassifier(**QUICK).fit(["好", "差"], ["a", "b"])
    assert "tmp" not in str(caught.value)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_nothing_is_answered_before_fit(estimator, tmp_path):
    answer = getattr(estimator, "predict", None) or estimator.score_samples
    for ask in (answer, lambda texts: estimator.save(tmp_path / "model")):
        with pytest.raises(NotFittedError):
            ask(["好"])


def test_the_same_texts_give_the_same_model(fitted):
    again = clone(fitted).fit(TEXTS, LABELS)
    assert np.array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert np.allclose(fitted.predict_proba(TEXTS[:3]), fitted.predict_proba(TEXTS)[:3], atol=1e-5)


@pytest.mark.parametrize("through", ["pickle", "joblib"])
def test_pickles_hold_bytes_and_no_session(fitted, through):
    before = {name: value for name, value in vars(fitted).items() if name != "packed_"}
    expected = fitted.predict_proba(TEXTS)
    if through == "pickle":
        copied = pickle.loads(pickle.dumps(fitted))
    else:
        file = BytesIO()
        joblib.dump(fitted, file)
        copied = joblib.load(BytesIO(file.getvalue()))
    assert np.array_equal(copied.predict_proba(TEXTS), expected)
    assert {name: value for name, value in vars(fitted).items() if name != "packed_"} == before
    assert set(vars(copied.packed_)["files"]) >= {"model.toml", "network.onnx", "SHA256SUMS"}


def test_an_altered_pickle_is_refused(fitted):
    spoilt = PackedModel({**fitted.packed_.files, "labels.txt": b"a\nb\n"})
    with pytest.raises(ModelError, match="SHA-256 differs"):
        spoilt.model  # noqa: B018
    for name in ("../evil", "/etc/evil", "a\\b"):
        with pytest.raises(ModelError, match="expected names inside"):
            PackedModel({name: b""})


def test_the_temporary_folder_is_private_and_goes_with_the_estimator(fitted):
    copied = pickle.loads(pickle.dumps(fitted))
    folder = copied.model_.network.path.parent
    assert folder.stat().st_mode & 0o077 == 0
    del copied
    gc.collect()
    assert not folder.exists()


def test_a_saved_model_is_a_model_folder(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    assert pipeline.load(tmp_path / "model").predict(TEXTS) == fitted.model_.predict(TEXTS)
    with pytest.raises(ModelError, match="exists already"):
        fitted.save(tmp_path / "model")


def test_searches_and_pipelines():
    quick, half = {**QUICK, "epochs": 1}, StratifiedShuffleSplit(1, test_size=0.5, random_state=1)
    steps = make_pipeline(FunctionTransformer(lambda texts: [text.strip() for text in texts]), TextClassifier(**quick))
    assert cross_val_score(steps, TEXTS, LABELS, cv=2).shape == (2,)
    grid = {"cell": ["rnn"], "settings": [SMALL, {**SMALL, "network.pooling": "last"}]}
    search = GridSearchCV(TextClassifier(**quick), grid, cv=half).fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 2 and search.predict(["恭喜中奖"])[0] in set(LABELS)


def test_a_tagger_learns_and_answers_a_tag_a_token(tagger):
    texts, golds = zip(*SENTENCES, strict=True)
    found = tagger.predict([*texts, "老 周\n去了昆明", ""])
    assert [len(tags) for tags in found] == [*map(len, golds), 8, 0]
    assert {tag for tags in found for tag in tags} <= set(tagger.classes_) | {"O"}
    assert found[-2][1] == found[-2][3] == "O"
    assert 0 <= tagger.score(texts, golds) <= 1
    assert tagger.unit_ == "char" and pickle.loads(pickle.dumps(tagger)).predict(texts) == found[:-2]


def test_the_score_of_a_tagger_is_f1_of_exact_spans(tagger, monkeypatch):
    gold = ["B-人名", "I-人名", "O", "B-地名", "I-地名", "O"]
    said = ["B-人名", "I-人名", "O", "B-地名", "O", "B-时间"]
    monkeypatch.setattr(Tagger, "predict", lambda self, texts: [said])
    assert tagger.score(["老周去昆明了"], [gold]) == pytest.approx(2 * 1 / (3 + 2))


@pytest.mark.parametrize("kind", ["words", "pos"])
def test_words_and_parts_of_speech(kind):
    sentences = [("我", "爱", "北京", "烤鸭"), ("北京", "人", "爱", "我"), ("我", "吃", "烤鸭")] * 10
    tag_of = {"我": "n", "爱": "v", "北京": "n", "烤鸭": "n", "人": "n", "吃": "v"}
    if kind == "pos":
        texts, golds = sentences, [[tag_of[word] for word in words] for words in sentences]
    else:
        texts = ["".join(words) for words in sentences]
        golds = [[tag for word in words for tag in ("S" if len(word) == 1 else "BE")] for words in sentences]
    texts = [(*text, str(place)) if kind == "pos" else f"{text}{place:02}" for place, text in enumerate(texts)]
    golds = [[*gold, "w"] if kind == "pos" else [*gold, "B", "E"] for gold in golds]
    tagger = Tagger(kind=kind, **{**QUICK, "epochs": 6}).fit(texts, golds)
    assert tagger.unit_ == ("word" if kind == "pos" else "char")
    assert tagger.score(texts, golds) > 0.6


@pytest.mark.parametrize(
    ("texts", "golds", "said"),
    [
        (["我爱"], [["O"]], r"y\[0\]: expected 2 tags, one for each token, received 1"),
        (["我爱"], [], "received 1 texts and tags of 0"),
        ([["我 爱"]], [["O"]], r"X\[0\]: expected tokens without white space, received '我 爱'"),
        ([None], [["O"]], r"X\[0\]: expected a text or its tokens, received NoneType"),
        ("我爱", [["O"]], "received one text"),
        (["我"], [["X-人"]], "are of no scheme"),
    ],
)
def test_what_a_tagger_refuses(texts, golds, said):
    with pytest.raises(ValueError, match=said):
        Tagger().fit(texts, golds)


LANGUAGE = {**QUICK, "cell": "lstm", "settings": {"embed.vector_size": 6, "embed.epochs": 1, "embed.min_count": 1}}


def test_a_language_model_scores_texts_and_generates():
    model = LanguageModel(**LANGUAGE).fit(pd.Series(TEXTS, index=range(7, 67)))
    alike, noise = TEXTS[0], TEXTS[0][::-1] + "".join(reversed(TEXTS[1]))
    found = model.score_samples([alike, noise])
    assert found.shape == (2,) and found[0] / (len(alike) + 1) > found[1] / (len(noise) + 1)
    tokens = sum(len(text) + 1 for text in TEXTS)
    assert model.score(TEXTS) == pytest.approx(model.score_samples(TEXTS).sum() / tokens, rel=1e-6)
    copied = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copied.score_samples(TEXTS[:3]), model.score_samples(TEXTS[:3]))
    assert copied.model_.generate(TEXTS[0][:2], length=3)[0].startswith(TEXTS[0][:2])
    assert np.isfinite(cross_val_score(clone(model), TEXTS, cv=2)).all()
    with pytest.raises(ValueError, match="received none"):
        model.score([])
