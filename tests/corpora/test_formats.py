"""One contract for the documents of every format."""

import pytest

from corpora.document import Document
from corpora.errors import CorpusError
from corpora.formats import FORMATS, corpus_format, read
from corpora.table import TableWriter

ROWS = [("退房很快", "推荐", " 好评\n"), ("不值", "", "差评"), ("", "一般", " "), ("再来", "还行", "")]
SUFFIXES = [".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet", ".xlsx"]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    path = tmp_path / f"评论{request.param}"
    with TableWriter(path, ("标题", "正文", "评论")) as table:
        for row in ROWS:
            table.write(row)
    return path


def test_rows_become_documents_again_and_again(path):
    corpus = read(path, text=["标题", "正文"], label="评论")
    expected = [
        Document("退房很快\n推荐", "好评", 1),
        Document("不值\n", "差评", 2),
        Document("\n一般", None, 3),
        Document("再来\n还行", None, 4),
    ]
    assert list(corpus) == expected and list(corpus) == expected


def test_one_column_without_label_normalised(path):
    corpus = read(path, text="正文", normalise=lambda text: text.replace("推荐", "荐"))
    assert [(document.text, document.label) for document in corpus] == [
        ("荐", None), ("", None), ("一般", None), ("还行", None)
    ]  # fmt: skip


def test_a_wrong_column_is_told_at_once(path):
    with pytest.raises(CorpusError, match=r'no column "文"; the columns are "标题", "正文", "评论".*--text'):
        read(path, text="文")
    with pytest.raises(CorpusError, match=r'no column "评价".*"评论" is the nearest.*--label'):
        read(path, text="正文", label="评价")


def test_cells_that_are_no_strings(tmp_path):
    for name in ("a.jsonl", "a.parquet", "a.xlsx"):
        with TableWriter(tmp_path / name, ("text", "label")) as table:
            for row in ((1.5, 0), (None, None), (2.5, 1)):
                table.write(row)
        documents = list(read(tmp_path / name, label="label"))
        assert documents == [Document("1.5", "0", 1), Document("", None, 2), Document("2.5", "1", 3)]


def test_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("你好\n\n再见".encode("gbk"))
    corpus = read(path, encoding="gbk")
    assert [document.text for document in corpus] == ["你好", "", "再见"] and corpus.format == "lines"
    with pytest.raises(CorpusError, match='plain lines have no label, but "评论"'):
        read(path, label="评论")


def test_names_of_formats(tmp_path):
    assert set(FORMATS) == {"csv", "tsv", "jsonl", "json", "parquet", "xlsx", "lines"}
    assert corpus_format(tmp_path / "a.txt", "tsv") == "tsv"
    with pytest.raises(CorpusError, match='no format "cvs"; the formats are csv, '):
        read(tmp_path / "a.csv", "cvs")
    with pytest.raises(CorpusError, match=r'no format has the suffix "\.doc"'):
        read(tmp_path / "a.doc")
    with pytest.raises(CorpusError, match="no text column"):
        read(tmp_path / "a.csv", text=[])
    with pytest.raises(CorpusError, match="no such file"):
        read(tmp_path / "a.csv")
