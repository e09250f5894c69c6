"""A file of one's own without a config: `train FILE`, `run FILE` and `init FILE`."""

import tomllib

import pytest
from mini import mails, write_csv

import pipeline
from corpora.table import TableWriter
from pipeline.__main__ import main
from pipeline.config.load import loads
from pipeline.config.starter import run_name, starter
from pipeline.errors import PipelineError

QUICK = [
    word
    for setting in ("network.cell=gru", "network.units=5", "train.epochs=1", "embed.epochs=1", "embed.vector_size=6")
    for word in ("--set", setting)
]
PLAIN = [*QUICK, "--set", "network.encoder=none"]
COMMENTED = "# "


@pytest.fixture
def zhpipe(capsys, tmp_path, monkeypatch):
    """Runs the command in this process, in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def reviews(tmp_path):
    return write_csv(tmp_path / "外卖 评论.csv", mails(60), ("评价", "内容"))


@pytest.fixture
def entities(tmp_path):
    path = tmp_path / "ner.txt"
    sentence = "老 B-人\n周 I-人\n去 O\n昆 B-地\n明 I-地\n{} O\n\n"
    path.write_text(
        "".join(sentence.format(mark) for mark in "了过的吗呢啊吧呀哦嗯去来住看玩走想说问听"), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("command", ["train", "run"])
def test_a_table_is_trained_on_and_the_config_kept(zhpipe, reviews, command, tmp_path):
    code, out, error = zhpipe(command, reviews.name, *PLAIN, "--set", "evaluate.baselines=[]")
    assert code == 0, error
    lines = out.splitlines()
    assert lines[:3] == [
        "guessed  task = classify (a table)",
        "guessed  text = 内容 (the only column with Chinese text)",
        "guessed  label = 评价 (the only column with few values: 2)",
    ]
    words = ["defaults", "segment", "embed", "train", "evaluate", "report", "model", "config"]
    assert [line.split()[0] for line in lines[3:]] == words
    run = tmp_path / "runs" / "外卖_评论"
    used = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    assert (used["corpus"]["text"], used["corpus"]["label"], used["network"]["units"]) == ("内容", "评价", 5)
    assert pipeline.load(run).predict("恭喜中奖").value in {"垃圾邮件", "正常邮件"}
    code, out, _ = zhpipe("run", run / "config.toml")
    assert code == 0 and out.count("skipped") == 4


def test_a_tagged_file_is_trained_on_into_another_folder(zhpipe, entities, tmp_path):
    code, out, error = zhpipe("train", entities, *QUICK, "--out", "made/names")
    assert code == 0, error
    assert out.startswith("guessed  task = tag (conll, tags of entities)\n")
    assert "% of train's characters, and is part of the model, under CC BY-SA 4.0" in out, (
        "it is the default of few short texts"
    )
    model = pipeline.load(tmp_path / "made" / "names")
    assert model.predict("老周去昆明了").tokens == tuple("老周去昆明了")


def test_another_file_does_not_replace_a_run(zhpipe, reviews, tmp_path):
    other = write_csv(tmp_path / "other.csv", mails(60, seed=2), ("评价", "内容"))
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    made = starter(reviews.absolute(), name="mine")
    (folder / "config.toml").write_text(made.toml, encoding="utf-8")
    code, _, error = zhpipe("train", other, "--out", "runs/mine")
    assert code == 2 and f"runs/mine: is the run of {reviews}: name another folder with --out" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "nothing.csv"), "nothing.csv: no such file, and no config of that name"),
        (("run", "."), ".: is a folder: name a file in it"),
        (("train", "mini.toml", "--text", "内容"), "--text is for a FILE; mini.toml is a config"),
        (("run", "sample-mail", "--format", "csv"), "--format is for a FILE; sample-mail is a config"),
        (
            ("train", "外卖 评论.csv", "--label", "评语"),
            'no column "评语"; the columns are "评价", "内容", "评价" is the nearest',
        ),
        (("train", "外卖 评论.csv", "--task", "tag"), "is read as csv, which has no tags"),
        (("train", "外卖 评论.csv", "--set", "train.epoch=3"), 'unknown key "train.epoch"; did you mean "epochs"?'),
    ],
)
def test_what_cannot_be_is_refused(zhpipe, reviews, arguments, said):
    code, _, error = zhpipe(*arguments)
    assert code == 2 and said in error


def test_init_writes_a_config_and_stops(zhpipe, reviews, tmp_path):
    code, out, error = zhpipe("init", reviews.name)
    assert code == 0, error
    target = tmp_path / "外卖_评论.toml"
    assert out.endswith("config   外卖_评论.toml; edit it, then: zhpipe run 外卖_评论.toml\n")
    text = target.read_text(encoding="utf-8")
    settings = loads(text).settings
    assert settings.corpus.train == str(reviews) and settings.corpus.text == "内容"
    assert not (tmp_path / "runs").exists()
    target.write_text("mine", encoding="utf-8")
    code, _, error = zhpipe("init", reviews.name)
    assert code == 2 and "exists already: name another with --out, or pass --force" in error
    assert target.read_text(encoding="utf-8") == "mine"
    assert zhpipe("init", reviews.name, "--force")[0] == 0 and target.read_text(encoding="utf-8") == text


def test_init_into_another_folder_names_the_whole_path(zhpipe, reviews, tmp_path):
    (tmp_path / "configs").mkdir()
    assert zhpipe("init", reviews.name, "--out", "configs/a.toml")[0] == 0
    written = tomllib.loads((tmp_path / "configs" / "a.toml").read_text(encoding="utf-8"))
    assert written["corpus"]["train"] == str(reviews)


def test_commented_keys_are_keys(reviews, entities):
    """With every comment that holds a key taken away, the config is still valid."""
    for made in (starter(reviews), starter(entities)):
        lines = made.toml.split("\n\n", 1)[1].splitlines()
        active = "\n".join(line.removeprefix(COMMENTED) for line in lines)
        assert loads(active).settings.network.cell == "gru"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (("标题", "内容", "评价"), 'the columns "标题" and "内容" look like the text: choose with --text; repeat it'),
        (("评价", "级别", "内容"), 'the columns "评价" and "级别" look like the label: choose with --label'),
        (
            ("编号", "日期", "价格"),
            'none of the columns "编号", "日期", "价格" looks like the text: choose with --text',
        ),
    ],
)
def test_a_choice_is_left_to_the_user(tmp_path, header, said):
    values = {
        **dict.fromkeys(("标题", "内容"), lambda row: f"第{row}家店的菜很好吃"),
        **dict.fromkeys(("评价", "级别"), lambda row: "好" if row % 2 else "差"),
        **dict.fromkeys(("编号", "日期", "价格"), lambda row: f"{row}"),
    }
    path = tmp_path / "a.csv"
    with TableWriter(path, header) as table:
        for row in range(40):
            table.write([values[name](row) for name in header])
    with pytest.raises(PipelineError) as caught:
        starter(path)
    assert said in str(caught.value)


def test_given_columns_leave_the_others_free(tmp_path):
    path = tmp_path / "a.csv"
    with TableWriter(path, ("标题", "内容", "评价")) as table:
        for row in range(40):
            table.write((f"第{row}个标题", f"第{row}家店", "好" if row % 2 else "差"))
    made = starter(path, text=("标题", "内容"))
    settings = loads(made.toml).settings
    assert settings.corpus.text_columns == ("标题", "内容") and settings.corpus.label == "评价"
    assert starter(path, text=("内容",), task="language").task == "language"


@pytest.mark.parametrize("name", ["a.b.csv", "-x-.csv", "....csv", "外卖.csv.gz", "a b\nc.csv"])
def test_names_of_runs_are_allowed(name, tmp_path):
    path = write_csv(tmp_path / name.replace(".gz", ""), mails(60), ("评价", "内容"))
    assert loads(starter(path).toml).settings.name == run_name(path)
