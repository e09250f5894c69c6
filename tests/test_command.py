"""The command as a user meets it: what it prints, its exit code, one sentence for whatever is wrong, nothing lost."""

import gzip
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mini import CONFIG, mails, python, read_csv, write_config, write_csv

from corpora.table import TableReader, TableWriter
from embeddings.vectors import Vectors
from pipeline.__main__ import BAD_INPUT, COMMANDS, INTERRUPTED, POOR_SCORE, SUCCESS, command, main

QUICK = ("--set", "train.epochs=1")
# What TensorFlow's libraries say when they are loaded, before they can be told to be silent.
NOISE = re.compile(r"^(WARNING: All log|[IWE]\d{4} |To enable the following instructions)")


@pytest.fixture
def zhpipe(capsys):
    """Runs the command in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def refused(zhpipe, tmp_path):
    """`refused(message, ...)`: exit code 2, one sentence that has `message`, no trace, and no file changed or added."""

    def run(message, *arguments):
        before = contents(tmp_path)
        code, out, error = zhpipe(*arguments)
        assert code == BAD_INPUT, (out, error)
        assert error.startswith("zhpipe: ") and error.count("\n") == 1 and "Traceback" not in error
        assert message in error
        kept = contents(tmp_path)
        assert {path: kept.get(path) for path in before} == before
        return error

    return run


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "runs" not in path.parts}


@pytest.fixture
def model(trained):
    return trained("gru")


@pytest.fixture
def inbox(mini):
    rows = [("1", "恭喜中奖，点击链接"), ("2", ""), ("3", "会议，\n明天"), ("4", " \u3000"), ("5", '他说："好"')]
    return write_csv(mini / "inbox.csv", rows, ("编号", "正文"))


def test_a_run_from_the_shell(mini):
    done = python("-m", "pipeline", "run", "mini.toml", *QUICK, folder=mini)
    assert done.returncode == SUCCESS, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "defaults",
        "segment",
        "embed",
        "train",
        "evaluate",
        "report",
        "model",
    ]
    assert "rows: train 32, dev 4, test 4" in lines[1]
    assert [line for line in done.stderr.splitlines() if not NOISE.match(line)] == []
    run = mini / "runs" / "mini"
    made = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert made >= {"config.toml", "manifest.json", "evaluate/report.json", "model/network.onnx", "train/history.csv"}
    assert not [name for name in made if "partial" in name or "checkpoint" in name or "candidate" in name]
    again = python("-m", "pipeline", "run", "mini.toml", *QUICK, folder=mini)
    assert again.stdout.count("skipped  nothing has changed") == 4
    assert again.stderr == ""


def test_a_backend_that_keras_lacks_is_one_sentence(mini, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nothing")
    done = python("-m", "pipeline", "run", "mini.toml", *QUICK, folder=mini)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "KERAS_BACKEND is nothing, which can't be loaded (Unable to import backend" in done.stderr


def test_each_stage_alone_and_what_is_run_again(mini, zhpipe):
    def ran(*arguments):
        code, out, error = zhpipe(*arguments)
        assert code == SUCCESS, error
        return [
            line.split()[0]
            for line in out.splitlines()
            if "skipped" not in line and line.split()[0] not in ("defaults", "report", "model")
        ]

    assert ran("segment", "mini.toml") == ["segment"]
    assert ran("embed", "mini.toml") == ["embed"]
    assert ran("train", "mini.toml", *QUICK) == ["train"]
    assert ran("evaluate", "mini.toml", *QUICK) == ["evaluate"]
    assert ran("run", "mini.toml", *QUICK) == []
    assert ran("run", "mini.toml", *QUICK, "--until", "embed", "--force") == ["segment", "embed"]
    assert ran("run", "mini.toml", *QUICK) == []
    assert ran("run", "mini.toml", *QUICK, "--set", 'evaluate.baselines=["majority"]') == ["evaluate"]


@pytest.mark.parametrize(
    "changed",
    [
        {"segment.unit": "char", "network.pooling": "attention", "network.cell": "rnn"},
        {"network.inputs": "both", "network.wide.words": 1, "embed.method": "none", "network.embedding": "random"},
        {"embed.extra": '["raw.txt", "raw.txt.gz"]', "embed.loss": "hierarchical", "network.embedding": "frozen"},
        {
            "embed.method": "pretrained",
            "embed.pretrained": "words.vec",
            "embed.pretrained_characters": "characters.txt",
            "network.inputs": "both",
            "network.bidirectional": "false",
        },
        {"segment.dictionaries": '["mine.txt"]', "segment.stop_words": '["stop.txt"]', "corpus.dev": "dev.csv"},
    ],
    ids=["characters", "both", "extra text", "pretrained", "dictionaries"],
)
def test_ways_to_run(mini, zhpipe, changed):
    raw = "明天的会议讨论项目\n点击链接领取红包\n" * 20
    (mini / "raw.txt").write_text(raw, encoding="utf-8")
    (mini / "raw.txt.gz").write_bytes(gzip.compress(raw.encode()))
    row = " ".join(["0.1"] * 6)
    (mini / "words.vec").write_text(f"3 6\n会议 {row}\n红包 {row}\n多余 {row}\n", encoding="utf-8")
    (mini / "characters.txt").write_text(f"会 {row}\n红 {row}\n", encoding="utf-8")
    forced = mails()[0][1][:4]
    (mini / "mine.txt").write_text(f"{forced} 5 n\n", encoding="utf-8")
    (mini / "stop.txt").write_text("。\n", encoding="utf-8")
    write_csv(mini / "dev.csv", [*mails(6, seed=3), ("只在此处", "项目报告")])
    sets = [part for key, value in changed.items() for part in ("--set", f"{key}={value}")]
    code, out, error = zhpipe("run", "mini.toml", *QUICK, *sets)
    assert code == SUCCESS, error
    report = json.loads((mini / "runs" / "mini" / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert 0 <= report["test"]["accuracy"] <= 1
    if "corpus.dev" in changed:
        assert "labels that train lacks: 只在此处" in out
        assert report["counts"]["scored_dev"] == 7, "a label that only dev has is scored, as an error"
        assert report["dev"]["accuracy"] <= 6 / 7
        assert forced in {token for part in ("train", "test") for token in tokens(mini, part)}
    if "embed.pretrained" in changed:
        assert "word: 2 vectors of 6" in out and "char: 2 vectors of 6" in out
    code, out, error = zhpipe("label", "runs/mini", "mini.csv", "out.csv", "--text", "正文")
    assert code == BAD_INPUT or "40 labelled" in out


def tokens(folder, part):
    return {
        token for row in TableReader(folder / "runs" / "mini" / "segment" / f"{part}.csv") for token in row[3].split()
    }


def cut(*sets):
    return ("run", "mini.toml", "--until", "segment", *[part for value in sets for part in ("--set", value)])


def test_wrong_corpora(mini, refused):
    (mini / "wrong.csv").write_bytes("类别,正文\n通知,明天开会\n".encode("gb18030"))
    (mini / "empty.csv").touch()
    write_csv(mini / "header.csv", [])
    write_csv(mini / "one.csv", [("通知", f"第{number}条") for number in range(20)])
    write_csv(mini / "three.csv", mails(3))
    write_csv(mini / "blank.csv", [("通知", " "), ("", "没有标签")])
    for message, setting in (
        ('no column "评论"; the columns are "类别", "正文": choose one with corpus.text', "corpus.text=评论"),
        ('no column "类型"; the columns are "类别", "正文", "类别" is the nearest', "corpus.label=类型"),
        (
            'not utf-8: name the encoding, try corpus.encoding = "gb18030"',
            "wrong.csv",
        ),
        ("empty.csv: the file is empty; a header row that names the columns is expected", "empty.csv"),
        ("header.csv: no row has both a text and a label", "header.csv"),
        ("blank.csv: no row has both a text and a label", "blank.csv"),
        ("header.csv: no row has both a text and a label", "corpus.dev=header.csv"),
        ("header.csv: no row has both a text and a label", "corpus.test=header.csv"),
        ("one.csv: a classifier needs at least two labels in column \"类别\", found only '通知'", "one.csv"),
        ("three.csv: 3 rows with 2 labels cannot be split as asked", "three.csv"),
        ("nowhere.csv: no such file", "nowhere.csv"),
        (f"{mini}: is a folder; a file is expected", "."),
        ("not JSON", "corpus.format=jsonl"),
        ("no dev rows", "corpus.dev_share=0"),
        ('no encoding "utf9"', "corpus.encoding=utf9"),
        ("nowhere.txt: no such file", 'segment.dictionaries=["nowhere.txt"]'),
    ):
        refused(message, *cut(setting if "=" in setting else f"corpus.train={setting}"))


def test_a_corpus_of_three_rows_can_be_run_where_nothing_is_kept_for_test(mini, zhpipe):
    write_csv(mini / "three.csv", mails(3))
    sets = ("--set", "corpus.train=three.csv", "--set", "corpus.test_share=0")
    code, out, error = zhpipe("run", "mini.toml", *QUICK, *sets)
    assert code == SUCCESS, error
    assert "rows: train 2, dev 1, test 0" in out


def test_wrong_configs(mini, refused):
    write_config(mini, CONFIG.replace("cell", "cel"), "typo.toml")
    write_config(mini, CONFIG.replace('"gru"', '"gri"'), "value.toml")
    write_config(mini, CONFIG + "[", "broken.toml")
    for message, *arguments in (
        ('typo.toml:13: unknown key "network.cel"; did you mean "cell"?', "run", "typo.toml"),
        (
            "value.toml:13: network.cell: expected 'rnn', 'lstm' or 'gru', received 'gri'; did you mean \"gru\"?",
            "run",
            "value.toml",
        ),
        ("broken.toml: not valid TOML", "run", "broken.toml"),
        ("nowhere.toml: no such config", "run", "nowhere.toml"),
        ("nowhere.toml: no such config", "train", "nowhere.toml"),
        ("--set train.epochs: expected a whole number, received 'x'", "run", "mini.toml", "--set", "train.epochs=x"),
        ("--set epochs: expected KEY=VALUE", "run", "mini.toml", "--set", "epochs"),
        ('--set trian: unknown key "trian"; did you mean "train"?', "run", "mini.toml", "--set", "trian.epochs=1"),
        ("no stage 'trian'", "run", "mini.toml", "--from", "trian"),
        ("stage train needs stage segment, which has not run", "train", "mini.toml"),
    ):
        refused(message, *arguments)
    assert not (mini / "runs").exists()


def test_wrong_tables_of_vectors(mini, refused, zhpipe):
    (mini / "narrow.txt").write_text("会议 1 2 3\n", encoding="utf-8")
    (mini / "foreign.txt").write_text("house 1 2 3 4 5 6\n", encoding="utf-8")
    (mini / "bad.gz").write_bytes(b"no gzip")
    assert zhpipe(*cut())[0] == SUCCESS

    def embed(*sets):
        return ("embed", "mini.toml", *[part for value in sets for part in ("--set", value)])

    for message, *sets in (
        ("narrow.txt has width 3, the setting says 6", "embed.method=pretrained", "embed.pretrained=narrow.txt"),
        ("foreign.txt: has a vector for none of the", "embed.method=pretrained", "embed.pretrained=foreign.txt"),
        ("nowhere.txt: no such file", "embed.method=pretrained", "embed.pretrained=nowhere.txt"),
        ("bad.gz: damaged, or not gzip", 'embed.extra=["bad.gz"]'),
        ("no word occurs min_count = 999 times", "embed.min_count=999"),
    ):
        refused(message, *embed(*sets))


def test_label_keeps_rows_and_columns(inbox, zhpipe, model):
    code, out, error = zhpipe("label", model, inbox, "out.csv", "--text", "正文", "--probabilities", "--show", 2)
    assert code == SUCCESS, error
    assert out.startswith("5 rows: 3 labelled, 2 blank;")
    assert "编号  正文" in out
    before, after = read_csv(inbox), read_csv(Path("out.csv"))
    assert [row[:2] for row in after] == before
    assert after[0][2:] == ["label", "confidence", "p:垃圾邮件", "p:正常邮件"]
    assert after[2][2:] == after[4][2:] == [""] * 4
    for row in (after[1], after[3], after[5]):
        shares = {"垃圾邮件": float(row[4]), "正常邮件": float(row[5])}
        assert sum(shares.values()) == pytest.approx(1, abs=2e-4)
        assert float(row[3]) == shares[row[2]] == max(shares.values())


@pytest.mark.parametrize("name", ["out.tsv", "out.jsonl", "out.xlsx", "out.parquet", "out.csv.gz", "out.jsonl.gz"])
def test_label_writes_every_format_alike(inbox, zhpipe, model, name):
    assert zhpipe("label", model, inbox, "out.csv", "--text", "正文")[0] == SUCCESS
    code, _, error = zhpipe("label", model, inbox, name, "--text", "正文")
    assert code == SUCCESS, error
    written = [[str(cell or "") for cell in row] for row in TableReader(name)]
    expected = read_csv(Path("out.csv"))[1:]
    assert [row[:-1] for row in written] == [row[:-1] for row in expected]
    numbers = [[float(row[-1] or -1) for row in rows] for rows in (written, expected)]  # 0.8100 or 0.81
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("name", ["in.tsv", "in.jsonl", "in.xlsx", "in.parquet", "in.csv.gz"])
def test_label_reads_every_format_alike(inbox, zhpipe, model, name):
    header, *rows = read_csv(inbox)
    with TableWriter(name, header) as table:
        for row in rows:
            table.write(row)
    zhpipe("label", model, inbox, "expected.csv", "--text", "正文")
    code, _, error = zhpipe("label", model, name, "out.csv", "--text", "正文")
    assert code == SUCCESS, error
    assert read_csv(Path("out.csv")) == read_csv(Path("expected.csv"))


def test_label_in_other_encodings(mini, zhpipe, model):
    write_csv(mini / "in.csv", [("会议",), ("红包",)], ("正文",), encoding="gb18030")
    assert zhpipe("label", model, "in.csv", "same.csv", "--text", "正文", "--encoding", "gb18030")[0] == SUCCESS
    assert read_csv(mini / "same.csv", "gb18030")[1][0] == "会议"
    options = ("--text", "正文", "--encoding", "gb18030", "--output-encoding", "utf-8-sig", "--show", 1)
    code, out, error = zhpipe("label", model, "in.csv", "excel.csv", *options)
    assert code == SUCCESS, error
    assert (mini / "excel.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_csv(mini / "excel.csv", "utf-8-sig") == read_csv(mini / "same.csv", "gb18030")
    assert "会议" in out


def test_wrong_labelling(inbox, refused, zhpipe, model):
    write_csv(Path("done.csv"), [("通知", "开会")])
    write_csv(Path("taken.csv"), [("开会", "x")], ("正文", "label"))
    write_csv(Path("wrong.csv"), [("1", "明天开会")], ("编号", "正文"), encoding="gb18030")
    Path("empty.csv").touch()
    text = ("--text", "正文")
    for message, *arguments in (
        ('no column "text"; the columns are "编号", "正文": choose one with --text', inbox, "out.csv"),
        ("done.csv: exists already: name another output, or pass --force", inbox, "done.csv", *text),
        ("is the input: name another output", inbox, inbox, *text, "--force"),
        ("nowhere.csv: no such file", "nowhere.csv", "out.csv", *text),
        ("does not exist: make it first", inbox, "nowhere/out.csv", *text),
        ('no table has the suffix ".doc"', inbox, "out.doc", *text),
        ("not utf-8: name the encoding, try --encoding gb18030", "wrong.csv", "out.csv", *text),
        ("the file is empty; a header row", "empty.csv", "out.csv", *text),
        ("has a column 'label' already", "taken.csv", "out.csv", *text),
        ("is not in cp950", inbox, "out.csv", *text, "--output-encoding", "big5"),
        ("has no int8 network", inbox, "out.csv", *text, "--int8"),
    ):
        refused(message, "label", model, *arguments)
        assert not Path("out.csv").exists()
    refused("no model here", "label", "nowhere", inbox, "out.csv", *text)
    assert zhpipe("label", model, inbox, "done.csv", *text, "--force")[0] == SUCCESS


def test_spoilt_models(inbox, refused, model):
    for spoilt, message in (
        (
            lambda folder: (folder / "network.onnx").write_bytes(b"x"),
            "its SHA-256 differs from SHA256SUMS: copy the model",
        ),
        (
            lambda folder: (folder / "labels.txt").unlink(),
            "'labels.txt' that SHA256SUMS lists is missing: copy the model",
        ),
        (lambda folder: (folder / "SHA256SUMS").write_text("abc", encoding="utf-8"), "is cut short or altered"),
        (lambda folder: (folder / "model.toml").write_text("format_version = 9", encoding="utf-8"), "format version 9"),
    ):
        folder = shutil.copytree(model / "model", "spoilt", dirs_exist_ok=True)
        spoilt(Path(folder))
        refused(message, "label", folder, inbox, "out.csv", "--text", "正文")
        shutil.rmtree(folder)


def test_evaluate_on_any_corpus(mini, zhpipe, refused, model):
    write_csv(mini / "other.csv", [*mails(10, seed=4), ("新类", "项目报告"), ("正常邮件", "")])
    columns = ("--text", "正文", "--label", "类别")
    code, out, error = zhpipe("evaluate", model, "--corpus", "other.csv", *columns)
    assert code == SUCCESS, error
    report = json.loads((mini / "other-evaluation" / "report.json").read_text(encoding="utf-8"))
    assert (report["counts"]["scored"], report["counts"]["skipped"]) == (11, 1)
    assert report["test"]["accuracy"] <= 10 / 11
    assert out.endswith(f"report   {Path('other-evaluation') / 'report.html'}\n")
    refused('no column "x"', "evaluate", model, "--corpus", "other.csv", *columns[:2], "--label", "x")
    refused("nowhere.csv: no such file", "evaluate", model, "--corpus", "nowhere.csv", *columns)
    refused(
        "other.csv: is a file: name a folder",
        "evaluate",
        model,
        "--corpus",
        "other.csv",
        *columns,
        "--out",
        "other.csv",
    )
    write_csv(mini / "header.csv", [])
    refused("no row has both a text and a label", "evaluate", model, "--corpus", "header.csv", *columns)
    refused("no model here", "evaluate", "nowhere", "--corpus", "other.csv", *columns)


def test_a_poor_score_is_an_exit_code(mini, zhpipe, refused, model):
    write_csv(mini / "other.csv", [*mails(10, seed=4), ("新类", "项目报告")])
    asked = ("evaluate", model, "--corpus", "other.csv", "--text", "正文", "--label", "类别")
    code, _, error = zhpipe(*asked, "--fail-under", "accuracy=0.01", "--fail-over", "macro_f1=1")
    assert code == SUCCESS and "新类 (1 row)" in error
    code, out, error = zhpipe(*asked, "--fail-under", "accuracy=1", "--fail-under", "per_label.新类.recall=0.5")
    place = Path("other-evaluation") / "report.json"
    assert code == POOR_SCORE and "report   " in out, "the report is there all the same"
    assert re.search(
        rf"zhpipe: {place}: accuracy is 0\.\d+, under 1; per_label\.新类\.recall is 0\.0000, under 0\.5\n", error
    )
    assert 'did you mean "macro_f1"?' in zhpipe(*asked, "--fail-under", "macro_fl=0.9")[2]
    refused("expected a score and a number", *asked, "--fail-under", "macro_f1")


def test_a_report_is_written_anew(mini, zhpipe, refused, model):
    folder = shutil.copytree(model, mini / "copy")
    code, out, _ = zhpipe("report", folder, "--language", "zh")
    assert code == SUCCESS and out == f"report   {folder / 'evaluate' / 'report.html'}\n"
    assert '<html lang="zh">' in (folder / "evaluate" / "report.html").read_text(encoding="utf-8")
    refused("no report can be read here", "report", "nowhere")


def test_inspect(mini, zhpipe, refused):
    code, out, _ = zhpipe("inspect", "mini.csv", "--text", "正文", "--label", "类别")
    assert code == SUCCESS
    assert "垃圾邮件  20   50.0%" in out
    code, out, _ = zhpipe("inspect", "mini.csv", "--text", "正文", "--json")
    assert json.loads(out)["rows"] == 40
    code, out, _ = zhpipe("inspect", "mini.csv")
    assert code == SUCCESS and "looks like" in out, "without options it says which columns look like text and label"
    refused('no column "nowhere"', "inspect", "mini.csv", "--text", "nowhere")
    refused("nowhere.csv: no such file", "inspect", "nowhere.csv")


@pytest.mark.parametrize(
    ("unit", "some", "longest"), [("word", {"昆明"}, 2), ("char", {"昆"}, 1), ("bigram", {"昆明", "明", "他去"}, 2)]
)
def test_vectors_of_raw_text(unit, some, longest, mini, zhpipe, refused):
    (mini / "raw.txt").write_text("他 去了昆明\n今天在昆明\n" * 5, encoding="utf-8")
    more = ["--unit", unit, "--vector-size", 4, "--epochs", 1, "--min-count", 1]
    code, out, _ = zhpipe("embed", "raw.txt", "--out", "vectors", *more)
    vectors = Vectors.load(mini / "vectors")
    assert code == SUCCESS and out == f"{len(vectors)} vectors of 4: vectors\n"
    assert some <= set(vectors.words) and max(map(len, vectors.words)) == longest
    assert {path.name for path in (mini / "vectors").iterdir()} == {"vectors.npy", "words.txt"}
    refused("vectors: exists already", "embed", "raw.txt", "--out", "vectors", *more)


def test_vectors_looked_at(mini, zhpipe, refused, model):
    code, out, _ = zhpipe("neighbours", "会议", "--vectors", model, "-n", 3)
    assert code == SUCCESS
    cosines = [float(line.split()[0]) for line in out.splitlines()]
    assert len(cosines) == 3 and cosines == sorted(cosines, reverse=True)
    (mini / "pairs.txt").write_text("会议 项目 5\n会议 红包 1\n链接 报告 2\n会议 没有 3\n", encoding="utf-8")
    code, out, _ = zhpipe("similarity", "pairs.txt", "--vectors", model)
    assert code == SUCCESS
    assert "pairs used 3, skipped 1" in out
    (mini / "questions.txt").write_text(": 工作\n会议 项目 红包 优惠\n", encoding="utf-8")
    assert zhpipe("analogies", "questions.txt", "--vectors", model)[0] == SUCCESS
    refused("'没有' has no vector", "neighbours", "没有", "--vectors", model)
    refused(
        "has no vectors of unit char, but of word: use --unit", "neighbours", "会", "--vectors", model, "--unit", "char"
    )
    refused("nowhere", "neighbours", "会", "--vectors", "nowhere")
    refused("a section (: name) was expected", "analogies", "pairs.txt", "--vectors", model)


def test_segment_texts_and_tables(inbox, mini, zhpipe, refused):
    (mini / "text.txt").write_text("我爱北京天安门\n\n会议 明天\n", encoding="utf-8")
    (mini / "mine.txt").write_text("北京天安门 3 ns\n", encoding="utf-8")
    one = ("--workers", 1)
    code, out, _ = zhpipe("segment", "text.txt", "cut.txt", *one, "--dictionary", "mine.txt")
    said = (
        "1 of the 1 dictionary words occurs in the text\n1 forced word has a frequency, which only weighted words use\n"
    )
    assert (code, out) == (SUCCESS, f"3 texts cut into cut.txt\n{said}")
    assert (mini / "cut.txt").read_text(encoding="utf-8") == "我 爱 北京天安门\n\n会议 \\s 明天\n"
    assert zhpipe("segment", "text.txt", "characters.txt", *one, "--unit", "char")[0] == SUCCESS
    assert (mini / "characters.txt").read_text(encoding="utf-8").startswith("我 爱 北 京")
    assert zhpipe("segment", inbox, "cut.csv", *one, "--text", "正文", "--engine", "jieba")[0] == SUCCESS
    header, first, *_ = read_csv(mini / "cut.csv")
    assert header == ["编号", "正文", "tokens"]
    assert first[2].split()[0] == "恭喜" and "".join(first[2].split()) == first[1]
    refused("cut.txt: exists already", "segment", "text.txt", "cut.txt", *one)
    refused("nowhere.txt: no such file", "segment", "nowhere.txt", "out.txt", *one)
    refused('no column "text"', "segment", inbox, "out.csv", *one)
    refused("nowhere.txt: can't be read", "segment", "text.txt", "out.txt", *one, "--dictionary", "nowhere.txt")


def test_config_prints_the_reference(zhpipe):
    code, out, _ = zhpipe("config")
    assert code == SUCCESS
    assert out.startswith("# Every key that zhpipe knows.") and "[network.wide]" in out


@pytest.mark.parametrize(
    "arguments", [["label"], ["foo"], ["segment", "a.txt"], ["evaluate", "model"], ["run", "a", "--x"]]
)
def test_wrong_usage_says_how(zhpipe, mini, arguments):
    code, _, error = zhpipe(*arguments)
    assert code == BAD_INPUT
    assert "Usage: zhpipe" in error and "Error: " in error and "--help" in error


LOADED = """import sys, pipeline.__main__ as command
try:
    command.main(sys.argv[1:])
