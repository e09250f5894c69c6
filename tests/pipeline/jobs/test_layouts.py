"""What a tagger says in other layouts than the table: read back by the readers of corpora, and safe as the table is."""

import csv
import io
import json
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mini import read_csv, write_csv
from random_model import make_model
from random_tagger import make_tagger

from corpora import conllu, formats, spans
from corpora.targets import Targets
from pipeline.__main__ import BAD_INPUT, SUCCESS, main
from pipeline.errors import PipelineError
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.jobs.local import label_files
from pipeline.jobs.options import LabelOptions
from pipeline.jobs.parts import LabelledParts
from pipeline.jobs.table_job import TableJob
from pipeline.models.model import Model

CELLS = [
    "去滨江步道骑车",
    "",
    " \n",
    "！？……",
    "😀我爱 北京烤鸭\n，",
    "New York aN",
    "é\u0301\u200d#去",
    "去\x1c，",
    "我" * 300,
]
cells = st.lists(
    st.text(st.sampled_from("去滨江步道骑车我爱北京烤鸭，。😀Na#-\t \n\"'\\é"), max_size=30), min_size=1, max_size=6
)
KINDS = ("entities", "words", "joint", "pos")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taggers")
    return {kind: Model.load(make_tagger(folder / kind, kind)) for kind in KINDS}


@pytest.fixture
def run(tmp_path, models):
    """Labels cells in a layout and gives the outcome, the output's path and what the model says of the cells."""

    def go(kind, layout, asked, suffix=None, **options):
        write_csv(tmp_path / "in.csv", [[cell] for cell in asked], header=("text",))
        out = tmp_path / f"out.{suffix or layout}"
        done = label_file(models[kind], tmp_path / "in.csv", out, layout=layout, force=True, **options)
        return done, out, models[kind].predict(asked)

    return go


def learnt(path, format, kind, **options):
    """What training on a file would learn from it."""
    scheme = "BMES" if kind in ("entities", "words") else None
    source = formats.read_tagged(path, format, **options)
    unit = "word" if kind == "pos" else "char"
    return [document.sentence for document in Targets(source, kind, unit, "BMES", scheme, str(path))]


@pytest.mark.parametrize("kind", KINDS)
def test_conll_is_what_its_reader_reads(run, kind):
    done, path, answers = run(kind, "conll", CELLS)
    assert (done.rows, done.blank, done.rejected) == (len(CELLS), 2, 0)
    found = learnt(path, "conll", kind)
    given = [answer for answer in answers if not answer.is_blank]
    assert [" ".join(sentence.tags) for sentence in found] == [" ".join(answer.raw_tags) for answer in given]
    rows = [line.split("\t")[1] for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert list(dict.fromkeys(rows)) == ["1", "4", "5", "6", "7", "8", "9"]


@pytest.mark.parametrize("kind", ["words", "joint", "pos"])
def test_conllu_is_what_its_reader_reads(run, kind):
    _, path, answers = run(kind, "conllu", CELLS)
    parses = list(conllu.read(path).parses())
    given = [(number, answer) for number, answer in enumerate(answers, start=1) if not answer.is_blank]
    assert [parse.comments[0] for parse in parses] == [f"# sent_id = {number}" for number, _ in given]
    for parse, (_, answer) in zip(parses, given, strict=True):
        assert parse.tokens == tuple(span.text for span in answer.spans)
    if kind != "words":
        found = learnt(path, "conllu", kind, tag="xpos")
        assert [" ".join(sentence.tags) for sentence in found] == [" ".join(answer.raw_tags) for _, answer in given]


def test_universal_tags_have_their_column(tmp_path, models, monkeypatch):
    monkeypatch.setattr("corpora.conllu.UPOS", frozenset({"n", "v", "w"}))
    write_csv(tmp_path / "in.csv", [["去北京"]], header=("text",))
    label_file(models["pos"], tmp_path / "in.csv", tmp_path / "out.conllu", layout="conllu")
    [sentence] = conllu.read(tmp_path / "out.conllu", tag="upos")
    assert sentence.tags == models["pos"].predict(["去北京"])[0].tags


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells)
def test_spans_are_what_their_reader_reads(run, asked):
    _, path, answers = run("entities", "jsonl", asked)
    expected = [
        (cell, [(span.start, span.end, span.type) for span in answer.spans])
        for cell, answer in zip(asked, answers, strict=True)
        if not answer.is_blank
    ]
    found = [
        (each.text, [(span.start, span.end, span.label) for span in each.spans]) for each in spans.read(path, "doccano")
    ]
    assert found == expected
    rows = [json.loads(line)["row"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == [row for row, answer in enumerate(answers, start=1) if not answer.is_blank]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells, st.sampled_from(KINDS), st.sampled_from(["csv", "tsv", "jsonl"]))
def test_long_tables_have_every_stretch_at_its_place(run, asked, kind, suffix):
    done, path, answers = run(kind, "long", asked, suffix)
    text = path.read_bytes().decode()
    if suffix == "jsonl":
        rows = [list(json.loads(line).values()) for line in text.splitlines()]
    else:
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if suffix == "tsv" else ",")
        assert header == ["row", "text", "type", "start", "end", "confidence"]
    expected = [
        [str(row), span.text, span.type, str(span.start), str(span.end), str(round(span.confidence, 4))]
        for row, answer in enumerate(answers, start=1)
        for span in answer.spans
    ]
    assert [list(map(str, row)) for row in rows] == expected
    assert all(asked[int(row[0]) - 1][int(row[3]) : int(row[4])] == row[1] for row in rows)
    assert done.labelled == sum(not answer.is_blank for answer in answers)


