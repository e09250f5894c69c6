"""The runner: which stages run, which are skipped, and what each setting makes anew."""

import shutil

import pytest
from mini import mails, write_csv

from pipeline.config.load import from_mapping, load
from pipeline.errors import PipelineError
from pipeline.stages.manifest import Inputs
from pipeline.stages.runner import STAGES, run_stages
from pipeline.stages.stage import Stage

NAMES = ("segment", "embed", "train", "evaluate")


@pytest.fixture
def toy(tmp_path):
    """Stages of the real names that read the one before and write a file; `run(...)` gives those that ran."""
    broken = set()

    def stage(place, name):
        def inputs(config, run):
            read = [run / NAMES[place - 1] / "out.txt"] if place else []
            return Inputs({"seed": config.seed if name != "evaluate" else 0}, read, 1)

        def perform(config, run, made, progress):
            if name in broken:
                raise PipelineError(f"{name}: broken")
            (made[name] / "out.txt").write_text(f"{name} {config.seed}", encoding="utf-8")
            return f"{name} done"

        return Stage(name, (name,), inputs, perform)

    stages = {name: stage(place, name) for place, name in enumerate(NAMES)}

    def run(seed=1, **options):
        config = from_mapping({"name": "toy", "seed": seed, "corpus": {"train": "a.csv"}})
        told = []
        run_stages(config, runs=tmp_path, report=told.append, stages=stages, **options)
        return [finished.stage for finished in told if not finished.skipped]

    run.broken = broken
    return run


def test_stages_run_once_and_again_when_something_changed(toy):
    assert toy() == list(NAMES)
    assert toy() == []
    assert toy(seed=2) == list(NAMES)
    assert toy(seed=2, force=True) == list(NAMES)


def test_first_and_last(toy):
    assert toy(last="embed") == ["segment", "embed"]
    assert toy(first="train", last="train") == ["train"]
    assert toy(first="train") == ["evaluate"]
    assert toy(first="embed", last="train", force=True) == ["embed", "train"]


def test_what_cannot_be_run_is_one_sentence(toy):
    for options, message in (
        ({"first": "trian"}, r"no stage 'trian': the stages are segment, embed, train, evaluate"),
        ({"first": "train", "last": "embed"}, r"stage train comes after stage embed: nothing to run"),
        ({"first": "train"}, r"stage train needs stage segment, which has not run: run that first"),
    ):
        with pytest.raises(PipelineError, match=message):
            toy(**options)


def test_a_refused_run_leaves_no_folder(toy, tmp_path):
    with pytest.raises(PipelineError):
        toy(first="train")
    assert not (tmp_path / "toy").exists()


def test_a_failing_stage_keeps_the_earlier_ones(toy, tmp_path):
    toy.broken.add("train")
    with pytest.raises(PipelineError, match="train: broken"):
        toy()
    toy.broken.clear()
    assert toy() == ["train", "evaluate"]


def test_a_failing_rerun_keeps_the_last_result(toy, tmp_path):
    toy()
    toy.broken.add("train")
    with pytest.raises(PipelineError):
        toy(force=True, first="train")
    assert (tmp_path / "toy" / "train" / "out.txt").read_text(encoding="utf-8") == "train 1"


def test_the_config_as_used_is_written(toy, tmp_path):
    toy(seed=5)
    assert load(tmp_path / "toy" / "config.toml").seed == 5


@pytest.mark.parametrize(
    ("section", "key", "value", "changed"),
    [
        ("segment", "hmm", False, {"segment"}),
        ("segment", "unit", "char", {"segment", "embed", "train"}),
        ("segment", "workers", 2, set()),
        ("corpus", "dev_share", 0.2, {"segment"}),
        ("embed", "window", 3, {"embed"}),
        ("embed", "vector_size", 7, {"embed", "train"}),
        ("network", "cell", "rnn", {"train"}),
        ("network", "inputs", "both", {"embed", "train"}),
        ("train", "epochs", 3, {"train"}),
        ("evaluate", "baselines", [], {"evaluate"}),
    ],
)
def test_a_setting_is_an_input_of_the_stages_that_use_it_alone(trained, tmp_path, section, key, value, changed):
    run = trained("gru")
    base = load(run / "config.toml").model_dump(mode="json")
    inputs = base["network"].pop("inputs")
    other = {**base, section: {**base[section], key: value}}
    if (section, key) != ("segment", "unit") and key != "inputs":
        other["network"] = {**other["network"], "inputs": inputs}

    def used(values):
        config = from_mapping(values)
        return {name: stage.inputs(config, run) for name, stage in STAGES.items()}

    before, after = used({**base, "network": {**base["network"], "inputs": inputs}}), used(other)
    assert {name for name in STAGES if before[name].settings != after[name].settings} == changed


def test_a_real_run_reruns_what_depends_on_a_change_alone(trained, tmp_path):
    shutil.copytree(trained("gru"), tmp_path / "mini")

    def ran(**changed):
        config = load(tmp_path / "mini" / "config.toml", [f"{key}={value}" for key, value in changed.items()])
        told = []
        run_stages(config, runs=tmp_path, report=told.append)
        return [finished.stage for finished in told if not finished.skipped]

    assert ran() == [], "a run can be moved"
    moved = {"corpus.train": write_csv(tmp_path / "moved.csv", mails())}
    assert ran(**moved) == ["segment"], "the same rows at another place give the same files, and nothing further runs"
    assert ran(**moved) == []
    assert ran(**moved, **{"evaluate.baselines": '["majority"]'}) == ["evaluate"]
