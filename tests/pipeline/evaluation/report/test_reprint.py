"""Reports of all tasks: they fit the schema, and are written anew from their files, byte for byte."""

import json
import shutil
from importlib.resources import files

import jsonschema
import pytest
from mini import mails, write_csv

import pipeline
from pipeline.errors import PipelineError
from pipeline.evaluation.report.report import FORMAT_VERSION
from pipeline.evaluation.report.reprint import reprint
from pipeline.stages.evaluate import evaluate_file
from pipeline.stages.manifest import Manifest

SCHEMA = json.loads(files("pipeline.evaluation.report").joinpath("report.schema.json").read_text(encoding="utf-8"))
NER = [("昆 明 人 说", "B-地 E-地 O O"), ("他 在 北 京", "O O B-地 E-地"), ("张 三 来 了", "B-人 E-人 O O")]
TAGGER = """task = "tag"
name = "tagger"
[corpus]
train = "ner.conll"
[segment]
unit = "char"
[embed]
method = "none"
[network]
cell = "gru"
units = 4
embedding = "random"
[train]
epochs = 2
[evaluate]
baselines = ["crfsuite"]
"""
LANGUAGE = """task = "language"
name = "author"
[corpus]
train = "lines.txt"
[segment]
unit = "char"
[embed]
vector_size = 4
min_count = 1
epochs = 1
[network]
cell = "gru"
units = 4
[train]
epochs = 1
"""


@pytest.fixture(scope="module")
def reports(trained, remarked, tmp_path_factory):
    """By name the folder of a report: one of each task, and one of a file; not to be changed."""
    folder = tmp_path_factory.mktemp("reports")
    blocks = [zip(*(line.split() for line in NER[number % 3]), strict=True) for number in range(60)]
    lines = "\n".join(
        "\n".join("\t".join(pair) for pair in block) + f"\n{number}\tO\n" for number, block in enumerate(blocks)
    )
    (folder / "ner.conll").write_text(lines, encoding="utf-8")
    (folder / "lines.txt").write_text("\n".join(f"春眠不觉晓{n}处处闻啼鸟" for n in range(40)), encoding="utf-8")
    for name, config in (("tagger", TAGGER), ("author", LANGUAGE)):
        (folder / f"{name}.toml").write_text(config, encoding="utf-8")
    made = {
        "classify": trained("gru") / "evaluate",
        "multilabel": remarked / "evaluate",
        **{
            task: pipeline.run(folder / f"{name}.toml", runs=folder / "runs") / "evaluate"
            for task, name in (("tag", "tagger"), ("language", "author"))
        },
    }
    write_csv(folder / "other.csv", [*mails(12, seed=8), ("新类", "项目报告")])
    evaluate_file(trained("gru"), folder / "other.csv", folder / "file", text="正文", label="类别")
    return {**made, "file": folder / "file"}


@pytest.mark.parametrize("name", ["classify", "multilabel", "tag", "language", "file"])
def test_reports_fit_the_schema(reports, name):
    document = json.loads((reports[name] / "report.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(SCHEMA)
    assert [f"{list(error.path)}: {error.message}" for error in checker.iter_errors(document)] == []
    spoilt = [
        {**document, "extra": 1},
        {**document, "format_version": 0},
        {key: value for key, value in document.items() if key != "counts"},
        {**document, "test": {**document["test"], "rows": -1}},
        {**document, "test": {"rows": 3}},
    ]
    assert not any(checker.is_valid(one) for one in spoilt)


def test_the_schema_is_one_and_of_the_version():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format_version"] == {"const": FORMAT_VERSION}


@pytest.mark.parametrize("name", ["classify", "multilabel", "tag", "language", "file"])
def test_what_people_read_comes_again_from_the_files(reports, name, tmp_path):
    folder = shutil.copytree(reports[name], tmp_path / "copy")
    readable = {path.name: path.read_bytes() for path in folder.glob("report.*") if path.suffix != ".json"}
    others = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in readable}
    for file in readable:
        (folder / file).unlink()
    written = reprint(folder)
    assert {path.name: path.read_bytes() for path in written} == readable
    reprint(folder, "zh")
    for name in ("report.md", "report.txt"):
        assert "得分" in (folder / name).read_text(encoding="utf-8")
    assert {
        path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in readable
    } == others


def test_a_run_whose_page_is_written_anew_stays_as_it_is(trained, tmp_path):
    run = shutil.copytree(trained("gru"), tmp_path / "runs" / "mini")
    before = Manifest.open(run)
    Manifest.open(run).renew("evaluate", reprint(run, "zh"))
    after = Manifest.open(run)
    changed = [
        name
        for name, value in after.stages["evaluate"]["outputs"].items()
        if before.stages["evaluate"]["outputs"][name] != value
    ]
    assert set(changed) == {"evaluate/report.html", "evaluate/report.md", "evaluate/report.txt"}
    assert pipeline.run(run / "config.toml", runs=tmp_path / "runs") == run
    assert '<html lang="zh">' in (run / "evaluate" / "report.html").read_text(encoding="utf-8"), (
        "nothing was done again"
    )


@pytest.mark.parametrize("content", [None, "{", "[]", '{"format_version": 0}', '{"format_version": 1, "task": "x"}'])
def test_what_is_no_report_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
    with pytest.raises(PipelineError, match="no report can be read here"):
        reprint(tmp_path)
