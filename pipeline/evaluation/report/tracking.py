"""Tracking: logs a report as a run in MLflow, with its settings, curves, scores and files."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.evaluation.report import gate

LONGEST = 500  # most characters of a setting's value
BATCH = 100  # most settings that MLflow takes at a time


def check() -> None:
    """Raise PipelineError if MLflow is not installed."""
    if find_spec("mlflow") is None:
        raise PipelineError("evaluate.mlflow needs MLflow: pip install 'zhpipe[mlflow]', or leave it out")


def log(uri: str, document: Mapping[str, Any], folder: Path) -> str:
    """Log a report and its `folder` at `uri`, MLflow's tracking URI, and return the id of the MLflow run.

    The experiment has the name of the run. What is logged: the settings by their dotted names, the metrics after each
    epoch, the scores on test and dev without those by label, and the files as the artifact `report`. Raises
    PipelineError if MLflow is not installed or refuses.
    """
    check()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of its own dependencies
        import mlflow

        try:
            return _log(mlflow.MlflowClient(tracking_uri=uri), document, folder)
        except (mlflow.exceptions.MlflowException, OSError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            raise PipelineError(f"evaluate.mlflow = {uri!r}: {reason}") from None


def _log(client: Any, document: Mapping[str, Any], folder: Path) -> str:
    from mlflow.entities import Metric, Param

    made = document.get("made", {})
    name, now = str(made.get("name", "zhpipe")), int(1000 * time.time())
    found = client.get_experiment_by_name(name)
    experiment = found.experiment_id if found else client.create_experiment(name)
    run: str = client.create_run(experiment, run_name=f"{name}, seed {made.get('seed')}").info.run_id
    params = [Param(key, value[:LONGEST]) for key, value in _settings(made.get("config", {}))]
    for start in range(0, len(params), BATCH):
        client.log_batch(run, params=params[start : start + BATCH])
    curves = [Metric(key, value, now, step) for step, key, value in _curves(document)]
    scores = [
        Metric(key, value, now, 0)
        for key, value in gate.flat(document)
        if key.count(".") == 1 and not key.startswith("per_label") and value is not None
    ]
    client.log_batch(run, metrics=[*curves, *scores])
    client.log_artifacts(run, str(folder), "report")
    client.set_terminated(run)
    return run


def _settings(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{before}{key}.")
        else:
            yield before + key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _curves(document: Mapping[str, Any]) -> Iterator[tuple[int, str, float]]:
    for row in document.get("history", []):
        for key, value in row.items():
            if key != "epoch" and value is not None:
                yield int(row["epoch"]), f"epoch.{key}", value
