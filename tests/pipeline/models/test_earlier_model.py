"""Training that goes on from a model: what the model knew stays, and new tokens, n-grams and labels come in."""

import numpy as np
import pytest
from click.testing import CliRunner
from mini import CONFIG, mails, write_config, write_csv

from pipeline.commands import run as commands
from pipeline.config.load import load
from pipeline.errors import PipelineError
from pipeline.models.earlier_model import EarlierModel
from pipeline.models.model import Model
from pipeline.stages.runner import run_stages
from zhpipe import Tagger, TextClassifier

SMALL = {"embed.vector_size": 6, "embed.epochs": 1, "embed.min_count": 1, "network.wide.linear": False}
QUICK = {"units": 5, "epochs": 2, "learning_rate": 0.01, "batch_size": 64}
ROWS = mails(60)
TEXTS, LABELS = [text for _, text in ROWS], [label for label, _ in ROWS]
NEW = [f"今晚{word}外卖打折" for word in "一二三四五六七八九十甲乙丙丁戊己庚辛"] + TEXTS[:20]
NEW_LABELS = ["一般广告"] * 18 + LABELS[:20]  # it sorts before the other two, so that all labels move
STILL = {"learning_rate": 1e-9, "epochs": 1, "warm_start": True}


def logits(model, texts):
    """Float32 (texts, labels) of a classifier."""
    return model.answerer.scores(model.network, model.encoder, model.tokenise_all(texts))


def full(estimator):
    """The model with its float32 network."""
    return Model.load(estimator.model_.network.path.parent, precision="float32")


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        ("gru", {"network.wide.characters": 2}),
        ("lstm", {"network.inputs": "both", "network.wide.words": 2, "network.wide.counts": True}),
        ("rnn", {"network.pooling": "attention"}),
        ("gru", {"network.encoder": "zh-open", "network.encoder_mode": "tuned"}),
    ],
)
def test_a_classifier_that_learns_nothing_new_answers_as_before(cell, settings):
    estimator = TextClassifier(cell=cell, **QUICK, settings={**SMALL, **settings}).fit(TEXTS, LABELS)
    before, known = full(estimator), logits(full(estimator), TEXTS)
    estimator.set_params(**STILL).fit(NEW[:18], NEW_LABELS[:9] + LABELS[:1] * 9)  # of which TEXTS have no character
    after = full(estimator)
    assert estimator.classes_.tolist() == sorted({*LABELS, *NEW_LABELS}) == list(after.labels.names)
    columns = [after.labels.id(name) for name in before.labels.names]
    assert logits(after, TEXTS)[:, columns] == pytest.approx(known, abs=1e-3)
    assert len(after.encoder.vocabularies["char"]) > len(before.encoder.vocabularies["char"])


def test_a_classifier_learns_new_rows_and_keeps_old_labels():
    plain = {**SMALL, "network.encoder": "none"}
    estimator = TextClassifier(cell="gru", **{**QUICK, "epochs": 6}, settings=plain).fit(TEXTS, LABELS)
    estimator.set_params(warm_start=True, epochs=12).fit(NEW[:18] + TEXTS[:8], NEW_LABELS[:18] + LABELS[:8])
    assert set(estimator.predict(NEW[:18])) == {"一般广告"}
    assert estimator.score(TEXTS, LABELS) > 0.8
    assert estimator.predict_proba([" "])[0].tolist() == estimator.class_prior_.tolist()


def test_old_labels_stay_though_new_rows_lack_them():
    estimator = TextClassifier(cell="gru", **QUICK, settings=SMALL).fit(TEXTS, LABELS)
    other = ["一般广告" if place % 2 else LABELS[0] for place in range(20)]
    estimator.set_params(warm_start=True).fit(NEW[:20], other)
    assert set(estimator.classes_) == {*LABELS, "一般广告"}
    assert estimator.class_prior_[estimator.classes_.tolist().index(LABELS[1])] == 0


@pytest.mark.parametrize("decode", ["greedy", "crf"])
def test_a_tagger_that_learns_nothing_new_answers_as_before(decode):
    texts = [f"{name}去了{place}" for name in ("小王", "老周", "阿梅") for place in ("北京", "昆明", "西安", "成都")]
    golds = [["B-人", "I-人", "O", "O", "B-地", "I-地"]] * 12
    settings = {**SMALL, "tag.decode": decode, "network.wide.characters": 2, "network.features.segmentation": 4}
    tagger = Tagger(cell="gru", **{**QUICK, "epochs": 8}, dev_share=0.2, settings=settings).fit(texts, golds)
    before = tagger.predict(texts)
    more = [f"今天{text}" for text in texts]
    tagger.set_params(**STILL).fit(more, [["B-时", "I-时", *gold] for gold in golds])
    assert "B-时" in tagger.classes_
    assert tagger.predict(texts) == before


def test_words_with_affixes_and_characters_go_on():
    sentences = [("我", "爱", "北京", "烤鸭", str(place)) for place in range(12)]
    settings = {**SMALL, "network.wide.words": 1, "network.wide.characters": 2, "network.features.characters": 4}
    tagger = Tagger(kind="pos", cell="rnn", **QUICK, dev_share=0.2, settings=settings)
    golds = [["n", "v", "n", "n", "m"]] * 12
    before = tagger.fit(sentences, golds).predict(sentences)
    new = [("他", "吃", "烤鱼", str(place)) for place in range(20, 32)]
    tagger.set_params(**STILL).fit(new, [["n", "v", "n", "m"]] * 12)
    assert tagger.predict(sentences) == before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, and a table with one more label."""
    folder = tmp_path_factory.mktemp("earlier")
    write_csv(folder / "mini.csv", mails())
    run = run_stages(load(write_config(folder)), runs=folder / "runs", last="train")
    rows = [*zip(NEW_LABELS, NEW, strict=True)]
    return run, write_csv(folder / "new.csv", rows)


def test_the_command_goes_on_from_a_run(trained, tmp_path):
    run, table = trained
    arguments = [str(table), "--text", "正文", "--label", "类别", "--out", str(tmp_path / "more")]
    arguments += ["--from-model", str(run), "--set", "train.epochs=1", "--set", "evaluate.suspects=false"]
    result = CliRunner().invoke(commands.train, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    model = Model.load(tmp_path / "more" / "model")
    assert set(model.labels.names) == {*LABELS, "一般广告"} and model.about["cell"] == "gru"
    tokens = Model.load(run / "model").encoder.vocabularies["word"].tokens
    assert model.encoder.vocabularies["word"].tokens[: len(tokens)] == tokens


def test_what_does_not_fit_the_model_is_refused(trained, tmp_path):
    run, _ = trained
    write_csv(tmp_path / "mini.csv", mails())
    text = CONFIG.replace("units = 5", "units = 7").replace("[train]", f'[train]\nfrom_model = "{run.as_posix()}"')
    with pytest.raises(PipelineError, match=r"the model has network\.units = 5, the config 7: leave it out"):
        run_stages(load(write_config(tmp_path, text)), runs=tmp_path / "runs", last="train")


def test_weights_are_those_that_keras_had(trained):
    earlier = EarlierModel.load(trained[0])
    assert earlier.settings["network.units"] == 5 and earlier.settings["embed.vector_size"] == 6
    assert earlier.weights["scores/kernel"].shape == (10, 2)
    assert all(np.isfinite(array).all() for array in earlier.weights.values())
