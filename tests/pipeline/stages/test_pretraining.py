"""Pretraining from raw text to an encoder: what is read, what is left out, how good it is, and what goes on from it."""

import gzip
import hashlib
import json
import math
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from mini import CONFIG as CLASSIFIER
from mini import mails, python, write_config, write_csv
from onnx import numpy_helper
from tiny_encoder import CHARACTERS, log_probabilities, make_encoder

from pipeline.__main__ import BAD_INPUT, SUCCESS, main
from pipeline.config.load import load
from pipeline.errors import PipelineError
from pipeline.models.model import Model
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained import language_weights
from pipeline.stages.pretraining.runner import pretrain
from pipeline.stages.runner import run_stages

CONFIG = """name = "mini"
task = "language"
[corpus]
train = "texts/*.txt*"
test = "test.txt"
dev_share = 0.2
[segment]
unit = "char"
[embed]
method = "none"
vector_size = 6
[network]
layers = 2
units = [5, 4]
embedding = "random"
max_tokens = 12
[language]
tied = true
bptt_steps = 8
[train]
learning_rate = 0.02
epochs = 2
batch_size = 8
[card]
licence = "CC0 1.0"
attribution = "nobody"
"""
# Written for these tests.
FIRST = ["河边起了雾，船看不见了。", "明天的会议改到周五。", "项目报告请放在附件里。", "北京的烤鸭很好吃。", "", "  "]
SECOND = [
    "同事们在河边走，讨论项目的进度。",
    "附件里的报告明天要用。",
    "雾散了，船又看得见了。",
    "烤鸭店在河边，周五人多。",
]
TEST = ["明天河边有雾。", "报告里有烤鸭吗？", "周五在北京开会，请看附件里的项目进度报告。"]

ONCE = [TEST[0], "她独自唱歌。"]


