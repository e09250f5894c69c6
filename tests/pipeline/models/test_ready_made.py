"""The ready-made models: complete, small, found by name in every command, and told by their cards."""

import json
import shutil

import pytest
from mini import read_csv, write_csv

from pipeline import load
from pipeline.__main__ import main
from pipeline.models import ready_made
from pipeline.models.model import find_model

NAMES = ["zh-entities", "zh-words-pos"]
TEXTS = ["王建国昨天坐火车从上海到北京。", "李小红在清华大学读书，周末常去颐和园。", ""]


def code(*arguments):
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code or 0


@pytest.fixture(scope="module")
def models():
    return {name: load(name) for name in NAMES}


def test_they_are_there_with_cards_of_whole_sentences_and_stay_small():
    assert ready_made.names() == NAMES
    for name in NAMES:
        card = ready_made.card(name)
        assert set(card.told) == {"description", "texts", "licence", "attribution", "limits"}
        assert card.figures and card.told["licence"] == "CC BY-SA 4.0"
        assert sum(path.stat().st_size for path in ready_made.FOLDER.joinpath(name).iterdir()) < 15e6


def test_entities_of_plain_sentences_are_found(models):
    first, second, empty = models["zh-entities"].predict(TEXTS)
    assert [(span.text, span.type) for span in first.spans] == [("王建国", "PER"), ("上海", "LOC"), ("北京", "LOC")]
    assert ("李小红", "PER") in [(span.text, span.type) for span in second.spans]
    assert empty.is_blank


def test_words_and_their_tags_cover_the_text(models):
    first, second, _ = models["zh-words-pos"].predict(TEXTS)
    assert first.tokens[:4] == ("王", "建国", "昨天", "坐") and first.tags[:4] == ("PROPN", "PROPN", "NOUN", "VERB")
    assert "".join(second.tokens) == TEXTS[1]


def test_a_name_stands_wherever_a_command_takes_a_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "in.csv", [[text] for text in TEXTS], header=["内容"])
    assert code("label", "zh-entities", "in.csv", "out.csv", "--text", "内容", "--workers", "1") == 0
    header, first, *_ = read_csv(tmp_path / "out.csv")
    entities = json.loads(first[header.index("entities")])
    assert [entity["text"] for entity in entities] == ["王建国", "上海", "北京"]
    assert code("try", "zh-words-pos", "天气很好") == 0
    assert "天气/NOUN 很好/ADJ" in capsys.readouterr().out
    assert code("segment", "in.csv", "cut.csv", "--text", "内容", "--engine", "zh-words-pos", "--workers", "1") == 0
    assert "王 建国 昨天 坐 火车" in (tmp_path / "cut.csv").read_text(encoding="utf-8")


def test_a_folder_of_the_same_name_is_meant_only_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ready_made.FOLDER / "zh-words-pos", "zh-entities")
    assert find_model("zh-entities").parent == ready_made.FOLDER
    assert load("./zh-entities").answerer.output.kind == "joint"


def test_cards_are_printed_and_a_wrong_name_is_a_sentence(capsys):
    assert code("models") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:1].strip()] == NAMES
    assert code("models", "zh-entities") == 0
    told = capsys.readouterr().out
    assert "CC BY-SA 4.0" in told and "int8" in told and max(map(len, told.splitlines())) <= 100
    assert code("models", "zh-entitys") == 2
    assert "zh-entitys: there is no ready-made model of this name" in capsys.readouterr().err
