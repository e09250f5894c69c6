"""What is evaluated is what is shipped: `zhpipe label` on the raw texts of its own test rows gets the report's score.

For every task: the sample is trained, the texts of its test rows are taken from the corpus as it lies in the
repository, labelled by the command, and scored here in a few lines that share no code with the report.
"""

import csv
import json
import math
from pathlib import Path

import pytest
from mini import python, read_csv
from sklearn.metrics import accuracy_score, f1_score

SAMPLES = Path(__file__).parent.parent / "corpora" / "samples"


def report(run):
    """The test scores of a run, and the numbers of its test rows, from 1."""
    with (run / "evaluate" / "predictions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [int(row["row"]) for row in csv.DictReader(file)]
    scores = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))["test"]
    assert len(rows) == scores["rows"] > 20
    return scores, rows


def labelled(folder, run, header, rows, *options):
    """The rows that `zhpipe label` makes of a new CSV file, as dicts."""
    with (folder / "raw.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    ran = python("-m", "zhpipe", "label", run / "model", "raw.csv", "out.csv", *options, folder=folder)
    assert ran.returncode == 0, ran.stderr
    names, *found = read_csv(folder / "out.csv")
    assert len(found) == len(rows)
    return [dict(zip(names, row, strict=True)) for row in found]


def f1(gold, predicted):
    """Micro F1 of two sets."""
    return 2 * len(gold & predicted) / (len(gold) + len(predicted))


def entities(lines):
    """The entities (start, end, type) of a sentence in BIO."""
    found, start = [], None
    tags = [line.split("\t")[1] for line in lines]
    for place, tag in enumerate([*tags, "O"]):
        if start is not None and not tag.startswith("I-"):
            found.append((start, place, tags[start][2:]))
            start = None
        if tag.startswith("B-"):
            start = place
    return found


def stretches(words):
    """The (start, end) of each word in the text."""
    ends = [sum(map(len, words[: place + 1])) for place in range(len(words))]
    return list(zip([0, *ends], ends, strict=False))


def sentences():
    """Words and parts of speech of each sentence of pos.txt."""
    lines = (SAMPLES / "pos.txt").read_text(encoding="utf-8").splitlines()
    pairs = [[token.rsplit("/", 1) for token in line.split()] for line in lines]
    return [([word for word, _ in line], [tag for _, tag in line]) for line in pairs]


def test_classify(sample, tmp_path):
    run = sample("mail")
    scores, rows = report(run)
    header, *mails = read_csv(SAMPLES / "mail.csv")
    assert header == ["主题", "正文", "类别"]
    test = [mails[row - 1] for row in rows]
    found = labelled(tmp_path, run, header[:2], [mail[:2] for mail in test], "--text", "主题", "--text", "正文")
    gold, answers = [mail[2] for mail in test], [row["label"] for row in found]
    assert scores["accuracy"] == pytest.approx(accuracy_score(gold, answers))
    assert scores["macro_f1"] == pytest.approx(f1_score(gold, answers, average="macro"))
    assert scores["accuracy"] > 0.4, "a score that chance does not give"


def test_tag_entities(sample, tmp_path):
    run = sample("ner")
    scores, rows = report(run)
    blocks = (SAMPLES / "ner.conll").read_text(encoding="utf-8").strip().split("\n\n")
    test = [blocks[row - 1].splitlines() for row in rows]
    texts = ["".join(line.split("\t")[0] for line in lines) for lines in test]
    found = labelled(tmp_path, run, ["文"], [[text] for text in texts], "--text", "文")
    gold = {(row, *span) for row, lines in enumerate(test) for span in entities(lines)}
    answers = {
        (row, one["start"], one["end"], one["type"])
        for row, cells in enumerate(found)
        for one in json.loads(cells["entities"])
    }
    assert scores["f1"] == pytest.approx(f1(gold, answers)) and scores["f1"] > 0.1
    assert scores["recall"] == pytest.approx(len(gold & answers) / len(gold))


@pytest.mark.parametrize("kind", ["words", "joint"])
def test_tag_words(sample, tmp_path, kind):
    run = sample("cws", f"tag.kind={kind}")
    scores, rows = report(run)
    test = [sentences()[row - 1] for row in rows]
    found = labelled(tmp_path, run, ["文"], [["".join(words)] for words, _ in test], "--text", "文")
    gold, answers = set(), set()
    for row, ((words, tags), cells) in enumerate(zip(test, found, strict=True)):
        ours = cells["words"].split()
        named = (tags, cells["tags"].split()) if kind == "joint" else ([""] * len(words), [""] * len(ours))
        gold |= {(row, *span, tag) for span, tag in zip(stretches(words), named[0], strict=True)}
        answers |= {(row, *span, tag) for span, tag in zip(stretches(ours), named[1], strict=True)}
    assert scores["f1"] == pytest.approx(f1(gold, answers)) and scores["f1"] > 0.2


def test_tag_parts_of_speech(sample, tmp_path):
    run = sample("pos")
    scores, rows = report(run)
    test = [sentences()[row - 1] for row in rows]
    found = labelled(tmp_path, run, ["词"], [[" ".join(words)] for words, _ in test], "--words", "词")
    gold = [tag for _, tags in test for tag in tags]
    answers = [tag for cells in found for tag in cells["tags"].split()]
    assert scores["f1"] == pytest.approx(accuracy_score(gold, answers)) and scores["f1"] > 0.4


def test_language(sample, tmp_path):
    run = sample("language")
    scores, rows = report(run)
    lines = (SAMPLES / "prose.txt").read_text(encoding="utf-8").splitlines()
    test = [lines[row - 1] for row in rows]
    found = labelled(tmp_path, run, ["文"], [[line] for line in test], "--text", "文")
    nats = -sum(float(cells["log_probability"]) for cells in found)
    tokens = sum(len(line) + 1 for line in test)  # the end of a text is a token
    assert scores["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert scores["perplexity"] < 2000
