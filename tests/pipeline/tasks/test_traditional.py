"""Taggers of traditional text: they read it simplified, and answer in the original, with its offsets."""

import sys
from types import SimpleNamespace

import pytest
from mini import read_csv, write_csv
from random_tagger import make_tagger
from seals import seal

import pipeline
from corpora import conll, slashed
from corpora.document import Sentence
from pipeline.__main__ import SUCCESS, main
from pipeline.jobs.label import label_file
from pipeline.models.model import Model
from pipeline.segmentation.dictionary import UserDictionary

TABLE = str.maketrans("濱騎車愛鴨灣頭髮發現隱", "滨骑车爱鸭湾头发发现隐")
CONFIG = """name = "old"
task = "tag"
[corpus]
train = "old.conll"
dev = "old.conll"
test = "old.conll"
simplify = true
[segment]
unit = "char"
workers = 1
dictionaries = ["words.txt"]
"""


@pytest.fixture(autouse=True)
def opencc(monkeypatch):
    """A converter with a few characters, so that the tests need no OpenCC."""
    made = SimpleNamespace(convert=lambda text: text.translate(TABLE))
    monkeypatch.setitem(sys.modules, "opencc", SimpleNamespace(OpenCC=lambda config: made))


def make_simplifying(folder, kind, **options):
    made = make_tagger(folder, kind, **options)
    path = made / "model.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("simplify = false", "simplify = true"), encoding="utf-8")
    seal(made)
    return made


@pytest.mark.parametrize("kind", ["entities", "words", "joint", "pos"])
def test_the_answer_is_in_the_original(tmp_path, kind):
    """Before: a tagger could not have corpus.simplify. After: it reads 滨江步道骑车, and answers 濱江步道騎車."""
    model = Model.load(make_simplifying(tmp_path / "model", kind))
    text, simplified = "去 濱江步道騎車，我愛吃北京烤鴨", "去 滨江步道骑车，我爱吃北京烤鸭"
    [asked, other] = model.predict([text, simplified])
    assert asked.raw_tags == other.raw_tags and asked.text == text
    places = [[(span.start, span.end, span.type) for span in answer.spans] for answer in (asked, other)]
    assert places[0] == places[1] and places[0]
    assert all(span.text == text[span.start : span.end] for span in asked.spans)
    assert "".join(asked.tokens) == text.replace(" ", "")


def test_words_of_a_column(tmp_path):
    model = Model.load(make_simplifying(tmp_path / "model", "pos"))
    given = model.given("去濱江步道騎車", ["去", "濱江步道", "騎車"])
    assert list(given.tokens) == ["去", "滨江步道", "骑车"]
    [answer] = model.predict_tokens([given])
    assert answer.tokens == ("去", "濱江步道", "騎車") and answer.text == "去濱江步道騎車"


@pytest.mark.parametrize("layout", ["long", "conll", "jsonl"])
def test_layouts_have_the_original(tmp_path, layout):
    model = make_simplifying(tmp_path / "model", "entities", dictionary={"烤鸭": "地"})
    source = write_csv(tmp_path / "in.csv", [["我愛烤鴨"]], header=("text",))
    target = tmp_path / f"out.{'csv' if layout == 'long' else 'txt'}"
    label_file(model, source, target, layout=layout, workers=1)
    written = target.read_text(encoding="utf-8")
    assert "鴨" in written and "鸭" not in written


def test_words_of_a_dictionary_are_simplified_too(tmp_path):
    model = Model.load(
        make_simplifying(tmp_path / "model", "entities"), dictionary=UserDictionary({"烤鴨": "地", "騎車": "人"})
    )
    spans = {(span.text, span.type) for span in model.predict("騎車吃烤鴨和烤鸭").spans}
    assert {("騎車", "人"), ("烤鴨", "地"), ("烤鸭", "地")} <= spans


def test_the_stage_segment_simplifies_text_and_tokens(tmp_path, capsys):
    rows = [Sentence(tuple("他愛濱江"), ("O", "O", "B-地", "I-地")), Sentence(tuple("騎車去"), ("O", "O", "O"))]
    conll.write(tmp_path / "old.conll", rows)
    (tmp_path / "words.txt").write_text("濱江 地\n", encoding="utf-8")
    (tmp_path / "old.toml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["segment", str(tmp_path / "old.toml"), "--runs", str(tmp_path / "runs")])
    assert ended.value.code == SUCCESS and "1 of the 1 dictionary words occurs in the text" in capsys.readouterr().out
    rows = read_csv(tmp_path / "runs" / "old" / "segment" / "train.csv")
    assert [row[1:] for row in rows[1:]] == [
        ["O O B-地 E-地", "他爱滨江", "他 爱 滨 江"],
        ["O O O", "骑车去", "骑 车 去"],
    ]


def test_a_trained_tagger_of_words_answers_in_the_original(tmp_path):
    words = [["他", "去", "濱江", "騎車"], ["我", "愛", "烤鴨"]] * 8
    slashed.write(tmp_path / "old.txt", [Sentence(tuple(line), ("n",) * len(line)) for line in words])
    text = CONFIG.replace("old.conll", "old.txt").replace('dictionaries = ["words.txt"]', '[tag]\nkind = "words"')
    (tmp_path / "old.toml").write_text(text.replace("[corpus]", '[corpus]\nformat = "slashed"'), encoding="utf-8")
    small = ["network.units=4", "embed.vector_size=4", "embed.epochs=1", "train.epochs=1", "evaluate.baselines=[]"]
    run = pipeline.run(tmp_path / "old.toml", overrides=small, runs=tmp_path / "runs")
    answer = pipeline.load(run).predict("他愛濱江")
    assert "".join(answer.tokens) == "他愛濱江" and answer.text == "他愛濱江"
