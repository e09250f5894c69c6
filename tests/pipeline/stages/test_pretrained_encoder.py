"""Runs with a pretrained encoder, from the config to labelled rows: tagging, classifying, resuming, refusing."""

import json
import tomllib
from contextlib import contextmanager

import numpy as np
import onnx
import pytest
from mini import CONFIG, mails, python, read_csv, write_config, write_csv
from onnx import numpy_helper
from tiny_encoder import CHARACTERS, make_encoder

from pipeline.config.load import load
from pipeline.errors import PipelineError
from pipeline.models.earlier_model import EarlierModel
from pipeline.models.model import Model
from pipeline.pretrained import encoder as encoders
from pipeline.stages.manifest import Manifest
from pipeline.stages.runner import run_stages
from pipeline.stages.train import STAGE

TAGGER = """name = "mini"
task = "tag"
[corpus]
train = "mini.conll"
dev = "mini.conll"
test_share = 0.0
[tag]
kind = "KIND"
[embed]
vector_size = 6
min_count = 1
epochs = 1
[network]
units = 5
encoder = "./tiny"
encoder_width = 6
max_tokens = 12
[network.features]
bigrams = 4
[train]
learning_rate = 0.02
epochs = 3
batch_size = 4
[evaluate]
baselines = []
"""
# Written for this test.
ENTITIES = (
    "我/O 们/O 在/O 河/B-地 边/I-地 走/O",
    "北/B-地 京/I-地 烤/O 鸭/O 好/O 吃/O",
    "明/O 天/O 我/O 在/O 北/B-地 京/I-地 会/O",
)
WORDS = ("我们/r 在/p 河边/n 走/v", "北京/n 烤鸭/n 好吃/a", "明天/t 我/r 会/v 在/p 北京/n")
LONG = "我们在北京走，明天在河边吃烤鸭，项目报告附件会议。" * 3


def make_run(folder, *, kind="entities", overrides=(), damage=lambda folder: None, **options):
    """The run of a tiny tagger; its dev is its train."""
    damage(make_encoder(folder / "tiny"))
    rows = (ENTITIES if kind == "entities" else WORDS) * 4
    text = "\n\n".join(row.replace("/", "\t").replace(" ", "\n") for row in rows) + "\n"
    (folder / "mini.conll").write_text(text, encoding="utf-8")
    config = write_config(folder, TAGGER.replace("KIND", kind))
    return run_stages(load(config, overrides), runs=folder / "runs", last="train", **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("tagger"), kind="joint")


def arrays_of(path):
    """The float32 matrices of a graph."""
    found = (numpy_helper.to_array(each) for each in onnx.load_model(path).graph.initializer)
    return [array for array in found if array.dtype == np.float32 and array.ndim > 1]


def has(arrays, wanted):
    return any(array.shape == wanted.shape and np.array_equal(array, wanted) for array in arrays)


def test_a_model_holds_its_frozen_encoder_and_says_whose_it_is(run):
    encoder = encoders.load(run.parent.parent / "tiny")
    about = tomllib.loads((run / "model" / "model.toml").read_text(encoding="utf-8"))
    assert about["encoder"]["pretrained"] == encoder.pretrained.about()
    assert "encoder" not in about["network"], "a path of the machine that trained"
    assert about["difference_to_keras"] < 1e-4
    tables = [value for name, value in encoder.weights.items() if name.endswith("embeddings")]
    assert all(has(arrays_of(run / "model" / "network.onnx"), table) for table in tables)
    training = json.loads((run / "train" / "training.json").read_text(encoding="utf-8"))
    assert training["train_rows"] == 12
    assert sorted(path.name for path in (run / "train").iterdir()) == ["history.csv", "training.json"]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_model_answers_alone_and_together_texts_of_any_length(run, precision):
    model = Model.load(run / "model", precision=precision)
    assert len(LONG) > 5 * model.encoder.max_tokens
    texts = ["北京烤鸭", LONG, "", "？", "我们走"]
    together = model.predict(texts)
    assert ["".join(answer.tokens) for answer in together] == texts
    if precision == "float32":
        assert [model.predict(text).raw_tags for text in texts] == [answer.raw_tags for answer in together]
    best = model.n_best(["北京烤鸭"], 3)[0]
    assert len({answer.raw_tags for answer in best}) == 3 and best[0].raw_tags == together[0].raw_tags


def test_a_tuned_encoder_is_trained_and_kept_and_forced_words_are_obeyed(tmp_path):
    (tmp_path / "words.txt").write_text("京烤\n", encoding="utf-8")
    dictionary = f'segment.dictionaries=["{(tmp_path / "words.txt").as_posix()}"]'
    tuned = ("network.encoder_mode=tuned", "train.encoder_learning_rate=0.01", "train.epochs=1")
    made = make_run(tmp_path, kind="words", overrides=(dictionary, *tuned))
    encoder = encoders.load(tmp_path / "tiny")
    found = arrays_of(made / "model" / "network.onnx")
    assert not any(has(found, value) for name, value in encoder.weights.items() if name.endswith("embeddings"))
    assert "京烤" in [span.text for span in Model.load(made / "model").predict("北京烤鸭").spans]


