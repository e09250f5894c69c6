"""Tables: what is written reads back, independent libraries agree, and bad files are named."""

import csv
import gzip
import json
from io import StringIO
from pathlib import Path

import openpyxl
import pandas
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corpora.errors import CorpusError
from corpora.table import TableReader, TableWriter
from corpora.table_options import table_format

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.lists(st.text("内容label 评,\"'\t\n\r", min_size=1, max_size=5), min_size=1, max_size=4, unique=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)
SUFFIXES = [".csv", ".tsv", ".csv.gz", ".jsonl", ".ndjson.gz", ".parquet", ".xlsx"]


def tables(cells):
    return NAMES.flatmap(
        lambda names: st.tuples(st.just(names), st.lists(st.tuples(*[cells] * len(names)), max_size=5))
    )


def write(path, columns, rows, **options):
    with TableWriter(path, columns, **options) as table:
        for row in rows:
            table.write(row)
    return TableReader(path, quoting=True, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@settings(max_examples=40, deadline=None)
@given(table=tables(TEXT))
def test_strings_read_back_equal(folder, suffix, encoding, table):
    columns, rows = table
    assume(rows or suffix != ".jsonl")  # which has no place for columns but its rows
    reader = write(folder / f"t{suffix}", columns, rows, encoding=encoding)
    assert reader.columns == tuple(columns)
    assert list(reader) == rows and list(reader) == rows


@settings(max_examples=40, deadline=None)
@given(table=tables(JSON))
def test_json_values_read_back_equal(folder, table):
    columns, rows = table
    assume(rows)
    assert list(write(folder / "t.jsonl", columns, rows)) == rows


@settings(max_examples=30, deadline=None)
@given(table=tables(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)))
def test_sheets_read_back_equal(folder, table):
    columns, rows = table
    reader = write(folder / "t.xlsx", columns, rows)
    assert reader.columns == tuple(columns) and list(reader) == rows


@settings(max_examples=40, deadline=None)
@given(table=tables(TEXT))
def test_csv_is_what_the_standard_reader_makes_of_it(folder, table):
    columns, rows = table
    write(folder / "s.csv", columns, rows)
    with (folder / "s.csv").open(encoding="utf-8", newline="") as stream:
        assert list(map(tuple, csv.reader(stream, strict=True))) == [tuple(columns), *rows]


ROWS = [("1", "房间“很”好,\n早餐也好", "好评"), ("2", '他说"再见"', ""), ("3", "\tＡ　𠮷 ", "差评")]
COLUMNS = ("序号", "内容", "评论")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pandas_reads_what_is_written(tmp_path, suffix):
    path = tmp_path / f"评论{suffix}"
    write(path, COLUMNS, ROWS)
    options = {"dtype": str, "keep_default_na": False}
    if "csv" in suffix:
        frame = pandas.read_csv(path, **options)
    elif "tsv" in suffix:
        frame = pandas.read_csv(path, sep="\t", **options)
    elif "json" in suffix:
        frame = pandas.read_json(path, lines=True, dtype=False)
    elif "parquet" in suffix:
        frame = pandas.read_parquet(path)
    else:
        frame = pandas.read_excel(path, **options)
    assert tuple(frame.columns) == COLUMNS
    assert list(frame.itertuples(index=False, name=None)) == ROWS


def test_what_pandas_writes_is_read(tmp_path):
    frame = pandas.DataFrame({"文": ["好", "很\n好", None], "数": [1, 2, 3]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    expected = [("好", 1), ("很\n好", 2), (None, 3)]
    assert list(TableReader(tmp_path / "a.csv")) == [("好", "1"), ("很\n好", "2"), ("", "3")]
    for name in ("a.parquet", "a.xlsx", "a.jsonl"):
        assert list(TableReader(tmp_path / name)) == expected, name


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", "\ufeff文,标\n好,1\n".encode()),
        ("utf-8-sig", "文,标\n好,1\n".encode()),
        ("gbk", "文,标\r\n好,1\r\n".encode("gbk")),
        ("big5", "文,標\n好,1".encode("big5")),
        ("utf-16", "文,标\r好,1\r".encode("utf-16")),
        ("utf-8", "\n文,标\n\n好,1\n\n\n".encode()),
    ],
)
def test_marks_line_ends_and_blank_lines(tmp_path, encoding, data):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    reader = TableReader(path, encoding=encoding)
    assert reader.columns[0] == "文" and list(reader) == [("好", "1")]


