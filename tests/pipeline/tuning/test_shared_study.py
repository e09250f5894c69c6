"""Several `zhpipe tune` at once share a study: each trial is run by one of them, and the best config is written."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from mini import CONFIG, mails, write_config, write_csv

pytest.importorskip("optuna")
TRIALS = 4
RANGES = f"""[tune]
trials = {TRIALS}
[tune.ranges]
"train.learning_rate" = {{low = 1e-3, high = 1e-1, log = true}}
"""


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path):
    write_csv(tmp_path / "mini.csv", mails())
    write_config(tmp_path, CONFIG.replace("epochs = 2\nbatch", "epochs = 1\nbatch") + RANGES)
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "pipeline", "tune", "mini.toml", "--set", "evaluate.baselines=[]"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    ended = [(*(stream.decode("utf-8") for stream in one.communicate(timeout=400)), one.returncode) for one in both]
    for printed, complaint, code in ended:
        assert code == 0 and "Traceback" not in complaint and "best     trial" in printed, (printed, complaint)
    folder = tmp_path / "runs" / "mini" / "tune"
    found = json.loads((folder / "tune.json").read_text(encoding="utf-8"))
    done = [trial for trial in found["trials"] if trial["state"] in ("complete", "pruned")]
    assert TRIALS <= len(done) <= TRIALS + 1, "the two may each be at one when the last but one is done"
    assert [trial["number"] for trial in found["trials"]] == list(range(len(found["trials"])))
    assert sum(trial["as_configured"] for trial in found["trials"]) == 1
    rates = [trial["overrides"].get("train.learning_rate") for trial in done if not trial["as_configured"]]
    assert len(set(rates)) == len(rates), "none was run twice"
    best = max((trial for trial in done if trial["state"] == "complete"), key=lambda trial: trial["value"])
    assert found["trials"][found["best"]]["value"] == best["value"]
    written = tomllib.loads((folder / "best.toml").read_text(encoding="utf-8"))
    chosen = found["trials"][found["best"]]["overrides"]
    assert written["train"]["learning_rate"] == pytest.approx(chosen.get("train.learning_rate", 0.01))
