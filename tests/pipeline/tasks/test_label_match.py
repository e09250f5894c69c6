"""Labels that a model does not know are named, or matched if they are the same number; leaked rows compare nothing."""

import json
import re

import pytest
from mini import mails, read_csv, write_config, write_csv

from pipeline.config.load import load
from pipeline.errors import PipelineError
from pipeline.evaluation.report import reprint
from pipeline.evaluation.report.summary import sentences, verdict
from pipeline.evaluation.report.tagged import _against
from pipeline.stages import runner
from pipeline.stages.evaluate import evaluate_file
from pipeline.tasks.label_match import known_labels, numeric_matches


def matched(golds, names):
    notes = []
    return known_labels(golds, names, "a.csv", notes.append), notes


def test_numbers_written_otherwise_are_matched_and_said():
    """Before: labels 0.0 and 1.0 under a model of 0 and 1 were "0.0 % right". After: matched, with their counts."""
    found, notes = matched(["0.0", "1.0", "1.0"], ["0", "1"])
    assert found == ["0", "1", "1"]
    assert notes == ["labels were matched as numbers: 0.0 (1 row) is 0, 1.0 (2 rows) is 1"]
    assert matched(["0", "1"], ["0", "1"]) == (["0", "1"], [])
    assert matched(["01", "2"], ["1.0", "2.0"])[0] == ["1.0", "2.0"]


def test_unknown_labels_are_named_with_their_rows():
    found, notes = matched(["0.0", "好", "1", "好"], ["0", "1"])
    assert found == ["0.0", "好", "1", "好"], "some are no numbers: none is changed"
    assert notes == ["labels that the model does not know, scored as errors: 好 (2 rows), 0.0 (1 row)"]
    with pytest.raises(PipelineError, match=r"knows none of the labels: 好 \(1 row\); it knows 0, 1: name the label"):
        matched(["好"], ["0", "1"])
    _, notes = matched([*map(str, range(20)), "x"], ["x"])
    assert notes[0].endswith("9 (1 row), and 10 more")


def test_only_one_match_counts():
    assert numeric_matches(["1.0"], ["1", "01"]) == {} == numeric_matches(["nan", "inf"], ["nan", "inf", "1"])


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """A run whose labels are 0 and 1, and whose test split is its train split."""
    folder = tmp_path_factory.mktemp("numbered")
    rows = [("0" if label == "正常邮件" else "1", text) for label, text in mails(60)]
    write_csv(folder / "mini.csv", rows)
    write_csv(folder / "dev.csv", [("0" if label == "正常邮件" else "1", text) for label, text in mails(12, seed=5)])
    overrides = [f"corpus.test={folder / 'mini.csv'}", f"corpus.dev={folder / 'dev.csv'}", "train.epochs=1"]
    overrides += ['evaluate.baselines=["majority"]']
    said = []
    run = runner.run_stages(load(write_config(folder), overrides), runs=folder / "runs", report=said.append)
    return run, rows, said


def test_a_table_that_pandas_wrote_is_scored_as_it_was(numbered, tmp_path):
    run, rows, _ = numbered
    columns = {"text": "正文", "label": "类别"}
    plain = write_csv(tmp_path / "a.csv", rows)
    floats = write_csv(tmp_path / "b.csv", [(f"{label}.0", text) for label, text in rows])
    notes = []
    first = evaluate_file(run, plain, tmp_path / "a", **columns, notify=notes.append)
    assert notes == []
    second = evaluate_file(run, floats, tmp_path / "b", **columns, notify=notes.append)
    assert first.test == second.test and "0.0 (30 rows) is 0" in notes[0]
    assert {row[2] for row in read_csv(tmp_path / "b" / "predictions.csv")[1:]} == {"0", "1"}


def test_a_test_split_equal_to_train_compares_nothing(numbered):
    """Before: "accuracy is –%" and a p value over leaked rows alone. After: it is said, and there is no p value."""
    run, _, said = numbered
    document = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert document["counts"]["leaked"] == document["counts"]["scored"] == 60
    assert not document.get("against")
    text = (run / "evaluate" / "report.txt").read_text(encoding="utf-8")
    page = (run / "evaluate" / "report.html").read_text(encoding="utf-8")
    for written in (text, page):
        assert "All 60 test rows have texts that were also trained on" in written
        assert "–%" not in written and "That is" not in written
    assert not re.search(r"\bp (=|&lt;)", page)
    assert verdict(document) == "This tells nothing yet: every test row has a text that was also trained on."
    assert not [sentence for sentence in sentences(document) if "better" in sentence or "points" in sentence]
    summaries = {one.stage: one.summary for one in said}
    assert "all 60 test rows leaked" in summaries["segment"] and "every test row leaked" in summaries["evaluate"]
    assert "majority" not in summaries["evaluate"]
    reprint.reprint(run, "zh")
    assert "60 行文本训练时都见过" in (run / "evaluate" / "report.txt").read_text(encoding="utf-8")


def test_a_tagger_compares_nothing_either():
    from dataclasses import replace

    from pipeline.encoding.encoder import Tokenised
    from pipeline.evaluation.metrics.outcome import Outcome

    one = Outcome.of_tags(1, Tokenised("北京", "北京"), ("B-地", "E-地"), ("B-地", "E-地"), 0.9, leaked=True)
    assert _against([one], {"crf": [("O", "O")]}, "BMES") == {}
    assert _against([replace(one, leaked=False)], {"crf": [("O", "O")]}, "BMES")["crf"]
