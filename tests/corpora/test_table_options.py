"""One set of options reads every table: where the header is, which sheet, what bad rows become, how it is packed."""

import csv
import io
import json
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import entries
from corpora.errors import CorpusError
from corpora.findings import said
from corpora.formats import read
from corpora.rejected import write as write_rejected
from corpora.rows import BadRow, Row
from corpora.table import TableReader, TableWriter
from corpora.table_options import TableOptions

ROWS = [["汇总", ""], ["正文", "评价"], ["单位", "无"], ["很好", "好评"], ["太差", "差评"]]


def table(path, rows=ROWS):
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        mark = "\t" if path.suffix == ".tsv" else ","
        path.write_text("".join(mark.join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def both(path, **options):
    """The columns and rows as read by each of the two readers, which must agree."""
    reader, found = TableReader(path, **options), entries.read(path, **options)
    rows = list(reader)
    assert found.columns == reader.columns and [row.cells for row in found.rows if isinstance(row, Row)] == rows
    return reader.columns, rows


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
def test_where_the_header_is(tmp_path, suffix):
    path = table(tmp_path / f"a{suffix}")
    first, second = ("很好", "好评"), ("太差", "差评")
    assert both(path, header_row=2) == (("正文", "评价"), [("单位", "无"), first, second])
    assert both(path, skip_rows=1) == (("正文", "评价"), [("单位", "无"), first, second])
    assert both(path, header_row=2, skip_rows=3) == (("正文", "评价"), [first, second])
    assert both(path, header=False, skip_rows=3) == (("1", "2"), [first, second])


def test_lines_above_the_header_are_not_parsed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('sep=;\n二月的"评论\n一共 2 行;"\n\n正文;评价\n很好;好评\n坏;行;多\n', encoding="utf-8")
    assert both(path, header_row=4, bad_rows="set-aside") == (("正文", "评价"), [("很好", "好评")])
    with pytest.raises(CorpusError, match=r"row 2 \(line 7\): 2 cells expected"):
        list(TableReader(path, header_row=4))


def test_a_title_above_the_table_is_told_from_a_header(tmp_path):
    for suffix in (".csv", ".xlsx"):
        path = table(tmp_path / f"a{suffix}", [["汇总"], ["正文", "评价"]])
        with pytest.raises(CorpusError, match=r"row 1 .*further down, tell where with --header-row"):
            list(TableReader(path))
    with pytest.raises(CorpusError, match="row 2, which was to name the columns, is empty"):
        list(TableReader(table(tmp_path / "b.xlsx", [["汇总"], [], ["正文"]]), header_row=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ";;"}, "one character"),
        ({"bad_rows": "drop"}, "one of stop, set-aside"),
        ({"header_row": 0}, "counts from 1"),
        ({"skip_rows": -1}, "from 0"),
        ({"header_row": 2, "header": False}, "choose one of them"),
        ({"sheet": 1}, "a csv file has no sheets"),
        ({"encoding": "gbkk"}, "did you mean gbk"),
    ],
)
def test_options_that_are_impossible(tmp_path, options, message):
    with pytest.raises(CorpusError, match=message):
        TableReader(tmp_path / "a.csv", **options)
    with pytest.raises(CorpusError, match="names its columns itself: leave out --no-header"):
        TableReader(tmp_path / "a.jsonl", skip_rows=1)


def test_sheets(tmp_path):
    book = openpyxl.Workbook()
    book.active.title, book.active.sheet_state = "旧", "hidden"
    book.active.append(["旧"])
    for name in ("新", "3"):
        book.create_sheet(name).append([name])
    book.active = 1
    book.save(tmp_path / "a.xlsx")
    assert [both(tmp_path / "a.xlsx", sheet=sheet)[0] for sheet in (None, "旧", 1, "2", 3, "3")] == [
        ("新",), ("旧",), ("旧",), ("新",), ("3",), ("3",)
    ]  # fmt: skip
    with pytest.raises(CorpusError, match='no sheet "4"; the sheets are "旧", "新", "3"'):
        both(tmp_path / "a.xlsx", sheet=4)


def test_what_a_sheet_has_beside_values_is_counted(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["标题"], ["正文", "评价", "注"], *([f"很好{n}", "好评", "x"] for n in range(8))):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("B3:B5")
    sheet.merge_cells("C3:C9")
    sheet["B7"], sheet["C10"] = "=A1", "=A1"
    sheet.row_dimensions[9].hidden = sheet.row_dimensions[1].hidden = True
    book.save(tmp_path / "a.xlsx")
    counts = {}
    documents = list(read(tmp_path / "a.xlsx", text="正文", label="评价", header_row=2).counted(counts))
    assert counts == {"hidden_rows": 1, "merged_cells": 2, "no_cached_value": 1}
    assert [document.label for document in documents] == ["好评", None, None, "好评", None, "好评", "好评", "好评"]


