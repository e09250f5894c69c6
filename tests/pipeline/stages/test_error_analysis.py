"""Findings: the columns that a report slices by, from tables and from tagged text."""

import json

import pytest

from pipeline.config.load import load
from pipeline.errors import PipelineError
from pipeline.stages import error_analysis


def loaded(folder, task, train, **corpus):
    (folder / "config.toml").write_text(
        "\n".join(
            [
                'name = "a"',
                f'task = "{task}"',
                "[corpus]",
                f'train = "{train}"',
                *(f'{k} = "{v}"' for k, v in corpus.items()),
            ]
        )
        + ('\n[segment]\nunit = "char"' if task != "classify" else "")
        + '\n[evaluate]\nslices = ["来源", "年"]\n',
        encoding="utf-8",
    )
    return load(folder / "config.toml")


def test_tagged_text_in_json_lines_has_columns(tmp_path):
    records = [{"text": "在昆明", "label": [[1, 3, "地"]], "来源": "报纸", "年": 2020 + number} for number in range(3)]
    lines = "\n\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    found = error_analysis.slice_cells(loaded(tmp_path, "tag", "a.jsonl", format="doccano"), ("dev", "test"))
    assert found["test"] == {1: ("报纸", "2020"), 2: ("报纸", "2021"), 3: ("报纸", "2022")}


@pytest.mark.parametrize(
    ("task", "file", "format", "known"),
    [
        ("tag", "a.conll", "conll", "cluener, doccano"),
        ("tag", "a.txt", "slashed", "cluener, doccano"),
        ("language", "a.txt", "lines", "csv, tsv, jsonl, json, parquet, xlsx"),
    ],
)
def test_what_has_no_columns_is_not_sliced_by_them(task, file, format, known, tmp_path):
    (tmp_path / file).write_text("好\tO\n", encoding="utf-8")
    with pytest.raises(PipelineError, match=f"of the format {format} has no columns to slice by.*that has: {known}"):
        error_analysis.slice_cells(loaded(tmp_path, task, file, format=format), ("test",))
