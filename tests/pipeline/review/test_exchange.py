"""Exchange with Label Studio and doccano: what people decide there comes back, and what nobody looked at does not."""

import json

import pytest
from review_runs import written

from corpora.annotations import choices
from corpora.errors import CorpusError
from pipeline.errors import PipelineError
from pipeline.review import queue
from pipeline.review.decisions import Decisions
from pipeline.review.exchange import export, import_, tool_of
from pipeline.review.queue import Item

NAMES = ("export.json", "export.jsonl")


@pytest.fixture
def decisions(tmp_path):
    return Decisions(tmp_path / "corrections.csv", "某人", lambda: "2026-01-01")


def records(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def save(path, found):
    lines = [json.dumps(one, ensure_ascii=False) for one in found]
    path.write_text("[" + ",".join(lines) + "]" if path.suffix == ".json" else "\n".join(lines), encoding="utf-8")


def choose(record, label):
    """Does as a person does in Label Studio or doccano."""
    if "data" in record:
        result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        record["annotations"] = [{"id": 1, "was_cancelled": False, "result": [result]}]
    else:
        record["label"] = [label]


@pytest.mark.parametrize("name", NAMES)
def test_labels_come_back_and_suggestions_do_not(run, model, tmp_path, decisions, name):
    path, items = tmp_path / name, queue.of_run(run, model, reasons=("error",))
    assert export(path, model.task, items) == len(items)
    every = queue.every_row(run, model)
    assert import_(path, model.task, every, decisions) == (0, len(items), 0, 0, "")
    found = records(path)
    for record, item in zip(found, items[:3], strict=False):
        choose(record, item.answer)
    other = json.loads(json.dumps(found[0]))
    other.get("data", other)["text"] = "没有的文本"
    strange = json.loads(json.dumps(found[0]))
    choose(strange, "没有的标签")
    save(path, [*found, other, strange])
    made = import_(path, model.task, every, decisions)
    assert made[:4] == (3, len(items) - 3, 1, 1) and "没有的标签" in made.first
    assert written(tmp_path) == [(item.old, item.answer) for item in items[:3]]
    assert sum(one is not None for one in decisions.of(items)) == 3


@pytest.mark.parametrize("name", NAMES)
def test_spans_come_back_in_characters(tagger, tmp_path, decisions, name):
    path, texts = tmp_path / name, ("我 爱北京！", "他去🦆江")
    items = [Item("a.conll", 1, "", tagger.tokenise(text), "", "O O B-地 I-地 O"[:9], 0.5, "unsure") for text in texts]
    items[0] = Item("a.conll", 1, "", items[0].text, "", "O O B-地 I-地 O", 0.5, "unsure")
    items[1] = Item("a.conll", 2, "", items[1].text, "", "B-人 O O O", 0.5, "unsure")
    assert export(path, tagger.task, items) == 2
    found = records(path)
    if path.suffix == ".json":
        spans = [one["value"] for one in found[0]["predictions"][0]["result"]]
        assert [(one["start"], one["end"], one["text"]) for one in spans] == [(3, 5, "北京")]
        found[0]["annotations"] = found[0].pop("predictions")
    else:
        assert "label" not in found[0]
        found[0]["label"] = [[3, 5, "地"]]
    save(path, found)
    assert import_(path, tagger.task, items, decisions)[:4] == (1, 1, 0, 0)
    assert written(tmp_path) == [("", "O O B-地 I-地 O")]


def test_a_small_export_is_read(tmp_path):
    path = tmp_path / "min.json"
    save(
        path,
        [{"text": "好", "label": "好评", "id": 1}, {"text": "坏", "label": {"choices": ["乙", "甲"]}}, {"text": "中"}],
    )
    assert list(choices.read(path, "label-studio", several=True)) == [
        ("好", ("好评",)),
        ("坏", ("乙", "甲")),
        ("中", None),
    ]
    with pytest.raises(CorpusError, match="row 2: 2 labels, and one is expected"):
        list(choices.read(path, "label-studio", several=False))


@pytest.mark.parametrize(
    "record, message",
    [
        ({"data": {"text": "好"}, "annotations": [{"result": []}, {"result": []}]}, "2 annotations, and one"),
        ({"data": {"text": "好"}, "annotations": [{"result": [{"value": {"choices": [3]}}]}]}, "a label is 3"),
        ({"data": {"body": "好"}}, 'a text is expected at "text"'),
        ({"data": {"text": "好"}, "annotations": [{}]}, '"result": a list is expected'),
        (3, "an object like"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(tmp_path, record, message):
    save(tmp_path / "a.json", [record])
    with pytest.raises(CorpusError, match=message):
        list(choices.read(tmp_path / "a.json", "label-studio", several=False))


def test_annotations_that_were_cancelled_count_as_none(tmp_path):
    result = [{"value": {"choices": ["好评"]}}]
    save(tmp_path / "a.json", [{"data": {"text": "好"}, "annotations": [{"was_cancelled": True, "result": result}]}])
    assert [one.labels for one in choices.read(tmp_path / "a.json", "label-studio", several=False)] == [None]


def test_the_suffix_names_the_tool(tmp_path):
    assert [tool_of(tmp_path / name) for name in NAMES] == ["label-studio", "doccano"]
    with pytest.raises(PipelineError, match=r"reads and writes \.json, doccano \.jsonl"):
        tool_of(tmp_path / "a.csv")
