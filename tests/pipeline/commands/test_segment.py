"""`zhpipe segment` with dictionaries of every kind, and what it says of their words."""

import json

import pytest
from mini import CONFIG, mails, write_config, write_csv

import pipeline
from pipeline.__main__ import BAD_INPUT, SUCCESS, main
from pipeline.config.load import from_mapping
from pipeline.errors import SettingsError
from pipeline.models.model import Model, find_model

TEXT = "商品和服务价格便宜\n研究生命起源，EMAIL a@b.com 9:30\n"


@pytest.fixture
def zhpipe(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "forced.txt").write_text("价格便宜 => 价格 便宜\nAI\n", encoding="utf-8")
    (tmp_path / "weighted.txt").write_text("和服\n命起源 1000000\niPhone 15\t5\n", encoding="utf-8")
    (tmp_path / "main.txt").write_text("商品 50\n服务 50\n和 90\n研究生 30\n研究 40\n生命 40\n命 9\n", encoding="utf-8")
    return tmp_path


def test_weighted_split_and_main_words(place, zhpipe):
    code, out, _ = zhpipe(
        *("segment", place / "in.txt", place / "out.txt", "--dictionary", place / "forced.txt"),
        *("--weighted-dictionary", place / "weighted.txt"),
    )
    assert (place / "out.txt").read_text(encoding="utf-8").splitlines() == [
        "商品 和 服务 价格 便宜",
        "研究生 命起源 ， EMAIL \\s a@b.com \\s 9:30",
    ]
    assert code == SUCCESS and "2 of the 5 dictionary words occur in the text" in out
    assert "1 weighted word can't be found, since jieba always cuts inside: iPhone 15: force them" in out
    for engine in ("rjieba", "jieba"):
        options = (
            "--main-dictionary",
            place / "main.txt",
            "--no-keep-whole",
            "--no-hmm",
            "--engine",
            engine,
            "--force",
        )
        zhpipe("segment", place / "in.txt", place / "out.txt", *options)
        assert (place / "out.txt").read_text(encoding="utf-8").splitlines() == [
            "商品 和 服务 价 格 便 宜",
            "研究 生命 起 源 ， EMAIL \\s a @ b . com \\s 9 : 30",
        ]


def test_frequencies_of_forced_words_are_counted(place, zhpipe):
    """Before: jieba's own dictionary as the user's cut 研究生 / 命 / 起源, and nothing said why. After: a hint."""
    (place / "jieba.txt").write_text("研究生 1000 n\n生命 2000 n\n起源 300 v\n", encoding="utf-8")
    code, out, _ = zhpipe("segment", place / "in.txt", place / "out.txt", "--dictionary", place / "jieba.txt")
    assert code == SUCCESS and "3 forced words have a frequency, which only weighted words use" in out
    assert "研究生 命 起源" in (place / "out.txt").read_text(encoding="utf-8")
    options = ("--weighted-dictionary", place / "jieba.txt", "--force")
    code, out, _ = zhpipe("segment", place / "in.txt", place / "out.txt", *options)
    assert code == SUCCESS and "frequency" not in out
    assert "研究 生命 起源" in (place / "out.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weighted-dictionary", "weighted.txt", "--unit", "char"), "the frequency of '和服' is for jieba"),
        (("--main-dictionary", "main.txt", "--unit", "char"), "a main dictionary is for jieba"),
        (("--weighted-dictionary", "weighted.txt", "--engine", "."), "--weighted-dictionary is for jieba"),
        (("--main-dictionary", "none.txt"), "none.txt: can't be read"),
        (("--main-dictionary", "in.txt"), "in.txt:1: expected a word, its frequency and perhaps a tag"),
    ],
)
def test_what_has_no_effect_is_refused(place, zhpipe, monkeypatch, options, message):
    monkeypatch.chdir(place)
    code, _, error = zhpipe("segment", "in.txt", "out.txt", *options)
    assert code == BAD_INPUT and message in error and not (place / "out.txt").exists()


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ({"unit": "char", "weighted_dictionaries": ["a.txt"]}, "segment.weighted_dictionaries needs words"),
        ({"unit": "char", "main_dictionary": "a.txt"}, "segment.main_dictionary needs words"),
        ({"engine": "runs/cws", "main_dictionary": "a.txt"}, "main_dictionary needs jieba"),
    ],
)
def test_settings_that_need_jieba(segment, message):
    with pytest.raises(SettingsError, match=message):
        from_mapping(
            {"name": "a", "corpus": {"train": "a.csv"}, "segment": segment, "network": {"inputs": "characters"}}
        )


def test_a_run_and_its_model_keep_all_words(place, monkeypatch):
    write_csv(place / "mini.csv", mails())
    config = write_config(place, CONFIG)
    (place / "main.txt").write_text("会议 50\n明天 40\n项目 30\n报告 20\n恭喜 20\n中奖 20\n", encoding="utf-8")
    cut = [
        *('segment.dictionaries=["forced.txt"]', 'segment.weighted_dictionaries=["weighted.txt"]'),
        *('segment.main_dictionary="main.txt"', "evaluate.baselines=[]", "train.epochs=1"),
    ]
    run = pipeline.run(config, overrides=cut, runs=place / "runs")
    described = json.loads((run / "segment" / "segmenter.json").read_text(encoding="utf-8"))
    assert described["keep_whole"] and described["main"].startswith("sha256:")
    assert described["weighted"] == ["和服", "命起源 1000000", "iPhone 15 5"]
    model = Model.load(find_model(run))
    assert dict(model.segmenter.dictionary.splits) == {"价格便宜": ("价格", "便宜")}
    assert model.segmenter.main is not None and model.segmenter.settings() == described
    assert model.tokenise("价格便宜 AI EMAIL").tokens == ["价格", "便宜", "AI", "EMAIL"]
    before = (run / "segment" / "train.csv").stat().st_mtime_ns
    pipeline.run(config, overrides=cut, runs=place / "runs", last="segment")
    assert (run / "segment" / "train.csv").stat().st_mtime_ns == before
    cut[1] = "segment.weighted_dictionaries=[]"
    pipeline.run(config, overrides=cut, runs=place / "runs", last="segment")
    assert (run / "segment" / "train.csv").stat().st_mtime_ns != before
