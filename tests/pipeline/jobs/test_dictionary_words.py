"""What a user's dictionary did is said at the end: words that occur in the text, and tags that the model lacks."""

import pytest
from mini import CONFIG, mails, write_config, write_csv
from random_tagger import make_tagger

from pipeline.__main__ import SUCCESS, main
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.jobs.options import LabelOptions

WORDS = {"北京": "地", "上海": "地", "骑车": "城市", "烤鸭": "城市", "我爱": None, "跑步": "动作"}


@pytest.fixture
def zhpipe(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.mark.parametrize("workers", [1, 2])
def test_label_says_how_many_words_occur(tmp_path, workers):
    """Before: nothing, so that a dictionary without effect looked like one with. After: 3 of 6."""
    model = make_tagger(tmp_path / "model", "entities", dictionary=WORDS)
    source = write_csv(tmp_path / "in.csv", [["我爱北京"], ["去骑车"], ["我爱上"], [""]] * 3, header=("text",))
    limits = Limits(chunk_rows=2, solo_seconds=0)
    done = label_file(model, source, tmp_path / "out.csv", workers=workers, limits=limits)
    assert (done.occurring, done.dictionary) == (3, 6)


def test_label_says_which_tags_the_model_lacks(tmp_path, zhpipe):
    """Before: tags that are no type of the model were ignored silently. After: named with the number of words."""
    model = make_tagger(tmp_path / "model", "entities", dictionary=WORDS)
    source = write_csv(tmp_path / "in.csv", [["我爱北京"]], header=("text",))
    code, out, error = zhpipe("label", model, source, tmp_path / "out.csv", "--workers", 1)
    assert code == SUCCESS and "2 of the 6 dictionary words occur in the text" in out
    assert "3 dictionary words have a tag that is no type of this model: 城市 (2), 动作 (1)" in error
    for kind, unused in (("words", {"n": 1}), ("pos", {}), ("joint", {})):
        made = make_tagger(tmp_path / kind, kind, dictionary={"北京": "n"})
        done = label_file(made, source, tmp_path / f"{kind}.csv", **vars(LabelOptions()))
        assert done.unused_tags == unused, kind


def test_segment_says_how_many_words_occur(tmp_path, zhpipe):
    (tmp_path / "in.txt").write_text("去滨江步道骑车\n我爱北京\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("滨江步道 地名\n阿尔法城 地名\n", encoding="utf-8")
    for unit in ("word", "char"):
        code, out, _ = zhpipe(
            *("segment", tmp_path / "in.txt", tmp_path / f"{unit}.txt", "--unit", unit),
            *("--dictionary", tmp_path / "words.txt"),
        )
        assert code == SUCCESS and "1 of the 2 dictionary words occurs in the text" in out
    assert "滨江步道" in (tmp_path / "word.txt").read_text(encoding="utf-8").split()
    code, out, _ = zhpipe("segment", tmp_path / "in.txt", tmp_path / "plain.txt")
    assert "dictionary" not in out


def test_the_stage_segment_says_how_many_words_occur(tmp_path, zhpipe):
    write_csv(tmp_path / "mini.csv", mails())
    (tmp_path / "words.txt").write_text("红包 名词\n阿尔法城 地名\n", encoding="utf-8")
    config = write_config(tmp_path, CONFIG)
    dictionaries = f'segment.dictionaries=["{tmp_path / "words.txt"}"]'
    code, out, _ = zhpipe("segment", config, "--runs", tmp_path / "runs", "--set", dictionaries)
    assert code == SUCCESS and "1 of the 2 dictionary words occurs in the text" in out
