"""A task that is not in the package: one class and one line in TASKS train, evaluate and label with it."""

import csv
import json
import random

import pytest
from mini import WORDS, write_csv

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


def texts(count, seed):
    """(label, text) rows of few words or many; the label says nothing."""
    generator, words = random.Random(seed), [word for words in WORDS.values() for word in words]
    sizes = [generator.choice((1, 2, 8, 9)) for _ in range(count)]
    return [("?", "".join(generator.choices(words, k=size)) + "。") for size in sizes]


@pytest.fixture
def run(mini, monkeypatch):
    """The folder of a run with the task."""
    monkeypatch.setitem(TASKS, Length.name, Length)
    write_csv(mini / "mini.csv", texts(150, seed=1))
    chosen = ["train.epochs=10", "train.learning_rate=0.03", "network.pooling=last", "network.wide.characters=0"]
    chosen += ["train.batch_size=16"]
    settings = load(mini / "mini.toml", chosen)
    return run_stages(settings.model_copy(update={"task": Length.name}), runs=mini / "runs")


def test_a_task_of_ones_own(run, mini):
    report = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert set(report["test"]["per_label"]) == {"long", "short"} and report["test"]["accuracy"] > 0.9
    assert "accuracy" in (run / "evaluate" / "report.txt").read_text(encoding="utf-8")

    model = pipeline.load(run)
    assert model.task.name == "length" and model.labels.names == ("long", "short")
    [short, blank] = model.predict(["会议。", " "])
    assert short.value == "short" and blank.is_blank

    asked = write_csv(mini / "in.csv", texts(40, seed=7))
    label_file(run, asked, mini / "out.csv", text="正文")
    with (mini / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(row["label"] == length(row["正文"]) for row in rows)
    assert right > 36
    again = evaluate_file(run, asked, mini / "again", text="正文", label="类别")
    assert again.test["accuracy"] == pytest.approx(right / 40)
