"""Tables of every kind are labelled: what can't be read is set aside as it was, and every row is accounted for."""

import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pandas
import pytest
from random_model import make_model

from corpora.errors import CorpusError
from corpora.table import TableReader
from pipeline import load
from pipeline.errors import PipelineError
from pipeline.jobs.label import label_file, label_stream, rejected_path
from pipeline.jobs.limits import Limits
from pipeline.jobs.local import label_files
from pipeline.jobs.options import LabelOptions


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    """The folder of a model with random weights."""
    return make_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture
def run(tmp_path, random_model):
    """Labels bytes and gives what came out: the outcome, the bytes of the output and of the rejected rows."""

    def label(data, name="in.csv", out="out.csv", **options):
        if data is not None:
            (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        done = label_file(random_model, tmp_path / name, tmp_path / out, force=True, **options)
        assert done.rows == done.labelled + done.blank + done.rejected
        rejected = rejected_path(tmp_path / out)
        return done, (tmp_path / out).read_bytes(), rejected.read_bytes() if rejected.exists() else b""

    return label


def answer(model, *texts):
    return [f"{found.value},{found.score:.4f}" if found.value else "," for found in load(model).predict(texts)]


def quoted(cells):
    return cells if cells.count(",") < 2 else f'"{cells.rpartition(",")[0]}",{cells.rpartition(",")[2]}'


def test_what_was_there_is_kept_to_the_byte(run, random_model):
    lines = ['"id",text, n\r\n', '1,"好,吃\n很",  007\r\n', '"2",,x"y\n', '3,味道 ,""\r']
    found = [quoted(cells) for cells in answer(random_model, "好,吃\n很", "", "味道 ")]
    added = ["label,confidence", *found]
    ends = ["\r\n", "\r\n", "\n", "\r"]
    done, out, rejected = run("".join(lines))
    assert (done.rows, done.labelled, done.blank, done.rejected) == (3, 2, 1, 0) and not rejected
    expected = [line.rstrip("\r\n") + "," + more + end for line, more, end in zip(lines, added, ends, strict=True)]
    assert out.decode() == "".join(expected)


def test_a_last_line_without_an_end_gets_that_of_the_header(run):
    _, out, _ = run("text\r\n好\r\n坏")
    assert out.count(b"\r\n") == 3 and out.endswith(b"\r\n")


BAD = [
    ("id,text\n1,好\n2,好,吃\n3,吃\n", {2: "2,好,吃"}, "2 cells expected, as in the header, but 3 found"),
    ("id,text\n1\n2,好\n", {1: "1"}, "2 cells expected, as in the header, but 1 found"),
    ('id,text\n1,"好"吃\n2,好\n', {1: '1,"好"吃'}, "begins with a quote must end with one"),
    ('id,text\n1,"好\n2,好\n3,吃\n', {1: '1,"好'}, "begins with a quote must end with one"),
    ('id,text\n1,"好\n2,好\n3,"吃"\n4,"a\nb"\n', {1: '1,"好'}, "begins with a quote must end with one"),
]


@pytest.mark.parametrize(("data", "bad", "reason"), BAD)
def test_a_bad_row_goes_as_it_was_and_the_others_go_on(run, data, bad, reason):
    done, out, rejected = run(data)
    found = {int(row): (text, why) for row, why, text in list(csv.reader(io.StringIO(rejected.decode())))[1:]}
    assert {row: text for row, (text, _) in found.items()} == bad
    assert all(reason in why for _, why in found.values()) and reason in done.reason
    labelled = [row[:2] for row in csv.reader(io.StringIO(out.decode()))]
    expected = "".join(line for line in data.splitlines(keepends=True) if line.rstrip("\n") not in bad.values())
    assert labelled == list(csv.reader(io.StringIO(expected)))
    with pytest.raises(CorpusError, match=rf"row {min(bad)} \(line \d\): .*{reason}"):
        run(data, bad_rows="stop")


@pytest.mark.parametrize(("encoding", "bytes_"), [("utf-8", b"\xff\xe4"), ("gb18030", b"\xff"), ("cp950", b"\xff")])
def test_undecodable_bytes_come_out_as_they_were(run, encoding, bytes_):
    done, out, rejected = run(
        "text\n好\n".encode(encoding) + b"x" + bytes_ + b"\n" + "吃\n".encode(encoding), encoding=encoding
    )
    assert (done.labelled, done.rejected) == (2, 1)
    assert b'"x' + bytes_ + b'"\n' in rejected and f"{bytes_.hex(' ')} are not {encoding}" in done.reason
    assert [row.split(",")[0] for row in out.decode(encoding).splitlines()] == ["text", "好", "吃"]


def test_a_file_of_another_encoding_is_stopped_at_once(run):
    with pytest.raises(CorpusError, match=r"none of the first 100 rows can be read.*try --encoding gb18030"):
        run(b"text\n" + "房间很好\n".encode("gb18030") * 300)


def test_a_character_that_the_output_lacks(run):
    done, out, rejected = run("text\n好\n镕\n吃\n", output_encoding="big5", name="a.csv")
    assert done.rejected == 1 and "镕".encode() in rejected and "好" in out.decode("big5")


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-8", b""), ("gb18030", b"")]
)
def test_encodings_out_have_one_mark(run, encoding, mark):
    _, out, _ = run("text\n" + "好吃\n" * 7, output_encoding=encoding, limits=Limits(chunk_rows=2))
    assert out.startswith(mark) and "\ufeff" not in out[len(mark) :].decode(encoding.replace("-sig", ""), "replace")[1:]
    assert len(out.decode(encoding).splitlines()) == 8


