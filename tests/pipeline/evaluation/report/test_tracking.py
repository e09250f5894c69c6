"""Tracking: what a run leaves in MLflow, and what is said where that can't be had."""

import json
import shutil
import warnings

import pytest

import pipeline
from pipeline.config import load
from pipeline.errors import PipelineError
from pipeline.evaluation.report import tracking


def test_a_run_is_logged_with_its_settings_curves_scores_and_files(trained, tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="no MLflow: pip install mlflow-skinny")
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(trained("gru"), tmp_path / "runs" / "mini")
    uri = f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}"
    overrides = [f"evaluate.mlflow={uri}", 'evaluate.baselines=["majority"]', "evaluate.suspects=false"]
    pipeline.run(run / "config.toml", overrides=overrides, runs=tmp_path / "runs")
    document = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=uri)
        [found] = client.search_runs([client.get_experiment_by_name("mini").experiment_id])
        curve = client.get_metric_history(found.info.run_id, "epoch.dev_accuracy")
        files = {one.path for one in client.list_artifacts(found.info.run_id, "report")}
    assert found.info.status == "FINISHED"
    assert found.data.params["network.cell"] == "gru" and found.data.params["corpus.text"] == "正文"
    assert found.data.metrics["test.accuracy"] == document["test"]["accuracy"]
    assert [one.value for one in curve] == [row["dev_accuracy"] for row in document["history"]]
    assert {"report/report.html", "report/report.json", "report/predictions.csv"} <= files
    assert not [name for name in found.data.metrics if "per_label" in name]


def test_without_mlflow_the_way_out_is_said(monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with pytest.raises(PipelineError, match=r"pip install 'zhpipe\[mlflow\]'"):
        tracking.check()


def test_where_it_can_not_log_it_says_so(tmp_path):
    pytest.importorskip("mlflow", reason="no MLflow: pip install mlflow-skinny")
    with pytest.raises(PipelineError, match=r"^evaluate\.mlflow = 'nosuch://here': "):
        tracking.log("nosuch://here", {"task": "classify", "test": {"rows": 0}}, tmp_path)


def test_a_password_does_not_end_up_in_the_config():
    with pytest.raises(PipelineError, match=r"evaluate\.mlflow: has a password") as caught:
        load.from_mapping({"evaluate": {"mlflow": "https://me:hunter2@example.org"}})
    assert "hunter2" not in str(caught.value)