finally:
    print(*sys.modules, file=sys.stderr)
"""
TRAINING = {"tensorflow", "keras", "gensim", "jax", "torch"}
REPORTING = {"sklearn", "matplotlib"}


def modules(folder, *arguments):
    done = python("-c", LOADED, *arguments, folder=folder)
    assert done.returncode == SUCCESS, done.stderr[-2000:]
    return set(done.stderr.split())


def loaded(folder, *arguments):
    return {name.split(".")[0] for name in modules(folder, *arguments)}


def test_what_commands_load(inbox, mini, model):
    listing = modules(mini, "--help")
    assert {name for name in listing if name.startswith("pipeline.commands.")} == {"pipeline.commands.terminal"}
    assert not {name.split(".")[0] for name in listing} & {
        *TRAINING,
        *REPORTING,
        "numpy",
        "pandas",
        "onnxruntime",
        "pydantic",
        "jieba",
        "rjieba",
    }
    assert not loaded(mini, "label", model, inbox, "out.csv", "--text", "正文") & {
        *TRAINING,
        *REPORTING,
        "pandas",
    }
    assert not loaded(mini, "evaluate", model, "--corpus", "mini.csv", "--text", "正文", "--label", "类别") & TRAINING


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")
def test_an_interrupted_run_goes_on_and_ends_as_one_that_was_not(mini, zhpipe):
    sets = [
        part
        for value in ("train.epochs=25", "train.patience=25", "train.ema_momentum=0.5", "train.batch_size=16")
        for part in ("--set", value)
    ]
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "pipeline", "run", "mini.toml", *sets]
    process = subprocess.Popen(
        command,
        cwd=mini,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    history = mini / "runs" / "mini" / "train.partial" / "history.csv"
    deadline = time.monotonic() + 200
    while not history.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=100)
    assert process.returncode == INTERRUPTED, error
    said = [line for line in error.splitlines() if line and not NOISE.match(line)]
    assert said == ["zhpipe: interrupted; the same command goes on from the last finished step"]
    finished = len(history.read_text(encoding="utf-8").splitlines()) - 1
    assert 1 <= finished < 25, "interrupted in the middle"
    assert not (mini / "runs" / "mini" / "model").exists()

    code, out, error = zhpipe("run", "mini.toml", *sets)
    assert code == SUCCESS, error
    assert out.count("skipped") == 2
    assert zhpipe("run", "mini.toml", *sets, "--runs", "undisturbed")[0] == SUCCESS
    for name in ("network.onnx", "labels.txt", "vocabulary.word.txt"):
        one, other = (mini / runs / "mini" / "model" / name for runs in ("runs", "undisturbed"))
        assert one.read_bytes() == other.read_bytes(), name


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    for name, found in command.commands.items():
        assert found.name == name
        assert COMMANDS[name][-1] == " ".join(inspect.cleandoc(found.help).split("\n\n")[0].split())