def test_cells_that_a_spreadsheet_would_run(run, tmp_path, models):
    forced = {"=江": "人"}
    model = Model.load(make_tagger(tmp_path / "forced", dictionary=forced))
    write_csv(tmp_path / "in.csv", [["去=江"]], header=("text",))
    label_file(model, tmp_path / "in.csv", tmp_path / "out.csv", layout="long", excel_safe=True)
    assert ["1", "'=江", "人", "1", "3"] in [row[:5] for row in read_csv(tmp_path / "out.csv")]


@pytest.mark.parametrize("layout", ["long", "conll", "conllu"])
def test_a_stopped_job_goes_on_to_the_same_bytes_and_workers_change_nothing(tmp_path, models, layout):
    limits = Limits(chunk_rows=4, commit_seconds=0.0, solo_seconds=0.0)
    write_csv(tmp_path / "in.csv", [[CELLS[row % 7]] for row in range(60)], header=("text",))
    suffix = "csv.gz" if layout == "long" else layout
    source, options = tmp_path / "in.csv", {"layout": layout, "limits": limits}
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    label_file(models["joint"], source, whole, **options)

    @contextmanager
    def stopping(what, *, total, unit):
        rows = []

        def advance(done, note=""):
            rows.append(done)
            if sum(rows) > 16:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        label_file(models["joint"], source, out, progress=stopping, **options)
    with pytest.raises(PipelineError, match=r"since then .*--layout"):
        label_file(models["joint"], source, out, output_format="csv", limits=limits)
    done = label_file(models["joint"], source, out, **options)
    assert done.resumed > 0 and out.read_bytes() == whole.read_bytes()
    label_file(models["joint"], source, out, workers=2, force=True, **options)
    assert out.read_bytes() == whole.read_bytes()