def write_texts(folder):
    """Ten texts in two files, eight of them three times; test has one of the others."""
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("\n".join([*FIRST * 3, *ONCE]) + "\n", encoding="utf-8")
    packed = gzip.compress("\n".join(SECOND * 3).encode("utf-8"), mtime=0)
    (folder / "texts" / "b.txt.gz").write_bytes(packed)
    (folder / "test.txt").write_text("\n".join(TEST) + "\n", encoding="utf-8")
    return write_config(folder, CONFIG)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run of a tiny encoder."""
    folder = tmp_path_factory.mktemp("pretrained")
    return pretrain(load(write_texts(folder)), runs=folder / "runs").parent


@pytest.fixture
def zhpipe(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return called


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_card_says_what_was_read_and_the_vocabulary_is_counted(run):
    encoder, texts = encoders.load(run / "encoder"), run.parent.parent / "texts"
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in texts.iterdir()}
    found = {source.name: (source.sha256, source.texts, source.characters) for source in encoder.card.sources}
    length = sum(map(len, [*FIRST[:4] * 3, *ONCE]))
    assert found["a.txt"] == (sums["a.txt"], 14, length)
    assert found["b.txt.gz"] == (sums["b.txt.gz"], 12, 3 * sum(map(len, SECOND)))
    about = json.loads((run / "texts" / "texts.json").read_text(encoding="utf-8"))
    longer = sum(len(text) > 12 for text in TEST) + 3 * sum(len(text) > 12 for text in SECOND)
    assert about["left_out"] == {"blank": 6, "held_out": 1, "cut": longer}
    codes = np.fromfile(run / "texts" / "train.codes", "<u4")
    counts = Counter(map(chr, codes.tolist()))
    assert set(encoder.vocabulary.tokens) == {character for character, count in counts.items() if count >= 2}
    assert encoder.card.characters == len(codes) == about["characters"]["train"]
    assert encoder.card.licence == "CC0 1.0" and encoder.card.training["texts_test"] == 4
    assert not [path for path in run.rglob("*") if path.suffix == ".onnx"]


def test_the_perplexity_is_that_of_the_equations_on_the_folder_alone(run):
    encoder = encoders.load(run / "encoder")
    spelling = json.loads((run / "texts" / "spelling.json").read_text(encoding="utf-8"))["counts"]
    kinds, seen = max(len(spelling), 1), sum(spelling.values())
    pieces = [text[start : start + 12] for text in TEST for start in range(0, len(text), 12)]
    unknown = [character for text in TEST for character in text if character not in encoder.vocabulary]
    assert unknown, "a character that train lacks"
    spelt = sum(math.log((spelling.get(character, 0) + kinds / 0x110000) / (seen + kinds)) for character in unknown)
    for direction in encoders.DIRECTIONS:
        logs = np.concatenate([log_probabilities(encoder, direction, piece) for piece in pieces])
        assert len(logs) == sum(map(len, TEST)) + len(pieces)
        expected = math.exp(-(logs.sum() + spelt) / len(logs))
        assert getattr(encoder.card.perplexity, direction) == pytest.approx(expected, rel=1e-4)


class Stop(Exception):
    pass


def stopping(begin):
    """A meter that stops the work when a note or the name of a stage begins so."""

    @contextmanager
    def meter(what, *, total, unit):
        def advance(done, note=""):
            if f"{what}: {note}".startswith(begin):
                raise Stop

        yield advance

    return meter


@pytest.mark.parametrize("place", ["read", "train forward: epoch 2", "train backward: epoch 1", "measure"])
def test_stopped_anywhere_it_ends_with_the_same_folder(tmp_path, run, monkeypatch, place):
    monkeypatch.setattr("pipeline.training.trainer.SAVE_SECONDS", 0.0)
    settings = load(write_texts(tmp_path))
    with pytest.raises(Stop):
        pretrain(settings, runs=tmp_path / "runs", progress=stopping(place))
    assert not (tmp_path / "runs" / "mini" / "encoder").exists()
    made = pretrain(settings, runs=tmp_path / "runs")
    assert contents(made) == contents(run / "encoder")


def test_a_tagger_and_a_classifier_read_its_states(tmp_path, run):
    write_csv(tmp_path / "mini.csv", mails())
    own = f'network.encoder="{(run / "encoder").as_posix()}"'
    options = (own, "network.inputs=characters", "network.encoder_width=3", "train.epochs=1")
    made = run_stages(load(write_config(tmp_path, CLASSIFIER), options), runs=tmp_path / "runs", last="train")
    about = tomllib.loads((made / "model" / "model.toml").read_text(encoding="utf-8"))
    assert about["encoder"]["pretrained"]["name"] == "mini"
    (tmp_path / "mini.conll").write_text("河\tB-地\n边\tI-地\n走\tO\n\n" * 4, encoding="utf-8")
    tagger = 'name = "tags"\ntask = "tag"\ncorpus.train = "mini.conll"\ncorpus.dev = "mini.conll"\n'
    tagger += "corpus.test_share = 0.0\nembed.vector_size = 4\nembed.min_count = 1\nnetwork.units = 4\n"
    config = write_config(tmp_path, tagger, "tags.toml")
    made = run_stages(load(config, (own, "train.epochs=1")), runs=tmp_path / "runs", last="train")
    assert len(Model.load(made / "model").predict("河边走").raw_tags) == 3


def test_training_goes_on_from_an_encoder(tmp_path, zhpipe, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_texts(tmp_path)
    earlier = encoders.load(make_encoder(tmp_path / "tiny"))
    still = ("--set", "train.learning_rate=1e-9", "--set", "train.epochs=1", "--set", "pretrain.precision=float16")
    code, out, error = zhpipe("pretrain", "mini.toml", "--from-encoder", "./tiny", *still)
    assert code == SUCCESS, error
    assert "goes on from tiny, whose weights are int8" in out
    made = encoders.load(tmp_path / "runs" / "mini" / "encoder")
    assert made.vocabulary.tokens[: len(CHARACTERS)] == tuple(CHARACTERS)
    assert len(made.vocabulary.tokens) > len(CHARACTERS)
    known = slice(2, len(CHARACTERS) + 2)
    for name, array in earlier.arrays.items():
        rows = known if len(array) == len(CHARACTERS) + 2 else slice(None)
        np.testing.assert_allclose(made.arrays[name][rows], array[rows], atol=2e-3)
    new = made.arrays["forward.scores_bias"][len(CHARACTERS) + 2 :]
    shared = earlier.arrays["forward.scores_bias"][1] - math.log(len(new) + 1)
    np.testing.assert_allclose(new, shared, atol=2e-3)
    assert made.card.training["started_from"] == "tiny" and "Goes on from tiny: nobody" in made.card.attribution


def test_what_is_carried_over_gives_known_characters_the_same_probabilities(tmp_path):
    """All new characters together are as likely as the unknown one was, up to the small move of their vectors."""
    encoder = encoders.load(make_encoder(tmp_path / "tiny", precision="float16"))
    wanted = encoders.Vocabulary([*CHARACTERS[::-1], "龘", "靐"])
    weights = language_weights.of(encoder.arrays, "forward")
    carried = language_weights.carried(weights, encoder.vocabulary, wanted, seed=1)
    other = encoders.PretrainedEncoder(
        encoder.card, wanted, {**encoder.arrays, **language_weights.arrays(carried, "forward")}
    )
    text = "我们在河边走，"
    first, second = (log_probabilities(each, "forward", text) for each in (encoder, other))
    np.testing.assert_allclose(first, second, atol=0.1)
    assert language_weights.arrays(weights, "forward") == {
        name: pytest.approx(array) for name, array in encoder.arrays.items() if name.startswith("forward")
    }


def test_a_language_model_starts_from_the_forward_direction(tmp_path):
    write_texts(tmp_path)
    encoder = encoders.load(make_encoder(tmp_path / "tiny"))
    options = ("corpus.train=texts/a.txt", "network.encoder=./tiny", "train.learning_rate=1e-9", "train.epochs=1")
    made = run_stages(load(tmp_path / "mini.toml", options), runs=tmp_path / "runs", last="train")
    about = tomllib.loads((made / "model" / "model.toml").read_text(encoding="utf-8"))
    assert about["started_from"] == encoder.pretrained.about() and "pretrained" not in about["encoder"]
    graph = onnx.load_model(made / "model" / "network.onnx").graph
    held = [numpy_helper.to_array(tensor) for tensor in graph.initializer]
    projection = encoder.arrays["forward.projection"].T if "forward.projection" in encoder.arrays else None
    assert projection is not None
    assert any(each.shape == projection.shape and np.allclose(each, projection, atol=1e-5) for each in held)
    model = Model.load(made / "model")
    assert {*CHARACTERS, *"雾了"} <= {*model.encoder.vocabularies["char"].tokens}, "those of both"
    assert "runs" not in str(about["network"]) and len(model.predict(["河边"])[0].distribution) == 3


def test_the_command_tells_each_stage_and_goes_no_second_time(tmp_path, zhpipe, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_texts(tmp_path)
    code, out, error = zhpipe("pretrain", "mini.toml", "--set", "train.epochs=1")
    assert (code, error) == (SUCCESS, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["texts", "forward", "backward", "measure", "encoder"]
    assert "6 blank lines left out; 1 texts left out that dev or test has" in lines[0]
    assert "long texts read in pieces of 12 characters" in lines[0] and "rare characters are unknown" in lines[0]
    before = contents(tmp_path / "runs" / "mini" / "encoder")
    code, out, _ = zhpipe("pretrain", "mini.toml", "--set", "train.epochs=1")
    assert code == SUCCESS and out.count("nothing has changed") == 4
    code, _, error = zhpipe("pretrain", "mini.toml")
    assert code == BAD_INPUT and "was made from other texts or settings" in error and "--force" in error
    assert contents(tmp_path / "runs" / "mini" / "encoder") == before


def spoilt(name, data):
    def spoil(folder):
        (folder / "texts" / name).write_bytes(data)

    return spoil


def as_it_is(folder):
    pass


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (as_it_is, ["corpus.train=texts/*.text"], "texts/*.text: no file matches"),
        (as_it_is, ["corpus.train=nowhere.txt"], "nowhere.txt: no such file"),
        (as_it_is, ["corpus.train=texts"], "texts: is a folder"),
        (as_it_is, ['embed.extra=["more/*.txt"]'], "more/*.txt: no file matches"),
        (spoilt("c.txt", b""), [], "c.txt: has no text"),
        (spoilt("c.txt", b" \n\n"), [], "c.txt: has no text"),
        (spoilt("c.txt", "好\n".encode("gb18030")), [], "c.txt: line 1: byte 0"),
        (spoilt("c.txt.gz", b"no gzip"), [], "c.txt.gz: damaged, or not gzip"),
        (as_it_is, ["network.encoder=zh-opne"], 'did you mean "zh-open"?'),
        (as_it_is, ["network.encoder=./nowhere"], "nowhere: no encoder here"),
        (as_it_is, ["network.encoder=zh-open"], "set embed.vector_size = 256, network.layers = 2"),
        (as_it_is, ["network.cell=gru"], 'cannot have network.cell = "gru": set it to "lstm"'),
        (as_it_is, ["language.tied=false"], "cannot have language.tied = false: set it to true"),
        (as_it_is, ["seeds=[1, 2]"], "cannot have seeds = [ 1, 2 ]"),
        (as_it_is, ['card.licence=""'], "card.licence is missing: an encoder says on what terms"),
        (as_it_is, [f"card.licence={'long ' * 100}"], "card: licence String should have at most 200 characters"),
        (as_it_is, ["corpus.dev_share=0.0"], "no dev texts, on which the best epoch is chosen"),
        (as_it_is, ["embed.min_count=1000"], "no character comes 1000 times"),
        (as_it_is, ["corpus.train=test.txt", "corpus.dev=test.txt"], "no text is left to train on"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, zhpipe, monkeypatch, spoil, options, said):
    monkeypatch.chdir(tmp_path)
    write_texts(tmp_path)
    spoil(tmp_path)
    code, out, error = zhpipe("pretrain", "mini.toml", *(word for option in options for word in ("--set", option)))
    assert code == BAD_INPUT and said in error, (out, error)
    assert error.count("\n") == 1 and "Traceback" not in error
    assert not (tmp_path / "runs" / "mini" / "encoder").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("network.cell=gru", 'cannot have network.cell = "gru"'),
        ("language.tied=false", "cannot have language.tied = false"),
        ("network.encoder_mode=frozen", 'cannot have network.encoder_mode = "frozen": set it to "tuned"'),
        ("train.encoder_learning_rate=0.1", "cannot have train.encoder_learning_rate = 0.1: leave it out"),
        ("segment.unit=word", 'cannot have segment.unit = "word"'),
    ],
)
def test_a_language_model_that_is_not_like_its_encoder_is_refused(tmp_path, option, said):
    config = write_texts(tmp_path)
    with pytest.raises(PipelineError) as raised:
        load(config, ("network.encoder=zh-open", option))
    assert said in str(raised.value)


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path, run):
    write_texts(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "pipeline", "pretrain", "mini.toml"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as running:
        checkpoint = tmp_path / "runs" / "mini" / "forward.partial" / "checkpoint.npz"
        while not checkpoint.exists() and running.poll() is None:
            time.sleep(0.01)
        running.kill()
    assert running.returncode < 0 and checkpoint.exists()
    done = python("-m", "pipeline", "pretrain", "mini.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "runs" / "mini" / "encoder") == contents(run / "encoder")
