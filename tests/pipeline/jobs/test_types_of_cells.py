"""Formats that have types get numbers, booleans and null, not their text."""

import json
from pathlib import Path

import pytest
from mini import read_csv, write_csv
from random_model import make_model
from random_tagger import make_tagger

from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.parts import LabelledParts
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model

OPTIONS = {"probabilities": True, "review_below": 0.9}
COLUMNS = ("label", "confidence", "p:好", "p:差", "p:中,等", "needs_review")
ROWS = [["很好吃"], [""], ["送餐不快"]]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model.load(make_model(tmp_path_factory.mktemp("models") / "random"), threads=1)


@pytest.fixture
def source(tmp_path):
    return write_csv(tmp_path / "in.csv", ROWS, header=("text",))


def records_of(path):
    """The rows of a file with the values that its own library reads."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path).to_pylist()
    from openpyxl import load_workbook

    header, *rows = load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "xlsx"])
def test_cells_have_types(model, source, tmp_path, suffix):
    """Before: `"confidence": "0.9000"`, `"needs_review": "false"` and "" in blank rows. After: 0.9, false and null."""
    label_file(model, source, tmp_path / "plain.csv", **OPTIONS)
    label_file(model, source, tmp_path / f"out.{suffix}", **OPTIONS)
    header, *plain = read_csv(tmp_path / "plain.csv")
    found = records_of(tmp_path / f"out.{suffix}")
    assert tuple(header[1:]) == COLUMNS == tuple(found[0])[1:]
    for text, typed in zip(plain, found, strict=True):
        values = [typed[name] for name in COLUMNS]
        if not text[0]:
            assert values == [None] * 6
            continue
        assert [type(one) for one in values[:-1]] == [str, float, float, float, float] or suffix == "xlsx"
        assert values[:-1] == [text[1], *map(float, text[2:-1])]
        assert values[-1] is (text[-1] == "true")


def test_parquet_from_parquet_keeps_types_beside_the_new_ones(model, tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"n": pyarrow.array([1, 2], pyarrow.int16()), "text": ["", ""]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    label_file(model, tmp_path / "in.parquet", tmp_path / "out.parquet", **OPTIONS, origin="in.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "out.parquet")
    expected = ["int16", "string", "string", "int64", "string", *["double"] * 4, "bool"]
    assert [str(field.type) for field in schema] == expected, "even if no row has an answer"
    assert records_of(tmp_path / "out.parquet")[1]["row"] == 2


def test_jsonl_from_jsonl_keeps_what_stood_there(model, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "很好", "n": 007.0e1}\n'.replace("007.0e1", "7.0e1"), encoding="utf-8")
    label_file(model, tmp_path / "in.jsonl", tmp_path / "out.jsonl", review_below=1.0)
    line = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert line.startswith('{"text": "很好", "n": 7.0e1, "label": ') and line.endswith('"needs_review": true}\n')


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_parts_have_types(model, source, tmp_path, suffix):
    options = LabelOptions(origin="in.csv", **OPTIONS)
    job = TableJob(model, Path(source), tmp_path / f"out.{suffix}", options, Limits(chunk_rows=2))
    LabelledParts(job).write(0, tmp_path)
    rows = records_of(tmp_path / f"part-00000.{suffix}")
    assert [row["row"] for row in rows] == [1, 2, 3] and isinstance(rows[0]["confidence"], float)
    assert rows[1]["confidence"] is None and rows[1]["file"] == "in.csv"


def test_a_taggers_answers_have_types(source, tmp_path):
    model = make_tagger(tmp_path / "model", "entities")
    write_csv(tmp_path / "in.csv", [["去北京烤鸭"], [""]], header=("text",))
    label_file(model, source, tmp_path / "out.jsonl", review_below=1.0)
    first, blank = records_of(tmp_path / "out.jsonl")
    assert isinstance(first["confidence"], float) and isinstance(first["needs_review"], bool)
    assert (blank["entities"], blank["confidence"], blank["needs_review"]) == (None, None, None)
    label_file(model, source, tmp_path / "long.jsonl", review_below=1.0, layout="long", output_format="jsonl")
    long = records_of(tmp_path / "long.jsonl")
    assert all(row["needs_review"] is True for row in long)
    label_file(model, source, tmp_path / "long.csv", review_below=1.0, layout="long")
    assert {row[-1] for row in read_csv(tmp_path / "long.csv")[1:]} <= {"true"}
