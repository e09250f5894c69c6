"""The routes of the review: nothing without the token, a sentence for each refusal, and no write for bad values."""

import json
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tagger import make_task
from review_runs import HOSTILE, TOKEN, written

from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.labels import Labels
from pipeline.review.app import application
from pipeline.review.decisions import Decisions
from pipeline.review.queue import Item, of_run
from pipeline.review.session import Session
from pipeline.tasks import Multilabel

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(session):
    return TestClient(application(session, TOKEN), base_url="http://127.0.0.1", headers=HEADERS)


def message(response, status):
    assert response.status_code == status
    return response.json()["error"]["message"]


def test_the_page_is_open_and_all_else_needs_the_token_and_the_name(client, session):
    for path in ("/", "/page/review.js", "/page/spans.js", "/page/review.css"):
        assert client.get(path, headers={"Authorization": ""}).status_code == 200
    for path in ("/v1/queue", "/v1/items/0", "/openapi.json"):
        assert "token" in message(client.get(path, headers={"Authorization": "Bearer wrong"}), 401)
    assert message(client.get("/v1/queue", headers={"Host": "evil.example"}), 421)
    assert client.get("/page/review.js?name=index.html&path=/etc/passwd").text.startswith("// The page")


def test_decisions_are_on_the_disk_at_once(client, session, tmp_path):
    place = next(place for place, item in enumerate(session.items) if item.old == HOSTILE)
    shown = client.get(f"/v1/items/{place}").json()
    assert shown["old"] == HOSTILE and HOSTILE in "".join(piece for piece, _ in shown["pieces"])
    found = client.post(f"/v1/items/{place}", json={"new": shown["answer"]}).json()
    assert found["decided"][place] and written(tmp_path) == [(HOSTILE, shown["answer"])]
    assert client.post("/v1/undo").json()["place"] == place
    assert written(tmp_path) == [] and client.post("/v1/undo").json()["place"] is None


@pytest.mark.parametrize(
    "body", [{"new": "没有的"}, {"new": None}, {"new": ["正常邮件"]}, {}, {"new": "x", "more": 1}, []]
)
def test_bad_values_are_refused_and_nothing_is_written(client, tmp_path, body):
    assert message(client.post("/v1/items/0", json=body), 422)
    assert not (tmp_path / "corrections.csv").exists()


def test_there_is_no_such_text(client):
    assert "the queue has" in message(client.get("/v1/items/999"), 404)
    assert message(client.get("/v1/items/-1"), 404) and message(client.get("/v1/items/a"), 422)
    assert message(client.get("/v1/other"), 404)


def test_words_that_speak_for_the_answer_are_told(session):
    effects = [share for place in range(len(session.items)) for _, share in session.item(place)["pieces"]]
    assert max(effects) == 1.0 or min(effects) == -1.0


def test_a_second_start_goes_on(client, session, run, model):
    client.post("/v1/items/0", json={"new": session.items[0].old})
    again = Session("mini", of_run(run, model), model, session.decisions)
    assert again.overview()["decided"] == session.overview()["decided"] and sum(again.overview()["decided"]) == 1


def test_a_file_that_was_spoilt_meanwhile_is_said(client, tmp_path):
    (tmp_path / "corrections.csv").write_text("a\n", encoding="utf-8")
    assert 'no column "fingerprint"' in message(client.post("/v1/items/0", json={"new": "正常邮件"}), 422)


ATOMS = (
    st.none() | st.booleans() | st.floats() | st.integers(-2, 6) | st.sampled_from(["", "人", "n", "价格"]) | st.text()
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner), max_leaves=9
)
STRETCHES = st.lists(st.lists(ATOMS, min_size=3, max_size=3), max_size=4)


@pytest.fixture(scope="module", params=["entities", "words", "joint", "pos", "multilabel"])
def reviewed(request, tmp_path_factory):
    """A client of a review of one text, and what its task makes of the file of corrections."""
    several = request.param == "multilabel"
    task = Multilabel("|", Labels(("价格", "物流"))) if several else make_task(request.param)
    decisions = Decisions(tmp_path_factory.mktemp("reviewed") / "corrections.csv", "某人")
    item = Item("a.txt", 1, "", Tokenised("我爱北京", [*"我爱北京"]), "", "", 0.5, "error")
    made = Session("a", [item], SimpleNamespace(task=task), decisions)
    return TestClient(application(made, TOKEN), base_url="http://127.0.0.1", headers=HEADERS), decisions, task


@settings(max_examples=200)
@given(
    st.one_of(
        st.builds(lambda value: json.dumps({"new": value}).encode(), VALUES | STRETCHES),
        VALUES.map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=60),
    ),
    st.sampled_from(["/v1/items/0", "/v1/items/0", "/v1/items/1", "/v1/undo", "/v1/queue"]),
)
def test_nothing_that_comes_makes_it_fail(reviewed, body, route):
    """What is refused has a sentence; what is written has a tag for each token, or known labels."""
    client, decisions, task = reviewed
    reply = client.post(route, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code < 500
    if reply.status_code != 200:
        assert message(reply, reply.status_code)
    for one in decisions.read():
        gold = task.parse_gold(one.new)
        assert {*gold} <= {"价格", "物流"} if task.several_labels else len(gold) == 4
