"""The stage evaluate: scores of the frozen model on every row, with and without the rows that leaked."""

import json
import shutil

import pytest
from mini import mails, read_csv, write_csv

import pipeline
from corpora.errors import CorpusError
from pipeline.errors import PipelineError
from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.baselines import linear
from pipeline.evaluation.baselines.linear import BASELINES
from pipeline.stages.evaluate import evaluate_file

COLUMNS = {"text": "正文", "label": "类别"}


def report_of(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def accuracy(rows, model):
    """The share of (label, text) rows that a model answers rightly."""
    answers = model.predict([text for _, text in rows])
    return sum(answer.value == label for answer, (label, _) in zip(answers, rows, strict=True)) / len(rows)


def test_a_run_reports_what_its_model_answers(trained):
    run = trained("gru")
    report = report_of(run / "evaluate")
    model = pipeline.load(run)
    for part in ("dev", "test"):
        rows = [(label, text) for _, label, text, _ in read_csv(run / "segment" / f"{part}.csv")[1:]]
        assert report[part]["accuracy"] == pytest.approx(accuracy(rows, model))
    assert report["dev"]["accuracy"] == pytest.approx(model.about["dev"]["accuracy"]), "as training saw it"
    assert set(report["baselines"]) == set(BASELINES)
    assert len(report["history"]) == 2
    assert {"task", "model", "counts", "test", "dev", "baselines"} <= set(report)


def test_any_file_is_scored_with_every_row_counted(trained, tmp_path):
    rows = [*mails(12, seed=8), ("新类", "项目报告"), ("", "没有标签"), ("正常邮件", " ")]
    corpus = write_csv(tmp_path / "other.csv", rows)
    evaluate_file(trained("gru"), corpus, tmp_path / "out", **COLUMNS)
    report = report_of(tmp_path / "out")
    assert (report["counts"]["scored"], report["counts"]["skipped"]) == (13, 2)
    model = pipeline.load(trained("gru"))
    assert report["test"]["accuracy"] == pytest.approx(accuracy(rows[:13], model))
    predictions = read_csv(tmp_path / "out" / "predictions.csv")
    assert len(predictions) == 14


def test_a_corpus_in_another_encoding_and_format_scores_the_same(trained, tmp_path):
    utf8 = write_csv(tmp_path / "a.csv", mails(10, seed=2))
    other = write_csv(tmp_path / "b.txt", mails(10, seed=2), encoding="gb18030")
    for path, options in ((utf8, {}), (other, {"format": "csv", "encoding": "gb18030"})):
        evaluate_file(trained("gru") / "model", path, tmp_path / path.stem, **COLUMNS, **options)
    assert report_of(tmp_path / "a")["test"] == report_of(tmp_path / "b")["test"]


def test_bad_rows_are_set_aside_and_tables_have_the_encoding_asked_for(trained, tmp_path):
    corpus = write_csv(tmp_path / "a.csv", mails(10, seed=2))
    corpus.write_text(corpus.read_text(encoding="utf-8") + "坏\n", encoding="utf-8")
    options = {**COLUMNS, "bad_rows": "set-aside", "output_encoding": "utf-8-sig"}
    notes = []
    evaluate_file(trained("gru"), corpus, tmp_path / "out", **options, notify=notes.append)
    assert notes[0] == "1 rows that cannot be read, set aside"
    assert read_csv(tmp_path / "out" / "rejected.csv")[1][0] == "11"
    marked = {path.name for path in (tmp_path / "out").glob("*.csv") if path.read_bytes().startswith(b"\xef\xbb\xbf")}
    assert {"predictions.csv", "errors.csv", "confusion.csv"} <= marked
    with pytest.raises(CorpusError, match=r"row 11 .*2 cells expected"):
        evaluate_file(trained("gru"), corpus, tmp_path / "other", **COLUMNS)


def test_nothing_to_score(trained, tmp_path):
    corpus = write_csv(tmp_path / "empty.csv", [("", "a"), ("b", "")])
    with pytest.raises(PipelineError, match="no row has both a text and a label; 2 rows were read"):
        evaluate_file(trained("gru"), corpus, tmp_path / "out", **COLUMNS)
    assert not (tmp_path / "out").exists()


def test_leaked_rows_are_counted_and_scored_apart(trained, tmp_path):
    run = shutil.copytree(trained("gru"), tmp_path / "runs" / "mini")
    rows = mails(40)
    corpus = write_csv(tmp_path / "mini.csv", rows)
    test = write_csv(tmp_path / "test.csv", [*rows[:5], ("正常邮件", "附件附件会议周五")])
    overrides = [f"corpus.train={corpus}", f"corpus.test={test}", "train.epochs=1", 'evaluate.baselines=["majority"]']
    folder = pipeline.run(run / "config.toml", overrides=overrides, runs=tmp_path / "runs") / "evaluate"
    report = report_of(folder)
    assert report["counts"]["scored"] == 6
    assert report["counts"]["leaked"] == 5
    model = pipeline.load(run)
    assert report["test_without_leaked"]["accuracy"] == accuracy([("正常邮件", "附件附件会议周五")], model)
    assert "test_without_leaked" in report["baselines"]["majority"]


def test_another_evaluation_of_the_split_remembers_what_was_fitted(trained, tmp_path, monkeypatch):
    run = shutil.copytree(trained("gru"), tmp_path / "runs" / "mini")
    first = report_of(run / "evaluate")
    assert len(list((run / "evaluate" / "remembered").iterdir())) == len(first["baselines"]) + 1
    monkeypatch.setattr(linear, "_fit", None)
    monkeypatch.setattr(suspects, "_out_of_fold", None)
    for name in ("mini", "beside"):  # the run itself, and a run beside it with the same split
        if name == "beside":
            shutil.copytree(run, tmp_path / "runs" / name)
            shutil.rmtree(tmp_path / "runs" / name / "evaluate" / "remembered")
        overrides = [f"name={name}", "evaluate.language=zh"]
        again = pipeline.run(run / "config.toml", overrides=overrides, runs=tmp_path / "runs", first="evaluate")
        found = report_of(again / "evaluate")["baselines"]
        assert {key: value | {"remembered": True} for key, value in first["baselines"].items()} == found
        for page in ("report.html", "report.txt", "report.md"):
            assert "用时也是当时的用时" in (again / "evaluate" / page).read_text(encoding="utf-8")
        summary = json.loads((again / "manifest.json").read_text(encoding="utf-8"))["stages"]["evaluate"]["summary"]
        assert "remembered from an earlier evaluation of the same split: majority, tfidf_words_svc" in summary
    assert "earlier evaluation" not in (trained("gru") / "evaluate" / "report.txt").read_text(encoding="utf-8")


def test_what_is_damaged_is_said_and_nothing_is_remembered_that_is_not_wanted(trained, tmp_path):
    run = shutil.copytree(trained("gru"), tmp_path / "runs" / "mini")
    [path] = (run / "evaluate" / "remembered").glob("majority-*.json")
    path.write_text("{}", encoding="utf-8")
    asked = ['evaluate.baselines=["majority"]', "evaluate.suspects=false"]

    def summary(*overrides):
        config = run / "config.toml"
        pipeline.run(config, overrides=[*asked, *overrides], runs=tmp_path / "runs", first="evaluate", force=True)
        return json.loads((run / "manifest.json").read_text(encoding="utf-8"))["stages"]["evaluate"]["summary"]

    assert "can't be used (it has no 'sha256'): majority is fitted again" in summary()
    assert "remembered" in summary()
    assert "remembered" not in summary("evaluate.remember=false")
    assert not (run / "evaluate" / "remembered").exists()
