"""The options for reading a table mean the same in every command and in a config, and advice names ones that exist."""

import csv
import json
import re

import pytest
from mini import mails, read_csv, write_config

from pipeline.__main__ import BAD_INPUT, SUCCESS, main
from pipeline.config.load import corpus_settings, load
from pipeline.errors import PipelineError, SettingsError
from pipeline.stages import segment
from pipeline.stages.error_analysis import slice_cells
from pipeline.tasks import TASKS

BAD_USAGE = 2


@pytest.fixture(scope="module")
def model(trained):
    return trained("gru")


@pytest.fixture
def zhpipe(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def unquoted(tmp_path):
    """A file of 40 mails written without quoting: a cell of one row begins with a quote, one of a later row ends so."""
    rows = mails()
    rows[9], rows[30] = (rows[9][0], '"' + rows[9][1]), (rows[30][0], rows[30][1] + '"')
    path = tmp_path / "mini.csv"
    path.write_text("".join(f"{label},{text}\n" for label, text in [("类别", "正文"), *rows]), encoding="utf-8")
    return path


def test_files_without_quoting_lose_no_row_in_any_command(model, unquoted, tmp_path, zhpipe):
    """Before: 40 rows became 19 in silence in `label` and `segment`. After: 40, or a message that says which option."""
    code, out, _ = zhpipe("label", model, unquoted, tmp_path / "a.csv", "--text", "正文", "--no-quoting")
    assert code == SUCCESS and "40 rows: 40 labelled" in out
    labelled = read_csv(tmp_path / "a.csv")
    assert [row[:2] for row in labelled] == [line.split(",") for line in unquoted.read_text().splitlines()]
    code, out, _ = zhpipe("segment", unquoted, tmp_path / "b.csv", "--text", "正文", "--no-quoting")
    assert code == SUCCESS and out.startswith("40 texts")
    code, out, _ = zhpipe("inspect", unquoted, "--text", "正文", "--label", "类别", "--no-quoting", "--json")
    assert code == SUCCESS and json.loads(out)["rows"] == 40
    code, out, _ = zhpipe(
        *("evaluate", model, "--corpus", unquoted, "--text", "正文", "--label", "类别", "--no-quoting"),
        *("--out", tmp_path / "e"),
    )
    assert code == SUCCESS and len(read_csv(tmp_path / "e" / "predictions.csv")) == 41
    for command in (("segment", unquoted, tmp_path / "c.csv"), ("inspect", unquoted)):
        code, _, error = zhpipe(*command, "--text", "正文")
        assert code == BAD_INPUT and "read the file with --no-quoting" in error
        code, _, _ = zhpipe(*command, "--text", "正文", "--quoting")
        assert code == SUCCESS


def test_a_config_has_the_same_options(unquoted, tmp_path):
    """Before: no setting. After: corpus.quoting, which the error names, is used for the slices too."""
    config = write_config(tmp_path)
    with pytest.raises(PipelineError, match=r"read the file with corpus\.quoting = false if"):
        read(load(config, [f"corpus.train={unquoted}"]))
    changed = ["corpus.quoting=false", f"corpus.train={unquoted}"]
    splits, *_ = read(load(config, changed))
    assert sum(map(len, (splits.train, splits.dev, splits.test))) == 40
    cells = slice_cells(load(config, [*changed, 'evaluate.slices=["类别"]']), ("test",))
    assert len(cells["test"]) == 40
    semicolons = tmp_path / "semicolons.csv"
    semicolons.write_text(unquoted.read_text().replace(",", ";"), encoding="utf-8")
    splits, *_ = read(load(config, ["corpus.quoting=false", "corpus.delimiter=;", f"corpus.train={semicolons}"]))
    assert sum(map(len, (splits.train, splits.dev, splits.test))) == 40
    with pytest.raises(SettingsError, match=r"corpus\.delimiter: expected one character"):
        load(config, ["corpus.delimiter=;;"])


def read(settings):
    return segment.read_splits(settings, TASKS[settings.task].from_settings(settings))


def test_a_line_that_names_the_delimiter_stays(model, tmp_path, zhpipe):
    r"""Before: `sep=;` was taken for the header. After: `;` is the delimiter, in the output too."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes("sep=;\r\n正文;编号\r\n会议,明天;1\r\n".encode())
    code, printed, _ = zhpipe("label", model, path, out, "--text", "正文", "--show", "1")
    assert code == SUCCESS and "会议,明天" in printed
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["sep=;", "正文;编号;label;confidence"] and lines[2].startswith("会议,明天;1;")
    code, _, _ = zhpipe("label", model, path, out, "--text", "正文", "--no-quoting", "--force", "--show", "1")
    assert code == SUCCESS and [len(row) for row in read_csv(out)] == [4, 4]


def test_delimiter_in_every_command(model, tmp_path, zhpipe):
    path = tmp_path / "in.csv"
    path.write_text("类别;正文\n" + "".join(f"{label};{text}\n" for label, text in mails(10)), encoding="utf-8")
    asked = ("--text", "正文", "--delimiter", ";")
    for command in (
        ("inspect", path, *asked, "--label", "类别"),
        ("segment", path, tmp_path / "cut.csv", *asked),
        ("label", model, path, tmp_path / "out.csv", *asked),
        ("evaluate", model, "--corpus", path, *asked, "--label", "类别", "--out", tmp_path / "e"),
    ):
        assert zhpipe(*command)[0] == SUCCESS, command
    code, _, error = zhpipe("inspect", path, "--delimiter", ";;")
    assert code == BAD_USAGE and "expected one character" in error


def test_our_own_files_may_hold_what_looks_like_rows(tmp_path):
    """A text whose lines look like rows of the part is read back as one text."""
    folder = tmp_path / "segment"
    folder.mkdir()
    (folder / "segmenter.json").write_text("{}", encoding="utf-8")
    text = "一,b,c,d\n二,b,c,d"
    with (folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([segment.COLUMNS, *[(1, "b", "c", "d")] * 4, (2, "b", text, "x")])
    assert [row.tokenised.text for row in segment.read_part(tmp_path, "train")] == ["c"] * 4 + [text]


def test_what_looks_wrong_is_said(tmp_path, zhpipe):
    """Before: a label with a zero-width space was a class of its own without a word. After: it is counted and said."""
    path = tmp_path / "mini.csv"
    labels = ["好\u200b评", "好评", "差评"] * 10
    path.write_text("类别,正文\n" + "".join(f"{label},第{n}次\n" for n, label in enumerate(labels)), encoding="utf-8")
    code, out, _ = zhpipe("inspect", path, "--text", "正文", "--label", "类别")
    assert code == SUCCESS and "10 labels or tags with an invisible character" in out
    write_config(tmp_path)
    code, out, error = zhpipe(
        "segment", tmp_path / "mini.toml", "--set", f"corpus.train={path}", "--runs", tmp_path / "runs"
    )
    assert code == SUCCESS and "10 labels or tags with an invisible character" in out, error
    audit = json.loads((tmp_path / "runs" / "mini" / "segment" / "corpus.json").read_text(encoding="utf-8"))
    assert audit["findings"] == {"deceptive_labels": 10}


TAGGER = """name = "t"
task = "tag"
[corpus]
train = "a.jsonl"
format = "doccano"
[segment]
unit = "char"
[tag]
kind = "entities"
"""


def test_offsets_are_counted_as_asked(tmp_path, zhpipe):
    """Before: offsets in UTF-16 units were shifted by one in silence. After: said, with a setting that exists."""
    spans = [{"text": f"😀张三在第{n}站", "label": [[2, 4, "人名"]]} for n in range(30)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in spans), encoding="utf-8")
    config = write_config(tmp_path, TAGGER)
    where = ("--runs", tmp_path / "runs")
    code, out, error = zhpipe("segment", config, *where)
    assert code == SUCCESS and 'set corpus.tagged.offsets = "characters" or "utf-16"' in out, error
    code, out, error = zhpipe("segment", config, *where, "--set", "corpus.tagged.offsets=utf-16")
    assert code == SUCCESS and "corpus.tagged.offsets" not in out, error
    rows = read_csv(tmp_path / "runs" / "t" / "segment" / "train.csv")
    assert all(row[1].startswith("O B-人名 E-人名 O") for row in rows[1:])


ADVICE = re.compile(r"(?<![\w.])(offsets|overlaps|brackets) = ")


def test_no_advice_names_a_setting_that_does_not_exist(tmp_path):
    """Errors about spans and brackets name corpus.tagged.KEY in a config."""
    (tmp_path / "a.jsonl").write_text(
        json.dumps({"text": "张三丰在", "label": [[0, 2, "人名"], [1, 3, "人名"]]}) + "\n", encoding="utf-8"
    )
    with pytest.raises(PipelineError) as raised:
        read(load(write_config(tmp_path, TAGGER)))
    assert "corpus.tagged.overlaps" in str(raised.value) and not ADVICE.search(str(raised.value))
    (tmp_path / "a.txt").write_text("[北京/ns 大学/n 的/u\n", encoding="utf-8")
    with pytest.raises(PipelineError) as raised:
        changed = ["corpus.format=slashed", f"corpus.train={tmp_path / 'a.txt'}"]
        read(load(write_config(tmp_path, TAGGER), changed))
    assert "corpus.tagged.brackets = false" in str(raised.value)


def test_labels_are_renamed_and_merged(model, tmp_path, zhpipe):
    """Before: a corpus with other names had to be edited. After: corpus.label_map, with counts, in evaluate too."""
    path = tmp_path / "mini.csv"
    rows = [(label[:2], text) for label, text in mails()]
    path.write_text("类别,正文\n" + "".join(f"{label},{text}\n" for label, text in rows), encoding="utf-8")
    config = write_config(tmp_path)
    names = 'corpus.label_map={ "垃圾" = "垃圾邮件", "正常" = "正常邮件", "广告" = "垃圾邮件" }'
    where = ("--set", f"corpus.train={path}", "--runs", tmp_path / "runs", "--set", names)
    code, out, error = zhpipe("segment", config, *where)
    assert (
        code == SUCCESS and "labels renamed: 垃圾 to 垃圾邮件 (20), 正常 to 正常邮件 (20), 广告 to 垃圾邮件 (0)" in out
    )
    assert {row[1] for row in read_csv(tmp_path / "runs" / "mini" / "segment" / "train.csv")[1:]} == {
        "垃圾邮件",
        "正常邮件",
    }
    asked = ("evaluate", model, "--corpus", path, "--text", "正文", "--label", "类别", "--out", tmp_path / "e")
    code, _, error = zhpipe(*asked)
    assert code == BAD_INPUT and "the model knows none of the labels" in error and "corpus.label_map" in error
    code, _, error = zhpipe(*asked, "--set", names)
    assert code == SUCCESS and "labels renamed: 垃圾 to 垃圾邮件 (20)" in error


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("segment", "in.txt", "out.txt", "--set", "corpus.nfkc=true", "--set", "nonsense.key=5"), "changes a CONFIG"),
        (("embed", "in.txt", "--out", "vectors", "--set", "embed.epochs=3"), "changes a CONFIG"),
        (("segment", "in.csv", "out", "--engine", "ray", "--set", "corpus.nfkc=true"), "changes a CONFIG"),
        (("evaluate", "MODEL", "--corpus", "in.csv", "--set", "train.epochs=3"), "only settings of corpus"),
        (("evaluate", "MODEL", "--corpus", "in.csv", "--set", "corpus.text=正文"), "there is an argument or option"),
        (("evaluate", "MODEL", "--corpus", "in.csv", "--set", "corpus.nonsense=5"), "unknown key"),
    ],
)
def test_every_override_applies_or_is_refused(model, tmp_path, monkeypatch, zhpipe, command, said):
    """Before: exit code 0, and --set ignored. After: refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("好\n", encoding="utf-8")
    (tmp_path / "in.csv").write_text("text,label\n好,正常邮件\n", encoding="utf-8")
    code, _, error = zhpipe(*(model if part == "MODEL" else part for part in command))
    assert code in (BAD_USAGE, BAD_INPUT) and said in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "in.txt"]


def test_an_override_of_how_a_corpus_is_read_applies_to_evaluate():
    read_as = corpus_settings({"text": ("text",)}, ["corpus.tagged.offsets=utf-16", "corpus.nfkc=true"])
    assert (read_as.tagged.offsets, read_as.nfkc, read_as.text_columns) == ("utf-16", True, ("text",))