def test_labels_that_the_output_lacks(tmp_path):
    make_model(tmp_path / "model", ("评", "x"))
    (tmp_path / "in.csv").write_bytes(b"text\na\n")
    with pytest.raises(PipelineError, match=r"the label '评' is not in cp950.*--output-encoding"):
        label_file(tmp_path / "model", tmp_path / "in.csv", tmp_path / "out.csv", encoding="big5")


HEADERS = [
    ("空", b"", "the file is empty"),
    ("行", b"\n\n", "the file is empty"),
    ("引", b'"a,b\n', r"header \(line 1\)"),
    ("码", b"text\xff\n\xb0\n", r"header \(line 1\): the bytes ff are not utf-8"),
    ("列", b"a,b\n1,2\n", 'no column "text"; the columns are "a", "b"'),
    ("双", b"text,text\n1,2\n", '2 columns are named "text"'),
    ("占", b"text,label\n1,2\n", "has a column 'label' already.*--prefix"),
]


@pytest.mark.parametrize(("name", "data", "message"), HEADERS, ids=[name for name, *_ in HEADERS])
def test_files_without_a_way_in(run, tmp_path, name, data, message):
    with pytest.raises((CorpusError, PipelineError), match=message) as caught:
        run(data)
    assert str(caught.value).startswith(str(tmp_path / "in.csv")) and "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"], "nothing is left behind"


def test_columns_that_clash_get_a_prefix(run):
    _, out, _ = run("text,label\n好,1\n", prefix="model_")
    assert out.startswith(b"text,label,model_label,model_confidence\n")


def test_header_only(run):
    for out in ("out.csv", "out.tsv", "out.parquet", "out.xlsx"):
        done, _, _ = run("id,text\n", out=out)
        assert done.rows == 0


def test_without_a_header(run, random_model):
    done, out, _ = run("1;好\n2;吃\n", header=False, text="2", delimiter=";")
    assert done.rows == 2 and out.decode().splitlines()[0].startswith("1;好;")
    _, out, _ = run("好吃\n", header=False)
    assert out.decode().startswith("好吃,")
    with pytest.raises(CorpusError, match='no column "text"; the columns are "1", "2"'):
        run("1,好\n", header=False)


def test_a_byte_order_mark_that_came_in_goes_out(run):
    mark = b"\xef\xbb\xbf"
    for name in ("in.csv", "in.jsonl", "in.json"):
        data = "text\n好\n" if name == "in.csv" else '[\n{"text": "好"}\n]' if name == "in.json" else '{"text": "好"}\n'
        assert run(mark + data.encode(), name, name.replace("in", "out"))[1].startswith(mark)
        assert not run(mark + data.encode(), name, name.replace("in", "out"), output_encoding="utf-8")[1].startswith(
            mark
        )
        assert not run(data, name, name.replace("in", "out"))[1].startswith(mark)


