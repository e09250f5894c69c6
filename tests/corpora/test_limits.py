"""Files made to fill the memory or to take for ever are refused, and long rows rejected whole."""

import json
import re
import time
import tracemalloc
import zipfile

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpora import delimited, entries, jsonl, parquet, xlsx
from corpora.errors import CorpusError
from corpora.files import LONGEST_LINE, EscapedLines, text_lines
from corpora.rows import BadRow, Row
from corpora.table import TableReader, TableWriter
from corpora.textlines import LineCutter

REASON = f"a row of more than {LONGEST_LINE:,} characters"


@pytest.mark.parametrize("length", [LONGEST_LINE + 1, LONGEST_LINE + 1_000_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_that_is_too_long_is_rejected_whole(tmp_path, length, quote):
    path = tmp_path / "a.csv"
    path.write_text(f"id,text\n1,好\n2,{quote}{'x' * length}{quote}\n3,吃\n", encoding="utf-8")
    good, bad, last = entries.read(path).rows
    assert (good.cells, last.cells) == (("1", "好"), ("3", "吃"))
    assert isinstance(bad, BadRow) and bad.reason == REASON and bad.line == 3
    assert len(bad.raw) == length + 3 + 2 * len(quote)


def test_a_header_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x" * (LONGEST_LINE + 5) + ",text\n1,2\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"header \(line 1\): {REASON}"):
        entries.read(path)


def escaped(tmp_path, text, longest=20):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return EscapedLines(path, "utf-8", longest=longest, chunk=7)


@pytest.mark.parametrize("length", [21, 30, 79, 80, 81, 500])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_what_is_kept_of_a_row(tmp_path, length, end):
    lines = escaped(tmp_path, f"a,b\n1,2\n{'长' * length}{end}" + (f"3,4{end}" if end else ""))
    rows = list(delimited.entries(lines, ","))
    bad = rows[2]
    assert bad.line == 3 and bad.raw == "长" * min(length, 81) + end and "more than 20 characters" in bad.reason
    assert ("cut here" in bad.reason) == (length > 80)
    assert [row.cells for row in rows if isinstance(row, Row)] == [("a", "b"), ("1", "2")] + [("3", "4")] * bool(end)


def test_a_long_line_in_a_row_of_several(tmp_path):
    lines = escaped(tmp_path, f'a,b\n1,"2\n{"长" * 50}"\n3,4\n')
    rows = list(delimited.entries(lines, ","))
    assert [row.raw for row in rows if isinstance(row, BadRow)] == ['1,"2\n', "长" * 50 + '"\n']
    assert rows[-1].cells == ("3", "4")


def test_a_json_line_that_is_too_long(tmp_path):
    lines = escaped(tmp_path, '{"a": 1}\n' + json.dumps({"a": "x" * 50}) + '\n{"a": 2}\n')
    found = list(jsonl.entries(lines))
    assert [row.cells for row in found if isinstance(row, Row)] == [("a",), (1,), (2,)]
    assert [(row.line, row.reason) for row in found if isinstance(row, BadRow)] == [
        (2, "a row of more than 20 characters")
    ]


@example(texts=["\n", "长"], longest=3)
@given(texts=st.lists(st.text("长\r\n", max_size=4)), longest=st.integers(0, 5))
def test_lines_are_cut_as_python_cuts_them(texts, longest):
    cutter, short = LineCutter(), LineCutter(longest)
    lines = [line for text in texts for line in cutter.feed(text)] + [rest for rest in [cutter.rest()] if rest]
    kept = [line for text in texts for line in short.feed(text)] + [rest for rest in [short.rest()] if rest]
    assert lines == re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", "".join(texts))
    assert len(kept) == len(lines)
    for whole, line in zip(lines, kept, strict=True):
        body, end = whole.rstrip("\r\n"), whole[len(whole.rstrip("\r\n")) :]
        assert line == whole or (len(body) > longest and line.startswith(body[:longest]) and line.endswith(end))


def test_a_line_without_end_takes_linear_time(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 30_000_000)
    started = time.process_time()
    assert len(next(text_lines(path, "utf-8", chunk=1 << 14))) == 30_000_000
    assert time.process_time() - started < 5  # 1,800 chunks: copied each time, these would be 27 GB


def test_many_keys_take_linear_time(tmp_path):
    path = tmp_path / "a.jsonl"
    line = json.dumps({f"k{number}": number for number in range(60_000)})
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    started = time.process_time()
    assert len(list(TableReader(path))) == 2 and len(list(entries.read(path).rows)) == 2
    with TableWriter(tmp_path / "b.jsonl", TableReader(path).columns) as table:
        table.write(range(60_000))
    with pytest.raises(CorpusError, match='no column "text"'):
        TableReader(path).position("text")
    assert time.process_time() - started < 10


def packed(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def workbook(tmp_path, sheet=None, strings=None):
    """A workbook whose sheet or strings are replaced."""
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["好"])
    book.save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if sheet is not None:
        parts["xl/worksheets/sheet1.xml"] = sheet
    if strings is not None:
        parts["xl/sharedStrings.xml"] = strings
    packed(tmp_path / "a.xlsx", parts)
    return tmp_path / "a.xlsx"


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.mark.parametrize("part", ["sheet", "strings"])
def test_a_workbook_that_unpacks_to_far_more_is_refused(tmp_path, part):
    path = workbook(tmp_path, **{part: b"<!-- " + b" " * 40_000_000 + b" -->"})
    with pytest.raises(
        CorpusError, match=r'".*xml" in it unpacks [\d,]+ bytes to 40,000,009, which may fill the memory'
    ):
        list(xlsx.entries(path, unpacked=1 << 24))
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("row", [2_000_000_000, 1_048_577])
def test_a_row_that_no_sheet_has_is_refused(tmp_path, row):
    cells = f'<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row><row r="{row}"><c><v>1</v></c></row>'
    path = workbook(tmp_path, f"<worksheet {NAMESPACE}><sheetData>{cells}</sheetData></worksheet>".encode())
    with pytest.raises(CorpusError, match="has a row beyond 1,048,576, the last one of a sheet"):
        list(TableReader(path))


def test_many_strings_take_linear_time(tmp_path):
    def seconds(count):
        strings = "".join(f"<si><t>{number}</t></si>" for number in range(count))
        path = workbook(tmp_path, strings=f"<sst {NAMESPACE}>{strings}</sst>".encode())
        started = time.process_time()
        list(TableReader(path))
        return time.perf_counter() - started

    seconds(100)
    assert seconds(40_000) < 12 * seconds(10_000)


def bomb(path, rows, length):
    """One long string that stands in every row, and takes no more room for that."""
    strings = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), ["长" * length])
    table = pyarrow.table({"text": strings, "n": list(range(rows))})
    pyarrow.parquet.write_table(table, path, compression="zstd", store_schema=False)


