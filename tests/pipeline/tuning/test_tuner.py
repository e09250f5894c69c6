"""The tuner: stages shared, dev alone looked at, the best run once at the end; and ranges that are wrong."""

import json
import re
import tomllib

import pytest
from mini import CONFIG, mails, write_config, write_csv

from pipeline.__main__ import main
from pipeline.config.load import dumps, from_mapping, load, override
from pipeline.errors import PipelineError, SettingsError
from pipeline.stages import train
from pipeline.tuning import tuner

pytest.importorskip("optuna")
RANGES = """[tune]
trials = 4
[tune.ranges]
"train.learning_rate" = {low = 1e-3, high = 1e-1, log = true}
"network.units" = [3, 5]
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """mini.toml with ranges, in a folder of its own."""
    write_csv(tmp_path / "mini.csv", mails())
    monkeypatch.chdir(tmp_path)
    return write_config(tmp_path, CONFIG + RANGES)


def test_a_search_from_its_interrupt_to_its_test(config, tmp_path, capsys, monkeypatch):
    searched, real = [], train.search

    def search(used, run, folder, progress, after):
        searched.append((run, folder, used.network.units))
        if len(searched) == 2:
            after_first = after

            def after(value):
                after_first(value)
                raise KeyboardInterrupt

        return real(used, run, folder, progress, after)

    monkeypatch.setattr(tuner.train, "search", search)
    for expected in (130, 0):
        with pytest.raises(SystemExit) as ended:
            main(["tune", "mini.toml", "--set", "evaluate.baselines=[]"])
        assert ended.value.code == expected, capsys.readouterr()
    assert len(searched) == 5 and len({run for run, _, _ in searched}) == 1, "texts were cut once"
    assert searched[1] == searched[2], "what was interrupted goes on in its folder"
    printed = capsys.readouterr().out
    folder = tmp_path / "runs" / "mini" / "tune"
    found = json.loads((folder / "tune.json").read_text(encoding="utf-8"))
    trials = found["trials"]
    assert [trial["state"] for trial in trials].count("complete") == 4 and trials[0]["as_configured"]
    best = max(trials, key=lambda trial: (trial["value"], -trial["number"]))
    assert found["best"] == best["number"] and f"best     trial {best['number']}," in printed
    written = tomllib.loads((folder / "best.toml").read_text(encoding="utf-8"))
    assert written["name"] == "mini-tuned" and written["tune"]["ranges"] == {}
    rate, units = written["train"]["learning_rate"], written["network"]["units"]
    chosen = {"train.learning_rate": rate, "network.units": units}
    assert found["chosen"] == chosen and (not best["overrides"] or chosen == best["overrides"])
    report = json.loads((tmp_path / "runs" / "mini-tuned" / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert report["dev"]["accuracy"] == pytest.approx(best["value"]), "the run is the trial again"
    assert found["test"]["accuracy"] == report["test"]["accuracy"]
    page = (folder / "tune.html").read_text(encoding="utf-8")
    assert "4 of 4 trials" in page and "On test, which was looked at once" in page and page.count("<svg") >= 2
    assert not (folder / "trials").exists()
    load(folder / "best.toml")


def test_without_ranges_there_is_nothing_to_search(config, tmp_path):
    without = from_mapping({"name": "a", "corpus": {"train": "mini.csv"}})
    with pytest.raises(PipelineError, match="nothing to search"):
        tuner.tune(without, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ('"train.learningrate" = [1, 2]', '"train.learningrate" is no setting; did you mean "train.learning_rate"?'),
        ('"corpus.text" = ["a", "b"]', '"corpus.text" must be the same for all trials'),
        ('"train.metric" = ["loss", "accuracy"]', '"train.metric" must be the same for all trials'),
        ('"network.cell" = ["gru", "grü"]', "\"network.cell\": expected 'rnn', 'lstm' or 'gru', received 'grü'"),
        ('"network.units" = 64', '"network.units": expected {low, high} or a list of two values or more, received 64'),
        ('"network.units" = {low = 0, high = 8}', '"network.units": expected 1 or more, received 0'),
        ('"network.units" = {low = 8, high = 8}', '"network.units": low = 8 is not below high = 8'),
        ('"network.units" = {low = 8}', '"network.units": high: is missing'),
        (
            '"network.units" = {low = 1, high = 8, lg = true}',
            '"network.units": lg: unknown key; did you mean "log"?',
        ),
        ('"network.dropout" = {low = 0.0, high = 0.5, log = true}', "log needs low above 0"),
    ],
)
def test_a_wrong_range_is_named(config, ranges, message):
    config.write_text(f"{CONFIG}[tune.ranges]\n{ranges}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(message)) as raised:
        load(config)
    assert "mini.toml" in str(raised.value)


def test_ranges_come_through_a_config_that_is_written_out(config):
    loaded = load(config)
    again = from_mapping(tomllib.loads(dumps(loaded)))
    assert again == loaded and loaded.tune.ranges["network.units"] == (3, 5)
    changed = override(loaded, {"network.units": 3, "train.learning_rate": 0.5})
    assert (changed.network.units, changed.train.learning_rate, changed.tune.ranges) == (3, 0.5, {})
