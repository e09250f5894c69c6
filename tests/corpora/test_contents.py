"""Files by another name, pipes and encodings: what stands there is named, and the advice holds."""

import gzip
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import decoding, entries
from corpora.errors import CorpusError
from corpora.files import ENCODINGS, codec, text_lines
from corpora.formats import read, read_tagged
from corpora.table import TableReader, TableWriter
from corpora.table_options import table_format


def bytes_of(kind, folder):
    if kind in ("xlsx", "parquet"):
        with TableWriter(folder / f"x.{kind}", ["text"]) as table:
            table.write(["好"])
        return (folder / f"x.{kind}").read_bytes()
    if kind == "zip":
        with zipfile.ZipFile(folder / "x.zip", "w") as archive:
            archive.writestr("a.csv", "text\n好\n")
        return (folder / "x.zip").read_bytes()
    made = {"gzip": gzip.compress(b"text\n"), "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)}
    return {**made, "pdf": b"%PDF-1.7\n", "zstd": b"\x28\xb5\x2f\xfd" + bytes(9)}[kind]


KINDS = {
    "xlsx": r"is an XLSX workbook, not text: name it \.xlsx",
    "parquet": "is a Parquet file, not text",
    "zip": r"is a zip archive, not text: let its name end in \.zip if it holds one file, or unpack it",
    "gzip": r"is packed by gzip, not text: let its name end in \.gz",
    "zstd": r"is packed by zstd, not text: let its name end in \.zst",
    "xls": r"is an old Excel workbook \(\.xls\), or one with a password, not text: save it as XLSX",
    "pdf": "is a PDF",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_is_named(tmp_path, kind):
    data = bytes_of(kind, tmp_path)
    for name, reading in (
        ("a.csv", TableReader),
        ("b.tsv", TableReader),
        ("c.jsonl", TableReader),
        ("d.csv", lambda path: entries.read(path).rows),
        ("e.txt", read),
        ("f.conll", read_tagged),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(CorpusError, match=f"{name}: {KINDS[kind]}"):
            list(reading(path))


@pytest.mark.parametrize(
    ("suffix", "other"), [(".xlsx", "parquet"), (".parquet", "xlsx"), (".xlsx", "xls"), (".xlsx", "zip")]
)
def test_workbooks_and_parquet_that_are_something_else(tmp_path, suffix, other):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes_of(other, tmp_path))
    with pytest.raises(CorpusError, match=r"damaged, or not an? (XLSX|Parquet) file .*it is (a|an|packed)"):
        list(TableReader(path))


def test_texts_that_begin_like_something_else(tmp_path):
    path = tmp_path / "a.csv"
    for header in ("PAR1", "BZh", "%PDF"):
        path.write_text(f"{header},text\n1,2\n", encoding="utf-8")
        assert list(TableReader(path)) == [("1", "2")]


@pytest.mark.parametrize(("name", "advice"), [("a.xls", "save it as XLSX or CSV"), ("a.zip", "unpack it first")])
def test_suffixes_that_are_not_read(tmp_path, name, advice):
    with pytest.raises(CorpusError, match=advice):
        table_format(tmp_path / name)
    with pytest.raises(CorpusError, match=advice):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes by name are of POSIX")
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".xlsx", ".parquet", ".txt", ".conll", ".csv.gz"])
def test_pipes_are_refused_at_once(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    os.mkfifo(path)
    reading = read if suffix == ".txt" else read_tagged if suffix == ".conll" else TableReader
    with pytest.raises(CorpusError, match=r'is a pipe, and a file is expected: write it to a file first, or name "-"'):
        list(reading(path))
    if reading is TableReader:
        with pytest.raises(CorpusError, match="is a pipe"):
            entries.read(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_refused(device):
    if not os.path.exists(device):  # noqa: PTH110
        pytest.skip("no such device here")
    with pytest.raises(CorpusError, match="is a device"):
        list(TableReader(device, format="csv"))


@pytest.mark.parametrize(
    ("text", "written", "read_as", "advice"),
    [
        ("房间很好，早餐也不错", "gb18030", "utf-8", "gb18030"),
        ("房間很好，早餐也不錯", "cp950", "utf-8", "cp950"),
        ("房間很好，我哋都好鍾意喺度食嘢", "big5hkscs", "utf-8", "big5hkscs"),
        ("这家店很好", "utf-8", "gb18030", "utf-8"),
        ("这家店的服务很好", "utf-8", "big5", "utf-8"),
        ("房间很好", "utf-16", "utf-8", "utf-16"),
        ("text,房间很好，一", "utf-16-le", "utf-8", "utf-16-le"),
    ],
)
def test_the_advice_decodes_the_file(tmp_path, text, written, read_as, advice):
    path = tmp_path / "a.txt"
    path.write_bytes(((text + "\n") * 3).encode(written))
    with pytest.raises(CorpusError, match="try --encoding") as caught:
        list(text_lines(path, read_as))
    named = str(caught.value).rpartition("--encoding ")[2]
    assert named == advice and "".join(text_lines(path, named)) == (text + "\n") * 3


@given(data=st.binary(max_size=60), asked=st.sampled_from(sorted(ENCODINGS)))
def test_any_advice_decodes_the_file(tmp_path_factory, data, asked):
    path = tmp_path_factory.getbasetemp() / "advice.txt"
    path.write_bytes(data)
    try:
        list(text_lines(path, asked))
    except CorpusError as error:
        named = str(error).rpartition("try --encoding ")[2]
        if named in ENCODINGS:
            list(text_lines(path, named))
        else:
            assert (
                "no other encoding decodes the whole file" in str(error)
                or " or utf-16-be" in str(error)
                or "is a" in str(error)
                or "is packed" in str(error)
            )


def test_a_damaged_file_is_not_sent_to_another_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text\n房间很好\n".encode() * 9 + b"\xff\n")
    with pytest.raises(CorpusError, match="is not utf-8, and no other encoding decodes the whole file: repair"):
        list(TableReader(path))
    bad = [row for row in entries.read(path).rows if not hasattr(row, "cells")]
    assert len(bad) == 1 and "no other encoding decodes" in bad[0].reason


def test_big5_of_windows_and_of_hong_kong(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text\n裏面€恒\n".encode("cp950"))
    assert list(TableReader(path, encoding="big5")) == [("裏面€恒",)] == list(TableReader(path, encoding="cp950"))
    path.write_bytes("text\n喺度\n".encode("big5hkscs"))
    assert list(TableReader(path, encoding="Big5-HKSCS")) == [("喺度",)]
    assert (codec("big5"), codec("MS950"), codec("big5hkscs")) == ("cp950", "cp950", "big5hkscs")
    assert decoding.way_out("cp950") == ": name the encoding, try --encoding cp950"