def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path):
    class Stop(Exception):
        pass

    @contextmanager
    def stopping(what, *, total, unit):
        def advance(done, note=""):
            if note.startswith("epoch 2"):
                raise Stop

        yield advance

    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    whole = make_run(tmp_path / "whole")
    with pytest.raises(Stop):
        make_run(tmp_path / "stopped", progress=stopping)
    config = tmp_path / "stopped" / "mini.toml"
    resumed = run_stages(load(config), runs=tmp_path / "stopped" / "runs", last="train")
    networks = [(made / "model" / "network.onnx").read_bytes() for made in (whole, resumed)]
    assert networks[0] == networks[1]


def test_a_classifier_reads_it_beside_its_other_inputs(tmp_path):
    write_csv(tmp_path / "mini.csv", mails())
    make_encoder(tmp_path / "tiny")
    options = ('network.encoder="./tiny"', "network.inputs=both", "network.encoder_width=0")
    made = run_stages(load(write_config(tmp_path, CONFIG), options), runs=tmp_path / "runs", last="train")
    for precision in ("float32", "int8"):  # of a GRU: the LSTMs of the encoder alone are int8
        answers = Model.load(made / "model", precision=precision).predict(["恭喜中奖点击链接", "会议明天项目报告", ""])
        assert [answer.value in ("垃圾邮件", "正常邮件") for answer in answers] == [True, True, False]


def test_training_does_not_go_on_from_a_model_with_an_encoder_of_ones_own(tmp_path):
    plain = ("network.features.bigrams=0", "network.features.lexicon=0", "train.epochs=1")
    run = make_run(tmp_path, overrides=plain)
    with pytest.raises(PipelineError, match="can't go on from a model with an encoder of your own: train anew"):
        EarlierModel.load(run)


def test_a_run_is_current_until_its_encoder_changes(run):
    folder, settings = run.parent.parent / "tiny", load(run.parent.parent / "mini.toml", ('tag.kind="joint"',))
    manifest, sums = Manifest.open(run), (folder / "SHA256SUMS").read_bytes()
    assert manifest.is_current("train", STAGE.inputs(settings, run))
    try:
        (folder / "SHA256SUMS").write_bytes(b"0" + sums)
        assert not manifest.is_current("train", STAGE.inputs(settings, run))
    finally:
        (folder / "SHA256SUMS").write_bytes(sums)


def test_a_damaged_encoder_is_refused_before_training(tmp_path):
    with pytest.raises(PipelineError, match="SHA-256 differs from SHA256SUMS: copy the encoder folder again"):
        make_run(tmp_path, damage=lambda folder: (folder / "forward.0.bias.npy").write_bytes(b""))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("network.encoder=zh-opne",), 'did you mean "zh-open"?'),
        (("network.encoder=./nowhere",), "nowhere: no encoder here: expected a folder with encoder.toml"),
        (("network.encoder=none", "train.encoder_learning_rate=0.1"), 'set network.encoder_mode = "tuned"'),
        (("train.encoder_learning_rate=0.1",), 'set network.encoder_mode = "tuned"'),
        (("network.encoder_layers=1",), 'set network.encoder_mode = "tuned"'),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, overrides, said):
    with pytest.raises(PipelineError, match=said.replace("?", r"\?")):
        make_run(tmp_path, overrides=overrides)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ('task = "language"\n', 'segment.unit = "word": set it to "char"'),
        ('task = "classify"\nnetwork.inputs = "words"\n', 'network.inputs to "characters" or "both"'),
        ('task = "tag"\ntag.kind = "pos"\n', 'set it to "none"'),
    ],
)
def test_a_network_that_reads_no_characters_has_no_encoder(tmp_path, values, said):
    text = f'name = "mini"\n{values}corpus.train = "mini.csv"\nnetwork.encoder = "zh-open"\n'
    with pytest.raises(PipelineError, match=said):
        load(write_config(tmp_path, text))


def test_the_command_trains_and_labels_with_it(tmp_path):
    write_csv(tmp_path / "mini.csv", mails(30))
    make_encoder(tmp_path / "tiny")
    write_config(tmp_path, CONFIG)
    options = ("--set", "network.encoder=./tiny", "--set", "network.inputs=characters", "--until", "train")
    trained = python("-m", "pipeline", "run", "mini.toml", *options, folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    labelled = python("-m", "pipeline", "label", "runs/mini", "mini.csv", "out.csv", "--text", "正文", folder=tmp_path)
    assert labelled.returncode == 0, labelled.stderr
    rows = read_csv(tmp_path / "out.csv")
    assert len(rows) == 31 and {row[2] for row in rows[1:]} <= {"垃圾邮件", "正常邮件"}
    assert any(character in CHARACTERS for row in rows[1:] for character in row[1])
