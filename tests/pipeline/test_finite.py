"""Answers come of finite numbers alone: other scores, and what else would make NaN of them, end in one sentence."""

import pickle
import shutil

import numpy as np
import pytest
from mini import write_csv
from random_model import make_model
from random_tagger import make_tagger
from seals import seal
from spoilt import spoil_scores, spoil_unknown

import pipeline
from pipeline.__main__ import _exit_code
from pipeline.errors import ModelError, NotFinite, PipelineError
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.models import thresholds
from pipeline.models.model import Model

NUMBERS = [np.nan, np.inf, -np.inf, 1e38]


def make(task, folder):
    return make_tagger(folder, max_tokens=8) if task == "tag" else make_model(folder)


def zhpipe(capfd, *arguments):
    code = _exit_code([str(argument) for argument in arguments])
    return code, capfd.readouterr().err


@pytest.mark.parametrize("task", ["classify", "tag"])
@pytest.mark.parametrize("number", NUMBERS)
def test_predict(tmp_path, task, number):
    make(task, tmp_path / "model")
    spoil_scores(tmp_path / "model", number)
    with pytest.raises(NotFinite, match=r"text 2 of those .*network.onnx gives it scores that are not finite: copy"):
        Model.load(tmp_path / "model").predict(["", "好"])


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_the_text_is_named(tmp_path, task):
    """Texts are sorted by length, cut into pieces where they are long, and put side by side; it's the right one."""
    make(task, tmp_path / "model")
    spoil_unknown(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    known = "我爱吃北京烤鸭" if task == "tag" else "味道，"
    assert all(found.score > 0 for found in model.predict([known, known * 9]))
    for place, text in ((1, "囧"), (2, known * 9 + "囧"), (0, "囧" + known)):
        texts = [known * 9, " ", known, known]
        texts[place] = text
        with pytest.raises(NotFinite) as caught:
            model.predict(texts)
        assert caught.value.text == place
        if task == "tag":
            with pytest.raises(NotFinite) as caught:
                model.n_best(texts, 2)
            assert caught.value.text == place
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.text, str(again)) == (caught.value.text, str(caught.value)), "as a worker sends it"


@pytest.mark.parametrize("task", ["classify", "tag"])
@pytest.mark.parametrize("workers", [1, 2])
def test_label(tmp_path, task, workers):
    make(task, tmp_path / "model")
    spoil_unknown(tmp_path / "model")
    known = "我爱" if task == "tag" else "味道，"
    rows = [(known if row != 37 else "囧",) for row in range(60)]
    write_csv(tmp_path / "in.csv", rows, header=("text",))
    limits = Limits(chunk_rows=8, solo_seconds=0.0)
    with pytest.raises(ModelError) as caught:
        label_file(tmp_path / "model", tmp_path / "in.csv", tmp_path / "out.csv", workers=workers, limits=limits)
    assert f"in.csv: row 38: {tmp_path / 'model' / 'network.onnx'} gives it scores that are not f" in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("value", ["0.0", "nan", "-inf", "inf", "1e-320", "-1.0", "0.00001", "1e9"])
@pytest.mark.parametrize("task", ["classify", "tag"])
def test_temperatures(tmp_path, task, value, capfd):
    make(task, tmp_path / "model")
    path = tmp_path / "model" / "model.toml"
    text = path.read_text(encoding="utf-8")
    assert "temperature = 1.0" in text
    path.write_text(text.replace("temperature = 1.0", f"temperature = {value}"), encoding="utf-8")
    seal(tmp_path / "model")
    with pytest.raises(ModelError, match=r"options.temperature expected"):
        pipeline.load(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [("好",)], header=("text",))
    code, said = zhpipe(capfd, "label", tmp_path / "model", tmp_path / "in.csv", tmp_path / "out.csv")
    assert code == 2 and "options.temperature expected" in said and not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["transitions", "start", "end"])
def test_the_chain_of_a_tagger(tmp_path, name, number):
    make_tagger(tmp_path / "model")
    values = np.load(tmp_path / "model" / f"{name}.npy")
    values[0] = number
    np.save(tmp_path / "model" / f"{name}.npy", values)
    seal(tmp_path / "model")
    with pytest.raises(ModelError, match="transitions, start and end have scores that are not finite"):
        Model.load(tmp_path / "model")


@pytest.mark.parametrize(
    "row",
    [
        "nan,5,4,0.5",
        "0.5,5,4,nan",
        "1.5,5,4,0.5",
        "-0.1,5,4,0.5",
        "0.5,5,6,0.5",
        "0.5,5,4,inf",
        "0.5,5,-1,0",
    ],
)
def test_thresholds_of_a_model(tmp_path, row):
    (tmp_path / "confidence.csv").write_text(f"threshold,rows,right,promised\n{row}\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"confidence.csv: thresholds and precisions are 0 to 1, received"):
        thresholds.read(tmp_path)


@pytest.mark.parametrize("below", [-0.1, 1.1, float("nan"), float("inf")])
def test_thresholds_that_are_asked_for(tmp_path, below, capfd):
    make_model(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [("好",)], header=("text",))
    with pytest.raises(PipelineError, match=r"--review-below is .*: expected 0 to 1"):
        label_file(tmp_path / "model", tmp_path / "in.csv", tmp_path / "out.csv", review_below=below)
    for option in ("--review-below", "--target-precision"):
        code, said = zhpipe(
            capfd, "label", tmp_path / "model", tmp_path / "in.csv", tmp_path / "out.csv", option, below
        )
        assert code == 2 and "Traceback" not in said and not (tmp_path / "out.csv").exists()


def test_evaluate_names_the_row(trained, tmp_path, capfd):
    """A run whose model is spoilt after training."""
    shutil.copytree(trained("gru"), tmp_path / "run")
    spoil_scores(tmp_path / "run" / "model", np.nan)
    write_csv(tmp_path / "test.csv", [("垃圾邮件", "恭喜中奖"), ("正常邮件", "明天会议")])
    columns = ("--text", "正文", "--label", "类别")
    code, said = zhpipe(capfd, "evaluate", tmp_path / "run", "--corpus", tmp_path / "test.csv", *columns)
    assert code == 2 and "row 1: " in said and "gives it scores that are not finite" in said
