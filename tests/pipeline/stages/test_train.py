"""The stage train: rows of dev that leaked judge nothing, and the parts of a classifier are weighed and told."""

import json
import tomllib
from types import SimpleNamespace

import pytest
from mini import CONFIG, mails, write_config, write_csv

from embeddings.vocabulary import Vocabulary
from pipeline.config.load import load
from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.pretrained import Pretrained
from pipeline.models.model import Model
from pipeline.stages import train
from pipeline.stages.combine import summary
from pipeline.stages.runner import run_stages

OTHER = {"垃圾邮件": "正常邮件", "正常邮件": "垃圾邮件"}
FAIR = [("垃圾邮件", "恭喜中奖点击链接"), ("正常邮件", "附件附件会议周五"), ("正常邮件", "明天同事讨论报告")]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """A run whose dev has 10 texts of train with the wrong label, and three that are fair; and what it said."""
    folder = tmp_path_factory.mktemp("leaky")
    train = mails()
    write_csv(folder / "mini.csv", train)
    write_csv(folder / "dev.csv", [*((OTHER[label], text) for label, text in train[:10]), *FAIR])
    corpus = f'train = "mini.csv"\ndev = "{(folder / "dev.csv").as_posix()}"\ntest_share = 0.0'
    config = write_config(folder, CONFIG.replace('train = "mini.csv"', corpus).replace("epochs = 2", "epochs = 8"))
    told = []
    run = run_stages(load(config), runs=folder / "runs", last="train", report=told.append)
    return run, told[-1].summary


def test_leaked_rows_do_not_count(leaky):
    run, said = leaky
    answers = Model.load(run / "model").predict([text for _, text in FAIR])
    accuracy = sum(answer.value == label for answer, (label, _) in zip(answers, FAIR, strict=True)) / len(FAIR)
    about = tomllib.loads((run / "model" / "model.toml").read_text(encoding="utf-8"))
    assert about["dev"]["accuracy"] == pytest.approx(accuracy)
    assert f"dev accuracy {accuracy:.4f}" in said


def test_the_parts_are_measured_on_the_fair_rows_and_told(leaky):
    run, said = leaky
    parts = json.loads((run / "train" / "training.json").read_text(encoding="utf-8"))["parts"]
    assert parts["rows"] == len(FAIR)
    assert set(parts["weights"]) == {"ngrams", "network"} and any(parts["weights"].values())
    assert summary(parts) in said


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((0.75, 0.25), "n-grams alone (linear SVM) 0.8510, network alone 0.8430, both 0.8660 (weights 0.75 and 0.25)"),
        (
            (1.0, 0.0),
            "n-grams alone (linear SVM) 0.8510, network alone 0.8430: by their losses on dev, the n-grams answer alone",
        ),
        (
            (0.0, 1.0),
            "n-grams alone (linear SVM) 0.8510, network alone 0.8430: by their losses on dev, the network "
            "answers alone",
        ),
    ],
)
def test_the_line_about_the_parts_is_exact(weights, said):
    found = {
        "ngrams": 0.851,
        "network": 0.843,
        "both": 0.866,
        "models": ["linear SVM"],
        "weights": dict(zip(("ngrams", "network"), weights, strict=True)),
    }
    assert summary(found) == said


def test_what_the_encoder_does_not_know_is_said():
    own = Pretrained("zh-open", Vocabulary("汉字很多"), (4,), "CC BY-SA 4.0", "us")
    texts = [Tokenised("汉字很多", ("汉", "字", "很多")), Tokenised("漢字很少", tuple("漢字很少"))]
    assert train._whose(SimpleNamespace(pretrained=own, train_texts=texts)) == (
        "zh-open knows 75.0% of train's characters, and is part of the model, under CC BY-SA 4.0"
    )
    assert train._whose(SimpleNamespace(pretrained=None, train_texts=texts)) == ""