def test_strings_that_a_dictionary_repeats_are_read_a_few_at_a_time(tmp_path):
    path = tmp_path / "a.parquet"
    bomb(path, 5000, 100_000)  # 1.5 GB unpacked
    assert path.stat().st_size < 50_000
    before = pyarrow.total_allocated_bytes()
    rows, most = parquet.records(path, batch_bytes=1 << 22), 0
    tracemalloc.start()
    assert next(rows) == ("text", "n")
    for place, (text, number) in zip(range(100), rows, strict=False):
        assert (len(text), number) == (100_000, place)
        most = max(most, pyarrow.total_allocated_bytes() - before)
    assert tracemalloc.get_traced_memory()[1] < 1 << 26 and most < 1 << 26
    tracemalloc.stop()


@pytest.mark.parametrize("rows", [1, 7, 5000])
def test_small_batches_hold_the_same_rows(tmp_path, rows):
    path = tmp_path / "a.parquet"
    table = pyarrow.table(
        {
            "text": [f"第{row % 3}行" * 50 for row in range(rows)],
            "tags": [["a", "b" * 90, None][: row % 4] for row in range(rows)],
            "both": [{"x": "好", "y": None} if row % 5 else None for row in range(rows)],
            "bytes": [b"1" if row % 2 else None for row in range(rows)],
            "n": [None if row < 5 else row for row in range(rows)],
        }
    )
    pyarrow.parquet.write_table(table, path, row_group_size=1000)
    expected = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    for limit in (1, 5000, 1 << 26):
        assert list(parquet.records(path, batch_bytes=limit))[1:] == expected
    pyarrow.parquet.write_table(table.slice(0, 0), path)
    assert list(parquet.records(path)) == [("text", "tags", "both", "bytes", "n")]


def test_a_column_that_unpacks_to_far_more_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    table = pyarrow.table({"n": pyarrow.array([0] * 4_000_000, pyarrow.int64())})
    pyarrow.parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    with pytest.raises(CorpusError, match=r'column "n" unpacks [0-9,]+ bytes to 8,'):
        list(parquet.records(path, unpacked=1 << 20))