def test_big_cells_and_nul(tmp_path):
    rows = [("长" * 1_000_000, "a\0b"), ("", "")]
    for suffix in (".csv", ".jsonl", ".parquet"):
        assert list(write(tmp_path / f"a{suffix}", ("文", "标"), rows)) == rows


def test_reading_holds_no_more_than_a_piece(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text\n" + b"x\n" * 3_000_000 + b"\xff\n")
    rows = iter(TableReader(path))
    assert next(rows) == ("x",)
    rows.close()
    with pytest.raises(CorpusError, match=r"row 3000001 \(line 3000002\): byte 6000005 \(ff 0a\)"):
        for _ in TableReader(path):
            pass


def test_undecodable_bytes_name_file_row_byte_and_option(tmp_path):
    path = tmp_path / "评论.csv"
    path.write_bytes(b'id,text\n1,"a\nb"\n\n2,' + "中国\n3,好\n".encode("gbk"))
    with pytest.raises(CorpusError) as caught:
        list(TableReader(path))
    message = "row 2 (line 5): byte 19 (d6 d0 b9 fa) is not utf-8: name the encoding, try --encoding gb18030"
    assert str(caught.value) == f"{path}: {message}"
    assert list(TableReader(path, encoding="gbk"))[-1] == ("3", "好")


BAD = {
    "空.csv": ("", "the file is empty; a header row"),
    "空行.csv": ("\n\n", "the file is empty; a header row"),
    "空.jsonl": ("", "the file is empty; a first line"),
    "多.csv": ("a,b\n1,2\n3,4,5\n", r"row 2 \(line 3\): 2 cells expected, as in the header, but 3 found"),
    "少.tsv": ("a\tb\n\n1\n", r"row 1 \(line 3\): 2 cells expected, as in the header, but 1 found"),
    "引.csv": ('a,b\n1,"2\n3,4\n', r"row 1 \(line 2\): .*end with one"),
    "尾.csv": ('a,b\n1,"2"3\n', r"row 1 \(line 2\): .*end with one"),
    "坏.jsonl": ('{"a": 1}\n\n{"a": \n', r"row 2 \(line 3\): not JSON: .* at character"),
    "列.jsonl": ("[1]\n", "an object like .* a list came"),
    "无.jsonl": ("{}\n", "an empty object came"),
    "键.jsonl": ('{"a": 1}\n{"a": 2, "b": 3}\n', r'row 2 \(line 2\): the key "b" is not in the first line'),
    "深.jsonl": ('{"a": ' + "[" * 200_000 + "\n", "cannot be read as JSON"),
    "数.jsonl": ('{"a": ' + "9" * 5000 + "}\n", "cannot be read as JSON"),
    "假.parquet": ("文,标\n", "not a Parquet file"),
    "假.xlsx": ("文,标\n", "not an XLSX file"),
    "空.parquet": ("", "not a Parquet file"),
    "空.xlsx": ("", "not an XLSX file"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    data, message = BAD[name]
    path = tmp_path / name
    path.write_text(data, encoding="utf-8", newline="")
    with pytest.raises(CorpusError, match=message) as caught:
        list(TableReader(path))
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_files_and_folders(tmp_path, suffix):
    (tmp_path / f"夹{suffix}").mkdir()
    with pytest.raises(CorpusError, match="no such file"):
        list(TableReader(tmp_path / f"无{suffix}"))
    with pytest.raises(CorpusError, match="is a folder"):
        list(TableReader(tmp_path / f"夹{suffix}"))


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if "gz" not in suffix])
@settings(max_examples=25, deadline=None)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_a_changed_byte_never_ends_in_another_error(folder, suffix, place, byte):
    path = folder / f"byte{suffix}"
    write(path, COLUMNS, ROWS)
    data = bytearray(path.read_bytes())
    data[min(len(data) - 1, int(place * len(data)))] = byte
    path.write_bytes(data)
    try:
        list(TableReader(path))
    except CorpusError as error:
        assert str(error).startswith(str(path))


def test_header_only_is_a_table_without_rows(tmp_path):
    for suffix in (".csv", ".tsv", ".xlsx", ".parquet"):
        reader = write(tmp_path / f"a{suffix}", COLUMNS, [])
        assert reader.columns == COLUMNS and list(reader) == []


def test_missing_and_repeated_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("文,标签,文,标记\n1,2,3,4\n", encoding="utf-8")
    reader = TableReader(path)
    assert reader.columns == ("文", "标签", "文", "标记") and reader.position("标签") == 1
    with pytest.raises(CorpusError, match='2 columns are named "文"'):
        reader.position("文")
    known = '"文", "标签", "标记"'
    with pytest.raises(CorpusError, match=rf'no column "标签2"; the columns are {known}, "标签" is .* with --label'):
        reader.position("标签2", "--label")


def test_json_keys_may_be_missing(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "好", "b": 1}\r\n \n{"b": null}\n', encoding="utf-8")
    assert list(TableReader(path)) == [("好", 1), (None, None)]


def sheet(path, *rows, title="数据"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.create_sheet("其他").append(["别"])
    book.save(path)


def test_sheets_are_named_and_padded(tmp_path):
    path = tmp_path / "a.xlsx"
    sheet(path, ["文", "数", None], ["好", 1], [None, None], ["坏"], [], [None])
    assert list(TableReader(path)) == [("好", 1), (None, None), ("坏", None)]
    assert TableReader(path, sheet="其他").columns == ("别",)
    with pytest.raises(CorpusError, match='no sheet "没有"; the sheets are "数据", "其他"'):
        list(TableReader(path, sheet="没有"))
    sheet(path, ["文"], ["好", "多"])
    with pytest.raises(CorpusError, match=r"row 1 \(line 2\): 1 cells expected"):
        list(TableReader(path))


def test_no_cell_of_a_sheet_is_changed_by_excel_rules(tmp_path):
    rows = [
        ("=1+1", 10**18),
        ("#N/A", 1.5),
        ("_x000D_\r\n\x07", True),
        ("00123", float("inf")),
        (" 前后 ", None),
    ]
    back = list(write(tmp_path / "a.xlsx", ("文", "数"), rows))
    assert back == [(text, str(cell) if cell in (10**18, float("inf")) else cell) for text, cell in rows]


def test_formats_by_suffix():
    assert [table_format(Path(f"a{suffix}")) for suffix in (".CSV", ".ndjson", ".tsv.GZ")] == [
        "csv",
        "jsonl",
        "tsv",
    ]
    for path, format in (("a.xls", None), ("a", None), ("a.csv", "cvs"), ("a.parquet.gz", None)):
        with pytest.raises(CorpusError, match=path):
            table_format(Path(path), format)
    assert table_format(Path("a.data"), "tsv") == "tsv"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_writing_leaves_nothing(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(KeyboardInterrupt), TableWriter(path, COLUMNS) as table:
        table.write(ROWS[0])
        raise KeyboardInterrupt
    with (
        pytest.raises(CorpusError, match="row 2: 3 cells expected, 1 came"),
        TableWriter(path, COLUMNS) as table,
    ):
        table.write(ROWS[0])
        table.write(("x",))
    with pytest.raises(CorpusError, match=r"U\+D800 is half"), TableWriter(path, COLUMNS) as table:
        table.write(("1", "\ud800", "3"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r'row 2: "镕" \(U\+9555\) is not in cp950: write it as utf-8'):
        write(tmp_path / "a.csv", ("文",), [("好",), ("镕",)], encoding="big5")
    with pytest.raises(CorpusError, match='header: "镕"'):
        write(tmp_path / "a.csv", ("镕",), [], encoding="big5")
    with pytest.raises(CorpusError, match="without columns"):
        TableWriter(tmp_path / "a.csv", [])
    with pytest.raises(CorpusError, match='2 columns are named "文"'):
        write(tmp_path / "a.jsonl", ("文", "文"), [])
    with pytest.raises(CorpusError, match='column "文": cells of mixed types'):
        write(tmp_path / "a.parquet", ("文",), [("好",), (1,)])
    with pytest.raises(CorpusError, match="row 1: a cell of 32,768 characters"):
        write(tmp_path / "a.xlsx", ("文",), [("长" * 32_768,)])
    assert list(tmp_path.iterdir()) == []


def test_parquet_batches_keep_order_and_types(tmp_path):
    rows = [(None if row < 5000 else f"第{row}行", row, row / 2) for row in range(9000)]
    assert list(write(tmp_path / "a.parquet", ("文", "数", "分"), rows)) == rows


def test_json_lines_stay_readable(tmp_path):
    write(tmp_path / "a.jsonl.gz", ("文",), [("好\u2028坏",)])
    text = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).decode()
    assert text == '{"文": "好\u2028坏"}\n' and json.load(StringIO(text)) == {"文": "好\u2028坏"}
