"""What the tests of the review share: a run with planted label errors, whose model is trained once a session."""

import shutil

import pytest
from mini import write_csv
from random_tagger import make_tagger
from review_runs import CONFIG, planted

from pipeline.config.load import load
from pipeline.models.model import Model
from pipeline.review import queue
from pipeline.review.decisions import Decisions
from pipeline.review.session import Session
from pipeline.stages.runner import run_stages


@pytest.fixture(scope="session")
def model(trained):
    return Model.load(trained("gru") / "model")


@pytest.fixture
def run(tmp_path, monkeypatch, trained):
    """The folder of a run with planted errors, and a model that has learnt from right labels."""
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "mini.csv", planted())
    (tmp_path / "mini.toml").write_text(CONFIG, encoding="utf-8")
    made = run_stages(load(tmp_path / "mini.toml"), last="segment")
    shutil.copytree(trained("gru") / "model", made / "model")
    return made


@pytest.fixture
def tagger(tmp_path):
    return Model.load(make_tagger(tmp_path / "entities", scheme="BIO"))


@pytest.fixture
def session(run, model, tmp_path):
    """The errors of the run, about to be reviewed by somebody."""
    items = queue.of_run(run, model)
    return Session("mini", items, model, Decisions(tmp_path / "corrections.csv", "某人", lambda: "2026-01-01"))
