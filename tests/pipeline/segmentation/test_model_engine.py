"""A segmenter of our own as an engine: the laws of every segmenter hold, and whoever uses it carries it along."""

import json
import pickle
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mini import read_csv, write_csv
from random_model import make_model
from random_tagger import make_tagger

import pipeline
from pipeline.config.load import from_mapping
from pipeline.config.segment import SegmentSettings
from pipeline.errors import ModelError, PipelineError, SettingsError
from pipeline.jobs.label import label_file
from pipeline.models.model import Model, open_segmenter
from pipeline.parallel import split_texts
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages.manifest import Manifest
from pipeline.stages.segment import read_part, segment_file

FORCED = UserDictionary({"滨江步道": "n", "New York": None, "京烤": None})
texts = st.text(st.sampled_from("去滨江步道骑车北京烤鸭，😀é\u0301 \t\r\nNewYork\x1c"), max_size=40)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The folder of a segmenter with random weights."""
    return make_tagger(tmp_path_factory.mktemp("engine") / "model", "words")


@pytest.fixture(scope="module")
def cutters(engine):
    trained = open_segmenter(engine)
    return Segmenter(engine=trained), Segmenter(engine=trained, dictionary=FORCED)


@settings(max_examples=200)
@given(st.lists(texts, min_size=1, max_size=3))
def test_the_tokens_give_the_text_back_and_forced_words_are_whole(cutters, asked):
    for cutter in cutters:
        for text, tokens in zip(asked, cutter.split_all(asked), strict=True):
            assert "".join(tokens) == text and all(tokens) and tokens == cutter.split(text)
            places, end = set(), 0
            for token in tokens:
                places.add((end, end := end + len(token)))
            forced = cutter.dictionary.find(text)
            assert places.issuperset(forced)
            spaced = [place for place in places if any(map(str.isspace, text[slice(*place)])) and place not in forced]
            assert all(text[start:end] == "\r\n" or end - start == 1 for start, end in spaced)


def test_it_finds_the_words_that_the_model_finds(engine, cutters):
    text = "去滨江步道骑车，我爱吃北京烤鸭。" * 3
    assert cutters[0].split(text) == list(Model.load(engine).predict([text])[0].tokens)


def test_workers_cut_as_this_process_does(cutters):
    asked = ["去滨江步道骑车", "", "北京 New York 烤鸭"] * 20
    for cutter in cutters:
        expected = cutter.split_all(asked)
        assert list(split_texts(cutter, asked, workers=2, chunk=7)) == expected
        assert pickle.loads(pickle.dumps(cutter)).split_all(asked) == expected


def test_settings_name_the_model_by_its_checksum(engine, cutters):
    described = json.loads(json.dumps(cutters[1].settings()))
    assert described["engine"].startswith("sha256:")
    again = Segmenter.from_settings(described, open_segmenter(engine))
    assert again.settings() == described and again.split("去滨江步道") == cutters[1].split("去滨江步道")
    with pytest.raises(SettingsError, match="engine is 'sha256:"):
        Segmenter.from_settings(described)


@pytest.mark.parametrize("kind", ["entities", "classify", "nothing"])
def test_what_is_no_segmenter(tmp_path, kind):
    if kind == "entities":
        make_tagger(tmp_path / "model")
    elif kind == "classify":
        make_model(tmp_path / "model")
    with pytest.raises(ModelError, match=r"segmenter is a tagger of words or joint|no model here") as caught:
        open_segmenter(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_mode_of_jieba_is_refused(engine):
    with pytest.raises(SettingsError, match="a trained engine"):
        Segmenter(engine=open_segmenter(engine), mode="full")
    for engine_, message in (("rjiebba", 'did you mean "rjieba"'), ("runs/cws", 'mode = "full"')):
        with pytest.raises(SettingsError, match=message):
            from_mapping({"name": "a", "corpus": {"train": "a.csv"}, "segment": {"engine": engine_, "mode": "full"}})


def test_files_are_cut(engine, tmp_path):
    (tmp_path / "in.txt").write_text("去滨江步道 骑车\n\n北京烤鸭\n", encoding="utf-8")
    options = SegmentSettings(engine=str(engine), workers=1)
    assert segment_file(tmp_path / "in.txt", tmp_path / "out.txt", options) == 3
    lines = (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()
    assert [line.replace(" ", "").replace("\\s", " ") for line in lines] == ["去滨江步道 骑车", "", "北京烤鸭"]


def test_a_classifier_carries_its_segmenter_along(mini, engine):
    own = mini / "cws"
    shutil.copytree(engine, own / "model")
    cut = ['segment.engine="./cws"', "network.units=4", "embed.vector_size=4", "embed.epochs=1", "train.epochs=1"]
    run = pipeline.run(mini / "mini.toml", overrides=cut, runs=mini / "runs")
    [_, *rows] = read_csv(run / "segment" / "train.csv")
    expected = Segmenter(engine=open_segmenter(engine)).split(rows[0][2])
    assert rows[0][3] == " ".join(expected)
    stages = Manifest.open(run).stages
    assert any("cws" in name for name in stages["segment"]["inputs"])
    moved = shutil.copytree(run / "model", mini / "elsewhere")
    shutil.rmtree(own)
    text = "会议改到明天上午九点"
    before = Model.load(moved).predict([text])
    assert before == Model.load(run / "model").predict([text]) and before[0].value
    write_csv(mini / "in.csv", [[text]] * 50, header=("text",))
    labelled = label_file(moved, mini / "in.csv", mini / "out.csv", workers=2)
    assert labelled.labelled == 50 and {row[1] for row in read_csv(mini / "out.csv")[1:]} == {before[0].value}
    (moved / "segmenter" / "labels.txt").write_text("B\nE\nM\nX\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"segmenter/labels\.txt: its SHA-256 differs"):
        Model.load(moved)
    shutil.rmtree(moved / "segmenter")
    with pytest.raises(ModelError, match="no model here"):
        Model.load(moved)
    shutil.rmtree(run / "segment" / "segmenter")
    assert len(read_part(run, "dev")) > 0, "reading tokens needs no engine"


def test_an_engine_that_is_not_there(mini):
    with pytest.raises(PipelineError, match=r"runs/cws: no model here: segment\.engine names a run"):
        pipeline.run(mini / "mini.toml", overrides=["segment.engine=runs/cws"], runs=mini / "runs")


def test_another_segmenter_in_a_model_is_refused(engine, tmp_path):
    one = make_tagger(tmp_path / "pos", "pos", engine=open_segmenter(engine))
    [answer] = Model.load(one).predict(["去滨江步道骑车"])
    assert list(answer.tokens) == Segmenter(engine=open_segmenter(engine)).split("去滨江步道骑车")
    shutil.rmtree(one / "segmenter")
    make_tagger(one / "segmenter", "words", seed=5)
    with pytest.raises(ModelError, match="another model than the one that model"):
        Model.load(one)
