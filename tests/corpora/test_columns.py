"""What the columns and the first lines of a file say about it."""

from pathlib import Path

import pytest

from corpora import columns, sniffing
from corpora.errors import CorpusError
from corpora.sniffing import Sniffed
from corpora.table import TableWriter

SAMPLES = Path(__file__).parent.parent.parent / "corpora" / "samples"
TEXT = "第{}家店的菜很好吃，送餐也快"


def table(path, rows=40):
    header = ("编号", "日期", "内容", "评价", "店名", "备注", "网址")
    with TableWriter(path, header) as written:
        for row in range(rows):
            label, shop = "好评" if row % 3 else "差评", f"老王{row}号店"
            written.write((f"{row}", f"2024-01-{row:02}", TEXT.format(row), label, shop, "", f"http://a.b/{row}"))
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "xlsx", "parquet"])
def test_columns_tell_texts_from_labels(tmp_path, suffix):
    found = columns.columns(table(tmp_path / f"a.{suffix}"))
    assert columns.text_candidates(found) == ["内容", "店名"]
    assert columns.label_candidates(found) == ["评价"]
    label = found[3]
    assert (label.rows, label.filled, label.distinct, label.examples) == (40, 40, 2, ("好评", "差评"))
    assert found[5].filled == 0 and not found[5].may_be_text and not found[5].may_be_label


def test_few_rows_make_no_label(tmp_path):
    found = columns.columns(table(tmp_path / "a.csv", rows=4))
    assert columns.label_candidates(found) == []


def test_samples_are_what_they_are():
    found = {path.name: sniffing.sniff(path) for path in SAMPLES.iterdir() if path.suffix != ".md"}
    assert found == {
        "feedback.csv": Sniffed("csv"),
        "hello.txt": Sniffed("lines"),
        "inbox-answers.csv": Sniffed("csv"),
        "inbox.csv": Sniffed("csv"),
        "mail.csv": Sniffed("csv"),
        "ner.conll": Sniffed("conll", "entities"),
        "pos.txt": Sniffed("slashed", "joint"),
        "prose.txt": Sniffed("lines"),
    }


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "我 S\n爱 S\n\n北 B\n京 E\n", Sniffed("conll", "words")),
        ("a.txt", "我 S-n\n北 B-n\n京 E-n\n", Sniffed("conll", "joint")),
        ("a.bio", "我 n\n爱 v\n", Sniffed("conll", "pos")),
        ("a.conllu", "1\t我\t我\tPRON\t_\t_\t0\troot\t_\t_\n", Sniffed("conllu", "joint")),
        ("a.json", '{"text": "老周", "label": {"人": {"老周": [[0, 1]]}}}\n', Sniffed("cluener", "entities")),
        ("a.jsonl", '{"text": "老周", "label": [[0, 2, "人"]]}\n', Sniffed("doccano", "entities")),
        ("a.json", '[\n{"data": {}, "annotations": []}\n]', Sniffed("label-studio", "entities")),
        ("a.jsonl", '{"text": "老周", "label": "人"}\n', Sniffed("jsonl")),
        ("a.txt", "今天 天气 很好\n我们去河边走走。\n", Sniffed("lines")),
        ("a.csv", "我 S\n", Sniffed("csv")),
        ("a.CSV.gz", "", Sniffed("csv")),
    ],
)
def test_first_lines_tell_the_format(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert sniffing.sniff(path) == expected
    assert sniffing.sniff(path, expected.format) == expected


@pytest.mark.parametrize(("name", "text"), [("a.txt", ""), ("a.json", '"text"'), ("a.json", "[1, 2]")])
def test_what_looks_like_nothing_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    if text == '"text"':
        assert sniffing.sniff(tmp_path / name) == Sniffed("lines")
        return
    with pytest.raises(CorpusError, match="choose one with --format"):
        sniffing.sniff(tmp_path / name)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        sniffing.sniff(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="is a folder"):
        sniffing.sniff(tmp_path)
