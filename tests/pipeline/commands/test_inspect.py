"""`zhpipe inspect` of files that it has to recognise, and `--show` of labelled tables."""

import json

import pytest
from mini import mails, write_csv

from pipeline.__main__ import main
from pipeline.commands.preview import preview


@pytest.fixture
def inspect(capsys, tmp_path, monkeypatch):
    """Runs `zhpipe inspect`: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["inspect", *arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def test_a_table_without_options_is_recognised(inspect, tmp_path):
    write_csv(tmp_path / "a.csv", mails(60), ("评价", "内容"))
    code, out, error = inspect("a.csv")
    assert code == 0, error
    lines = out.splitlines()
    assert lines[0].split() == ["column", "filled", "different", "characters", "looks", "like", "for", "example"]
    assert lines[1].split()[:5] == ["评价", "60", "2", "4.0", "label"]
    assert lines[2].split()[4] == "text" and "read with text 内容, label 评价" in lines
    assert out.endswith(inspect("a.csv", "--text", "内容", "--label", "评价")[1])
    found = json.loads(inspect("a.csv", "--json")[1])
    assert [column["name"] for column in found["columns"]] == ["评价", "内容"] and found["rows"] == 60


def test_where_there_is_a_choice_no_card_is_printed(inspect, tmp_path):
    rows = [(f"第{row}个标题", f"第{row}家店很好") for row in range(20)]
    write_csv(tmp_path / "a.csv", rows, ("标题", "内容"))
    code, out, _ = inspect("a.csv")
    assert code == 0 and "choose the columns of the texts with --text" in out and "length" not in out


def test_a_tagged_corpus_is_recognised(inspect, tmp_path):
    (tmp_path / "a.txt").write_text("老 B-人\n周 I-地\n去 O\n", encoding="utf-8")
    code, out, _ = inspect("a.txt")
    assert code == 0 and out.startswith("conll, tags of entities in BIO\n") and 'line 2: "I-地" after "B-人"' in out
    assert json.loads(inspect("a.txt", "--json")[1])["types"] == {"人": 1, "地": 1}


def test_spans_that_overlap_are_counted(inspect, tmp_path):
    record = {"text": "老周去昆明", "label": [[0, 2, "人"], [1, 2, "姓"], [3, 5, "地"]]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    code, out, error = inspect("a.jsonl")
    assert code == 0, error
    assert "1 spans dropped because they overlap others that are kept" in out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.csv",
            "内容;评价\n很好;好\n",
            "the only column is \"内容;评价\", which seems to hold several: set --delimiter ';'",
        ),
        ("a.csv", "内容\t评价\n很好\t好\n", "set --delimiter tab"),
        ("a.conll", "本车在路口撞了护栏。 O\n老 B-人\n", "1 tokens that look like whole sentences"),
        ("a.txt", "", "look like none of the formats"),
    ],
)
def test_no_figures_of_what_was_misread(inspect, tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="utf-8")
    code, out, error = inspect(name)
    assert code == 2 and out == "" and said in error


def test_a_preview_cuts_texts_and_never_json():
    entities = json.dumps(
        [{"text": "昆明" * 20, "type": "地", "start": 0}, {"text": "老周", "type": "人"}], ensure_ascii=False
    )
    bits = json.dumps([[0, 1, 2.5]] * 30)
    rows = [
        ["正文", "entities", "surprisal"],
        ["好" * 50, entities, bits],
        ["[未完", "[]", None],
        [True, 7, "a\x1b\nb"],
    ]
    lines = preview(rows)
    assert "好" * 39 + "…" in lines[1] and f"{'昆明' * 20}/地 老周/人" in lines[1] and bits in lines[1]
    assert lines[2].split() == ["[未完", "[]"] and lines[3].split() == ["true", "7", "a\\x1b", "b"]
