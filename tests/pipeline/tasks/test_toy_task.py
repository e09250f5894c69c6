"""A task that is not in the package: one class and one line in TASKS train, evaluate and label with it."""

import csv
import json

import pytest
from mini import mails, write_csv

import pipeline
from pipeline.config.load import load
from pipeline.jobs.label import label_file
from pipeline.stages.evaluate import evaluate_file
from pipeline.stages.runner import run_stages
from pipeline.tasks import TASKS, Classify

LONG = 13  # characters


class Length(Classify):
    """Whether a text is short or long; the answer is the text's own, and no column has it."""

    name = "length"
    needs = "a text"

    def gold(self, document):
        """By the number of characters."""
        return length(document.text)


def length(text):
    return "long" if len(text) >= LONG else "short"


@pytest.fixture
def run(mini, monkeypatch):
    """The folder of a run with the task."""
    monkeypatch.setitem(TASKS, Length.name, Length)
    write_csv(mini / "mini.csv", mails(120))
    settings = load(mini / "mini.toml", ["train.epochs=12", "train.learning_rate=0.03", "train.patience=12"])
    return run_stages(settings.model_copy(update={"task": Length.name}), runs=mini / "runs")


def test_a_task_of_ones_own(run, mini):
    report = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert set(report["test"]["per_label"]) == {"long", "short"} and report["test"]["accuracy"] > 0.7
    assert "accuracy" in (run / "evaluate" / "report.txt").read_text(encoding="utf-8")

    model = pipeline.load(run)
    assert model.task.name == "length" and model.labels.names == ("long", "short")
    [short, blank] = model.predict(["会议。", " "])
    assert short.value == "short" and blank.is_blank

    asked = write_csv(mini / "in.csv", mails(40, seed=7))
    label_file(run, asked, mini / "out.csv", text="正文")
    with (mini / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(row["label"] == length(row["正文"]) for row in rows)
    assert right > 28
    again = evaluate_file(run, asked, mini / "again", text="正文", label="类别")
    assert again.test["accuracy"] == pytest.approx(right / 40)