def test_parts_one_behind_the_other_are_the_whole(tmp_path, models):
    limits = Limits(chunk_rows=4, part_chunks=2)
    write_csv(tmp_path / "in.csv", [[CELLS[row % 7]] for row in range(20)], header=("text",))
    label_file(models["words"], tmp_path / "in.csv", tmp_path / "whole.conllu", layout="conllu", limits=limits)
    options = LabelOptions(layout="conllu", origin="in.csv")
    made = LabelledParts(TableJob(models["words"], tmp_path / "in.csv", tmp_path / "p", options, limits))
    (tmp_path / "p").mkdir()
    numbers = []
    while not numbers or not numbers[-1].last:
        numbers.append(made.write(len(numbers), tmp_path / "p"))
    parts = [(tmp_path / "p" / f"part-{part.number:05}.conllu").read_bytes() for part in numbers]
    assert len(parts) == 3 and b"".join(parts) == (tmp_path / "whole.conllu").read_bytes()


def test_several_files_get_the_suffix_of_the_layout(tmp_path, models):
    (tmp_path / "in").mkdir()
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / "in" / name, [["去北京"]], header=("text",))
    label_files(models["entities"], [tmp_path / "in"], tmp_path / "out", options=LabelOptions(layout="conll"))
    assert {path.name for path in (tmp_path / "out").glob("*.conll")} == {"a.conll", "b.conll"}


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("entities", {"layout": "conllu"}, "a tagger of entities: choose one of long, conll, jsonl"),
        ("words", {"layout": "jsonl"}, "choose one of long, conll, conllu"),
        ("words", {"layout": "conll", "probabilities": True}, "--probabilities is about the columns"),
        ("words", {"layout": "long", "output_format": "parquet"}, "written as csv, tsv, jsonl"),
        ("words", {"words": "text"}, "--words is for models that read words"),
    ],
)
def test_what_does_not_go_together(tmp_path, models, kind, options, message):
    write_csv(tmp_path / "in.csv", [["去"]], header=("text",))
    with pytest.raises(PipelineError, match=message):
        label_file(models[kind], tmp_path / "in.csv", tmp_path / "out.csv", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_classifier_has_the_table_alone(tmp_path):
    write_csv(tmp_path / "in.csv", [["去"]], header=("text",))
    with pytest.raises(PipelineError, match="--layout long is for taggers"):
        label_file(make_model(tmp_path / "model"), tmp_path / "in.csv", tmp_path / "out.csv", layout="long")


def test_words_of_a_column_are_tagged_and_found_in_the_text(tmp_path, models):
    rows = [
        ["去 New York，", "去 New\\sYork ，"],
        ["去滨江步道", '["去", "滨江步道"]'],
        ["去北京", "去 北平"],
        ["", ""],
        ["去北京", "去 \\x"],
    ]
    write_csv(tmp_path / "in.csv", rows, header=("text", "词"))
    done = label_file(models["pos"], tmp_path / "in.csv", tmp_path / "out.csv", words="词", layout="long")
    assert (done.rows, done.labelled, done.blank, done.rejected) == (5, 2, 1, 2)
    found = [(row[0], row[1], row[3], row[4]) for row in read_csv(tmp_path / "out.csv")[1:]]
    assert found == [
        ("1", "去", "0", "1"),
        ("1", "New York", "2", "10"),
        ("1", "，", "10", "11"),
        ("2", "去", "0", "1"),
        ("2", "滨江步道", "1", "5"),
    ]
    reasons = [row[:2] for row in read_csv(tmp_path / "out.csv.rejected.csv")[1:]]
    assert reasons[0] == ["3", 'column "词": word 2 is "北平", and the text has "北京" there (character 1)']
    assert reasons[1][0] == "5" and "is not an escape" in reasons[1][1]


def test_words_alone_are_the_text(tmp_path, models):
    write_csv(tmp_path / "in.csv", [["去 滨江步道"], [""]], header=("词",))
    label_file(models["pos"], tmp_path / "in.csv", tmp_path / "out.csv", text=(), words="词")
    _, first, second = read_csv(tmp_path / "out.csv")
    assert first[1] == "去 滨江步道" and second[1:] == ["", "", ""]
    [answer] = models["pos"].predict_tokens([models["pos"].given("去滨江步道", ["去", "滨江步道"])])
    assert first[2] == " ".join(answer.tags)


def test_a_word_with_a_line_end_is_no_line_of_columns(tmp_path, models):
    (tmp_path / "in.jsonl").write_text('{"词": ["去", "北\\n京"]}\n{"词": ["去"]}\n', encoding="utf-8")
    options = {"text": (), "words": "词"}
    for layout in ("conll", "conllu"):
        done = label_file(models["pos"], tmp_path / "in.jsonl", tmp_path / f"o.{layout}", layout=layout, **options)
        assert (done.labelled, done.rejected) == (1, 1) and "cannot hold" in done.reason


@pytest.mark.parametrize("kind", ["entities", "joint"])
def test_alternatives_are_the_n_best(tmp_path, models, kind):
    asked = ["去滨江步道骑车", "", "我"]
    write_csv(tmp_path / "in.csv", [[cell] for cell in asked], header=("text",))
    label_file(models[kind], tmp_path / "in.csv", tmp_path / "out.csv", n_best=3)
    header, *rows = read_csv(tmp_path / "out.csv")
    assert header[-1] == "alternatives" and rows[1][1:] == [""] * (len(header) - 1)
    for row, best in zip(rows, models[kind].n_best(asked, 3), strict=True):
        found = json.loads(row[-1] or "[]")
        assert [each["confidence"] for each in found] == [round(answer.score, 4) for answer in best]
        assert len(found) == len(best)
        for each, answer in zip(found, best, strict=True):
            if kind == "joint":
                assert (each["words"], each["tags"]) == (" ".join(answer.tokens), " ".join(answer.tags))
            else:
                assert [entity["start"] for entity in each["entities"]] == [span.start for span in answer.spans]
        scores = [answer.score for answer in best]
        assert scores == sorted(scores, reverse=True)
        assert not best or row[-2] == f"{best[0].score:.4f}"


def test_a_classifier_has_no_alternatives(tmp_path):
    model = make_model(tmp_path / "model")
    write_csv(tmp_path / "in.csv", [["去"]], header=("text",))
    with pytest.raises(PipelineError, match="--n-best is of taggers"):
        label_file(model, tmp_path / "in.csv", tmp_path / "out.csv", n_best=2)
    with pytest.raises(PipelineError, match="only taggers answer with several"):
        Model.load(model).n_best(["去"], 2)


def test_the_command(tmp_path, models, capsys):
    folder = models["pos"].network.path.parent
    write_csv(tmp_path / "in.csv", [["去北京", "去 北京"]], header=("text", "词"))

    def zhpipe(*options):
        with pytest.raises(SystemExit) as ended:
            main(["label", str(folder), str(tmp_path / "in.csv"), str(tmp_path / "out.conllu"), "--force", *options])
        return ended.value.code, capsys.readouterr()

    code, said = zhpipe("--layout", "conllu", "--words", "词")
    assert code == SUCCESS and "1 row: 1 labelled" in said.out
    [parse] = conllu.read(tmp_path / "out.conllu").parses()
    assert parse.tokens == ("去", "北京")
    code, said = zhpipe("--layout", "jsonl")
    assert code == BAD_INPUT and "choose one of long, conll, conllu" in said.err
    code, said = zhpipe("--layout", "conllu", "--words", "字")
    assert code == BAD_INPUT and "choose one with --words" in said.err


def test_a_classifier_reads_words_of_a_column_too(tmp_path):
    model = Model.load(make_model(tmp_path / "model"))
    write_csv(tmp_path / "in.csv", [["味道很好", "味道 很 好"], ["味道很好", "味 道 很 好"]], header=("text", "词"))
    label_file(model, tmp_path / "in.csv", tmp_path / "out.csv", words="词")
    found = [float(row[3]) for row in read_csv(tmp_path / "out.csv")[1:]]
    given = [model.given("味道很好", words) for words in (["味道", "很", "好"], [*"味道很好"])]
    assert found == [round(answer.score, 4) for answer in model.predict_tokens(given)] and found[0] != found[1]
