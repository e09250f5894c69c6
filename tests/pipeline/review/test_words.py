"""Words and parts of speech under review: what is decided covers the text, and mends the corpus of the next run."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_tagger import make_tagger, make_task
from review_runs import TOKEN, written

from pipeline.config.load import load
from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.labels import Labels
from pipeline.errors import PipelineError
from pipeline.models.model import Model
from pipeline.review import exchange, forms, queue
from pipeline.review.app import application
from pipeline.review.decisions import Decisions
from pipeline.review.queue import Item
from pipeline.review.session import Session
from pipeline.stages.runner import run_stages
from pipeline.stages.segment import PARTS, read_part

CONFIG = """name = "words"
task = "tag"
[corpus]
train = "words.txt"
format = "slashed"
[segment]
unit = "{unit}"
workers = 1
[tag]
kind = "{kind}"
"""
LINES = [f"{who}/r {what}/v 北京/ns 烤鸭/n" for who in "我你他" for what in ("爱", "吃", "买", "要")]
PLANTED = {3: "我/r 要/v 北京烤鸭/n", 7: "你/r 要/v 北京/n 烤鸭/n"}  # lines with a wrong word, and with a wrong tag


@given(st.sampled_from(["words", "joint", "pos"]), st.sampled_from(["BIO", "BMES", "BIOES"]), st.data())
def test_what_is_shown_can_be_decided(kind, scheme, data):
    task = make_task(kind, scheme=scheme)
    names = forms.names_of(task)
    lengths = data.draw(st.lists(st.just(1) if kind == "pos" else st.integers(1, 4), min_size=1, max_size=6))
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    words = [
        [start, start + length, data.draw(st.sampled_from(names or ("",)))]
        for start, length in zip(starts, lengths, strict=True)
    ]
    gold = forms.decided(task, data.draw(st.permutations(words)), sum(lengths), names)
    assert len(task.parse_gold(gold)) == sum(lengths) and forms.shown_value(task, gold) == words
    assert forms.form_of(task) == "words" and set(forms.types_in(task, words)) <= {*names}


@pytest.mark.parametrize("kind, name", [("words", ""), ("joint", "n"), ("pos", "n")])
@pytest.mark.parametrize(
    "places",
    [
        [],
        [[0, 1]],
        [[0, 1], [2, 3]],
        [[0, 2], [1, 3]],
        [[1, 3]],
        [[0, 3], [3, 3]],
        [[0, 4]],
        [[0, True], [1, 3]],
        [[-1, 3]],
    ],
)
def test_words_that_do_not_cover_the_text_are_refused(kind, name, places):
    task = make_task(kind)
    with pytest.raises(ValueError):
        forms.decided(task, [[*place, name] for place in places], 3, forms.names_of(task))


def test_tags_that_are_unknown_or_missing_are_refused():
    for kind, name in [("words", "n"), ("joint", ""), ("joint", "没有"), ("pos", ""), ("pos", None)]:
        task = make_task(kind)
        with pytest.raises(ValueError, match="no label"):
            forms.decided(task, [[0, 1, name]], 1, forms.names_of(task))
    with pytest.raises(ValueError, match="a word is one token here"):
        forms.decided(make_task("pos"), [[0, 2, "n"]], 2, ("n",))


@pytest.mark.parametrize("kind, unit", [("words", "char"), ("joint", "char"), ("pos", "word")])
def test_mended_words_are_in_the_next_run(tmp_path, monkeypatch, kind, unit):
    """Through the routes of the page, as the page asks; of given words, the tags alone can be mended."""
    from fastapi.testclient import TestClient

    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.toml").write_text(CONFIG.format(kind=kind, unit=unit), encoding="utf-8")

    def golds(lines, *overrides):
        (tmp_path / "words.txt").write_text("\n".join(lines), encoding="utf-8")
        run = run_stages(load(tmp_path / "words.toml", [*overrides]), last="segment")
        return run, {row.row: row.gold for part in PARTS for row in read_part(run, part, make_task(kind).parse_gold)}

    _, right = golds(LINES)
    planted = {place: line for place, line in PLANTED.items() if kind != "pos" or line.count("/") == 4}
    run, wrong = golds([planted.get(place, line) for place, line in enumerate(LINES)])
    fitted = replace(make_task(kind), labels=Labels.build(tag for gold in right.values() for tag in gold))
    model = SimpleNamespace(task=fitted)
    session = Session("words", queue.every_row(run, model), model, Decisions(tmp_path / "corrections.csv", "某人"))
    client = TestClient(
        application(session, TOKEN), base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    for place, item in enumerate(session.items):
        value = forms.shown_value(fitted, fitted.format_gold(right[item.row]))
        assert client.post(f"/v1/items/{place}", json={"new": value}).status_code == 200
    changed = 1 if kind != "joint" else 2
    assert wrong != right and sum(old != new for old, new in written(tmp_path)) == changed
    _, mended = golds(
        [planted.get(place, line) for place, line in enumerate(LINES)], 'corpus.corrections=["corrections.csv"]'
    )
    assert mended == right


def test_a_tagger_of_words_suggests_what_it_answers(tmp_path):
    model = Model.load(make_tagger(tmp_path / "joint", "joint"))
    text = model.tokenise("我爱北京")
    answer = forms.answered(model.task, model.predict_tokens([text])[0])
    session = Session(
        "joint", [Item("a", 1, "", text, "", answer, 0.5, "unsure")], model, Decisions(tmp_path / "c", "")
    )
    shown = session.item(0)["answer"]
    assert [start for start, _, _ in shown][1:] == [end for _, end, _ in shown][:-1] and shown[-1][1] == 4
    assert session.overview()["form"] == "words" and not session.overview()["words_are_given"]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_tagged_words_go_to_other_tools_and_come_back(tmp_path, name):
    task, decisions = make_task("joint"), Decisions(tmp_path / "corrections.csv", "某人")
    items = [
        Item("a", 1, "", Tokenised("我爱 北京", [*"我爱北京"]), "S-n S-n B-n E-n", "S-n S-v B-n E-n", 0.5, "error")
    ]
    assert exchange.export(tmp_path / name, task, items) == 1
    text = (tmp_path / name).read_text(encoding="utf-8")
    if name == "a.json":
        found = json.loads(text)
        found[0]["annotations"] = found[0].pop("predictions")
    else:
        found = json.loads(text) | {"label": [[3, 5, "n"], [0, 1, "n"], [1, 2, "v"]]}
    (tmp_path / name).write_text(json.dumps(found), encoding="utf-8")
    assert exchange.import_(tmp_path / name, task, items, decisions)[:4] == (1, 0, 0, 0)
    assert written(tmp_path) == [(items[0].old, items[0].answer)]


def test_words_without_tags_stay_on_the_page(tmp_path):
    with pytest.raises(PipelineError, match="mark no words without tags"):
        exchange.export(tmp_path / "a.json", make_task("words"), [])