def test_a_json_array_comes_out_as_one(run):
    done, out, rejected = run('[{"text": "好", "n": [1]}, 3, {"text": null}]', "in.json", "out.json")
    first, second = json.loads(out)
    assert (done.labelled, done.blank, done.rejected) == (1, 1, 1) and b"an object like" in rejected
    assert (first["text"], first["n"], second["text"], second["label"]) == ("好", [1], None, None)
    assert isinstance(first["confidence"], float)


def test_rows_above_and_below_the_header_are_left_out(run):
    done, out, rejected = run('"标题\nid,text\n单位,无\n1,好\n2\n', header_row=2, skip_rows=3)
    assert (done.labelled, done.rejected) == (1, 1) and out.decode().startswith("id,text,label,confidence\n1,好,")
    assert rejected.decode().splitlines()[1].startswith('"2","2 cells expected')


def test_odd_characters_come_through(run):
    cells = ["a\0b", "\ufeff中", "😀👨‍👩‍👧", "\u202eabc", "　", "x" * 1_000_000, "=1+1", "\u2028", "ＡＢ"]
    text = "text\n" + "".join(f'"{cell}"\n' for cell in cells)
    done, out, _ = run(text)
    assert done.rows == 9 and done.blank == 2
    assert [row[0] for row in csv.reader(io.StringIO(out.decode(), newline=""))][1:] == cells


def test_ten_thousand_columns(run):
    names = [f"c{number}" for number in range(10_000)]
    done, out, _ = run(",".join(names) + "\n" + ",".join(["好"] * 10_000) + "\n" + "1,2\n", text="c77")
    assert (done.labelled, done.rejected) == (1, 1) and out.count(b"\n") == 2
    with pytest.raises(CorpusError) as caught:
        run(None, text="nix")
    assert len(str(caught.value)) < 1000


def test_cells_that_a_spreadsheet_would_run(run):
    data = 'text,n\n=1+1,-5\n+86 1,1\n@a,-3.5%\n-x,2\n"\t=1",3\n好,=A1\n'
    _, plain, _ = run(data)
    assert b"'" not in plain
    _, out, _ = run(data, excel_safe=True)
    rows = [row[:2] for row in csv.reader(io.StringIO(out.decode()))]
    assert rows[1:] == [
        ["'=1+1", "-5"],
        ["'+86 1", "1"],
        ["'@a", "-3.5%"],
        ["'-x", "2"],
        ["'\t=1", "3"],
        ["好", "'=A1"],
    ]


ROWS = [("1", "好吃"), ("2", "不好，慢"), ("3", None), ("4", 'a"b\nc')]
KINDS = ["csv", "tsv", "jsonl", "parquet", "xlsx", "csv.gz", "csv.zst", "jsonl.gz", "jsonl.zst", "tsv.zst"]


def written(path):
    frame = pandas.DataFrame(ROWS, columns=["id", "text"])
    plain = path.name.split(".")[1]
    kept = path.with_name(f"plain.{plain}")
    if plain in ("csv", "tsv"):
        frame.to_csv(kept, index=False, sep="\t" if plain == "tsv" else ",")
    elif plain == "jsonl":
        frame.to_json(kept, orient="records", lines=True, force_ascii=False)
    else:
        {"parquet": frame.to_parquet, "xlsx": frame.to_excel}[plain](kept, index=False)
    data = kept.read_bytes()
    if path.suffix == ".gz":
        data = gzip.compress(data[:20]) + gzip.compress(data[20:])
    elif path.suffix == ".zst":
        import pyarrow

        data = pyarrow.compress(data, "zstd", asbytes=True)
    path.write_bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_in_and_out(run, tmp_path, random_model, kind):
    written(tmp_path / f"in.{kind}")
    expected = None
    for out in KINDS:
        done, _, _ = run(None, name=f"in.{kind}", out=f"out.{out}", limits=Limits(chunk_rows=2))
        assert (done.rows, done.labelled, done.blank) == (4, 3, 1)
        reader = TableReader(tmp_path / f"out.{out}")
        rows = [tuple("" if cell is None else str(cell) for cell in row) for row in reader]
        assert reader.columns == ("id", "text", "label", "confidence")
        expected = expected or rows
        assert rows == expected, f"{kind} to {out}"
    assert [row[1] for row in expected] == ["好吃", "不好，慢", "", 'a"b\nc']


