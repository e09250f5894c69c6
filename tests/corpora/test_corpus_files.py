"""Encodings, gzip, errors that say where, and files that appear whole."""

import gzip
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import CorpusError
from corpora.files import codec, open_text, replace_when_done, text_lines

ENCODED = ["utf-8", "utf-8-sig", "gb18030", "utf-16"]


@pytest.mark.parametrize("encoding", ENCODED)
@given(text=st.text(st.characters(exclude_categories=["Cs"])), chunk=st.integers(1, 9))
def test_lines_join_to_the_text_in_any_chunks(tmp_path_factory, encoding, text, chunk):
    text = text.lstrip("\ufeff")
    path = tmp_path_factory.getbasetemp() / f"{encoding}.txt"
    path.write_bytes(text.encode(encoding))
    lines = list(text_lines(path, encoding, chunk=chunk))
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as stream:
        assert lines == list(stream)
    assert "".join(lines) == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "cp950", "utf-16"])
@given(before=st.text("天气好\n的a", max_size=20), bad=st.binary(min_size=1, max_size=6), chunk=st.integers(1, 9))
def test_undecodable_byte_is_where_python_finds_it(tmp_path_factory, encoding, before, bad, chunk):
    data = before.encode(encoding) + bad
    path = tmp_path_factory.getbasetemp() / f"bad-{encoding}.txt"
    path.write_bytes(data)
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        found = data[error.start : error.start + 4]
        good = data[: error.start].decode(encoding)
        line = len((good + "x").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        with pytest.raises(CorpusError) as caught:
            list(text_lines(path, encoding, chunk=chunk))
        assert f": line {line}: byte {error.start} ({found[0]:02x}" in str(caught.value)


def test_a_utf_16_file_read_as_utf_8_is_told_so(tmp_path):
    path = tmp_path / "信.txt"
    path.write_bytes("您好".encode("utf-16"))
    with pytest.raises(CorpusError, match="--encoding utf-16"):
        list(text_lines(path, "utf-8"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_text(tmp_path, encoding):
    path = tmp_path / "信.txt"
    path.write_bytes("\ufeff您\ufeff好".encode(encoding.removesuffix("-sig")))
    assert list(text_lines(path, encoding)) == ["您\ufeff好"]


def test_utf_16_without_a_mark_must_be_told_its_order(tmp_path):
    path = tmp_path / "信.txt"
    path.write_bytes("您好".encode("utf-16-be"))
    with pytest.raises(CorpusError, match="try --encoding utf-16-le or utf-16-be"):
        list(text_lines(path, "utf-16"))
    assert list(text_lines(path, "utf-16-be")) == ["您好"]


@pytest.mark.parametrize(("name", "used"), [("UTF8", "utf-8"), ("gb2312", "gb18030"), ("GBK", "gb18030")])
def test_names_of_encodings(name, used):
    assert codec(name) == used


@pytest.mark.parametrize("name", ["hex", "utf-9", "", "gb\0"])
def test_unknown_encodings(name):
    with pytest.raises(CorpusError, match="the encodings are utf-8, "):
        codec(name)


def test_four_byte_gb18030_read_as_gbk(tmp_path):
    path = tmp_path / "古.txt"
    path.write_bytes("𠮷野家".encode("gb18030"))
    assert list(text_lines(path, "gbk")) == ["𠮷野家"]


def test_a_file_appears_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "报告.txt"
    path.write_text("旧", encoding="utf-8")
    for stop in (KeyboardInterrupt, ValueError):
        with pytest.raises(stop), replace_when_done(path) as temporary:
            temporary.write_text("半", encoding="utf-8")
            raise stop
        assert [file.name for file in tmp_path.iterdir()] == ["报告.txt"]
        assert path.read_text(encoding="utf-8") == "旧"
    with replace_when_done(path) as temporary:
        temporary.write_text("新", encoding="utf-8")
        assert temporary.parent == path.parent and path.read_text(encoding="utf-8") == "旧"
    assert path.read_text(encoding="utf-8") == "新" and len(list(tmp_path.iterdir())) == 1


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path):
    path = tmp_path / ("长" * 80 + ".csv.gz")
    with replace_when_done(path) as temporary:
        assert temporary.name.endswith(".csv.gz")
        temporary.touch()
    assert path.exists()


def test_folders_are_no_files(tmp_path):
    with pytest.raises(CorpusError, match="there is no folder"), replace_when_done(tmp_path / "无" / "a"):
        pass
    with pytest.raises(CorpusError, match="is a folder"), replace_when_done(tmp_path):
        pass
    with pytest.raises(CorpusError, match="a file is expected"):
        list(text_lines(tmp_path, "utf-8"))
    with pytest.raises(CorpusError, match="no such file"):
        list(text_lines(tmp_path / "无", "utf-8"))


def test_gzip_by_suffix_and_the_same_bytes_for_the_same_text(tmp_path):
    for name in ("甲.txt.gz", "乙.TXT.GZ"):
        with open_text(tmp_path / name, "utf-8", "w") as stream:
            stream.write("早\r\n安")
    first, second = (file.read_bytes() for file in tmp_path.iterdir())
    assert first == second and gzip.decompress(first).decode() == "早\r\n安"
    with open_text(tmp_path / "甲.txt.gz", "utf-8", "r") as stream:
        assert stream.read() == "早\r\n安"


def test_damaged_gzip(tmp_path):
    whole = gzip.compress("一二三".encode() * 999, mtime=0)
    (tmp_path / "短.gz").write_bytes(whole[:-9])
    (tmp_path / "坏.gz").write_bytes(whole[:12] + b"\xff\xff" + whole[14:])
    (tmp_path / "假.gz").write_bytes(b"id,text\n")
    for name, message in {"短.gz": "cut short", "坏.gz": "damaged", "假.gz": "not gzip"}.items():
        with pytest.raises(CorpusError, match=message):
            list(text_lines(tmp_path / name, "utf-8"))


def test_the_room_is_light_to_enter():
    modules = "corpora.formats, corpora.split, corpora.card, corpora.segmented, corpora.normalise"
    heavy = "numpy pandas pyarrow openpyxl opencc gensim jieba"
    code = f"import sys, {modules}; print([name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
