"""The study: the same trials whether interrupted or not, stopped early, refused where settings differ."""

import pytest

from pipeline.config.tune import RangeSettings
from pipeline.errors import PipelineError
from pipeline.tuning.study import Pruned, Study, delete

pytest.importorskip("optuna")
RANGES = {
    "train.learning_rate": RangeSettings(low=1e-4, high=1e-1, log=True),
    "network.units": (16, [8, 16], 64),
    "train.epochs": RangeSettings(low=2, high=5),
    "network.dropout": RangeSettings(low=0.0, high=0.5, step=0.25),
}


def opened(folder, name="s", ranges=RANGES, fingerprint="a", **options):
    return Study(
        name, str(folder / "study.db"), ranges, seed=1, fingerprint=fingerprint, **{"maximise": True, **options}
    )


def score(candidate, report=lambda value: None):
    """Best at a learning rate of 0.01 and 64 units."""
    import math

    found = candidate.overrides
    if not found:
        return 0.1
    for epoch in range(found["train.epochs"]):
        report(epoch / 10)
    return 1 - abs(math.log10(found["train.learning_rate"]) + 2) / 3 + (found["network.units"] == 64) / 10


def test_the_first_is_the_config_and_the_others_are_in_their_ranges(tmp_path):
    study = opened(tmp_path)
    for _ in range(10):
        study.run(score)
    first, *others = study.trials()
    assert first.as_configured and first.overrides == {} and first.value == 0.1
    for trial in others:
        found = trial.overrides
        assert not trial.as_configured and set(found) == set(RANGES)
        assert 1e-4 <= found["train.learning_rate"] <= 1e-1 and found["network.units"] in RANGES["network.units"]
        assert found["train.epochs"] in (2, 3, 4, 5) and found["network.dropout"] in (0.0, 0.25, 0.5)
        assert trial.epochs == tuple(epoch / 10 for epoch in range(found["train.epochs"]))
    values = [trial.value for trial in study.finished() if trial.state == "complete"]
    assert study.best().value == max(values)
    importance = study.importance()
    assert set(importance) == set(RANGES) and sum(importance.values()) == pytest.approx(1)


def test_interrupted_it_comes_to_the_same_trials(tmp_path):
    (tmp_path / "whole").mkdir()
    whole = opened(tmp_path / "whole")
    for _ in range(10):
        whole.run(score)
    folders = []

    def interrupted(candidate, report):
        folders.append(candidate.folder)
        report(0.0)
        raise KeyboardInterrupt

    for number in range(10):
        study = opened(tmp_path)
        if number in (0, 3, 9):
            with pytest.raises(KeyboardInterrupt):
                study.run(interrupted)
        study.run(lambda candidate, report: folders.append(candidate.folder) or score(candidate, report))
    found, expected = opened(tmp_path).trials(), whole.trials()
    assert [(one.overrides, one.value, one.epochs) for one in found] == [
        (one.overrides, one.value, one.epochs) for one in expected
    ]
    assert len(folders) == 13 and len(set(folders)) == 10, "each goes on in the folder that it began in"


def test_what_is_below_the_median_is_stopped(tmp_path):
    study = opened(tmp_path)

    def objective(candidate, report):
        good = candidate.number < 6
        for epoch in range(4):
            report((epoch + 1) / 10 if good else 0.0)
        return 0.4

    states = [study.run(objective) for _ in range(8)]
    assert [one.state for one in states] == ["complete"] * 6 + ["pruned"] * 2
    assert len(states[-1].epochs) == 2 and study.best().number == 0


def test_a_trial_that_comes_to_nothing_says_why(tmp_path):
    study = opened(tmp_path, maximise=False)

    def objective(candidate, report):
        if candidate.number == 1:
            raise Pruned("the loss became nan")
        return 3.0 - candidate.number

    found = [study.run(objective) for _ in range(3)]
    assert (found[1].state, found[1].note, found[1].value) == ("pruned", "the loss became nan", None)
    assert study.best().number == 2, "a smaller loss is better"


def test_an_error_is_one_and_is_not_counted(tmp_path):
    study = opened(tmp_path)

    def objective(candidate, report):
        raise PipelineError("no such file")

    with pytest.raises(PipelineError, match="no such file"):
        study.run(objective)
    assert study.finished() == [] and study.best() is None and study.importance() == {}


def test_a_study_of_other_settings_is_refused_until_deleted(tmp_path):
    opened(tmp_path).run(score)
    with pytest.raises(PipelineError, match=r"was started with other settings.* --restart"):
        opened(tmp_path, fingerprint="b")
    delete("s", str(tmp_path / "study.db"))
    assert opened(tmp_path, fingerprint="b").trials() == []


@pytest.mark.parametrize("storage", ["nosuch://host/name", "sqlite:////nowhere/at/all/study.db"])
def test_a_storage_that_can_not_be_had(storage):
    with pytest.raises(PipelineError, match=r"no study can be kept here .* give --storage"):
        Study("s", storage, RANGES, maximise=True, seed=1, fingerprint="a")