def test_parquet_keeps_its_types(tmp_path, run):
    frame = pandas.DataFrame(
        {"n": pandas.array([None, 2], "Int32"), "t": pandas.to_datetime(["2024-01-01", None]), "text": ["好", "吃"]}
    )
    frame.to_parquet(tmp_path / "in.parquet")
    run(None, name="in.parquet", out="out.parquet")
    back = pandas.read_parquet(tmp_path / "out.parquet")
    assert list(back.dtypes[:2].astype(str)) == ["float64", str(frame.dtypes["t"])]
    import pyarrow.parquet

    types = [pyarrow.parquet.read_schema(tmp_path / name).types[:3] for name in ("in.parquet", "out.parquet")]
    assert types[0] == types[1]


def test_json_lines_keep_what_they_were(run):
    data = '{"text": "好", "n": 1.50, "n": 2}\r\n{"text":"\\ud800", "more": [1]}\n{"text": 3}\n'
    data += '[]\n{"text":"a","label":1}\n'
    done, out, rejected = run(data, name="in.jsonl", out="out.jsonl")
    lines = out.decode().splitlines()
    assert (done.labelled, done.rejected) == (3, 2) and lines[0].startswith(
        '{"text": "好", "n": 1.50, "n": 2, "label": '
    )
    assert lines[1].startswith('{"text":"\\ud800", "more": [1], "label": ') and json.loads(lines[2])["text"] == 3
    assert b"a list came" in rejected and b"which the output would have twice" in rejected
    done, _, rejected = run('{"text": "好"}\n{"text": "\\ud800"}\n', name="in.jsonl", out="out.csv")
    assert (done.labelled, done.rejected) == (1, 1) and b"U+D800 is half a character" in rejected


def test_a_row_too_wide_in_a_sheet(tmp_path, run):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["text"], ["好"], ["好", "多"], ["长" * 40_000]):
        book.active.append(row)
    book.save(tmp_path / "in.xlsx")
    done, _, rejected = run(None, name="in.xlsx", out="out.csv")
    assert (done.labelled, done.rejected) == (2, 1)
    assert next(iter(list(csv.reader(io.StringIO(rejected.decode())))[1:]))[2] == json.dumps(["好", "多"])
    done, _, rejected = run("text\n好\n" + "长" * 40_000 + "\n", out="out.xlsx")
    assert done.rejected == 1 and b"a cell of 40,000 characters" in rejected


