"""The model folder: what it answers depends on the text alone, and nothing but a whole folder is read."""

import hashlib
import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from mini import mails
from random_model import make_model
from seals import seal

import pipeline
from pipeline.__main__ import main
from pipeline.config.train import TrainSettings
from pipeline.encoding.labels import Labels
from pipeline.errors import ModelError
from pipeline.models import model as models
from pipeline.models.earlier_model import EarlierModel
from pipeline.models.model import Model
from pipeline.networks import onnx_network
from pipeline.stages import freeze
from pipeline.stages.segment import read_part
from pipeline.tasks import Classify

TEXTS = [text for _, text in mails(30, seed=9)] + ["", " \n\u3000", "从未见过的字", "a", "😀", "\x00", "会议" * 600]
CELLS = ("rnn", "lstm", "gru")


def plain(predictions):
    return [(prediction.value, prediction.score, prediction.distribution) for prediction in predictions]


def close(one, other):
    return all(
        first.value == second.value and np.allclose(first.distribution, second.distribution, atol=1e-5)
        for first, second in zip(one, other, strict=True)
    )


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of a model folder, to spoil."""
    return shutil.copytree(trained("gru") / "model", tmp_path / "model")


def refused(folder, message):
    with pytest.raises(ModelError, match=message) as caught:
        Model.load(folder).predict(["会议", "中奖"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cell", CELLS)
def test_batches_and_order_change_no_answer(trained, cell, monkeypatch):
    model = Model.load(trained(cell) / "model", precision="float32", threads=1)
    together = model.predict(TEXTS)
    order = np.random.default_rng(1).permutation(len(TEXTS))
    mixed = model.predict([TEXTS[place] for place in order])
    assert close([mixed[place] for place in np.argsort(order)], together)
    monkeypatch.setattr(onnx_network, "BATCH_SIZE", 3)
    assert close(model.predict(TEXTS), together)
    assert close([model.predict([text])[0] for text in TEXTS], together)


def test_batches_change_little_of_an_answer_in_int8(trained):
    model = Model.load(trained("lstm") / "model", precision="int8", threads=1)
    pairs = zip(model.predict(TEXTS), map(model.predict, TEXTS), strict=True)
    assert all(one.distribution == pytest.approx(other.distribution, abs=0.01) for one, other in pairs)


def test_threads_change_no_answer(trained):
    model = Model.load(trained("gru") / "model", threads=1)
    alone = plain(model.predict(TEXTS))
    with ThreadPoolExecutor(8) as pool:
        assert all(plain(found) == alone for found in pool.map(model.predict, [TEXTS] * 8))


def test_a_folder_answers_the_same_wherever_it_is(trained, folder):
    assert plain(Model.load(folder).predict(TEXTS)) == plain(pipeline.load(trained("gru")).predict(TEXTS))


def test_saving_what_was_loaded_gives_the_same_folder(folder, tmp_path):
    model = Model.load(folder)
    again = tmp_path / "again"
    again.mkdir()
    for name in ("network.onnx", "confidence.csv"):
        shutil.copy(folder / name, again)
    about = {
        key: value
        for key, value in model.about.items()
        if key not in ("format_version", "segment", "encoder", "options")
    }
    models.save(
        again,
        about=about,
        task=model.task,
        answerer=model.answerer,
        segmenter=model.segmenter,
        encoder=model.encoder,
    )
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_texts_with_nothing_in_them_have_no_answer(trained):
    model = pipeline.load(trained("gru"))
    assert model.predict([]) == []
    blank = model.predict(["", " ", "\n\t\u3000", "会议"])
    assert [prediction.value for prediction in blank[:3]] == [None] * 3
    assert [prediction.score for prediction in blank[:3]] == [0.0] * 3
    assert blank[3].value in model.labels
    assert blank[3].score == max(blank[3].distribution)
    assert sum(blank[3].distribution) == pytest.approx(1)


def test_a_text_of_100000_characters(trained):
    model = pipeline.load(trained("gru"))
    long = "会议明天项目报告" * 12_500
    assert model.predict([long])[0].value in model.labels


def test_int8_for_lstm_only(trained):
    full, small = (pipeline.load(trained("lstm"), precision=each).predict(TEXTS) for each in ("float32", "int8"))
    scores = np.array([[one.score, other.score] for one, other in zip(full, small, strict=True)])
    assert np.abs(scores[:, 0] - scores[:, 1]).max() < 0.05
    for cell in ("rnn", "gru"):
        with pytest.raises(ModelError, match="has no int8 network"):
            pipeline.load(trained(cell), precision="int8")


def test_what_int8_costs_on_dev_is_in_the_model(trained):
    run = trained("lstm")
    about = tomllib.loads((run / "model" / "model.toml").read_text("utf-8"))
    rows = read_part(run, "dev")
    for precision, scores in (("float32", about["dev"]), ("int8", about["int8"]["dev"])):
        found = Model.load(run / "model", precision=precision).predict_tokens([row.tokenised for row in rows])
        right = [prediction.value == row.gold for prediction, row in zip(found, rows, strict=True)]
        assert scores["accuracy"] == pytest.approx(np.mean(right))
    for name, lost in about["int8"]["lost"].items():
        assert lost == pytest.approx(about["dev"][name] - about["int8"]["dev"][name])
    assert about["metric"] == "accuracy"
    assert about["precision"] == ("int8" if about["int8"]["lost"]["accuracy"] <= 0.001 else "float32")
    assert Model.load(run / "model").precision == about["precision"]
    assert "int8" not in tomllib.loads((trained("gru") / "model" / "model.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("metric", "lost", "expected"),
    [
        ("macro_f1", 0.001, "int8"),
        ("macro_f1", -0.5, "int8"),
        ("macro_f1", 0.0011, "float32"),
        ("accuracy", 0.0011, "int8"),
        ("loss", 0.001, "int8"),
        ("loss", 0.0011, "float32"),
    ],
)
def test_int8_answers_by_itself_where_it_loses_next_to_nothing_of_what_chose_the_epoch(metric, lost, expected):
    prepared = SimpleNamespace(task=Classify(Labels(("好", "差"))))
    measured = {"int8": {"dev": {}, "lost": {"accuracy": 0.0, "macro_f1": lost}}}
    assert freeze.precision(prepared, metric, measured) == expected
    assert freeze.precision(prepared, metric, {}) == "float32"


def test_a_model_answers_with_the_network_that_it_names(tmp_path):
    folder = make_model(tmp_path / "model")
    assert Model.load(folder).precision == "float32"
    path = folder / "model.toml"
    path.write_text('precision = "int8"\n' + path.read_text("utf-8"), encoding="utf-8")
    seal(folder)
    assert Model.load(folder).precision == pipeline.load(folder).precision == "int8"
    assert Model.load(folder, precision="float32").precision == "float32"


@pytest.mark.parametrize(("kept", "precision"), [(True, "int8"), (False, "int8"), (False, "float32")])
def test_the_float32_network_is_left_out_only_where_int8_answers(tmp_path, kept, precision):
    folder = make_model(tmp_path / "model")
    freeze.leave_out_float32(SimpleNamespace(train=TrainSettings(keep_float32=kept)), folder, precision)
    assert (folder / "network.onnx").exists() == (kept or precision == "float32")
    assert (folder / "network.int8.onnx").exists()


def test_a_model_without_a_float32_network(tmp_path, capsys):
    folder = make_model(tmp_path / "model")
    expected = plain(Model.load(folder, precision="int8").predict(TEXTS[:5]))
    about = folder / "model.toml"
    about.write_text('precision = "int8"\n' + about.read_text("utf-8"), encoding="utf-8")
    (folder / "network.onnx").unlink()
    seal(folder)
    assert plain(Model.load(folder).predict(TEXTS[:5])) == expected
    (tmp_path / "in.csv").write_text("text\n会议\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["label", str(folder), str(tmp_path / "in.csv"), str(tmp_path / "out.csv")])
    said = capsys.readouterr().err
    assert "network         int8" in said and "--float32" not in said
    for refused_by in (lambda: Model.load(folder, precision="float32"), lambda: EarlierModel.load(folder)):
        with pytest.raises(ModelError, match="has no float32 network: use its int8 one"):
            refused_by()
    (folder / "network.int8.onnx").unlink()
    seal(folder)
    refused(folder, "has no network: copy the model folder again")


def test_every_file_is_watched(folder):
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if len(whole) > 1 else b"x")
        refused(folder, "differs from SHA256SUMS|cut short|is missing|does not list|format version")
        path.unlink()
        refused(folder, "is missing|no model here|can't be read")
        path.write_bytes(whole)
    assert Model.load(folder)


def test_a_newer_format(folder):
    path = folder / "model.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("format_version = 3", "format_version = 4"), encoding="utf-8"
    )
    refused(folder, "format version 4, this zhpipe reads 3")


def test_what_is_no_model(tmp_path):
    refused(tmp_path / "nowhere", "no model here")
    refused(tmp_path, "no model here")
    (tmp_path / "model.toml").write_bytes(b"\xff")
    refused(tmp_path, "can't be read")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("model.toml", 'task = "classify"', 'task = "x"', "the task 'x' is unknown"),
        ("model.toml", "[encoder]", "[encodr]", "encoder.reads is missing"),
        ("model.toml", 'unit = "word"', 'unit = "x"', "segment.unit expected"),
        ("model.toml", "max_tokens = 512\nunits", 'max_tokens = "x"\nunits', "max_tokens expected a whole"),
        ("labels.txt", "垃圾邮件\n", "", "takes or gives other values than a network of these settings"),
        ("labels.txt", "垃圾邮件\n", "正常邮件\n", "stands in line 1 already"),
        ("vocabulary.word.txt", "", "".join(f"新{n}\n" for n in range(50)) , "can't answer"),
    ],
)  # fmt: skip
def test_signed_again_but_contradictory(folder, name, old, new, message):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    if name == "vocabulary.word.txt":
        text, old, new = "", "", new + "会议\n中奖\n"
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
    seal(folder)
    refused(folder, message)


def test_a_name_that_leads_elsewhere_is_refused(folder, tmp_path):
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    digest = hashlib.sha256(b"x").hexdigest()
    with (folder / "SHA256SUMS").open("a", encoding="utf-8") as file:
        file.write(f"{digest}  ../secret\n")
    refused(folder, "SHA256SUMS: is cut short or altered")


def test_arrays_that_would_be_unpickled_are_refused(folder):
    np.save(folder / "grams.char.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    seal(folder)
    refused(folder, r"grams.char.npy says it has \|O")