def test_bad_rows_are_set_aside_with_their_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("正文,评价\n很好,好评\n坏\n太差,差评\n,\n多,了,一个\n", encoding="utf-8")
    bad = []
    reader = TableReader(path, bad_rows="set-aside", set_aside=lambda number, row: bad.append((number, row)))
    assert [number for number, _ in reader.numbered()] == [1, 3, 4] and [number for number, _ in bad] == [2, 5]
    write_rejected(tmp_path / "r.csv", bad, reader.format, reader.encoding)
    rejected = list(TableReader(tmp_path / "r.csv", quoting=True))
    assert [(number, content) for number, _, content in rejected] == [("2", "坏"), ("5", "多,了,一个")]
    counts = {}
    documents = list(read(path, text="正文", label="评价", bad_rows="set-aside").counted(counts))
    assert [document.row for document in documents] == [1, 3, 4] and counts["bad_rows"] == 2
    assert said(counts)[1].startswith(
        "the first row set aside is row 2: 2 cells expected, as in the header, but 1 found"
    )
    write_rejected(tmp_path / "r.csv", [], reader.format, reader.encoding)
    assert not (tmp_path / "r.csv").exists()


def packed(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_file_with_one_member_is_read(tmp_path):
    text = "正文,评价\n很好,好评\n"
    for name in ("a.csv.zip", "b.zip"):
        path = packed(tmp_path / name, {"x/": "", "x/评论.csv": text, "__MACOSX/x": "1"})
        assert both(path) == (("正文", "评价"), [("很好", "好评")])
    with pytest.raises(CorpusError, match=r"c\.csv\.zip: the zip archive has 2 files \(a\.csv, b\.csv\)"):
        both(packed(tmp_path / "c.csv.zip", {"a.csv": text, "b.csv": text}))
    with pytest.raises(CorpusError, match="zip is read but not written"):
        TableWriter(tmp_path / "d.csv.zip", ["a"])
    (tmp_path / "e.csv.zip").write_bytes(b"PK\3\4" + bytes(40))
    with pytest.raises(CorpusError, match="damaged, cut short, or not zip"):
        both(tmp_path / "e.csv.zip")
    assert next(iter(read(packed(tmp_path / "f.txt.zip", {"f.txt": "很好\n"})))).text == "很好"


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text("好,\n\"'a", max_size=4)
    | st.lists(st.just("好"), max_size=2)
)


@given(rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4), indent=st.sampled_from([None, 1]))
def test_json_arrays_come_back(tmp_path_factory, rows, indent):
    path = tmp_path_factory.getbasetemp() / "a.json"
    with TableWriter(path, ("甲", "乙")) as writer:
        for row in rows:
            writer.write(row)
    assert both(path) == (("甲", "乙"), rows)
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(values, ensure_ascii=False, indent=indent), encoding="utf-8")
    assert both(path) == (("甲", "乙"), rows)


def test_json_that_is_no_array_of_objects(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"text": {"0": "好"}}', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"one array of objects is expected, .* came: .*orient=.records."):
        both(path)
    path.write_text('{"text": "好"}\n{"text": "坏"}\n', encoding="utf-8")  # lines, as many .json files have them
    assert both(path) == (("text",), [("好",), ("坏",)])
    path.write_text('[{"text": "好"}, 3, {"text": "坏", "more": 1}]', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.json: row 2: an object like"):
        both(path)
    assert [isinstance(row, BadRow) for row in entries.read(path).rows] == [False, True, True]
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(CorpusError, match="the file is empty"):
        both(path)


def test_labels_that_look_alike_are_pointed_out(tmp_path):
    path = tmp_path / "a.csv"
    text = io.StringIO()
    csv.writer(text).writerows(
        [("text", "label"), *(("很好", label) for label in ("OK", "ok", "ＯＫ", "O K", "好评", "差评"))]
    )
    path.write_text(text.getvalue(), encoding="utf-8")
    counts = {}
    list(read(path, label="label").counted(counts))
    [told] = said(counts)
    assert told.startswith('labels that differ in case, width or white space alone: "OK" (1) and "ok" (1) and "ＯＫ"')


def test_options_of_a_larger_object_are_those_of_a_table():
    class More(TableOptions):
        pass

    assert More(sheet="甲", skip_rows=2).table == TableOptions(sheet="甲", skip_rows=2)