def test_damage_behind_the_beginning_is_one_sentence(run, tmp_path):
    packed = gzip.compress(b"text\n" + b"x\n" * 200_000)
    for data, name in (
        (packed[:-9], "in.csv.gz"),
        (b"PAR1 nothing", "in.parquet"),
        (b"PK", "in.xlsx"),
        (b"x", "a.csv.zst"),
    ):
        with pytest.raises(CorpusError) as caught:
            run(data, name=name)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_an_output_is_never_an_input(tmp_path, random_model):
    (tmp_path / "in.csv").write_text("text\n好\n", encoding="utf-8")
    os.link(tmp_path / "in.csv", tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(tmp_path / "in.csv")
    (tmp_path / "x.csv.rejected.csv").symlink_to(tmp_path / "in.csv")
    for out in ("in.csv", "hard.csv", "soft.csv", "x.csv"):
        with pytest.raises(PipelineError, match="is the input"):
            label_file(random_model, tmp_path / "in.csv", tmp_path / out, force=True)
    assert (tmp_path / "in.csv").read_text("utf-8") == "text\n好\n"


def test_a_link_as_output_is_followed(tmp_path, random_model):
    (tmp_path / "in.csv").write_text("text\n好\n", encoding="utf-8")
    (tmp_path / "far").mkdir()
    (tmp_path / "out.csv").symlink_to(tmp_path / "far" / "real.csv")
    label_file(random_model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").is_symlink() and (tmp_path / "far" / "real.csv").is_file()


def test_several_files_go_on_where_they_were(tmp_path, random_model):
    (tmp_path / "in" / "二").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_text("text\n好\n", encoding="utf-8")
    (tmp_path / "in" / "b.csv").write_text("nix\n好\n", encoding="utf-8")
    (tmp_path / "in" / "c.txt").write_text("text\n好\n", encoding="utf-8")
    (tmp_path / "in" / "二" / "a.csv.gz").write_bytes(gzip.compress("text\n吃\n1,2\n".encode()))
    out = tmp_path / "out"

    def label(**options):
        return [
            (outcome.target.relative_to(out).as_posix(), outcome.result and outcome.result.rows, outcome.error)
            for outcome in label_files(random_model, [tmp_path / "in"], out, options=LabelOptions(), **options)
        ]

    missing = f'{tmp_path / "in" / "b.csv"}: no column "text"; the columns are "nix": choose one with --text'
    assert label() == [("a.csv", 1, ""), ("b.csv", None, missing), ("二/a.csv.gz", 2, "")]
    (tmp_path / "in" / "b.csv").write_text("text\n好\n坏\n", encoding="utf-8")
    assert label() == [("a.csv", None, ""), ("b.csv", 2, ""), ("二/a.csv.gz", None, "")]
    (tmp_path / "in" / "a.csv").write_text("text\n坏\n坏\n", encoding="utf-8")
    assert "exists already" in label()[0][2]
    assert label(force=True)[0] == ("a.csv", 2, "") and label()[0] == ("a.csv", None, "")
    assert [found[1] for found in label(restart=True)] == [2, 2, 2]


def test_a_folder_is_hashed_once_an_input_and_read_in_one_session(tmp_path, random_model, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / "in" / name).write_text("text\n好\n", encoding="utf-8")
    digest, session, hashed, opened = hashlib.file_digest, onnxruntime.InferenceSession, [], []
    monkeypatch.setattr(hashlib, "file_digest", lambda file, *given: hashed.append(file.name) or digest(file, *given))
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **b: opened.append(1) or session(*a, **b))
    found = label_files(random_model, [tmp_path / "in"], tmp_path / "out", options=LabelOptions())
    assert [each.result.rows for each in found] == [1, 1, 1] and len(opened) == 1
    assert sorted(Path(path).name for path in hashed if str(tmp_path / "in") in str(path)) == [
        "a.csv",
        "b.csv",
        "c.csv",
    ]


def test_patterns_and_names_that_collide(tmp_path, random_model):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("text\n好\n", encoding="utf-8")
    found = label_files(
        random_model, [tmp_path / "x" / "*.csv"], tmp_path / "o", options=LabelOptions(output_format="jsonl")
    )
    assert [outcome.target.name for outcome in found] == ["a.jsonl"] and not found[0].error
    with pytest.raises(PipelineError, match="would be the output of both"):
        label_files(random_model, [tmp_path / "*" / "*.csv"], tmp_path / "o", options=LabelOptions())
    with pytest.raises(PipelineError, match="no tables there"):
        label_files(random_model, [tmp_path / "*.parquet"], tmp_path / "o", options=LabelOptions())


def test_streams(tmp_path, random_model, monkeypatch):
    data = "text\n好\n吃,吃\n坏\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
    out, bad = io.BytesIO(), io.BytesIO()
    done = label_stream(random_model, "-", out, bad, options=LabelOptions())
    assert (done.labelled, done.rejected) == (2, 1) and bad.getvalue().count(b"\n") == 2
    (tmp_path / "in.csv").write_bytes(data)
    label_file(random_model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert out.getvalue() == (tmp_path / "out.csv").read_bytes()


def test_standard_input_becomes_a_file(tmp_path, random_model, monkeypatch):
    for name in ("a.csv", "b.csv"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("text\n好\n".encode()), "utf-8"))
        done = label_file(random_model, "-", tmp_path / name)
        assert done.rows == 1 and (tmp_path / name).read_text("utf-8").startswith("text,label,confidence\n好,")
    with pytest.raises(CorpusError, match="can't be made from standard input"):
        label_file(random_model, "-", tmp_path / "out.xlsx")


def test_the_command_from_standard_input_to_standard_output(tmp_path, random_model):
    command = [sys.executable, "-m", "pipeline", "label", str(random_model), "-", "-", "--workers", "1"]
    done = subprocess.run(command, input="text\n好\n1,2\n".encode(), capture_output=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0 and done.stdout.decode().splitlines()[0] == "text,label,confidence"
    assert done.stdout.count(b"\n") == 2 and b'"2","2' not in done.stdout and b"1 rejected" in done.stderr
