"""Files written without quoting lose no row in silence, and files with it lose none at all."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import delimited, entries
from corpora.errors import CorpusError
from corpora.files import EscapedLines
from corpora.formats import read
from corpora.rows import BadRow, Row
from corpora.table import TableReader
from corpora.table_options import TableOptions


def reviews(delimiter, opening=40, closing=58):
    """A hundred rows, of which one begins with a stray quote and a later one ends with one."""
    texts = [f"第{number}条评论，还行" for number in range(100)]
    texts[opening], texts[closing] = '"质量一般，不推荐', '下次不来了"'
    return [(str(number % 2), text) for number, text in enumerate(texts)], delimiter


def written(path, rows, delimiter):
    lines = [("label", "text_a"), *rows]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.tsv.gz"])
def test_every_row_is_read_without_quoting(tmp_path, name):
    rows, delimiter = reviews("\t" if "tsv" in name else ",")
    path = tmp_path / name
    if name.endswith(".gz"):
        import gzip

        plain = written(tmp_path / "b.tsv", rows, delimiter)
        path.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        written(path, rows, delimiter)
    assert list(TableReader(path, quoting=False)) == rows
    assert len(list(TableReader(path, quoting=True))) == 82
    assert [row.cells for row in entries.read(path, quoting=False).rows] == rows
    documents = read(path, text="text_a", label="label", quoting=False)
    assert [(document.label, document.text) for document in documents] == rows


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_cell_that_swallowed_rows_is_reported(tmp_path, name):
    rows, delimiter = reviews("\t" if "tsv" in name else ",")
    path = written(tmp_path / name, rows, delimiter)
    with pytest.raises(CorpusError, match=r"row 41 \(line 42\): a quoted cell runs over 19 lines.*--no-quoting"):
        list(TableReader(path))
    found = list(entries.read(path).rows)
    assert len(found) == 100 and [place for place, row in enumerate(found) if isinstance(row, BadRow)] == [40]
    assert (
        found[40].raw == f'0{delimiter}"质量一般，不推荐\n'
        and found[40].line == 42
        and "--no-quoting" in found[40].reason
    )
    assert [row.cells for row in found if isinstance(row, Row)] == rows[:40] + rows[41:]
    assert len(list(entries.read(path, quoting=True).rows)) == 82


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        (["id,text", '7,"一', "8,二", '9,三"'], 1),  # numbers count on
        (["label,text", '好评,"一', "差评,二", '好评,三"'], 1),  # values repeat
        (["label,text", "好评,一", "差评,二", "好评,三", "差评,四", '好评,"五', '差评,六"'], 5),  # values are known
        (["text,other", '他说"好",甲', '"一,乙', '二",丙', "三,丁"], 2),  # quotes stand in unquoted cells
        (["text,label", '"一,0', "二,1", '三",0'], 1),
        (["a,label,text", 'x,0,"一', "", "y,1,二", 'z,0,三"'], 1),
    ],
)
def test_signs_of_swallowed_rows(tmp_path, lines, row):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"row {row} \(line .*(look like rows|must end with one)"):
        list(TableReader(path))


@pytest.mark.parametrize(
    "lines",
    [
        ["label,text", '好评,"一', '二"'],
        ["label,text", '好评,"价目', '甲,5 元"', '差评,"一, 二', '三, 四"'],
        ["id,text", '5,"价目', '1,234"', '6,"好', '7 折, 买一送一"'],
        ["text", '"一', '二"'],
        ["id,text,label", '1,"一', '二, 三",好评', '2,"四, 五', '六",差评'],
        ["a,b", '"1', '","2', '"'],
    ],
)
def test_cells_with_line_breaks_of_their_own_stay(tmp_path, lines):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    expected = list(map(tuple, csv.reader(StringIO(path.read_text(encoding="utf-8")), strict=True)))
    assert [TableReader(path).columns, *TableReader(path)] == expected
    assert [row.cells for row in entries.read(path).rows] == expected[1:]


@given(rows=st.lists(st.tuples(*[st.text('好",\n a1', max_size=8)] * 3), max_size=6))
def test_with_quoting_asked_for_nothing_is_reported(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "quoted.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    assert list(TableReader(path, quoting=True)) == rows
    assert [row.cells for row in delimited.entries(EscapedLines(path, "utf-8"), ",", TableOptions(quoting=True))][
        1:
    ] == rows


def test_no_character_is_lost_whatever_is_reported(tmp_path):
    rows, delimiter = reviews(",")
    path = written(tmp_path / "a.csv", [*rows, *rows], delimiter)
    found = "".join(row.raw for row in delimited.entries(EscapedLines(path, "utf-8"), ","))
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\ufeffsep=;\n"])
def test_a_first_line_that_names_the_delimiter(tmp_path, line):
    path = tmp_path / "a.csv"
    path.write_text(line + "label;text\n好评;很好,很快\n", encoding="utf-8", newline="")
    reader = TableReader(path)
    assert reader.columns == ("label", "text") and list(reader) == [("好评", "很好,很快")]
    table = entries.read(path)
    assert table.delimiter == ";" and table.header == line.lstrip("\ufeff") + "label;text\n"
    assert [(row.cells, row.raw) for row in table.rows] == [(("好评", "很好,很快"), "好评;很好,很快\n")]
    bare = entries.read(path, header=False)
    assert "".join(row.raw for row in bare.rows) == line.lstrip("\ufeff") + "label;text\n好评;很好,很快\n"


def test_lines_are_counted_behind_such_a_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=;\na;b\n1;2\n3\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"row 2 \(line 4\): 2 cells expected"):
        list(TableReader(path))
    assert [row.line for row in entries.read(path).rows if isinstance(row, BadRow)] == [4]


def test_what_is_no_such_line(tmp_path):
    for first in ("sep,text", "sep=ab,text", "sep="):
        path = tmp_path / "a.csv"
        path.write_text(f"{first}\n", encoding="utf-8")
        assert TableReader(path).columns == tuple(first.split(","))
    path = tmp_path / "a.tsv"
    path.write_text("sep=;\n好\n", encoding="utf-8")
    assert list(TableReader(path)) == [("好",)]
    path = tmp_path / "b.csv"
    path.write_text("a;b\n1;2\n", encoding="utf-8")
    assert list(TableReader(path, delimiter=";")) == [("1", "2")]
