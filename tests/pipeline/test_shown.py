"""What is shown is what is there: no cell runs as a formula, no text moves the cursor or turns the writing round."""

import json
import shutil

import pytest
from mini import mails, read_csv, write_csv
from random_model import make_model

from corpora.guards import guarded, unguarded, visible
from pipeline.__main__ import _exit_code
from pipeline.evaluation.report import comparison, reprint

FORMULAS = [
    '=HYPERLINK("http://x")',
    "+1+1|cmd",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "＋1",
    "－1好",
    "＠x",
    "  =1",
    "\u3000=1",
    "\ufeff=1",
    "'=1",
]
HARMLESS = ["好", "-5", "+3.2", "-12,5%", "'好", "a=b", "", "1", "（=）", "2024-01-01"]
NASTY = "好\x1b[2J\x1b]0;x\x07\u202e坏\u2066\x9b31m\r隐"
HIDDEN = ["\x1b", "\x07", "\u202e", "\u2066", "\x9b"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_formulas_are_guarded(cell):
    assert guarded(cell) == f"'{cell}" and unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", HARMLESS)
def test_other_cells_stay(cell):
    assert guarded(cell) == cell == unguarded(cell)


def test_visible():
    assert visible("好\t坏\r\n，\n") == "好\t坏\r\n，\n"
    assert visible(NASTY) == r"好\u001b[2J\u001b]0;x\u0007\u202e坏\u2066\u009b31m\u000d隐"
    assert visible("\udc80") == r"\udc80"


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, trained):
    """The folder of a run evaluated on rows whose texts are formulas or hide something."""
    folder = tmp_path_factory.mktemp("evaluated")
    rows = [("=恶意", text) for text in (*FORMULAS, NASTY)] + mails(10)
    write_csv(folder / "test.csv", rows)
    shutil.copytree(trained("gru"), folder / "run")
    columns = ("--text", "正文", "--label", "类别", "--out", str(folder / "out"))
    assert _exit_code(["evaluate", str(folder / "run"), "--corpus", str(folder / "test.csv"), *columns]) == 0
    return folder


def test_no_table_of_a_report_runs(evaluated):
    tables = sorted((evaluated / "out").glob("*.csv"))
    assert {"predictions.csv", "errors.csv", "confusion.csv"} <= {path.name for path in tables}
    guards = 0
    for path in tables:
        for row in read_csv(path):
            assert all(cell == guarded(unguarded(cell)) for cell in row), (path.name, row)
            guards += sum(cell != unguarded(cell) for cell in row)
    assert guards > 2 * len(FORMULAS)


def test_what_is_read_again_is_what_was_written(evaluated):
    document = json.loads((evaluated / "out" / "report.json").read_text(encoding="utf-8"))
    outcomes, _ = reprint.read_outcomes(evaluated / "out" / "predictions.csv", document)
    assert [one.text for one in outcomes][: len(FORMULAS)] == FORMULAS
    assert {one.gold for one in outcomes} >= {"=恶意"}
    system = comparison.read(evaluated / "out")
    comparison.write(evaluated / "compared", [system, system])
    document["made"]["config"] = {"evaluate": {"excel_safe": False}}
    plain, _ = reprint.read_outcomes(evaluated / "out" / "predictions.csv", document)
    assert plain[0].text == f"'{FORMULAS[0]}"


def test_the_switch(mini):
    write_csv(mini / "test.csv", [("垃圾邮件", text) for text in FORMULAS])
    off = ("--set", "corpus.test=test.csv", "--set", "evaluate.excel_safe=false", "--set", "evaluate.baselines=[]")
    assert _exit_code(["run", "mini.toml", *off]) == 0
    texts = [row[1] for row in read_csv(mini / "runs" / "mini" / "evaluate" / "predictions.csv")[1:]]
    assert set(texts) == set(FORMULAS)


def test_nothing_is_hidden_in_a_report(evaluated, capfd):
    for name in ("report.txt", "report.html", "report.md"):
        text = (evaluated / "out" / name).read_text(encoding="utf-8")
        assert not [character for character in HIDDEN if character in text], name
    assert r"\u202e" in (evaluated / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_hidden_on_the_terminal(tmp_path, capfd, monkeypatch):
    make_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "in.csv", [(NASTY,)], header=("text",))
    assert _exit_code(["label", "model", "in.csv", "out.csv", "--show", "3"]) == 0
    assert _exit_code(["label", "model", "in.csv", "out.csv"]) == 2
    assert _exit_code(["label", "model", f"{NASTY}.csv", "new.csv"]) == 2
    assert _exit_code(["label", "model", "in.csv", "new.csv", "--text", NASTY]) == 2
    assert _exit_code(["label", "model", "in.csv", "new.csv", "--layout", NASTY]) == 2
    assert _exit_code(["inspect", "in.csv", "--text", "text"]) == 0
    said = "".join(capfd.readouterr())
    assert said.count(r"\u202e") >= 3
    assert not [character for character in HIDDEN if character in said]
    assert NASTY.encode() in (tmp_path / "out.csv").read_bytes(), "the output has the text as it was"


def test_a_label_that_hides_something(tmp_path, capfd, monkeypatch):
    make_model(tmp_path / "model", labels=("好", f"差{NASTY}".replace("\r", "")))
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "in.csv", [(text,) for text in ("很好吃", "不好", "难看", "慢了")], header=("text",))
    assert _exit_code(["label", "model", "in.csv", "out.csv", "--show", "9"]) == 0
    said = "".join(capfd.readouterr())
    assert not [character for character in HIDDEN if character in said]


def test_labels_excel_safe_guards_the_same_cells(tmp_path):
    make_model(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [(text,) for text in FORMULAS], header=("text",))
    arguments = [str(tmp_path / name) for name in ("model", "in.csv", "out.csv")]
    assert _exit_code(["label", *arguments, "--excel-safe"]) == 0
    assert [row[0] for row in read_csv(tmp_path / "out.csv")[1:]] == [guarded(text) for text in FORMULAS]
